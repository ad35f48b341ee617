using Pdp.Channels.Shrinking;
using Pdp.Internal;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Probing;

/// <summary>Fills a model with random weights of the scale at which signals neither vanish nor grow.</summary>
internal sealed class RandomWeights(Module model, IReadOnlyList<ProbedLayer> layers, ModelSnapshot snapshot)
{
    private readonly IReadOnlyList<(string Name, Module Module)> _modules = ModelModules.Of(model);

    /// <summary>Weights of both signs.</summary>
    /// <param name="seed">What the random numbers start from.</param>
    /// <param name="gain">How large biases, shifts and means are, 1 for what is usual: they push activations out of where they are nearly linear.</param>
    public void Fill(ulong seed, double gain = 1)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var draw = new Draw(seed);
        snapshot.Restore();
        var weights = layers.Select(layer => TensorAddress.OfNative(layer.Weight)).ToHashSet();
        foreach (var parameter in snapshot.Parameters.Where(parameter => parameter.is_floating_point() && !weights.Contains(TensorAddress.OfNative(parameter))))
            parameter.copy_(parameter.dim() > 1 ? draw.Normal(parameter.shape, Math.Pow(parameter.shape[^1], -0.5), parameter) : draw.Uniform(parameter.shape, 0.5, 1.5, parameter));
        foreach (var layer in layers)
        {
            layer.Weight.copy_(draw.Normal(layer.Weight.shape, Math.Sqrt(2.0 * layer.Outputs / layer.Weight.numel()), layer.Weight));
            Shift(layer.Bias, draw, gain);
        }

        foreach (var (_, module) in _modules)
            Fill(module, draw, gain);
    }

    /// <summary>Gives all channels of a group the same sign at each position, which some positions have positive and some negative.</summary>
    /// <remarks>Each channel is the same function of the input, times a number of its own.</remarks>
    /// <param name="group">The group.</param>
    /// <param name="seed">What the random numbers start from.</param>
    /// <param name="isNegated">Whether positive and negative change places.</param>
    public void Align(ChannelGroup group, ulong seed, bool isNegated)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var draw = new Draw(seed);
        var tensors = Surgery.TensorsOf(model);
        foreach (var slice in group.Of(ChannelRole.Filter))
        {
            var filters = Part(tensors[slice.Name], slice, group);
            long[] common = [.. filters.shape];
            common[slice.Dimension] = 1;
            long[] own = [.. filters.shape.Select((size, dimension) => dimension == slice.Dimension ? size : 1)];
            filters.copy_(draw.Normal(common, Math.Sqrt(2.0 / Math.Max(filters.numel() / filters.shape[slice.Dimension], 1)), filters).mul(isNegated ? draw.Uniform(own, -1.5, -0.5, filters) : draw.Uniform(own, 0.5, 1.5, filters)));
        }

        foreach (var slice in group.Slices.Where(slice => slice.Role is ChannelRole.Bias || (slice.Role is ChannelRole.Norm or ChannelRole.Follower && IsShift(slice.Name))))
            Part(tensors[slice.Name], slice, group).zero_();
    }

    private static bool IsShift(string name) => name.EndsWith("bias", StringComparison.Ordinal) || name.EndsWith("running_mean", StringComparison.Ordinal);

    private static Tensor Part(Tensor whole, ChannelSlice slice, ChannelGroup group) => whole.detach().narrow(slice.Dimension, slice.Offset, slice.Block * group.Channels);

    private static void Fill(Module module, Draw draw, double gain)
    {
        switch (module)
        {
            case NormBase norm:
                Shift(norm.bias, draw, gain);
                Shift(norm.running_mean, draw, gain);
                norm.running_var?.copy_(draw.Uniform(norm.running_var.shape, 0.5, 2, norm.running_var));
                break;
            case TorchSharp.Modules.LayerNorm norm:
                Shift(norm.bias, draw, gain);
                break;
            case TorchSharp.Modules.GroupNorm norm:
                Shift(norm.bias, draw, gain);
                break;
            case TorchSharp.Modules.PReLU slope:
                slope.weight.copy_(draw.Uniform(slope.weight.shape, 0.05, 0.4, slope.weight));
                break;
            case TorchSharp.Modules.Embedding embedding:
                embedding.weight?.copy_(draw.Normal(embedding.weight.shape, 1, embedding.weight));
                break;
        }
    }

    private static void Shift(Tensor? values, Draw draw, double gain)
    {
        if (values is not null && values.is_floating_point())
            values.copy_(draw.Normal(values.shape, 0.3 * gain, values));
    }
}
