using static TorchSharp.torch;

namespace Pdp.Samples.Cifar10;

/// <summary>The sample's settings as options of the library.</summary>
internal static class Pruning
{
    /// <summary>The inner convolutions are pruned; the first one and the classifier stay dense.</summary>
    /// <param name="settings">The settings.</param>
    /// <param name="model">The network.</param>
    /// <param name="training">What one method ranks channels by when pruning begins; null if it won't begin.</param>
    public static PdpOptions Options(Settings settings, ResNet20 model, Batches? training = null)
    {
        var strategy = StrategyOption.Parse(settings.Strategy);
        var allocation = AllocationOption.Of(settings.Allocation, strategy);
        var options = new PdpOptions
        {
            Epochs = settings.Epochs,
            Sparsity = IsAsked(strategy, allocation) && !Methods.IsEmergent(settings) ? settings.Sparsity : null,
            Strategy = strategy,
            Importance = ImportanceOption.Of(settings.Importance),
            Allocation = allocation,
            MaximumLayerSparsity = settings.MaximumLayerSparsity,
            Schedule = new Timeline(settings).Schedule(),
            Temperature = new Timeline(settings).Temperature(),
            GradientTemperature = new Timeline(settings).GradientTemperature(),
            Exclude = [LayerMatch.First, LayerMatch.Classifier],
        };
        return strategy is PerChannel ? WithChannels(options, settings, model, training) : options with { Method = Methods.Of(settings) };
    }

    /// <summary>
    /// The epoch at which the zeros are made final. Channels are few: until then they may still change places, and a soft mask relies
    /// on those that are undecided; in the second half of the run the network adapts to those that stay.
    /// </summary>
    public static double CommitEpoch(Settings settings) => settings.CommitAt ?? Methods.CommitEpoch(settings);

    /// <summary>Checks the times before the data are read.</summary>
    /// <exception cref="ArgumentException">They are impossible.</exception>
    public static void RequirePossible(Settings settings)
    {
        if (settings.Epochs == 0)
        {
            throw new ArgumentException($"--epochs 0 only measures; --method {settings.Method} needs at least 1.");
        }

        ImportanceOption.Require(settings.Importance, settings.Method);
        AllocationOption.Require(settings.Allocation, settings.Method);
        _ = (new Timeline(settings).Temperature(), new Timeline(settings).GradientTemperature());
        new Timeline(settings).RequireEnded(CommitEpoch(settings), new Timeline(settings).Schedule());
    }

    /// <summary>Whether --sparsity says how much is removed, rather than a pattern, a budget or another run's report.</summary>
    private static bool IsAsked(IMaskStrategy strategy, ISparsityAllocation? allocation) =>
        strategy is Unstructured or Block && allocation is not SparsityTable;

    /// <summary>Channels go where they cost the network least, until the budget of multiplications is met.</summary>
    private static PdpOptions WithChannels(PdpOptions options, Settings settings, ResNet20 model, Batches? training)
    {
        using var picture = ones(1, 3, settings.Side, settings.Side, device: model.parameters().First().device);
        var map = ChannelMap.Find(model, picture);
        return options with
        {
            Channels = map,
            Allocation = new MacBudget(settings.MacBudget, map, MacCount.Of(model, picture)),
            Method = Methods.OfChannels(settings, model, map, picture, training),
        };
    }
}
