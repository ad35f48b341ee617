using Pdp.Samples.Reports;

namespace Pdp.Samples.ImageNet.Reporting;

/// <summary>The report.html of a run.</summary>
internal static class ResultPage
{
    public static RunPage Of(
        RunReport report, Settings settings, IReadOnlyList<EpochMetrics> history, PruningReport? pruning,
        IReadOnlyList<WeightSnapshot> weights, Footprint before, Footprint after) => new()
        {
            Title = $"{report.Model}, {report.Method}{(pruning is null ? "" : $", {report.Strategy}")}",
            Subtitle = $"{report.Epochs} epochs, {settings.Classes} classes, {settings.Side}² pixels, seed {report.Seed}; "
                + "accuracies are those on the validation pictures.",
            Facts = [.. Facts(report, pruning, after)],
            Epochs = [.. history.Select(epoch => new EpochNumbers(epoch.Epoch, epoch.Loss, epoch.Top1, epoch.FoldedTop1, epoch.Sparsity))],
            Pruning = pruning,
            Weights = weights,
            Before = before,
            After = after,
            Settings = settings.Deciding(),
        };

    private static IEnumerable<Fact> Facts(RunReport report, PruningReport? pruning, Footprint size)
    {
        var committed = pruning is null ? "" : ", committed";
        yield return new($"top-1{committed}", Percent(report.Final.Top1));
        yield return new($"top-5{committed}", Percent(report.Final.Top5));
        if (report.Soft is { } soft)
        {
            yield return new("top-1, soft", Percent(soft.Top1));
        }

        if (pruning is not null)
        {
            yield return new("weights removed", Percent(report.Sparsity));
            yield return new("size, packed", Percent(size.PackedBytes / (double)size.Bytes));
        }

        if (report.MacsLeft is { } macs)
        {
            yield return new("MACs removed", Percent(1 - macs));
        }
    }

    private static string Percent(double share) => FormattableString.Invariant($"{100 * share:0.00} %");
}
