using static TorchSharp.torch.nn;

namespace Pdp.Internal;

/// <summary>The modules of a model by name, with the model itself first, under the empty name.</summary>
internal static class ModelModules
{
    public static IReadOnlyList<(string Name, Module Module)> Of(Module model) =>
    [
        .. model.named_modules().Select(pair => (pair.name, pair.module)).Prepend((name: "", module: model)).DistinctBy(pair => pair.name),
    ];
}
