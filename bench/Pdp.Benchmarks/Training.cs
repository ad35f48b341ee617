using System.Diagnostics;
using System.Diagnostics.Metrics;
using Pdp.Training;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Benchmarks;

/// <summary>A network in training, step by step, dense or masked.</summary>
internal sealed class Training : IDisposable
{
    private const double EpochOfAStep = 1e-4;

    private readonly Module<Tensor, Tensor> _model;
    private readonly FusedSgd _optimizer;
    private readonly Tensor _inputs;
    private readonly Tensor _labels;
    private readonly PdpPruner? _pruner;
    private readonly MeterListener? _listener;
    private readonly Device _device;
    private int _steps;

    public Training(Case network, IMaskStrategy? strategy, StepForm form = StepForm.Plain, Device? device = null)
    {
        _device = device ?? CPU;
        _model = network.Model().to(_device);
        _optimizer = new FusedSgd(_model.named_parameters(), new SgdOptions { LearningRate = 1e-3, Momentum = 0.9 });
        _inputs = randn(network.Inputs).to(_device);
        _labels = randint(0, network.Classes, [network.Outputs], dtype: ScalarType.Int64).to(_device);
        if (strategy is null)
            return;

        if (form == StepForm.Metered)
            _listener = Listening();
        var before = Heap.InUse();
        _pruner = new PdpPruner(_model, new PdpOptions
        {
            Epochs = 1000,
            Sparsity = strategy.FixedSparsity ?? 0.8,
            Strategy = strategy,
            // The encoder is a native module, whose channels can't be cut out: there each weight is masked for itself.
            Channels = strategy is PerChannel ? Channels(network) : null,
            // An importance has to see gradients before pruning begins.
            Schedule = form == StepForm.Taylor ? new OneShot { Epoch = EpochOfAStep } : new ConstantSparsity(),
            Importance = form == StepForm.Taylor ? new Taylor() : null,
            MetricsInterval = form == StepForm.Metered ? 1 : 100,
            Temperature = Temperature.Relative(0.25).AnnealedTo(0.1, 0, 1000),
        });
        PrunerBytes = Heap.InUse() - before;
        if (form == StepForm.Committed)
        {
            Step(isMasked: true);
            _pruner.Commit();
        }
    }

    /// <summary>The strategies to measure.</summary>
    public static IMaskStrategy[] Strategies { get; } = [new Unstructured(), NofM.Keep(2, of: 4), new PerChannel()];

    /// <summary>The bytes of the weights that are pruned.</summary>
    public long PrunedBytes => _pruner?.Masks.Sum(mask => mask.Layout.Elements * sizeof(float)) ?? 0;

    /// <summary>The bytes in use that making the pruner has added.</summary>
    public long PrunerBytes { get; }

    /// <summary>How long entering the scope took in the last masked step; of a GPU, until its work was given to it.</summary>
    public TimeSpan Entering { get; private set; }

    /// <summary>How long leaving it took.</summary>
    public TimeSpan Leaving { get; private set; }

    /// <summary>The bytes allocated on the managed heap by entering and leaving in the last masked step.</summary>
    public long AllocatedInLibrary { get; private set; }

    /// <summary>One step; that of a GPU has ended, too.</summary>
    public TimeSpan Step(bool isMasked) => Alternation.Time(() =>
    {
        using var scope = NewDisposeScope();
        _optimizer.zero_grad();
        if (isMasked)
            MaskedPasses();
        else
            Passes();
        _optimizer.step();
        if (_device.type == DeviceType.CUDA)
            cuda.synchronize(_device);
    });

    public void Dispose()
    {
        _pruner?.Dispose();
        _listener?.Dispose();
        _optimizer.Dispose();
        _inputs.Dispose();
        _labels.Dispose();
        _model.Dispose();
    }

    private ChannelMap? Channels(Case network)
    {
        var map = ChannelMap.Find(_model, rand(network.Example).to(_device));
        return map.Groups.Count > 0 ? map : null;
    }

    private static MeterListener Listening()
    {
        var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == "Pdp")
                    listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.Start();
        return listener;
    }

    private void MaskedPasses()
    {
        var (start, allocated) = (Stopwatch.GetTimestamp(), GC.GetAllocatedBytesForCurrentThread());
        _pruner!.BeginEpoch(EpochOfAStep * _steps++);
        var mask = _pruner.Mask();
        Entering = Stopwatch.GetElapsedTime(start);
        AllocatedInLibrary = GC.GetAllocatedBytesForCurrentThread() - allocated;

        Passes();

        (start, allocated) = (Stopwatch.GetTimestamp(), GC.GetAllocatedBytesForCurrentThread());
        mask.Dispose();
        Leaving = Stopwatch.GetElapsedTime(start);
        AllocatedInLibrary += GC.GetAllocatedBytesForCurrentThread() - allocated;
    }

    private void Passes() => functional.cross_entropy(_model.call(_inputs), _labels).backward();
}
