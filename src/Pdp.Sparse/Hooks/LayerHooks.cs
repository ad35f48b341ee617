using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Sparse.Hooks;

using PostHook = Func<Module<Tensor, Tensor>, Tensor, Tensor, Tensor>;
using PreHook = Func<Module<Tensor, Tensor>, Tensor, Tensor>;

/// <summary>Makes a module compute something else when it is called, until this is disposed.</summary>
/// <remarks>
/// TorchSharp's layers are sealed, and <c>call</c> runs hooks around <c>forward</c>: the one before computes the result and gives
/// <c>forward</c> a stub without elements; the one after returns the result in place of what <c>forward</c> made of the stub.
/// </remarks>
internal sealed class LayerHooks : IDisposable
{
    [ThreadStatic]
    private static Tensor? _result;

    private readonly Dictionary<string, PreHook> _before;
    private readonly Dictionary<string, PostHook> _behind;
    private readonly Action _unhook;

    /// <summary>Replaces a module's computation.</summary>
    /// <param name="module">The module.</param>
    /// <param name="stub">An input without elements that <c>forward</c> accepts; borrowed.</param>
    /// <param name="compute">Computes the result, a tensor of its own, from the input; null leaves the call to the module.</param>
    public LayerHooks(Module<Tensor, Tensor> module, Tensor stub, Func<Tensor, Tensor?> compute)
    {
        Stub = stub;
        var before = module.register_forward_pre_hook((_, input) => (_result = compute(input)) is null ? input : Stub);
        var behind = module.register_forward_hook((_, _, output) => Exchange(output));
        _before = HookFields<PreHook, PostHook>.Before(module);
        _behind = HookFields<PreHook, PostHook>.Behind(module);
        _unhook = before.remove + (Action)behind.remove;
    }

    /// <summary>The input without elements; borrowed.</summary>
    public Tensor Stub { get; set; }

    /// <summary>Whether the module has hooks besides these, which would get the stub.</summary>
    public bool AreShared => _before.Count != 1 || _behind.Count != 1;

    /// <summary>Whether a module has hooks that see its tensors.</summary>
    public static bool HasAny(Module<Tensor, Tensor> module) =>
        HookFields<PreHook, PostHook>.Before(module).Count + HookFields<PreHook, PostHook>.Behind(module).Count > 0;

    public void Dispose() => _unhook();

    private static Tensor Exchange(Tensor output)
    {
        if (_result is not { } result)
            return output;
        _result = null;
        output.Dispose();
        return result;
    }
}
