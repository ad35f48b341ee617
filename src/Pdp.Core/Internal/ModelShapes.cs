using static TorchSharp.torch.nn;

namespace Pdp.Internal;

/// <summary>The shapes of a model's parameters and buffers, by name.</summary>
internal static class ModelShapes
{
    public static IReadOnlyDictionary<string, IReadOnlyList<long>> Of(Module model)
    {
        var shapes = new SortedDictionary<string, IReadOnlyList<long>>(StringComparer.Ordinal);
        foreach (var (name, parameter) in model.named_parameters())
            shapes[name] = parameter.shape;
        foreach (var (name, buffer) in ModelBuffers.Of(model))
            shapes.TryAdd(name, buffer.shape);
        return shapes;
    }
}
