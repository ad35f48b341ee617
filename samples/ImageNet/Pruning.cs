using System.Globalization;
using Pdp.Allocation;
using Pdp.Channels;
using Pdp.Masks;
using Pdp.Scheduling;
using Pdp.Selection;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Samples.ImageNet;

/// <summary>The sample's settings as options of the library.</summary>
internal static class Pruning
{
    // Channels are found by running the network, and a small picture tells the same as a large one.
    private const int ProbeSide = 32;

    public static PdpOptions Options(Settings settings, Module<Tensor, Tensor> model)
    {
        var strategy = StrategyOf(settings);
        var options = new PdpOptions
        {
            Epochs = settings.Epochs,
            Sparsity = strategy is Unstructured ? settings.Sparsity : null,
            Strategy = strategy,
            Schedule = ScheduleOf(settings),
            Temperature = TemperatureOf(settings),
            Exclude = [.. (settings.Exclude ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(LayerMatch.Named)],
        };
        RequireRampBefore(CommitEpoch(settings), options);
        return strategy is Channel ? WithChannels(options, settings, model) : options;
    }

    /// <summary>
    /// The epoch at which the zeros are made final. Channels are few: until then they may still change places, and a soft mask leans on those in
    /// between; in the second half of the run the network gets used to the ones that stay.
    /// </summary>
    public static double CommitEpoch(Settings settings) => settings.CommitAt ?? (settings.Strategy == "channel" ? 0.5 : 1) * settings.Epochs;

    /// <summary>Says at the start of a run, not in its middle, that the zeros can't be final yet.</summary>
    private static void RequireRampBefore(double commit, PdpOptions options)
    {
        if (commit < options.Epochs && options.Schedule?.EndEpoch > commit)
        {
            throw new ArgumentException($"The zeros are to be final in epoch {commit}, but the ramp ends in epoch {options.Schedule.EndEpoch}: raise --commit-at, or let the ramp end earlier (--ramp-end).");
        }
    }

    /// <summary>Channels go where they cost the network least, until the budget of multiplications is met.</summary>
    private static PdpOptions WithChannels(PdpOptions options, Settings settings, Module<Tensor, Tensor> model)
    {
        using var scope = NewDisposeScope();
        var device = model.parameters().First().device;
        var map = ChannelMap.Find(model, ones(1, 3, ProbeSide, ProbeSide, device: device));
        var macs = MacCount.Of(model, ones(1, 3, settings.Side, settings.Side, device: device));
        return options with { Channels = map, Allocation = new MacBudget(settings.MacBudget, map, macs) };
    }

    private static IMaskStrategy StrategyOf(Settings settings) => settings.Strategy switch
    {
        "unstructured" => new Unstructured(),
        "channel" => new Channel(),
        _ => NofM.Parse(settings.Strategy) with { Gradual = settings.Gradual },
    };

    private static ISparsityScheduler ScheduleOf(Settings settings)
    {
        var dense = settings.DenseEpochs ?? settings.Epochs / 8.0;
        return settings.Epsilon is { } epsilon
            ? new EpsilonRamp { WarmupEpochs = dense, Epsilon = epsilon }
            : new CubicRamp(dense, settings.RampEnd ?? 0.4 * settings.Epochs);
    }

    /// <summary>The library's default where neither temperature is given.</summary>
    private static Temperature? TemperatureOf(Settings settings) => (settings.Temperature, settings.RelativeTemperature?.Split(':')) switch
    {
        (null, null) => null,
        ({ } temperature, null) => Temperature.Absolute(temperature),
        (null, [var ratio]) => Temperature.Relative(Double(ratio)),
        (null, [var from, var to]) => Temperature.Relative(Double(from))
            .AnnealedTo(Double(to), settings.DenseEpochs ?? settings.Epochs / 8.0, settings.AnnealEnd ?? 0.9 * settings.Epochs),
        _ => throw new ArgumentException("Give either --temperature or --relative-temperature, not both."),
    };

    private static double Double(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
