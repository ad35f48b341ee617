using Pdp.Samples.Cifar10;
using Pdp.Samples.Comparison;

namespace Pdp.Samples.Tests.Cifar10.Comparison;

/// <summary>Reports of runs that were not made.</summary>
internal static class Reports
{
    public static RunReport Of(Cell cell, double accuracy)
    {
        var settings = CommandLine.Parse<Settings>(cell.Arguments);
        return new RunReport
        {
            Method = cell.Method,
            Strategy = settings.Strategy,
            Sparsity = cell.Method == "dense" ? 0 : settings.Sparsity,
            StartAccuracy = null,
            Accuracy = accuracy,
            Epochs = settings.Epochs,
            Seed = cell.Seed,
            SecondsPerEpoch = 1,
            StepRatio = cell.Method == "dense" ? 1 : 1.25,
            PeakMemory = cell.Method == "dense" ? 100 : 150,
            ExtraParameters = cell.Method == "gmp" ? 1234 : 0,
            Settings = settings.Fingerprint(),
            WeightsHash = null,
            Version = "1.2.3",
            Machine = "EPYC",
        };
    }
}
