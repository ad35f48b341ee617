using static TorchSharp.torch.nn;

namespace Pdp.Channels;

/// <summary>Puts a model into evaluation mode, and each module back into its own on disposal.</summary>
internal sealed class EvaluationMode : IDisposable
{
    private readonly (Module Module, bool IsTraining)[] _before;

    public EvaluationMode(Module model)
    {
        _before = [.. ModelModules.Of(model).Select(pair => (pair.Module, pair.Module.training))];
        model.eval();
    }

    public void Dispose()
    {
        // A module's mode goes for those inside it, which come later.
        foreach (var (module, isTraining) in _before)
            module.train(isTraining);
    }
}
