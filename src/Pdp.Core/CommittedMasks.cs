using Pdp.Masking;
using static TorchSharp.torch;

namespace Pdp;

/// <summary>Builds the hard masks of whole parameters and buffers from what each mask keeps.</summary>
/// <param name="tensors">The model's parameters and buffers by name.</param>
internal sealed class CommittedMasks(IReadOnlyDictionary<string, Tensor> tensors)
{
    private readonly Dictionary<string, Tensor> _masks = new(StringComparer.Ordinal);

    /// <summary>The masks by name: bool tensors of the parameters' shapes on their devices; the caller's.</summary>
    public IReadOnlyDictionary<string, Tensor> MoveToOuterDisposeScope()
    {
        foreach (var mask in _masks.Values)
            mask.MoveToOuterDisposeScope();
        return _masks;
    }

    /// <summary>Adds what a mask keeps; everything if it has lost nothing.</summary>
    /// <param name="group">The weights under the mask.</param>
    /// <param name="tied">The channels that share the mask; null if it is for a single weight.</param>
    public void Add(MaskGroup group, ChannelGroup? tied)
    {
        var mask = group.Mask;
        if (tied is not null)
            Add(tied, group.Frozen);
        else
            Add(mask.Name, group.Frozen is { } frozen ? mask.Strategy.Spread(frozen, mask.Layout) : null);
    }

    private void Add(string name, Tensor? kept)
    {
        if (kept is not null)
            Of(name).logical_and_(kept);
        else
            Of(name);
    }

    /// <summary>Adds the masks of everything that belongs to the channels of a group.</summary>
    /// <remarks>Layers that read removed channels keep their weights until the model is shrunk: their input there is zero.</remarks>
    private void Add(ChannelGroup group, Tensor? kept)
    {
        foreach (var slice in group.Slices.Where(slice => slice.Role != ChannelRole.Input && tensors.ContainsKey(slice.Name)))
        {
            var mask = Of(slice.Name);
            if (kept is null)
                continue;

            var indices = kept.reshape(-1, 1).expand(group.Channels, slice.Block).reshape(-1);
            long[] broadcast = [.. Enumerable.Range(0, (int)mask.dim()).Select(dimension => dimension == slice.Dimension ? -1L : 1L)];
            mask.narrow(slice.Dimension, slice.Offset, slice.Block * group.Channels).logical_and_(indices.reshape(broadcast));
        }
    }

    private Tensor Of(string name)
    {
        if (_masks.TryGetValue(name, out var mask))
            return mask;
        return _masks[name] = ones(tensors[name].shape, ScalarType.Bool, tensors[name].device);
    }
}
