using static TorchSharp.torch;

namespace Pdp;

/// <summary>Hard masks of whole parameters and buffers, put together from what each mask keeps.</summary>
/// <param name="tensors">The model's parameters and buffers by name.</param>
internal sealed class CommittedMasks(IReadOnlyDictionary<string, Tensor> tensors)
{
    private readonly Dictionary<string, Tensor> _masks = new(StringComparer.Ordinal);

    /// <summary>The masks by name, of the tensors' shapes and devices, bool; the caller's.</summary>
    public IReadOnlyDictionary<string, Tensor> MoveToOuterDisposeScope()
    {
        foreach (var mask in _masks.Values)
            mask.MoveToOuterDisposeScope();
        return _masks;
    }

    /// <summary>Adds the mask of a weight.</summary>
    /// <param name="name">The weight's name.</param>
    /// <param name="kept">What is kept, which broadcasts to the weight's shape; null for all.</param>
    public void Add(string name, Tensor? kept)
    {
        if (kept is not null)
            Of(name).logical_and_(kept);
        else
            Of(name);
    }

    /// <summary>Adds the masks of all that goes with the channels of a group.</summary>
    /// <remarks>Readers keep the weights of removed channels until the model is shrunk: what they read there is zero.</remarks>
    /// <param name="group">The group.</param>
    /// <param name="kept">The channels that are kept, one value each; null for all.</param>
    public void Add(ChannelGroup group, Tensor? kept)
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
