using System.Globalization;

namespace Pdp.Samples.ImageNet.Reporting;

/// <summary>
/// The results of an epoch; accuracies and sparsity are fractions. Folded is what a commit would leave: while masks are soft,
/// midway in a run, it is far worse, and that is no cause for alarm.
/// </summary>
internal sealed record EpochMetrics(
    int Epoch,
    double Loss,
    double LearningRate,
    double Top1,
    double Top5,
    double FoldedTop1,
    double FoldedTop5,
    double Sparsity,
    double Seconds,
    double PicturesPerSecond)
{
    public const string Header = "epoch,loss,lr,top1,top5,folded_top1,folded_top5,sparsity,seconds,pictures_per_second";

    /// <summary>The heading of <see cref="ToRow"/>.</summary>
    public const string RowHeader = "epoch      loss        lr     top1     top5  folded top1  folded top5  sparsity  seconds  pictures/s";

    /// <summary>
    /// Whether this network is the one to keep: the sparser one; of two equally sparse, the one that would be better after a commit.
    /// </summary>
    public bool IsBetterThan(EpochMetrics? other) =>
        other is null || (Sparsity, FoldedTop1).CompareTo((other.Sparsity, other.FoldedTop1)) > 0;

    /// <summary>The line of metrics.csv.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Epoch},{Loss:0.0000},{LearningRate:0.000000},{Top1:0.0000},{Top5:0.0000},"
        + $"{FoldedTop1:0.0000},{FoldedTop5:0.0000},{Sparsity:0.0000},{Seconds:0.0},{PicturesPerSecond:0.0}");

    /// <summary>The same for people, in columns.</summary>
    public string ToRow() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Epoch,5}  {Loss,8:0.0000}  {LearningRate,8:0.000000}  {Top1,7:0.00%}  {Top5,7:0.00%}  "
        + $"{FoldedTop1,11:0.00%}  {FoldedTop5,11:0.00%}  {Sparsity,8:0.00%}  {Seconds,7:0.0}  {PicturesPerSecond,10:0.0}");
}
