using Pdp.Channels.Probing.Running;
using Pdp.Internal;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Probing.Diagnosing;

/// <summary>Shows what code outside of layers makes of one layer's channels.</summary>
/// <remarks>
/// A first pass records the inputs and outputs of all layers and norms over channels. In further passes, all of them return what they
/// returned then, except for one channel of one layer. Whatever changes, changes by the code between.
/// </remarks>
internal sealed class Wiring : IDisposable
{
    private static readonly Scalar One = 1.ToScalar();

    private readonly Module _model;
    private readonly ModelRunner _runner;
    private readonly bool _isTraining;
    private readonly IReadOnlyList<Tensor>? _inputs;
    private readonly List<Action> _removals = [];
    private readonly List<WiringCall> _calls = [];
    private readonly HashSet<Module> _called = [];
    private readonly Outputs? _outputs;
    private Reach? _reach;
    private Func<WiringCall, Tensor?> _change = _ => null;
    private int _next;
    private bool _isOn;

    /// <summary>Records a pass.</summary>
    /// <param name="model">The model, in the state to look at.</param>
    /// <param name="runner">Runs it.</param>
    /// <param name="isTraining">Whether to look at what training mode runs.</param>
    /// <exception cref="Exception">The model throws something that sizes don't explain; the hooks are removed then.</exception>
    public Wiring(Module model, ModelRunner runner, bool isTraining)
    {
        (_model, _runner, _isTraining) = (model, runner, isTraining);
        _inputs = runner.Normal(tensor => tensor.shape, 51);
        foreach (var (_, module) in ModelModules.Of(model).DistinctBy(pair => pair.Module))
        {
            if (module is Module<Tensor, Tensor> one)
                _removals.Add(one.register_forward_hook((_, input, output) => Called(one, input, output)).remove);
        }

        try
        {
            _outputs = Run();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Whether the model ran, and its outputs are finite somewhere and not all zero.</summary>
    public bool IsConclusive => _outputs is { Largest: > 0 };

    /// <summary>Whether a module was called.</summary>
    public bool HasCalled(Module module) => _called.Contains(module);

    /// <summary>What changes when a channel becomes the largest of its layer's output.</summary>
    public Reach Of(ProbedLayer layer, long channel) =>
        Replay(call => call.Module == layer.Module ? Raised(layer, call.Output, channel) : null);

    /// <summary>What changes when all layers return zeros.</summary>
    public Reach OfSilence() => Replay(call => call.Output.zeros_like());

    /// <summary>What changes when a parameter that belongs to no layer does.</summary>
    public Reach Of(Parameter parameter)
    {
        using var _ = no_grad();
        using var before = parameter.detach().clone();
        using (var scope = NewDisposeScope())
        using (var random = new RandomTensors(52))
            parameter.add_(random.Uniform(parameter.shape, 1, 2, parameter), One);
        var reach = Replay(_ => null);
        parameter.copy_(before);
        return reach;
    }

    public void Dispose() => _runner.Do(() =>
    {
        foreach (var remove in _removals)
            remove();
        foreach (var call in _calls)
            call.Dispose();
    });

    /// <summary>The dimension of a module's channels in its input or output.</summary>
    private static int ChannelDimension(Module module, Tensor tensor) => module switch
    {
        Convolution convolution => (int)(tensor.dim() - convolution.weight.dim() + 1),
        TorchSharp.Modules.GroupNorm => 1,
        _ => (int)tensor.dim() - 1,
    };

    /// <summary>Runs a pass in which layers return their recorded outputs, except where a change is given.</summary>
    private Reach Replay(Func<WiringCall, Tensor?> change)
    {
        var reach = new Reach();
        (_reach, _change, _next) = (reach, change, 0);
        var outputs = Run();
        reach.IsDiverted |= outputs is null || _outputs is null || !_outputs.HasShapesOf(outputs);
        reach.Outputs = reach.IsDiverted ? [] : _outputs!.ChangedIndices(outputs!);
        return reach;
    }

    private Outputs? Run()
    {
        using var mode = _isTraining ? new TrainingMode(_model, withNorms: false) : null;
        _isOn = true;
        try
        {
            ModelSnapshot.Rewind();
            return _runner.Run(_inputs);
        }
        catch (Exception fault) when (TrialFaults.MayComeFromSizes(fault))
        {
            return null;
        }
        finally
        {
            _isOn = false;
        }
    }

    private Tensor Called(Module module, Tensor input, Tensor output)
    {
        if (!_isOn)
            return output;
        if (_reach is null)
            _called.Add(module);
        if (ProbedLayer.Of("", module) is null && module is not (TorchSharp.Modules.LayerNorm or TorchSharp.Modules.GroupNorm))
            return output;
        if (_reach is null)
        {
            _calls.Add(WiringCall.Of(module, input, output));
            return output;
        }

        if (_reach.IsDiverted || _next >= _calls.Count || _calls[_next] is not { } call
            || call.Module != module || !call.Input.shape.AsSpan().SequenceEqual(input.shape))
        {
            _reach.IsDiverted = true;
            return output;
        }

        _next++;
        var dimension = ChannelDimension(module, input);
        _reach.Add(module, TensorChanges.Indices(call.Input, input, dimension), TensorChanges.Zeros(input, dimension));
        return _change(call) ?? call.Output.alias();
    }

    private static Tensor Raised(ProbedLayer layer, Tensor output, long channel)
    {
        var raised = output.clone();
        using var scope = NewDisposeScope();
        var largest = output.abs().max();
        raised.narrow(ChannelDimension(layer.Module, output), channel, 1).add_(largest, One).add_(largest, One).add_(One, One);
        return raised;
    }
}
