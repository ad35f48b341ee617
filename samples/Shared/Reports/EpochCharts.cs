using Pdp.Samples.Drawing;

namespace Pdp.Samples.Reports;

/// <summary>The curves of a run over its epochs.</summary>
internal static class EpochCharts
{
    /// <summary>The loss, the accuracy and the sparsity; a chart without a single number is left out.</summary>
    /// <param name="epochs">The results of each epoch.</param>
    /// <param name="isPruned">Whether the weights have masks.</param>
    public static IReadOnlyList<Chart> Of(IReadOnlyList<EpochNumbers> epochs, bool isPruned)
    {
        Line Curve(string name, int color, Func<EpochNumbers, double?> number) =>
            new(name, color, [.. epochs.Where(epoch => number(epoch) is not null)
                .Select(epoch => new Point(epoch.Epoch, number(epoch)!.Value))])
            {
                HasMarkers = epochs.Count <= 40,
            };

        var accuracy = Curve(isPruned ? "soft, as trained" : "accuracy", 0, epoch => 100 * epoch.Accuracy);
        var committed = Curve("as a commit would leave it", 1, epoch => 100 * epoch.CommittedAccuracy);
        Chart[] charts =
        [
            Over("Loss", "mean loss of an epoch", [Curve("training loss", 0, epoch => epoch.Loss)]),
            Over("Accuracy", "top-1, %", isPruned ? [accuracy, committed] : [accuracy]),
            Over("Sparsity", "weights removed, %", [Curve("of the prunable weights", 2, epoch => 100 * epoch.Sparsity)], low: 0, high: 100),
        ];
        return [.. charts.Take(isPruned ? 3 : 2).Where(chart => chart.Marks.OfType<Line>().Any(line => line.Points.Count > 0))];
    }

    private static Chart Over(string title, string unit, Line[] lines, double? low = null, double? high = null) => new()
    {
        Title = title,
        X = Axis.Whole("epoch", lines.SelectMany(line => line.Points).Select(point => point.X)),
        Y = Axis.Around(unit, lines.SelectMany(line => line.Points).Select(point => point.Y), low, high),
        Marks = lines,
    };
}
