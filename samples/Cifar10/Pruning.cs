using System.Globalization;
using Pdp.Masks;
using Pdp.Scheduling;
using Pdp.Selection;

namespace Pdp.Samples.Cifar10;

/// <summary>The sample's settings as options of the library.</summary>
internal static class Pruning
{
    /// <summary>The inner convolutions are pruned; the first one and the classifier stay dense.</summary>
    public static PdpOptions Options(Settings settings)
    {
        var strategy = StrategyOf(settings.Strategy);
        return new PdpOptions
        {
            Epochs = settings.Epochs,
            Sparsity = strategy.FixedSparsity is null ? settings.Sparsity : null,
            Strategy = strategy,
            Schedule = ScheduleOf(settings),
            Temperature = TemperatureOf(settings),
            Exclude = [LayerMatch.First, LayerMatch.Classifier],
        };
    }

    private static IMaskStrategy StrategyOf(string text) =>
        text == "unstructured" ? new Unstructured() : NofM.Parse(text);

    private static ISparsityScheduler ScheduleOf(Settings settings) => settings.Epsilon is { } epsilon
        ? new EpsilonRamp { WarmupEpochs = settings.Warmup, Epsilon = epsilon }
        : new CubicRamp(settings.Warmup, settings.RampEnd ?? 0.4 * settings.Epochs);

    /// <summary>The library's default where neither temperature is given.</summary>
    private static Temperature? TemperatureOf(Settings settings) => (settings.Temperature, settings.RelativeTemperature?.Split(':')) switch
    {
        (null, null) => null,
        ({ } temperature, null) => Temperature.Absolute(temperature),
        (null, [var ratio]) => Temperature.Relative(Double(ratio)),
        (null, [var from, var to]) => Temperature.Relative(Double(from)).AnnealedTo(Double(to), settings.Warmup, settings.AnnealEnd ?? 0.85 * settings.Epochs),
        _ => throw new ArgumentException("Give either --temperature or --relative-temperature, not both."),
    };

    private static double Double(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
