namespace Pdp.Samples.Reports;

/// <summary>What an epoch came to, for its curves; accuracies and sparsity are fractions, and null where they were not measured.</summary>
internal sealed record EpochNumbers(int Epoch, double Loss, double? Accuracy, double? CommittedAccuracy, double Sparsity);
