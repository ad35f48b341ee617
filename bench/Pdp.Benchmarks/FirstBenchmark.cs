using System.Diagnostics;
using System.Text.Json;
using Pdp.Sparse;
using static TorchSharp.torch;

namespace Pdp.Benchmarks;

/// <summary>
/// The first calls of a process, in which code is compiled: of networks as they are, and packed by a plan, which runs nothing; each in
/// processes of its own, in alternation.
/// </summary>
internal static class FirstBenchmark
{
    /// <summary>The name under which the process calls itself.</summary>
    public const string Child = "first-of";

    private const int Calls = 10;

    public static void Measure(Run run)
    {
        foreach (var subject in SparseCase.Layers.Concat(SparseCase.Networks).Where(subject => run.Wants(subject.Name)))
        {
            if (run.IsQuick && !subject.IsQuick && run.Only.Length == 0)
                continue;
            foreach (var sparsity in run.Sparsities ?? ["0.9"])
                Measure(run, subject, sparsity);
        }
    }

    /// <summary>Measures in this process, and prints the times.</summary>
    public static void MeasureAlone(Run run)
    {
        var subject = SparseCase.Layers.Concat(SparseCase.Networks).Single(subject => subject.Name == run.Only);
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var input = randn(subject.Input);
        using var model = SparseBenchmark.Model(subject, run.Sparsities![0]);
        var start = Stopwatch.GetTimestamp();
        using var packed = run.Plan is null ? null : SparseModel.Pack(model, SparsePlan.FromJson(File.ReadAllText(run.Plan)));
        double[] times = [Stopwatch.GetElapsedTime(start).TotalMilliseconds, .. Enumerable.Range(0, Calls).Select(_ => Call())];
        Console.WriteLine(JsonSerializer.Serialize(times));

        double Call() => SparseBenchmark.Forward(model, input).TotalMilliseconds;
    }

    private static void Measure(Run run, SparseCase subject, string sparsity)
    {
        var plan = Path.GetTempFileName();
        File.WriteAllText(plan, PlanOf(subject, sparsity));
        string[] arguments = [Child, "--threads", $"{run.Threads}", "--only", subject.Name, "--sparsity", sparsity];
        List<double[]> plain = [], packed = [];
        try
        {
            for (var round = 0; round < (run.IsQuick ? 3 : 7); round++)
            {
                plain.Add(TimesOf(arguments));
                packed.Add(TimesOf([.. arguments, "--plan", plan]));
            }
        }
        finally
        {
            File.Delete(plan);
        }

        var (first, firstPacked) = (Median(plain, times => times[1]), Median(packed, times => times[1]));
        var (all, allPacked) = (Median(plain, times => times[1..].Sum()), Median(packed, times => times[1..].Sum()));
        Line.Write(
            "first",
            ("case", subject.Name),
            ("sparsity", sparsity),
            ("threads", run.Threads),
            ("processes", plain.Count),
            ("pack_ms", Median(packed, times => times[0])),
            ("plain_ms", first),
            ("packed_ms", firstPacked),
            ("plain_over_packed", first / firstPacked),
            ("calls", Calls),
            ("plain_all_ms", all),
            ("packed_all_ms", allPacked),
            ("plain_over_packed_all", all / allPacked));
    }

    private static string PlanOf(SparseCase subject, string sparsity)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var input = randn(subject.Input);
        using var model = SparseBenchmark.Model(subject, sparsity);
        using var packed = SparseModel.Pack(model, input);
        return packed.Plan.ToJson();
    }

    private static double Median(List<double[]> processes, Func<double[], double> value) => Alternation.Median(processes.Select(value));

    private static double[] TimesOf(string[] arguments) => JsonSerializer.Deserialize<double[]>(Itself.OutputOf(arguments))!;
}
