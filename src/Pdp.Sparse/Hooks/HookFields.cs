using System.Runtime.CompilerServices;
using static TorchSharp.torch.nn;

namespace Pdp.Sparse.Hooks;

/// <summary>The hooks of a module, which TorchSharp 0.107 keeps in protected fields.</summary>
/// <typeparam name="TBefore">The type of a hook before a call.</typeparam>
/// <typeparam name="TBehind">The type of a hook after a call.</typeparam>
internal static class HookFields<TBefore, TBehind>
{
    /// <summary>The hooks before a module's calls.</summary>
    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "pre_hooks")]
    public static extern ref Dictionary<string, TBefore> Before(HookableModule<TBefore, TBehind> module);

    /// <summary>The hooks after a module's calls.</summary>
    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "post_hooks")]
    public static extern ref Dictionary<string, TBehind> Behind(HookableModule<TBefore, TBehind> module);
}
