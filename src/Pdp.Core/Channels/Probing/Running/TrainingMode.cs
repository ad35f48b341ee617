using Pdp.Internal;
using TorchSharp.Modules;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Probing.Running;

/// <summary>Puts a model into training mode, except for its dropout; disposal puts it back into evaluation mode.</summary>
internal sealed class TrainingMode : IDisposable
{
    private readonly Module _model;

    /// <summary>Enters training mode.</summary>
    /// <param name="model">The model.</param>
    /// <param name="withNorms">Whether norms use the statistics of the batch.</param>
    public TrainingMode(Module model, bool withNorms)
    {
        _model = model;
        model.train();
        foreach (var (_, module) in ModelModules.Of(model))
        {
            if (IsDropout(module) || (module is NormBase && !withNorms))
                module.eval();
        }
    }

    private static bool IsDropout(Module module) => module
        is TorchSharp.Modules.Dropout
        or TorchSharp.Modules.Dropout1d
        or TorchSharp.Modules.Dropout2d
        or TorchSharp.Modules.Dropout3d
        or TorchSharp.Modules.AlphaDropout
        or TorchSharp.Modules.FeatureAlphaDropout;

    public void Dispose() => _model.eval();
}
