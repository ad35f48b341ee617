using System.Diagnostics;
using System.Globalization;

namespace Pdp.Benchmarks;

/// <summary>Memory of some training steps: what the pruner keeps, exactly, and the peak resident, each in a process of its own.</summary>
internal static class MemoryBenchmark
{
    /// <summary>The name under which the process calls itself; what follows --only is a network, a bar and a strategy.</summary>
    public const string Child = "memory-of";

    private const int Steps = 4;

    public static void Measure(Run run)
    {
        foreach (var network in Cases.All.Where(run.Wants))
        {
            var strategies = Training.Strategies.Where(strategy => run.Wants($"{network.Name} {strategy.Name}")).ToArray();
            if (strategies.Length == 0)
                continue;

            foreach (var strategy in strategies)
            {
                // What the allocator holds differs from process to process by more than the masks do.
                var processes = Enumerable.Range(0, run.IsQuick ? 3 : 7)
                    .Select(_ => (Dense: PeakOf(network.Name, "dense", run).Peak, Masked: PeakOf(network.Name, strategy.Name, run)))
                    .ToArray();
                var (dense, peak, pruned) = (
                    Median(processes.Select(pair => pair.Dense)), Median(processes.Select(pair => pair.Masked.Peak)),
                    processes[0].Masked.Pruned);
                Line.Write(
                    "memory",
                    ("network", network.Name),
                    ("strategy", strategy.Name),
                    ("threads", run.Threads),
                    ("processes", processes.Length),
                    ("dense_peak_mib", Mebibytes(dense)),
                    ("masked_peak_mib", Mebibytes(peak)),
                    ("prunable_mib", Mebibytes(pruned)),
                    ("extra_over_prunable", (peak - dense) / (double)pruned),
                    ("kept_over_prunable", processes[0].Masked.Kept / (double)pruned));
            }
        }
    }

    /// <summary>
    /// Trains one network and prints its peak, the bytes of its pruned weights, and those that masked steps have added to what is
    /// in use.
    /// </summary>
    public static void MeasureAlone(Run run)
    {
        var (name, strategy) = (run.Only.Split('|')[0], run.Only.Split('|')[1]);
        var network = Cases.All.Single(network => network.Name == name);
        var masking = Training.Strategies.SingleOrDefault(candidate => candidate.Name == strategy);
        // What the runtime compiles and loads is in use from then on, too.
        using (var warm = new Training(network, masking))
            Train(warm, isMasked: masking is not null);

        using var training = new Training(network, masking);
        Train(training, isMasked: false);
        var before = Heap.InUse();
        Train(training, isMasked: masking is not null);
        var kept = training.PrunerBytes + Heap.InUse() - before;
        using var process = Process.GetCurrentProcess();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{process.PeakWorkingSet64} {training.PrunedBytes} {kept}"));
    }

    private static void Train(Training training, bool isMasked)
    {
        for (var step = 0; step < Steps; step++)
            training.Step(isMasked);
    }

    private static (long Peak, long Pruned, long Kept) PeakOf(string network, string strategy, Run run)
    {
        var numbers = Itself.OutputOf([Child, "--threads", $"{run.Threads}", "--only", $"{network}|{strategy}"]).Split(' ');
        return (long.Parse(numbers[0], CultureInfo.InvariantCulture), long.Parse(numbers[1], CultureInfo.InvariantCulture),
            long.Parse(numbers[2], CultureInfo.InvariantCulture));
    }

    private static long Median(IEnumerable<long> values) => (long)Alternation.Median(values.Select(value => (double)value));

    private static double Mebibytes(long bytes) => bytes / (double)(1 << 20);
}
