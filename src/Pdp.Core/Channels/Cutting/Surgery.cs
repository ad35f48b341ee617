using Pdp.Internal;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Cutting;

/// <summary>Removes channels from a model in place, and can restore them.</summary>
/// <remarks>
/// Each tensor keeps its identity and gets a smaller storage, so that modules, optimizers and everything else that holds a parameter see
/// the same object. Gradients are set aside, since they have the old shape.
/// </remarks>
internal sealed class Surgery : IDisposable
{
    private readonly Module _model;
    private readonly List<(Tensor Whole, Tensor Before, Tensor? Gradient)> _cut = [];
    private readonly List<GroupedModule> _grouped;

    private Surgery(Module model)
    {
        _model = model;
        _grouped = [.. ModelModules.Of(model).Select(pair => GroupedModule.Of(pair.Name, pair.Module)).OfType<GroupedModule>()];
    }

    /// <summary>Keeps some channels of each group; after an exception the model is unchanged.</summary>
    /// <param name="model">The model.</param>
    /// <param name="kept">The kept channels of each group, in ascending order.</param>
    /// <exception cref="ArgumentException">Only a part of a group of a grouped convolution or a group norm would be removed.</exception>
    public static Surgery Keep(Module model, IEnumerable<(ChannelGroup Group, IReadOnlyList<long> Channels)> kept)
    {
        var surgery = new Surgery(model);
        try
        {
            surgery.Cut(new KeptIndices(kept));
            return surgery;
        }
        catch
        {
            surgery.Undo();
            surgery.Dispose();
            throw;
        }
    }

    /// <summary>Parameters and buffers by name.</summary>
    public static Dictionary<string, Tensor> TensorsOf(Module model)
    {
        var tensors = model.named_parameters().ToDictionary(pair => pair.name, pair => (Tensor)pair.parameter, StringComparer.Ordinal);
        foreach (var (name, buffer) in ModelBuffers.Of(model))
            tensors.TryAdd(name, buffer);
        return tensors;
    }

    /// <summary>The indices of a slice that belong to some channels.</summary>
    public static IEnumerable<long> IndicesOf(ChannelSlice slice, IEnumerable<long> channels) => KeptIndices.Of(slice, channels);

    /// <summary>Restores everything.</summary>
    public void Undo()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        foreach (var (whole, before, gradient) in _cut)
        {
            whole.set_(before);
            if (gradient is not null)
                whole.grad = gradient;
        }

        UpdateSizes();
    }

    public void Dispose()
    {
        foreach (var (_, before, gradient) in _cut)
        {
            before.Dispose();
            gradient?.Dispose();
        }

        _cut.Clear();
    }

    /// <summary>Computes all new tensors before it replaces the first one.</summary>
    private void Cut(KeptIndices indices)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var tensors = TensorsOf(_model);
        var parts = indices.Names.Where(tensors.ContainsKey)
            .Select(name => (Whole: tensors[name], Part: indices.Select(name, tensors[name]))).ToArray();
        foreach (var (whole, part) in parts)
        {
            var gradient = whole.grad?.DetachFromDisposeScope();
            _cut.Add((whole, whole.detach().DetachFromDisposeScope(), gradient));
            if (gradient is not null)
                whole.grad = null;
            whole.set_(part);
        }

        UpdateSizes();
    }

    /// <summary>Updates the sizes that layers store. Grouped convolutions and group norms must lose whole groups.</summary>
    private void UpdateSizes()
    {
        foreach (var grouping in _grouped)
            grouping.Update();
        foreach (var (_, module) in ModelModules.Of(_model))
            LayerSizes.Update(module);
    }
}
