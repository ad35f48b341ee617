using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Sparse.Hooks;

/// <summary>Watches the calls of a whole model until it is disposed.</summary>
/// <remarks>
/// It sees models that take up to four tensors and return a tensor, or a tuple, a list, an array or a dictionary of tensors. It doesn't
/// see calls of others, as C# has no hooks for types that are not known here.
/// </remarks>
internal sealed class ModelHooks : IDisposable
{
    private readonly Action _before;
    private readonly Action<object?> _behind;
    private readonly Action _unhook;

    /// <summary>Watches a model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="before">Is called before each call.</param>
    /// <param name="behind">Gets what a call returns.</param>
    public ModelHooks(Module model, Action before, Action<object?> behind)
    {
        (_before, _behind) = (before, behind);
        _unhook = HookOf<Tensor>(model) ?? HookOf<(Tensor, Tensor)>(model) ?? HookOf<(Tensor, Tensor, Tensor)>(model)
            ?? HookOf<(Tensor, Tensor, Tensor, Tensor)>(model) ?? HookOf<(Tensor, (Tensor, Tensor))>(model)
            ?? HookOf<(Tensor, Tensor[])>(model) ?? HookOf<(Tensor, List<Tensor>)>(model) ?? HookOf<(Tensor, IReadOnlyList<Tensor>)>(model)
            ?? HookOf<(Tensor, Dictionary<string, Tensor>)>(model) ?? HookOf<Tensor[]>(model) ?? HookOf<List<Tensor>>(model)
            ?? HookOf<IList<Tensor>>(model) ?? HookOf<IReadOnlyList<Tensor>>(model) ?? HookOf<IEnumerable<Tensor>>(model)
            ?? HookOf<Dictionary<string, Tensor>>(model) ?? (static () => { });
    }

    public void Dispose() => _unhook();

    private Action? HookOf<TResult>(Module model) => model switch
    {
        Module<Tensor, TResult> one => Both(
            one.register_forward_pre_hook((_, a) => Before(a)).remove,
            one.register_forward_hook((_, _, output) => Behind(output)).remove),
        Module<Tensor, Tensor, TResult> two => Both(
            two.register_forward_pre_hook((_, a, b) => Before((a, b))).remove,
            two.register_forward_hook((_, _, _, output) => Behind(output)).remove),
        Module<Tensor, Tensor, Tensor, TResult> three => Both(
            three.register_forward_pre_hook((_, a, b, c) => Before((a, b, c))).remove,
            three.register_forward_hook((_, _, _, _, output) => Behind(output)).remove),
        Module<Tensor, Tensor, Tensor, Tensor, TResult> four => Both(
            four.register_forward_pre_hook((_, a, b, c, d) => Before((a, b, c, d))).remove,
            four.register_forward_hook((_, _, _, _, _, output) => Behind(output)).remove),
        _ => null,
    };

    private static Action Both(Action first, Action second) => first + second;

    private TInput Before<TInput>(TInput input)
    {
        _before();
        return input;
    }

    private TResult Behind<TResult>(TResult output)
    {
        _behind(output);
        return output;
    }
}
