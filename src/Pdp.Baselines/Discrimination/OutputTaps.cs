using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Baselines.Discrimination;

/// <summary>Forward hooks that copy the outputs of modules while they are listened to; disposal removes the hooks.</summary>
internal sealed class OutputTaps : IDisposable
{
    private readonly List<Action> _removals = [];
    private readonly List<(string Module, Tensor Output)> _outputs = [];
    private IReadOnlyCollection<string> _modules = [];

    public OutputTaps(IEnumerable<(string Name, Module<Tensor, Tensor> Module)> modules)
    {
        foreach (var (name, module) in modules)
            _removals.Add(module.register_forward_hook((_, _, output) => Hear(name, output)).remove);
    }

    /// <summary>Runs a network; its result, and copies of the outputs of some modules, in the order of their calls.</summary>
    /// <param name="modules">Names of modules that have a hook.</param>
    /// <param name="run">The network.</param>
    public (T Result, IReadOnlyList<(string Module, Tensor Output)> Outputs) During<T>(IReadOnlyCollection<string> modules, Func<T> run)
    {
        _modules = modules;
        try
        {
            return (run(), [.. _outputs.Select(output => (output.Module, output.Output.alias()))]);
        }
        finally
        {
            _modules = [];
            foreach (var (_, output) in _outputs)
                output.Dispose();
            _outputs.Clear();
        }
    }

    public void Dispose()
    {
        foreach (var remove in _removals)
            remove();
        _removals.Clear();
    }

    // A copy, as what comes next may work in place; detached, as scopes inside of the network end before it does.
    private Tensor Hear(string name, Tensor output)
    {
        if (_modules.Contains(name))
            _outputs.Add((name, output.clone().DetachFromDisposeScope()));
        return output;
    }
}
