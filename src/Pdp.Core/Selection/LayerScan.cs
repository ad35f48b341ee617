using Pdp.Internal;
using Pdp.Masks;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch.nn;

namespace Pdp.Selection;

/// <summary>Finds the weights of a model: its parameters of two or more dimensions that are not empty, with the modules that own them.</summary>
internal static class LayerScan
{
    /// <summary>Scans a model.</summary>
    /// <returns>The weights, in the order of the model's parameters.</returns>
    /// <exception cref="ArgumentException">The model has no weight that could be pruned.</exception>
    public static IReadOnlyList<TiedWeight> Scan(Module model)
    {
        TiedWeight[] weights =
        [
            .. NamesIn("", model).Select((name, place) => name with { Place = place })
                .GroupBy(name => Address.Of(name.Parameter))
                .Select(names => new TiedWeight([.. names])),
        ];
        return weights.Any(weight => weight.Refusal is null)
            ? weights
            : throw new ArgumentException($"The model '{model.GetName()}' has no weight of two or more dimensions in a floating-point type: nothing to prune.", nameof(model));
    }

    /// <summary>The dimensions of a weight and their meaning, which the module that owns it decides.</summary>
    public static WeightLayout LayoutOf(Module module, torch.Tensor parameter) =>
        module is ConvolutionTranspose transposed && parameter.dim() > 2
            ? new(parameter.shape, inputDimension: 0, connectionGroups: transposed.groups)
            : new(parameter.shape);

    /// <summary>All names in the order of the model's parameters; <c>named_parameters</c> would leave the further ones of tied weights out.</summary>
    private static IEnumerable<ScannedWeight> NamesIn(string moduleName, Module module)
    {
        foreach (var (name, parameter) in module.named_parameters(recurse: false).Where(pair => pair.parameter.dim() >= 2 && pair.parameter.numel() > 0))
        {
            var info = new LayerInfo(Dotted(moduleName, name), moduleName, module, LayoutOf(module, parameter), Index: -1, IsLast: false);
            yield return new(info, parameter, WeightKinds.Of(module, name), Place: 0);
        }

        foreach (var weight in module.named_children().SelectMany(child => NamesIn(Dotted(moduleName, child.name), child.module)))
            yield return weight;
    }

    private static string Dotted(string module, string name) => module.Length == 0 ? name : $"{module}.{name}";
}
