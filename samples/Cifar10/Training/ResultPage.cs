using Pdp.Samples.Reports;

namespace Pdp.Samples.Cifar10;

/// <summary>The report.html of a run.</summary>
internal static class ResultPage
{
    public static RunPage Of(
        RunReport report, Settings settings, IReadOnlyList<EpochMetrics> metrics, PruningReport? pruning,
        IReadOnlyList<WeightSnapshot> weights, Footprint before, Footprint after) => new()
        {
            Title = $"ResNet-20 on CIFAR-10, {report.Method}{(pruning is null ? "" : $", {report.Strategy}")}",
            Subtitle = $"{report.Epochs} epochs, seed {report.Seed}; accuracies are top-1 on the {PicturesOf(settings)}.",
            Facts = [.. Facts(report, pruning, after)],
            Epochs = [.. metrics.Select(
                epoch => new EpochNumbers(epoch.Epoch, epoch.Loss, epoch.Accuracy, epoch.FoldedAccuracy, epoch.Sparsity))],
            Pruning = pruning,
            Weights = weights,
            Before = before,
            After = after,
            Settings = settings.Deciding(),
        };

    private static string PicturesOf(Settings settings) =>
        settings.HoldOut is { } count ? $"{count} training pictures of each class that were held out" : "test pictures";

    private static IEnumerable<Fact> Facts(RunReport report, PruningReport? pruning, Footprint size)
    {
        yield return new(pruning is null ? "accuracy" : "accuracy, committed", Percent(report.Accuracy));
        if (report.SoftAccuracy is { } soft)
        {
            yield return new("accuracy, soft", Percent(soft));
        }

        if (report.StartAccuracy is { } start)
        {
            yield return new("before training", Percent(start));
        }

        if (pruning is not null)
        {
            yield return new("weights removed", Percent(report.Sparsity));
            yield return new("size, packed", Percent(size.PackedBytes / (double)size.Bytes));
        }

        if (report.MacsRemoved is { } macs)
        {
            yield return new("MACs removed", Percent(macs));
        }
    }

    private static string Percent(double share) => FormattableString.Invariant($"{100 * share:0.00} %");
}
