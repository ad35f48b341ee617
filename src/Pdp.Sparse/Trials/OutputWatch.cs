using System.Runtime.CompilerServices;
using Pdp.Sparse.Hooks;
using Pdp.Sparse.Layers;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Sparse.Trials;

/// <summary>Copies all tensors that a model returns, whichever of them the user's function passes on.</summary>
/// <remarks>It copies nothing of a model that <see cref="ModelHooks"/> doesn't see.</remarks>
internal sealed class OutputWatch : IDisposable
{
    private readonly ModelHooks? _hooks;
    private List<Tensor>? _seen;

    /// <summary>Watches a model.</summary>
    public OutputWatch(Module model)
    {
        // If the model is a layer, its hooks are the trial's, and its output is the function's.
        if (!Layer.IsOne(model))
            _hooks = new(model, static () => { }, Note);
    }

    /// <summary>Calls a function.</summary>
    /// <returns>What it returns, and copies of what the model returned during it; all in the current scope.</returns>
    public IReadOnlyList<Tensor> Collect(Func<Tensor> function)
    {
        List<Tensor> seen = _seen = [];
        try
        {
            return [function(), .. seen];
        }
        finally
        {
            _seen = null;
        }
    }

    public void Dispose() => _hooks?.Dispose();

    // The function may dispose of what it does not pass on.
    private void Note(object? output) => _seen?.AddRange(TensorsOf(output).Select(tensor => tensor.detach().clone()));

    private static IEnumerable<Tensor> TensorsOf(object? output) => output switch
    {
        Tensor tensor => [tensor],
        IEnumerable<Tensor> tensors => tensors.OfType<Tensor>(),
        IEnumerable<KeyValuePair<string, Tensor>> named => named.Select(pair => pair.Value).OfType<Tensor>(),
        ITuple tuple => Enumerable.Range(0, tuple.Length).SelectMany(i => TensorsOf(tuple[i])),
        _ => [],
    };
}
