using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Samples.ImageNet;

/// <summary>The sample's settings as options of the library.</summary>
internal static class Pruning
{
    // Channels are found by running the network, and a small picture shows the same as a large one.
    private const int ProbeSide = 32;

    /// <summary>Checks the times before there is a network.</summary>
    /// <exception cref="ArgumentException">They are impossible.</exception>
    public static void RequirePossible(Settings settings)
    {
        var timeline = new Timeline(settings);
        _ = (timeline.Temperature(), timeline.GradientTemperature());
        timeline.RequireEnded(CommitEpoch(settings), timeline.Schedule());
    }

    /// <summary>Makes the pruner of a run; null for a dense one.</summary>
    /// <exception cref="ArgumentException">The options don't go together, or the commit comes before the schedule has ended.</exception>
    public static PdpPruner? Attach(Settings settings, Module<Tensor, Tensor> model) =>
        settings.Method == "pdp" ? RunPruner.Attach(model, Options(settings, model), settings, CommitEpoch(settings)) : null;

    /// <summary>The settings as options of the library.</summary>
    /// <exception cref="ArgumentException">The options don't go together.</exception>
    public static PdpOptions Options(Settings settings, Module<Tensor, Tensor> model)
    {
        RequirePossible(settings);
        var (strategy, timeline) = (StrategyOf(settings), new Timeline(settings));
        var allocation = AllocationOption.Of(settings.Allocation, strategy);
        var options = new PdpOptions
        {
            Epochs = settings.Epochs,
            Sparsity = strategy is Unstructured or Block && allocation is not SparsityTable ? settings.Sparsity : null,
            Strategy = strategy,
            Importance = ImportanceOption.Of(settings.Importance),
            Allocation = allocation,
            MaximumLayerSparsity = settings.MaximumLayerSparsity,
            Schedule = timeline.Schedule(),
            Temperature = timeline.Temperature(),
            GradientTemperature = timeline.GradientTemperature(),
            Exclude = [.. (settings.Exclude ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                .Select(LayerMatch.Named)],
        };
        return strategy is PerChannel ? WithChannels(options, settings, model) : options;
    }

    /// <summary>
    /// The epoch at which the zeros are made final. Channels are few: until then they may still change places, and a soft mask relies
    /// on those that are undecided; in the second half of the run the network adapts to those that stay.
    /// </summary>
    public static double CommitEpoch(Settings settings) =>
        settings.CommitAt ?? (settings.Strategy == "channel" ? 0.5 : 1) * settings.Epochs;

    /// <summary>Channels go where they cost the network least, until the budget of multiplications is met.</summary>
    private static PdpOptions WithChannels(PdpOptions options, Settings settings, Module<Tensor, Tensor> model)
    {
        using var scope = NewDisposeScope();
        var device = model.parameters().First().device;
        var map = ChannelMap.Find(model, ones(1, 3, ProbeSide, ProbeSide, device: device));
        var macs = MacCount.Of(model, ones(1, 3, settings.Side, settings.Side, device: device));
        return options with { Channels = map, Allocation = new MacBudget(settings.MacBudget, map, macs) };
    }

    private static IMaskStrategy StrategyOf(Settings settings) =>
        StrategyOption.Parse(settings.Strategy) is var strategy && strategy is NofM pattern ? pattern with { Gradual = settings.Gradual }
            : strategy;
}
