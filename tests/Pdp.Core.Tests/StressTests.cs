using System.Diagnostics;
using System.Globalization;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests;

/// <summary>
/// TorchSharp 0.107 lets the garbage collector free native objects that a native call still reads. The environment variable
/// PDP_STRESS_SECONDS makes each case go on for so many seconds.
/// </summary>
public sealed class StressTests
{
    /// <summary>The steps of each case, whatever their time; more where seconds are asked for.</summary>
    private const int LeastSteps = 100;

    [Theory]
    [InlineData("unstructured", ScalarType.Float32)]
    [InlineData("unstructured", ScalarType.Float64)]
    [InlineData("channel", ScalarType.Float32)]
    [InlineData("channel", ScalarType.Float64)]
    public void MaskedSteps_UnderForcedCollections_NeitherThrowNorChangeAWeightNorLeak(string strategy, ScalarType type)
    {
        var seconds = double.Parse(Environment.GetEnvironmentVariable("PDP_STRESS_SECONDS") ?? "0", CultureInfo.InvariantCulture);
        using var model = TestModels.Cnn();
        model.to(type);
        using var inputs = randn(2, 3, 5, 5, dtype: type);
        using var pruner = new PdpPruner(model, new PdpOptions
        {
            Sparsity = 0.7,
            Epochs = 1,
            Schedule = new ConstantSparsity(),
            Strategy = strategy == "channel" ? new PerChannel() : new Unstructured(),
            Channels = strategy == "channel" ? ChannelMap.Find(model, inputs) : null,
        });
        pruner.BeginEpoch(0);
        Step(model, pruner, inputs);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var (before, tensors) = (TestModels.Bytes(model), Tensor.TotalCount);

        using var stop = new CancellationTokenSource();
        // Without a rest, collections leave a busy machine no time for steps.
        var collecting = Repeat(Collect, stop.Token);
        var allocating = Repeat(() => GC.KeepAlive(new byte[100_000]), stop.Token);
        try
        {
            var clock = Stopwatch.StartNew();
            for (var steps = 0; steps < LeastSteps || clock.Elapsed.TotalSeconds < seconds; steps++)
                Step(model, pruner, inputs);
        }
        finally
        {
            stop.Cancel();
            collecting.Join();
            allocating.Join();
        }

        Assert.Equal(before, TestModels.Bytes(model));
        Assert.Equal(tensors, Tensor.TotalCount);
    }

    private static void Collect()
    {
        GC.Collect(0, GCCollectionMode.Forced, blocking: true);
        Thread.Sleep(1);
    }

    private static Thread Repeat(Action action, CancellationToken stop)
    {
        var thread = new Thread(() =>
        {
            while (!stop.IsCancellationRequested)
                action();
        })
        {
            // Else a test that fails would leave a process that doesn't end.
            IsBackground = true,
        };
        thread.Start();
        return thread;
    }

    /// <summary>A step whose learning rate is zero, so that any change of a weight is a fault.</summary>
    private static void Step(Module<Tensor, Tensor> model, PdpPruner pruner, Tensor inputs)
    {
        using var scope = NewDisposeScope();
        model.zero_grad();
        using (pruner.Mask())
            model.call(inputs).sum().backward();
    }
}
