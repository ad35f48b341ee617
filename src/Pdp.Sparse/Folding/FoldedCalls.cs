using static TorchSharp.torch;

namespace Pdp.Sparse.Folding;

/// <summary>
/// Tells the modules after a layer that their work is done: on each thread, for the tensor that the layer has just returned.
/// </summary>
/// <remarks>
/// The object itself counts, not its memory: one activation may serve many places, of which some are folded. A tensor that nobody passes on
/// is remembered until the next folded layer runs; within a call of a packed model, that is an error.
/// </remarks>
internal static class FoldedCalls
{
    [ThreadStatic]
    private static Tensor? _output;
    [ThreadStatic]
    private static FoldedModule[]? _followers;
    [ThreadStatic]
    private static int _next;
    [ThreadStatic]
    private static bool _isChecked;
    [ThreadStatic]
    private static Stack<Outer>? _outer;

    /// <summary>Announces a layer's output, in which the work of these modules is done.</summary>
    /// <exception cref="InvalidOperationException">Modules of an earlier layer didn't get that one's output.</exception>
    public static void Announce(Tensor output, FoldedModule[] followers)
    {
        if (_output is not null && _isChecked)
            Refuse();
        (_output, _followers, _next) = (followers.Length == 0 ? null : output, followers, 0);
    }

    /// <summary>Checks from now on, in a call of a packed model, that each output reaches the modules that it was announced to.</summary>
    /// <remarks>The call may be within that of another packed model, which goes on where it was afterwards.</remarks>
    public static void Begin(object model)
    {
        Leave(model);
        (_outer ??= []).Push(new(model, _output, _followers, _next, _isChecked));
        (_output, _isChecked) = (null, true);
    }

    /// <summary>Checks that the last one did.</summary>
    /// <exception cref="InvalidOperationException">It did not.</exception>
    public static void End(object model)
    {
        var (isLost, lost) = (_output is not null, _output is null ? null : _followers![_next].Name);
        (_output, _isChecked) = (null, false);
        Leave(model);
        if (isLost)
            throw NotReached(lost!);
    }

    /// <summary>What a module passes on if its work is done, as a new handle; null if it has to do its work.</summary>
    public static Tensor? TryPass(FoldedModule module, Tensor input)
    {
        if (_output is null || !ReferenceEquals(input, _output) || !ReferenceEquals(module.Module, _followers![_next].Module))
            return null;
        // Sequential disposes of the input that it gave, so this must be another object.
        var passed = input.alias();
        _next++;
        _output = _next < _followers.Length ? passed : null;
        return passed;
    }

    // A call that ended in an error is still there when its model is called again.
    private static void Leave(object model)
    {
        while (_outer is not null && _outer.Any(call => ReferenceEquals(call.Model, model)))
            (_, _output, _followers, _next, _isChecked) = _outer.Pop();
    }

    private static void Refuse()
    {
        var name = _followers![_next].Name;
        (_output, _isChecked) = (null, false);
        throw NotReached(name);
    }

    private static InvalidOperationException NotReached(string name) => new(
            $"'{name}' is folded into a layer, but did not get that layer's output in this call: the result would be "
            + "wrong. The plan is another model's, or the model calls its modules in another order for this input; pack it on an "
            + "example, with SparseOptions { Fold = false }.");

    /// <summary>A model's call, and what was going on before it.</summary>
    private readonly record struct Outer(object Model, Tensor? Output, FoldedModule[]? Followers, int Next, bool IsChecked);
}
