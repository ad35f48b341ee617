using Pdp.Samples.Comparison;

namespace Pdp.Samples.Transformers;

/// <summary>
/// The results of an epoch; the sparsity is a fraction. Score is the number that runs are compared by, null where it was not measured, and
/// FoldedScore the one that a commit would leave.
/// </summary>
internal sealed record EpochMetrics(int Epoch, double Loss, double? Score, double? FoldedScore, double Sparsity, double Seconds)
{
    /// <summary>The columns' names.</summary>
    public static string Header(Metric metric) => $"epoch,loss,{metric.Name},folded_{metric.Name},sparsity,seconds";

    public override string ToString() =>
        FormattableString.Invariant($"{Epoch},{Loss:0.0000},{Score:0.0000},{FoldedScore:0.0000},{Sparsity:0.0000},{Seconds:0.0}");
}
