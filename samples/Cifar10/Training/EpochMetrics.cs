namespace Pdp.Samples.Cifar10;

/// <summary>
/// The results of an epoch; accuracies and sparsity are fractions, and accuracies null where the epoch was not tested. Folded is
/// the accuracy that a commit would leave; their gap is the leak.
/// </summary>
internal sealed record EpochMetrics(
    int Epoch, double Loss, double LearningRate, double? Accuracy, double? FoldedAccuracy, double Seconds, double Sparsity)
{
    public const string Header = "epoch,loss,lr,accuracy,folded_accuracy,seconds,sparsity";

    public override string ToString() => FormattableString.Invariant(
        $"{Epoch},{Loss:0.0000},{LearningRate:0.000000},{Accuracy:0.0000},{FoldedAccuracy:0.0000},{Seconds:0.0},{Sparsity:0.0000}");
}
