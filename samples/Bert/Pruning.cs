using Pdp.Samples.Bert.Network;

namespace Pdp.Samples.Bert;

/// <summary>The sample's settings as options of the library.</summary>
internal static class Pruning
{
    /// <summary>The encoder's matrices are pruned; the pooler and the classifier stay dense, as embeddings do by default.</summary>
    /// <exception cref="ArgumentException">The settings don't go together.</exception>
    public static PdpOptions Options(Settings settings)
    {
        RequirePossible(settings);
        var strategy = StrategyOption.Parse(settings.Strategy);
        var (allocation, timeline) = (AllocationOption.Of(settings.Allocation, strategy), new Timeline(settings));
        var isAsked = strategy is Unstructured or Block && allocation is not SparsityTable && !Methods.IsEmergent(settings);
        return new PdpOptions
        {
            Epochs = settings.Epochs,
            Sparsity = isAsked ? settings.Sparsity : null,
            Strategy = strategy,
            Allocation = allocation,
            Schedule = timeline.Schedule(),
            Temperature = timeline.Temperature(),
            GradientTemperature = timeline.GradientTemperature(),
            Method = Methods.Of(settings),
            Exclude = ["bert.pooler", "classifier"],
        };
    }

    /// <summary>Makes the pruner of a run; null for a dense one.</summary>
    /// <exception cref="ArgumentException">The settings don't go together.</exception>
    public static PdpPruner? Attach(Settings settings, BertClassifier model)
    {
        if (settings.Method == Methods.Dense)
        {
            return null;
        }

        var pruner = new PdpPruner(model, Options(settings));
        try
        {
            new Timeline(settings).RequireEnded(Methods.CommitEpoch(settings), pruner.Schedule);
            return pruner;
        }
        catch
        {
            pruner.Dispose();
            throw;
        }
    }

    /// <summary>Checks the settings before anything is read.</summary>
    /// <exception cref="ArgumentException">They are impossible.</exception>
    public static void RequirePossible(Settings settings)
    {
        if (settings.Method == Methods.Dense)
        {
            return;
        }

        if (settings.Epochs == 0)
        {
            throw new ArgumentException($"--epochs 0 only measures; --method {settings.Method} needs at least 1.");
        }

        if (StrategyOption.Parse(settings.Strategy) is PerChannel)
        {
            throw new ArgumentException("--strategy channel is not for this sample: a BERT's width is the same everywhere.");
        }

        var timeline = new Timeline(settings);
        _ = (timeline.Temperature(), timeline.GradientTemperature(), Methods.Of(settings));
        timeline.RequireEnded(Methods.CommitEpoch(settings), timeline.Schedule());
    }
}
