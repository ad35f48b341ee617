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
    /// <exception cref="ArgumentException">The model has no weight that could be pruned.</exception>
    public static IReadOnlyList<ScannedWeight> Scan(Module model)
    {
        var modules = model.named_modules().Prepend((name: "", module: model)).DistinctBy(pair => pair.name).ToDictionary(pair => pair.name, pair => pair.module);
        var weights = new List<ScannedWeight>();
        var names = new Dictionary<nint, string>();
        foreach (var (name, parameter) in model.named_parameters().Where(pair => pair.parameter.dim() >= 2 && pair.parameter.numel() > 0))
        {
            var owner = OwnerOf(name, modules);
            var first = FirstAt(names, parameter, name);
            var reason = first == name ? ReasonToLeave(modules[owner], parameter) : $"tied to {first}";
            weights.Add(new(name, owner, modules[owner], parameter, reason, IsTied: first != name));
        }

        return weights.Any(weight => !weight.IsTied && Precision.IsPrunable(weight.Parameter.dtype))
            ? weights
            : throw new ArgumentException($"The model '{model.GetName()}' has no weight of two or more dimensions in a floating-point type: nothing to prune.", nameof(model));
    }

    /// <summary>The dimensions of a weight and their meaning, which the module that owns it decides.</summary>
    public static WeightLayout LayoutOf(Module module, torch.Tensor parameter) =>
        module is ConvolutionTranspose transposed && parameter.dim() > 2
            ? new(parameter.shape, inputDimension: 0, connectionGroups: transposed.groups)
            : new(parameter.shape);

    /// <summary>The longest name of a module that the parameter's name begins with: native containers own parameters with dotted names.</summary>
    private static string OwnerOf(string name, Dictionary<string, Module> modules)
    {
        var owner = name;
        do
            owner = owner[..Math.Max(owner.LastIndexOf('.'), 0)];
        while (!modules.ContainsKey(owner));
        return owner;
    }

    private static string FirstAt(Dictionary<nint, string> names, torch.Tensor parameter, string name) =>
        names.TryAdd(Address.Of(parameter), name) ? name : names[Address.Of(parameter)];

    /// <summary>Why a weight is not pruned unless it is asked for by name; null if it is.</summary>
    private static string? ReasonToLeave(Module module, Parameter parameter) => module switch
    {
        _ when !Precision.IsPrunable(parameter.dtype) => $"{parameter.dtype} weights can't be pruned",
        TorchSharp.Modules.Embedding or TorchSharp.Modules.EmbeddingBag => "embeddings stay dense unless included",
        TorchSharp.Modules.LayerNorm or NormBase => "norms stay dense unless included",
        _ => null,
    };
}
