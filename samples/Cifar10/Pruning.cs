using System.Globalization;
using Pdp.Allocation;
using Pdp.Channels;
using Pdp.Masks;
using Pdp.Scheduling;
using Pdp.Selection;
using static TorchSharp.torch;

namespace Pdp.Samples.Cifar10;

/// <summary>The sample's settings as options of the library.</summary>
internal static class Pruning
{
    private static readonly Dictionary<string, ISparsityAllocation> Known = new(StringComparer.Ordinal)
    {
        ["global"] = new GlobalMagnitude(),
        ["erk"] = new ErdosRenyiKernel(),
        ["uniform"] = new UniformSparsity(),
    };

    /// <summary>The names of <c>--allocation</c>.</summary>
    public static IReadOnlyCollection<string> Allocations => Known.Keys;

    /// <summary>The inner convolutions are pruned; the first one and the classifier stay dense.</summary>
    public static PdpOptions Options(Settings settings, ResNet20 model, Batches training)
    {
        var strategy = StrategyOf(settings.Strategy);
        var options = new PdpOptions
        {
            Epochs = settings.Epochs,
            Sparsity = strategy is Unstructured && !Methods.IsEmergent(settings) ? settings.Sparsity : null,
            Strategy = strategy,
            Allocation = Known[settings.Allocation],
            Schedule = ScheduleOf(settings),
            Temperature = TemperatureOf(settings),
            Exclude = [LayerMatch.First, LayerMatch.Classifier],
        };
        return strategy is Channel ? WithChannels(options, settings, model, training) : options with { Method = Methods.Of(settings) };
    }

    /// <summary>
    /// The epoch at which the zeros are made final. Channels are few: until then they may still change places, and a soft mask leans on those in
    /// between; in the second half of the run the network gets used to the ones that stay.
    /// </summary>
    public static double CommitEpoch(Settings settings) => settings.CommitAt ?? Methods.CommitEpoch(settings);

    /// <summary>Says at the start of a run, not in its middle, that the zeros can't be final yet.</summary>
    public static void RequireEnded(ISparsityScheduler schedule, Settings settings)
    {
        var commit = CommitEpoch(settings);
        if (commit < settings.Epochs && schedule.EndEpoch > commit)
        {
            throw new ArgumentException($"The zeros are to be final in epoch {commit}, but the schedule ends in epoch {schedule.EndEpoch}: raise --commit-at, or let a ramp end earlier (--ramp-end).");
        }
    }

    /// <summary>Channels go where they cost the network least, until the budget of multiplications is met.</summary>
    private static PdpOptions WithChannels(PdpOptions options, Settings settings, ResNet20 model, Batches training)
    {
        using var picture = ones(1, 3, 32, 32);
        var map = ChannelMap.Find(model, picture);
        return options with
        {
            Channels = map,
            Allocation = new MacBudget(settings.MacBudget, map, MacCount.Of(model, picture)),
            Method = Methods.OfChannels(settings, model, map, picture, training),
        };
    }

    private static IMaskStrategy StrategyOf(string text) =>
        text == "unstructured" ? new Unstructured() : text == "channel" ? new Channel() : NofM.Parse(text);

    /// <summary>The method's own schedule where nothing is given.</summary>
    private static ISparsityScheduler? ScheduleOf(Settings settings) => settings switch
    {
        { Epsilon: { } epsilon } => new EpsilonRamp { WarmupEpochs = WarmupOf(settings), Epsilon = epsilon },
        { Warmup: null, RampEnd: null } => null,
        _ => new CubicRamp(WarmupOf(settings), settings.RampEnd ?? 0.4 * settings.Epochs),
    };

    private static double WarmupOf(Settings settings) => settings.Warmup ?? settings.Epochs / 8.0;

    /// <summary>The library's default where neither temperature is given.</summary>
    private static Temperature? TemperatureOf(Settings settings) => (settings.Temperature, settings.RelativeTemperature?.Split(':')) switch
    {
        (null, null) => null,
        ({ } temperature, null) => Temperature.Absolute(temperature),
        (null, [var ratio]) => Temperature.Relative(Double(ratio)),
        (null, [var from, var to]) => Temperature.Relative(Double(from)).AnnealedTo(Double(to), WarmupOf(settings), settings.AnnealEnd ?? 0.9 * settings.Epochs),
        _ => throw new ArgumentException("Give either --temperature or --relative-temperature, not both."),
    };

    private static double Double(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
