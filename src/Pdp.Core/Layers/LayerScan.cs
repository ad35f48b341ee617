using Pdp.Internal;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch.nn;

namespace Pdp.Layers;

/// <summary>Finds the weights of a model: its non-empty parameters of two or more dimensions, with the modules that own them.</summary>
internal static class LayerScan
{
    /// <summary>Scans a model that is to be pruned.</summary>
    /// <returns>The weights, in the order of the model's parameters.</returns>
    /// <exception cref="ArgumentException">The model has no weight that could be pruned.</exception>
    public static IReadOnlyList<TiedWeight> Scan(Module model)
    {
        var weights = Find(model);
        return weights.Any(weight => weight.Refusal is null)
            ? weights
            : throw new ArgumentException(
                $"The model '{model.GetName()}' has no weight of two or more dimensions in a floating-point type, so there is nothing to "
                + "prune.", nameof(model));
    }

    /// <summary>Finds the weights of any model, also of one that has none.</summary>
    /// <returns>The weights, in the order of the model's parameters.</returns>
    public static IReadOnlyList<TiedWeight> Find(Module model) =>
    [
        .. ModelParameters.Of(model).Where(pair => pair.Parameter.dim() >= 2 && pair.Parameter.numel() > 0)
            .Select((pair, place) => Scanned(pair.Name, pair.Parameter, pair.Owner, pair.OwnerName, place))
            .GroupBy(name => TensorAddress.Of(name.Parameter))
            .Select(names => new TiedWeight([.. names])),
    ];

    /// <summary>The dimensions of a weight and their meaning, which depends on the module that owns it.</summary>
    public static WeightLayout LayoutOf(Module module, torch.Tensor parameter) =>
        module is ConvolutionTranspose transposed && parameter.dim() > 2
            ? new(parameter.shape, inputDimension: 0, connectionGroups: transposed.groups)
            : new(parameter.shape);

    private static ScannedWeight Scanned(string name, Parameter parameter, Module owner, string ownerName, int place)
    {
        var info = new LayerInfo { Name = name, ModuleName = ownerName, Module = owner, Layout = LayoutOf(owner, parameter) };
        return new(info, parameter, WeightRoles.Of(owner, ownerName.Length == 0 ? name : name[(ownerName.Length + 1)..]), place);
    }
}
