using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Baselines.Internal;

/// <summary>
/// Turns a model into its linear twin for the propagation of importances, until disposed: weights |W|, no biases, and norms that are the
/// identity.
/// </summary>
/// <remarks>
/// For positive inputs all activations are positive, and rectifiers are the identity. Each layer's |W| is divided by its mean sum over the
/// inputs, so that activations neither grow nor vanish: products of fifty layers' |W| overflow float32. A zero added to the output of a
/// layer serves as a probe: its gradient is the importance of each channel, summed over positions.
/// </remarks>
internal sealed class LinearTwin : IDisposable
{
    private static readonly Scalar One = 1.ToScalar();

    private readonly ModelState _state;
    private readonly IReadOnlyDictionary<string, Module> _modules;
    private readonly Dictionary<string, Tensor> _probes = new(StringComparer.Ordinal);
    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);
    private readonly List<Action> _removals = [];

    public LinearTwin(Module model)
    {
        _modules = ModelState.ModulesOf(model);
        _state = new(model);
        try
        {
            model.eval();
            Linearize(model);
            foreach (var (name, module) in _modules)
                Watch(name, module);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The importance of each group's channels.</summary>
    /// <param name="groups">The groups.</param>
    /// <param name="forward">Calls the model.</param>
    /// <param name="final">Gives the scores of the model's output, in a shape that broadcasts to it.</param>
    /// <exception cref="InvalidOperationException">A layer runs by <c>forward</c> and can't be observed.</exception>
    public IEnumerable<(string Group, double[] Scores)> Importances(
        IReadOnlyList<ChannelGroup> groups, Func<Tensor> forward, Func<Tensor, Tensor> final)
    {
        using var scope = NewDisposeScope();
        using var _ = enable_grad();
        var response = forward();
        foreach (var slice in groups.SelectMany(group => group.Slices.Where(slice => slice.Role is ChannelRole.Filter or ChannelRole.Norm)))
            RequireSeen(ModuleOf(slice.Name));

        // Not autograd.grad: TorchSharp 0.107 aborts the process if the response doesn't depend on a probe.
        response.mul(final(response)).sum().backward();
        return [.. groups.Select(group => (group.Name, Sum(group)))];
    }

    public void Dispose()
    {
        foreach (var remove in _removals)
            remove();
        foreach (var probe in _probes.Values)
            probe.Dispose();
        _state.Dispose();
    }

    private static string ModuleOf(string parameter) => parameter[..Math.Max(parameter.LastIndexOf('.'), 0)];

    /// <summary>The weight of a layer, its bias, and the number of its outputs; null for other modules.</summary>
    private static (Parameter Weight, Parameter? Bias, long Outputs)? LayerOf(Module module) => module switch
    {
        ConvolutionTranspose transposed => (transposed.weight, transposed.bias, transposed.weight.shape[1] * transposed.groups),
        Convolution convolution => (convolution.weight, convolution.bias, convolution.weight.shape[0]),
        Linear linear => (linear.weight, linear.bias, linear.weight.shape[0]),
        _ => null,
    };

    private void Linearize(Module model)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        foreach (var parameter in model.parameters().Where(parameter => parameter.is_floating_point()))
            parameter.abs_();
        foreach (var layer in _modules.Values.Select(LayerOf).OfType<(Parameter Weight, Parameter? Bias, long Outputs)>())
        {
            layer.Bias?.zero_();
            using Scalar sum = (layer.Weight.to_type(ScalarType.Float64).sum().cpu().ReadCpuDouble(0) / layer.Outputs).ToScalar();
            if (sum.ToDouble() > 0)
                layer.Weight.div_(sum);
        }
    }

    private void Watch(string name, Module module)
    {
        if (LayerOf(module) is { } layer)
        {
            using var _ = no_grad();
            var probe = zeros([layer.Outputs, .. Enumerable.Repeat(1L, (int)layer.Weight.dim() - 2)], layer.Weight.dtype,
                layer.Weight.device).DetachFromDisposeScope();
            _probes[name] = probe.requires_grad_();
            Hook(name, module, (_, output) => output.add(probe, One));
        }
        else if (module is NormBase or TorchSharp.Modules.LayerNorm or TorchSharp.Modules.GroupNorm)
        {
            // A new handle, as Sequential disposes the inputs of its modules.
            Hook(name, module, (input, _) => input.alias());
        }
    }

    private void Hook(string name, Module module, Func<Tensor, Tensor, Tensor> replace) =>
        _removals.Add(((Module<Tensor, Tensor>)module).register_forward_hook((_, input, output) =>
        {
            _seen.Add(name);
            return replace(input, output);
        }).remove);

    private void RequireSeen(string module)
    {
        if (!_seen.Contains(module))
            throw new InvalidOperationException(
                $"The layer '{module}' runs, but not by call(), so importances can't be propagated: in the model's forward, write "
                + $"{module}.call(x) instead of {module}.forward(x).");
    }

    /// <summary>The importance of a channel, over all filters that produce it.</summary>
    private double[] Sum(ChannelGroup group)
    {
        using var scope = NewDisposeScope();
        var total = new double[group.Channels];
        foreach (var slice in group.Of(ChannelRole.Filter))
        {
            if (_probes[ModuleOf(slice.Name)].grad is not { } gradient)
                continue;

            var importance = gradient.to_type(ScalarType.Float64).reshape(-1);
            // In grouped transposed convolutions a channel is counted in inputs.
            var size = LayerOf(_modules[ModuleOf(slice.Name)])!.Value.Weight.shape[slice.Dimension];
            var (offset, block) = (slice.Offset * importance.numel() / size, slice.Block * importance.numel() / size);
            var values = importance.narrow(0, offset, block * group.Channels).reshape(group.Channels, block).sum(1).cpu().data<double>();
            for (var channel = 0; channel < total.Length; channel++)
                total[channel] += values[channel];
        }

        return total;
    }
}
