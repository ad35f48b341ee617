using System.Diagnostics;

namespace Pdp.Benchmarks;

/// <summary>A masked training step against a dense one of the same network, in alternation.</summary>
internal static class StepBenchmark
{
    private static readonly StepForm[] Forms = [StepForm.Taylor, StepForm.Metered, StepForm.Committed];

    public static void Measure(Run run)
    {
        foreach (var network in Cases.All.Where(run.Wants))
        {
            foreach (var strategy in Training.Strategies.Where(strategy => run.Wants($"{network.Name} {strategy.Name}")))
                Measure(network, strategy, StepForm.Plain, run);
            foreach (var form in Forms.Where(form => run.Wants($"{network.Name} unstructured {form}")))
                Measure(network, new Unstructured(), form, run);
        }
    }

    private static void Measure(Case network, IMaskStrategy strategy, StepForm form, Run run)
    {
        using var training = new Training(network, strategy, form, new TorchSharp.torch.Device(run.Device));
        var budget = run.Budget(quick: 3, full: 40);
        var (dense, masked, entering, leaving, allocated) = (
            new List<double>(), new List<double>(), new List<double>(), new List<double>(), new List<double>());
        // The first steps compile the code, and are also looked at for slips of the loop.
        var inLibrary = new List<double>();
        for (var warmUp = 0; warmUp < 10; warmUp++)
            Masked();
        training.Step(isMasked: false);

        var start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < budget || dense.Count < 3)
        {
            dense.Add(training.Step(isMasked: false).TotalMilliseconds);
            masked.Add(Masked());
            entering.Add(training.Entering.TotalMilliseconds);
            leaving.Add(training.Leaving.TotalMilliseconds);
            allocated.Add(training.AllocatedInLibrary);
        }

        var (denseMedian, libraryMedian) = (Alternation.Median(dense), Alternation.Median(entering) + Alternation.Median(leaving));
        Line.Write(
            "step",
            ("network", network.Name),
            ("strategy", strategy.Name),
            ("form", form.ToString()),
            ("device", run.Device),
            ("threads", run.Threads),
            ("steps", dense.Count),
            ("dense_ms", denseMedian),
            ("masked_ms", Alternation.Median(masked)),
            ("masked_over_dense", Alternation.Median(masked) / denseMedian),
            ("entering_ms", Alternation.Median(entering)),
            ("leaving_ms", Alternation.Median(leaving)),
            ("library_share", libraryMedian / denseMedian),
            ("library_share_mean", (entering.Average() + leaving.Average()) / denseMedian),
            ("library_share_with_first_steps", inLibrary.Average() / denseMedian),
            ("library_managed_bytes", Alternation.Median(allocated)));

        double Masked()
        {
            var time = training.Step(isMasked: true).TotalMilliseconds;
            inLibrary.Add((training.Entering + training.Leaving).TotalMilliseconds);
            return time;
        }
    }
}
