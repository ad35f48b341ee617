using Pdp.Channels.Cutting;
using Pdp.Channels.Probing.Running;
using Pdp.Internal;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Probing.Checking;

/// <summary>Fills a model with random weights, scaled so that signals neither vanish nor grow.</summary>
internal sealed class RandomWeights(Module model, IReadOnlyList<ProbedLayer> layers, ModelSnapshot snapshot)
{
    private const double Echo = 10;

    private readonly IReadOnlyList<(string Name, Module Module)> _modules = ModelModules.Of(model);

    /// <summary>Fills the model with weights of both signs.</summary>
    /// <param name="seed">The seed of the random numbers.</param>
    /// <param name="gain">
    /// The scale of biases, shifts and means, 1 by default. Large ones push activations out of their nearly linear range.
    /// </param>
    public void Fill(ulong seed, double gain = 1)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var random = new RandomTensors(seed);
        snapshot.Restore();
        var weights = layers.Select(layer => TensorAddress.OfNative(layer.Weight)).ToHashSet();
        var others = snapshot.Parameters.Where(parameter => !weights.Contains(TensorAddress.OfNative(parameter)));
        foreach (var parameter in others.Where(parameter => parameter.is_floating_point()))
        {
            parameter.copy_(parameter.dim() > 1
                ? random.Normal(parameter.shape, Math.Pow(parameter.shape[^1], -0.5), parameter)
                : random.Uniform(parameter.shape, 0.5, 1.5, parameter));
        }

        foreach (var layer in layers)
        {
            layer.Weight.copy_(random.Normal(layer.Weight.shape, Math.Sqrt(2.0 * layer.Outputs / layer.Weight.numel()), layer.Weight));
            Shift(layer.Bias, random, gain);
        }

        foreach (var (_, module) in _modules)
            Fill(module, random, gain);
    }

    /// <summary>Gives all channels of a group the same sign at each position, positive at some positions and negative at others.</summary>
    /// <remarks>Each channel is the same function of the input, times its own factor.</remarks>
    /// <param name="group">The group.</param>
    /// <param name="seed">The seed of the random numbers.</param>
    /// <param name="isNegated">Whether the signs are swapped.</param>
    /// <param name="echoes">
    /// The signs of what layers add to the channels that they read, as bits in the order of the layers; they then add so much that it
    /// decides the sign of the sum, whichever channels are kept. Null if these layers are filled like others.
    /// </param>
    public void Align(ChannelGroup group, ulong seed, bool isNegated, int? echoes)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var random = new RandomTensors(seed);
        var tensors = Surgery.TensorsOf(model);
        var echo = 0;
        foreach (var slice in group.Of(ChannelRole.Filter))
        {
            var filters = Part(tensors[slice.Name], slice, group);
            long[] common = [.. filters.shape];
            common[slice.Dimension] = 1;
            long[] own = [.. filters.shape.Select((size, dimension) => dimension == slice.Dimension ? size : 1)];
            var fanIn = Math.Max(filters.numel() / filters.shape[slice.Dimension], 1);
            var deviation = Math.Sqrt(2.0 / fanIn);
            var shared = random.Normal(common, deviation, filters);
            if (echoes is { } signs && group.Of(ChannelRole.Input).Any(input => input.Name == slice.Name))
            {
                using Scalar size = (((signs >> echo++) & 1) == 0 ? Echo : -Echo).ToScalar();
                shared = shared.abs_().mul_(size);
            }

            filters.copy_(shared.mul(isNegated ? random.Uniform(own, -1.5, -0.5, filters) : random.Uniform(own, 0.5, 1.5, filters)));
        }

        foreach (var slice in group.Slices.Where(slice => slice.IsShift))
            Part(tensors[slice.Name], slice, group).zero_();
    }

    /// <summary>Makes the channels of groups larger or smaller by a factor, and their readers' weights the opposite.</summary>
    /// <param name="groups">The groups.</param>
    /// <param name="factor">The factor.</param>
    public void Scale(IEnumerable<ChannelGroup> groups, double factor)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using Scalar larger = factor.ToScalar(), half = Math.Sqrt(factor).ToScalar(), smaller = (1 / factor).ToScalar();
        var tensors = Surgery.TensorsOf(model);
        foreach (var group in groups)
        {
            // A norm's scale multiplies the filters'.
            var own = group.Of(ChannelRole.Norm).Any() ? half : larger;
            foreach (var slice in group.Slices)
            {
                if (slice.Role is ChannelRole.Filter or ChannelRole.Bias or ChannelRole.Norm || IsRunningMean(slice))
                    Part(tensors[slice.Name], slice, group).mul_(own);
                else if (slice.Role is ChannelRole.Input)
                    Part(tensors[slice.Name], slice, group).mul_(smaller);
            }
        }
    }

    /// <summary>Shifts all channels of a group.</summary>
    /// <param name="group">The group.</param>
    /// <param name="seed">The seed of the random numbers.</param>
    /// <param name="shift">The shift.</param>
    public void Shift(ChannelGroup group, ulong seed, double shift)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var random = new RandomTensors(seed);
        var tensors = Surgery.TensorsOf(model);
        foreach (var slice in group.Slices.Where(slice => slice.Role is ChannelRole.Bias or ChannelRole.Norm && slice.IsShift))
        {
            var part = Part(tensors[slice.Name], slice, group);
            part.copy_(random.Uniform(part.shape, 0.5 * shift, 1.5 * shift, part));
        }
    }

    private static bool IsRunningMean(ChannelSlice slice) => slice.Name.EndsWith("running_mean", StringComparison.Ordinal);

    private static Tensor Part(Tensor whole, ChannelSlice slice, ChannelGroup group) =>
        whole.detach().narrow(slice.Dimension, slice.Offset, slice.Block * group.Channels);

    private static void Fill(Module module, RandomTensors random, double gain)
    {
        switch (module)
        {
            case NormBase norm:
                Shift(norm.bias, random, gain);
                Shift(norm.running_mean, random, gain);
                norm.running_var?.copy_(random.Uniform(norm.running_var.shape, 0.5, 2, norm.running_var));
                break;
            case TorchSharp.Modules.LayerNorm norm:
                Shift(norm.bias, random, gain);
                break;
            case TorchSharp.Modules.GroupNorm norm:
                Shift(norm.bias, random, gain);
                break;
            case TorchSharp.Modules.PReLU slope:
                slope.weight.copy_(random.Uniform(slope.weight.shape, 0.05, 0.4, slope.weight));
                break;
            case TorchSharp.Modules.Embedding embedding:
                embedding.weight?.copy_(random.Normal(embedding.weight.shape, 1, embedding.weight));
                break;
        }
    }

    private static void Shift(Tensor? values, RandomTensors random, double gain)
    {
        if (values is not null && values.is_floating_point())
            values.copy_(random.Normal(values.shape, 0.3 * gain, values));
    }
}
