using Pdp.Internal;
using TorchSharp.Modules;
using static TorchSharp.torch.nn;

namespace Pdp.Layers;

/// <summary>Lists the parameters of a model under all of their names; <c>named_parameters</c> lists tied parameters only once.</summary>
internal static class ModelParameters
{
    /// <summary>The parameters in the order of <c>named_parameters</c>, with the modules that own them.</summary>
    /// <param name="module">The model.</param>
    /// <param name="moduleName">What its parameters' names begin with; empty for the model.</param>
    public static IEnumerable<(string Name, Parameter Parameter, Module Owner, string OwnerName)> Of(Module module, string moduleName = "")
    {
        foreach (var (name, parameter) in module.named_parameters(recurse: false))
            yield return (Dotted(moduleName, name), parameter, module, moduleName);
        foreach (var parameter in module.named_children().SelectMany(child => Of(child.module, Dotted(moduleName, child.name))))
            yield return parameter;
    }

    /// <summary>The parameters that have elements, tied ones once.</summary>
    public static IEnumerable<Parameter> Distinct(Module module) =>
        module.parameters().Where(parameter => parameter.numel() > 0).DistinctBy(TensorAddress.Of);

    private static string Dotted(string module, string name) => module.Length == 0 ? name : $"{module}.{name}";
}
