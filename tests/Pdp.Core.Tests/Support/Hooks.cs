using System.Collections;
using System.Reflection;
using Module = TorchSharp.torch.nn.Module;

namespace Pdp.Tests.Support;

/// <summary>The hooks that are registered on a module.</summary>
internal static class Hooks
{
    /// <summary>The number of hooks on a model and on all modules in it.</summary>
    public static int In(Module model) => model.modules().Prepend(model).Distinct().Sum(On);

    /// <summary>The number of hooks on a module itself.</summary>
    public static int On(Module module) => Count(module, "pre_hooks") + Count(module, "post_hooks");

    private static int Count(Module module, string field) =>
        (module.GetType().GetField(field, BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.FlattenHierarchy)?.GetValue(module)
            as IDictionary)?.Count ?? 0;
}
