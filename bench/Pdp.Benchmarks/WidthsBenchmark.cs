using System.Diagnostics;
using System.Runtime.Intrinsics;
using System.Text.Json;

namespace Pdp.Benchmarks;

/// <summary>What the runtime's settings do to the kernels: a mask pass and a small GPT, first steps and steady ones apart, each setting in a process of its own.</summary>
internal static class WidthsBenchmark
{
    /// <summary>The name under which the process calls itself; what follows --only is the setting.</summary>
    public const string Child = "widths-of";

    /// <summary>The slowest setting may take so many times the best of its width, in the runs that check it.</summary>
    private const double Limit = 3;

    private const int First = 5;

    /// <summary>The settings, and the width of vectors that they leave on a processor that has all.</summary>
    private static readonly (string Name, string Variable, string Value, int Width)[] Settings =
    [
        ("default", "DOTNET_TieredCompilation", "1", 512),
        ("TieredPGO=0", "DOTNET_TieredPGO", "0", 512),
        ("TieredCompilation=0", "DOTNET_TieredCompilation", "0", 512),
        ("EnableAVX512F=0", "DOTNET_EnableAVX512F", "0", 256),
        ("EnableAVX2=0", "DOTNET_EnableAVX2", "0", 128),
    ];

    /// <summary>Measures all settings; false if one is slow beyond the limit.</summary>
    public static bool Measure(Run run)
    {
        var widest = Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : 128;
        var lines = Settings.SelectMany(setting => LinesOf(setting, Math.Min(widest, setting.Width), run)).ToArray();
        var isEven = true;
        foreach (var same in lines.GroupBy(line => (line.Case, line.Width)))
        {
            // On a busy machine the fastest passes tell, not the median ones.
            var best = same.Min(line => line.Fastest);
            foreach (var line in same)
            {
                isEven &= line.Fastest <= Limit * best;
                Line.Write(
                    "widths",
                    ("case", line.Case),
                    ("setting", line.Setting),
                    ("width", line.Width),
                    ("threads", 1),
                    ("first_ms", line.First),
                    ("steady_ms", line.Steady),
                    ("first_over_steady", line.First / line.Steady),
                    ("fastest_ms", line.Fastest),
                    ("fastest_over_best_of_width", line.Fastest / best));
            }
        }

        return isEven;
    }

    /// <summary>Measures the setting of this process, and prints a line of JSON for each case.</summary>
    public static void MeasureAlone(Run run)
    {
        foreach (var strategy in (IMaskStrategy[])[new Unstructured(), NofM.Keep(2, of: 4)])
        {
            Print($"mask, {strategy.Name}", MaskBenchmark.Passes(strategy, run.IsQuick ? 16 : 60));
            using var training = new Training(Case.Gpt, strategy);
            Print($"GPT, {strategy.Name}", Enumerable.Range(0, run.IsQuick ? 40 : 300).Select(_ =>
            {
                training.Step(isMasked: true);
                return (training.Entering + training.Leaving).TotalMilliseconds;
            }));
        }
    }

    private static void Print(string name, IEnumerable<double> times)
    {
        double[] all = [.. times];
        var steady = all[^(all.Length / 2)..];
        Console.WriteLine(JsonSerializer.Serialize(new Times(name, Alternation.Median(all[..First]), Alternation.Median(steady), steady.Min())));
    }

    private static IEnumerable<(string Case, string Setting, int Width, double First, double Steady, double Fastest)> LinesOf(
        (string Name, string Variable, string Value, int Width) setting, int width, Run run)
    {
        var start = Itself.Start([Child, "--threads", "1", .. run.IsQuick ? ["--quick"] : Array.Empty<string>()]);
        start.Environment[setting.Variable] = setting.Value;
        using var process = Process.Start(start)!;
        var lines = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"The process with {setting.Name} ended with {process.ExitCode}.");
        foreach (var times in lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonSerializer.Deserialize<Times>(line)!))
            yield return (times.Case, setting.Name, width, times.First, times.Steady, times.Fastest);
    }

    private sealed record Times(string Case, double First, double Steady, double Fastest);
}
