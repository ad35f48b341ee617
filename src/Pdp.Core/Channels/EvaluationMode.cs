using static TorchSharp.torch.nn;

namespace Pdp.Channels;

/// <summary>Puts a model into evaluation mode, and each module back into its own on disposal.</summary>
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
        // Parents come first, as they set their children too.
        foreach (var (module, isTraining) in _modes)
            module.train(isTraining);
    }
}
