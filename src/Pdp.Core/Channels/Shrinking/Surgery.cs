using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Shrinking;

/// <summary>Cuts channels out of a model in place, and can put them back.</summary>
/// <remarks>
/// Each tensor keeps its identity and gets a smaller storage, so that modules, optimizers and everything else that holds a parameter see the
/// same object. Gradients are dropped, as they have the old shape.
/// </remarks>
internal sealed class Surgery : IDisposable
{
    private readonly Module _model;
    private readonly List<(Tensor Tensor, Tensor Before)> _cut = [];
    private readonly List<(Convolution Layer, long Groups, long Size)> _grouped;

    private Surgery(Module model)
    {
        _model = model;
        _grouped = [.. ModelModules.Of(model).Select(pair => pair.Module).OfType<Convolution>().Where(layer => layer.groups > 1).Select(layer => (layer, layer.groups, layer.weight.shape[0]))];
    }

    /// <summary>Keeps some channels of each group.</summary>
    /// <param name="model">The model.</param>
    /// <param name="kept">For each group the channels that stay, in order.</param>
    public static Surgery Keep(Module model, IEnumerable<(ChannelGroup Group, IReadOnlyList<long> Channels)> kept)
    {
        var surgery = new Surgery(model);
        var tensors = TensorsOf(model);
        var cuts = kept
            .SelectMany(pair => pair.Group.Slices.Select(slice => (pair.Group, slice, pair.Channels)))
            .GroupBy(cut => (cut.slice.Name, cut.slice.Dimension));
        foreach (var cut in cuts)
        {
            if (tensors.TryGetValue(cut.Key.Name, out var whole))
                surgery.Cut(whole, cut.Key.Dimension, [.. IndicesOf(whole.shape[cut.Key.Dimension], cut)]);
        }

        surgery.UpdateSizes();
        return surgery;
    }

    /// <summary>Parameters and buffers by name.</summary>
    public static Dictionary<string, Tensor> TensorsOf(Module model)
    {
        var tensors = model.named_parameters().ToDictionary(pair => pair.name, pair => (Tensor)pair.parameter, StringComparer.Ordinal);
        foreach (var (name, buffer) in model.named_buffers())
            tensors.TryAdd(name, buffer);
        return tensors;
    }

    /// <summary>The indices of a slice that belong to some channels.</summary>
    public static IEnumerable<long> IndicesOf(ChannelSlice slice, IEnumerable<long> channels) =>
        channels.SelectMany(channel => Enumerable.Range(0, (int)slice.Block).Select(i => slice.Offset + (channel * slice.Block) + i));

    /// <summary>Puts everything back.</summary>
    public void Undo()
    {
        using var _ = no_grad();
        // Backwards: a weight may have been cut along two dimensions.
        foreach (var (whole, before) in Enumerable.Reverse(_cut))
            whole.set_(before);
        UpdateSizes();
    }

    public void Dispose()
    {
        foreach (var (_, before) in _cut)
            before.Dispose();
    }

    /// <summary>The indices of a dimension that stay: all but those of removed channels.</summary>
    private static IEnumerable<long> IndicesOf(long size, IEnumerable<(ChannelGroup Group, ChannelSlice Slice, IReadOnlyList<long> Channels)> cuts)
    {
        var stays = Enumerable.Repeat(true, (int)size).ToArray();
        foreach (var (group, slice, channels) in cuts)
            foreach (var index in IndicesOf(slice, Enumerable.Range(0, (int)group.Channels).Select(channel => (long)channel).Except(channels)))
                stays[index] = false;
        return Enumerable.Range(0, (int)size).Where(index => stays[index]).Select(index => (long)index);
    }

    private void Cut(Tensor whole, int dimension, long[] indices)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        _cut.Add((whole, whole.detach().DetachFromDisposeScope()));
        if (whole.requires_grad)
            whole.grad = null;
        whole.set_(whole.detach().index_select(dimension, tensor(indices, device: whole.device)));
    }

    /// <summary>Of a grouped convolution whole groups are cut.</summary>
    private void UpdateSizes()
    {
        foreach (var (layer, groups, size) in _grouped)
            layer.groups = groups * layer.weight.shape[0] / size;
        foreach (var (_, module) in ModelModules.Of(_model))
            LayerSizes.Update(module);
    }
}
