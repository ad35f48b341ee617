using Pdp.Samples.Comparison;
using Pdp.Samples.Drawing;

namespace Pdp.Samples.Cifar10.Scanning;

/// <summary>The accuracy of the network with each layer pruned alone, a line for each level.</summary>
internal static class SensitivityChart
{
    private const int DenseColor = 8;

    public static Chart Of(SensitivityReport report) => Look.Chart(
        "Each layer pruned alone, without training",
        Axis.Named("layer, from the input to the output", [.. report.Layers.Select(layer => LayerChart.Short(layer.Name))]),
        "top-1 accuracy, %",
        [
            .. report.Levels.Select((level, index) => LineOf(report, level, index)),
            new Rule(FormattableString.Invariant($"{Methods.Dense}, {100 * report.Dense:0.00} %"), DenseColor, [100 * report.Dense]),
        ]);

    private static Line LineOf(SensitivityReport report, double level, int index) => new(
        FormattableString.Invariant($"{100 * level:0.##} % removed"),
        index,
        [.. report.Layers.Select((layer, place) => new Point(place, 100 * layer.Points[index].Metric))]);
}
