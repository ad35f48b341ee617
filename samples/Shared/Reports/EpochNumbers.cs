namespace Pdp.Samples.Reports;

/// <summary>
/// The results of an epoch, for its curves; accuracies and sparsity are fractions, and null where they were not measured.
/// </summary>
internal sealed record EpochNumbers(int Epoch, double Loss, double? Accuracy, double? CommittedAccuracy, double Sparsity);
