using static TorchSharp.torch;

namespace Pdp.Sparse.Folding;

/// <summary>
/// Tells the modules behind a layer that their work is done: on each thread, for the tensor that the layer has just returned.
/// </summary>
/// <remarks>
/// The very object counts, not its memory: one activation may serve many places, of which some are folded. A tensor that nobody passes on
/// is remembered until the next folded layer runs.
/// </remarks>
internal static class FoldedCalls
{
    [ThreadStatic]
    private static Tensor? _output;
    [ThreadStatic]
    private static FoldedModule[]? _followers;
    [ThreadStatic]
    private static int _next;

    /// <summary>Announces a layer's output, in which the work of these modules is done.</summary>
    public static void Announce(Tensor output, FoldedModule[] followers) =>
        (_output, _followers, _next) = (followers.Length == 0 ? null : output, followers, 0);

    /// <summary>What a module passes on if its work is done, a handle of its own; null if it has to work.</summary>
    public static Tensor? TryPass(FoldedModule module, Tensor input)
    {
        if (_output is null || !ReferenceEquals(input, _output) || !ReferenceEquals(module.Module, _followers![_next].Module))
            return null;
        // Sequential disposes of what it gave, so that this must be another object.
        var passed = input.alias();
        _next++;
        _output = _next < _followers.Length ? passed : null;
        return passed;
    }
}
