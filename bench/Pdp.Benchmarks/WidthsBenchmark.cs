using System.Diagnostics;

namespace Pdp.Benchmarks;

/// <summary>
/// What settings of the runtime, and forms in which a program is published, do to the kernels; each in processes of its own.
/// </summary>
internal static class WidthsBenchmark
{
    /// <summary>The name under which the process calls itself.</summary>
    public const string Child = "widths-of";

    /// <summary>How many times the best of its width a setting may take.</summary>
    private const double Limit = 3;

    /// <summary>
    /// The processes that a setting has, at most, to come below the limit: whatever else the machine does, one of them will.
    /// </summary>
    private const int MostProcesses = 5;

    private static readonly WidthsSetting[] Jit =
    [
        new("JIT", null),
        new("JIT", null, "TieredPGO"),
        new("JIT", null, "TieredCompilation"),
        new("JIT", null, "EnableAVX512"),
        new("JIT", null, "EnableAVX512", "TieredCompilation"),
        new("JIT", null, "EnableAVX2"),
        new("JIT", null, "EnableAVX2", "TieredCompilation"),
    ];

    /// <summary>Measures all settings; false if one is slow beyond the limit in all of its processes.</summary>
    public static bool Measure(Run run)
    {
        WidthsSetting[] settings = [.. Jit, .. run.IsPublished ? Published.Settings() : []];
        var processes = settings.ToDictionary(setting => setting, _ => new List<WidthsTimes[]>());
        for (var round = 0; round < (run.IsQuick ? 1 : 3); round++)
            Start(Alternately(settings, round));
        for (var round = 1; round < MostProcesses && SlowOnes() is { Length: > 0 } slow; round++)
            Start(Alternately(slow, round));

        foreach (var setting in settings)
            Write(setting, processes);
        return SlowOnes().Length == 0;

        void Start(IEnumerable<WidthsSetting> some)
        {
            foreach (var setting in some)
                processes[setting].Add(TimesOf(setting, run));
        }

        WidthsSetting[] SlowOnes() =>
            [.. settings.Where(setting => Cases(processes[setting]).Any(times => Fastest(times) > Limit * Best(times[0], processes)))];
    }

    private static void Write(WidthsSetting setting, Dictionary<WidthsSetting, List<WidthsTimes[]>> processes)
    {
        foreach (var times in Cases(processes[setting]))
        {
            var (first, steady, best) = (
                Alternation.Median(times.Select(time => time.First)), Alternation.Median(times.Select(time => time.Steady)),
                Best(times[0], processes));
            Line.Write(
                "widths",
                ("case", times[0].Case),
                ("setting", setting.Name),
                ("width", times[0].Width),
                ("threads", 1),
                ("processes", times.Length),
                ("slow_processes", times.Count(time => time.Fastest > Limit * best)),
                ("first_ms", first),
                ("steady_ms", steady),
                ("first_over_steady", first / steady),
                ("fastest_ms", Fastest(times)),
                ("fastest_over_best_of_width", Fastest(times) / best));
        }
    }

    /// <summary>The processes' times of each case.</summary>
    private static IEnumerable<WidthsTimes[]> Cases(IEnumerable<WidthsTimes[]> processes) =>
        processes.SelectMany(times => times).GroupBy(times => times.Case).Select(times => times.ToArray());

    private static double Fastest(WidthsTimes[] times) => times.Min(time => time.Fastest);

    /// <summary>The fastest of all processes with the same case and width.</summary>
    private static double Best(WidthsTimes of, Dictionary<WidthsSetting, List<WidthsTimes[]>> processes) =>
        processes.Values.SelectMany(times => times).SelectMany(times => times)
            .Where(times => times.Case == of.Case && times.Width == of.Width).Min(times => times.Fastest);

    /// <summary>To and fro, so that no setting always comes after the same one.</summary>
    private static IEnumerable<WidthsSetting> Alternately(WidthsSetting[] settings, int round) =>
        round % 2 == 0 ? settings : settings.Reverse();

    private static WidthsTimes[] TimesOf(WidthsSetting setting, Run run)
    {
        string[] arguments = [Child, "--threads", "1", .. run.IsQuick ? (string[])["--quick"] : []];
        var start = setting.Program is { } program ? Itself.Start(program, arguments) : Itself.Start(arguments);
        foreach (var (name, value) in setting.Variables)
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var lines = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? [.. lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(WidthsTimes.Parse)]
            : throw new InvalidOperationException($"The process with {setting.Name} ended with {process.ExitCode}.");
    }
}
