using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Baselines.Discrimination;

/// <summary>The weights by which layers read the channels of a group: without a channel's, the channel is as good as removed.</summary>
internal sealed class ChannelReaders : IDisposable
{
    private static readonly Scalar Zero = 0.ToScalar();

    private readonly string _name;
    private readonly (Parameter Weight, ChannelSlice Slice)[] _readers;
    private Tensor[] _trained = [];

    public ChannelReaders(ChannelGroup group, IReadOnlyDictionary<string, Parameter> parameters)
    {
        _name = group.Name;
        Channels = (int)group.Channels;
        _readers = [.. group.Of(ChannelRole.Input).Select(slice => (parameters[slice.Name], slice))];
        Modules = [.. _readers.Select(reader => ModuleOf(reader.Slice.Name)).Distinct()];
    }

    public int Channels { get; }

    /// <summary>The names of the layers.</summary>
    public IReadOnlyList<string> Modules { get; }

    /// <summary>The name of the module that has a parameter.</summary>
    public static string ModuleOf(string parameter) => parameter[..Math.Max(parameter.LastIndexOf('.'), 0)];

    /// <summary>Writes zeros to the weights of all channels, and remembers them.</summary>
    public void Empty()
    {
        _trained = [.. _readers.Select(reader => SliceOf(reader.Weight, reader.Slice).detach().clone().DetachFromDisposeScope())];
        Silence(new bool[Channels]);
    }

    /// <summary>Gives a channel the weights that it had before <see cref="Empty"/>.</summary>
    public void Return(int channel)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        foreach (var ((weight, slice), trained) in _readers.Zip(_trained))
        {
            var first = channel * slice.Block;
            SliceOf(weight, slice).narrow(slice.Dimension, first, slice.Block).copy_(trained.narrow(slice.Dimension, first, slice.Block));
        }
    }

    /// <summary>Writes zeros to the weights of the channels that are not kept.</summary>
    public void Silence(bool[] kept)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        foreach (var (weight, slice) in _readers)
            SliceOf(weight, slice).masked_fill_(Removed(kept, weight, slice), Zero);
    }

    /// <summary>‖∂L/∂W_k‖_F of each channel k, summed over the layers.</summary>
    /// <exception cref="InvalidOperationException">No gradient has arrived at a layer, or one is not finite.</exception>
    public double[] GradientNorms()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        double[] norms = [.. stack([.. _readers.Select(Norms)]).sum([0]).cpu().data<double>()];
        return norms.All(double.IsFinite)
            ? norms
            : throw new InvalidOperationException($"DCP can't rank the channels of '{_name}': a gradient is not finite.");

        Tensor Norms((Parameter Weight, ChannelSlice Slice) reader)
        {
            var slices = SliceOf(GradientOf(reader), reader.Slice).to_type(ScalarType.Float64)
                .movedim([reader.Slice.Dimension], [0]).reshape(Channels, -1);
            return slices.mul(slices).sum([1]).sqrt();
        }
    }

    /// <summary>The weights of the group's channels, with gradients that are zero for those that have not been chosen.</summary>
    /// <remarks>Views and new tensors in the scope of the caller.</remarks>
    public IEnumerable<(Tensor Weight, Tensor? Gradient)> Learning(bool[] chosen) => _readers.Select(reader => (
        SliceOf(reader.Weight, reader.Slice),
        (Tensor?)SliceOf(GradientOf(reader), reader.Slice).masked_fill(Removed(chosen, reader.Weight, reader.Slice), Zero)));

    public void Dispose()
    {
        foreach (var trained in _trained)
            trained.Dispose();
    }

    private Tensor SliceOf(Tensor whole, ChannelSlice slice) => whole.narrow(slice.Dimension, slice.Offset, slice.Block * Channels);

    private Tensor GradientOf((Parameter Weight, ChannelSlice Slice) reader) => reader.Weight.grad
        ?? throw new InvalidOperationException(
            $"DCP can't rank the channels of '{_name}': no gradient arrived at '{reader.Slice.Name}', which reads them. The weight must "
            + "require a gradient, and the model must be called with gradients enabled.");

    /// <summary>Where a slice belongs to channels that are not kept, in a shape that broadcasts to it.</summary>
    private static Tensor Removed(bool[] kept, Tensor weight, ChannelSlice slice)
    {
        var shape = Enumerable.Repeat(1L, (int)weight.dim()).ToArray();
        shape[slice.Dimension] = -1;
        return tensor(kept, device: weight.device).logical_not().repeat_interleave(slice.Block).reshape(shape);
    }
}
