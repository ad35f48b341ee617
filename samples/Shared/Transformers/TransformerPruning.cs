using static TorchSharp.torch;

namespace Pdp.Samples.Transformers;

/// <summary>The settings of a transformer's training as options of the library.</summary>
internal static class TransformerPruning
{
    /// <summary>Makes the pruner of a run; null for a dense one.</summary>
    /// <param name="settings">The settings.</param>
    /// <param name="model">The model.</param>
    /// <param name="exclude">What stays dense besides embeddings and norms, which do by default.</param>
    /// <exception cref="ArgumentException">The settings don't go together.</exception>
    public static PdpPruner? Attach(TransformerSettings settings, nn.Module model, IReadOnlyList<LayerMatch> exclude)
    {
        RequirePossible(settings);
        return settings.Method == PruningMethods.Dense ? null
            : RunPruner.Attach(model, Options(settings) with { Exclude = exclude }, settings, PruningMethods.CommitEpoch(settings));
    }

    /// <summary>Checks the settings before anything is read.</summary>
    /// <exception cref="ArgumentException">They are impossible.</exception>
    public static void RequirePossible(TransformerSettings settings)
    {
        if (settings.Method == PruningMethods.Dense)
        {
            return;
        }

        if (settings.Epochs == 0)
        {
            throw new ArgumentException($"--epochs 0 only measures; --method {settings.Method} needs at least 1.");
        }

        if (StrategyOption.Parse(settings.Strategy) is PerChannel)
        {
            throw new ArgumentException("--strategy channel is not for this sample: a transformer's width is the same everywhere.");
        }

        ImportanceOption.Require(settings.Importance, settings.Method);
        AllocationOption.Require(settings.Allocation, settings.Method);
        var timeline = new Timeline(settings);
        _ = (timeline.Temperature(), timeline.GradientTemperature(), PruningMethods.Of(settings));
        timeline.RequireEnded(PruningMethods.CommitEpoch(settings), timeline.Schedule());
    }

    private static PdpOptions Options(TransformerSettings settings)
    {
        var strategy = StrategyOption.Parse(settings.Strategy);
        var (allocation, timeline) = (AllocationOption.Of(settings.Allocation, strategy), new Timeline(settings));
        var isAsked = strategy is Unstructured or Block && allocation is not SparsityTable && !PruningMethods.IsEmergent(settings);
        return new PdpOptions
        {
            Epochs = settings.Epochs,
            Sparsity = isAsked ? settings.Sparsity : null,
            Strategy = strategy,
            Importance = ImportanceOption.Of(settings.Importance),
            Allocation = allocation,
            MaximumLayerSparsity = settings.MaximumLayerSparsity,
            Schedule = timeline.Schedule(),
            Temperature = timeline.Temperature(),
            GradientTemperature = timeline.GradientTemperature(),
            Method = PruningMethods.Of(settings),
        };
    }
}
