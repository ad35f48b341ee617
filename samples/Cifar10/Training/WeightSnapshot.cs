namespace Pdp.Samples.Cifar10;

/// <summary>A weight's histogram in equal bins over [−range, range], and its mask's threshold and temperature, null where there are none.</summary>
internal sealed record WeightSnapshot(string Layer, double Epoch, double Range, IReadOnlyList<long> Counts, double? Threshold, double? Temperature);
