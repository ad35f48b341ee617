using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Sparse.Hooks;

/// <summary>Watches the calls of modules until it is disposed.</summary>
internal sealed class CallHook : IDisposable
{
    private readonly List<Action> _removals = [];

    /// <summary>Watches a module.</summary>
    /// <param name="module">The module.</param>
    /// <param name="note">Gets the very tensors that go in and come out.</param>
    public void Watch(Module<Tensor, Tensor> module, Action<Tensor, Tensor> note) =>
        _removals.Add(module.register_forward_hook((_, input, output) =>
        {
            note(input, output);
            return output;
        }).remove);

    public void Dispose()
    {
        foreach (var remove in _removals)
            remove();
        _removals.Clear();
    }
}
