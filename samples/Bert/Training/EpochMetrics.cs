namespace Pdp.Samples.Bert.Training;

/// <summary>
/// The results of an epoch; accuracies, null where they were not measured, and sparsity are fractions. Folded is the accuracy that a commit
/// would leave.
/// </summary>
internal sealed record EpochMetrics(int Epoch, double Loss, double? Accuracy, double? FoldedAccuracy, double Sparsity, double Seconds)
{
    public const string Header = "epoch,loss,accuracy,folded_accuracy,sparsity,seconds";

    public override string ToString() =>
        FormattableString.Invariant($"{Epoch},{Loss:0.0000},{Accuracy:0.0000},{FoldedAccuracy:0.0000},{Sparsity:0.0000},{Seconds:0.0}");
}
