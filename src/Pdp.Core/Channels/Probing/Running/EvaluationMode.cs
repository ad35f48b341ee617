using Pdp.Internal;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Probing.Running;

/// <summary>Puts a model into evaluation mode; disposal restores the mode of each module.</summary>
internal sealed class EvaluationMode : IDisposable
{
    private readonly IReadOnlyList<(Module Module, bool IsTraining)> _modes;

    public EvaluationMode(Module model)
    {
        _modes = [.. ModelModules.Of(model).Select(pair => (pair.Module, pair.Module.training))];
        model.eval();
    }

    public void Dispose()
    {
        // Parents come first, since train() also sets the mode of their children.
        foreach (var (module, isTraining) in _modes)
            module.train(isTraining);
    }
}
