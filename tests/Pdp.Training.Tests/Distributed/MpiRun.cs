using System.Diagnostics;

namespace Pdp.Training.Tests.Distributed;

/// <summary>Runs a scenario of Pdp.Training.Ranks by an <c>mpirun</c> of this machine.</summary>
internal sealed class MpiRun
{
    /// <summary>Far longer than two ranks take to start on a busy machine: only a hang takes so long.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(10);
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "Pdp.Training.Ranks.dll");

    /// <summary>The commands that there are: Debian has both kinds side by side; elsewhere there is one.</summary>
    public static IReadOnlyList<string> Kinds { get; } = Installed(["mpirun.openmpi", "mpirun.mpich"]) is { Count: > 0 } both
        ? both : Installed(["mpirun"]);

    public required int ExitCode { get; init; }

    public required IReadOnlyList<string> Lines { get; init; }

    /// <summary>All that was written, which launchers divide differently among output and errors.</summary>
    public string Text => string.Join('\n', Lines);

    /// <summary>Runs two ranks to their end.</summary>
    /// <param name="mpirun">The command.</param>
    /// <param name="scenario">The scenario and what it is told.</param>
    /// <param name="onLine">Told of each line as it comes.</param>
    /// <param name="library">What PDP_MPI is set to.</param>
    public static MpiRun Of(string mpirun, string scenario, Action<string>? onLine = null, string? library = null)
    {
        var lines = new List<string>();
        using var process = new Process { StartInfo = Start(mpirun, scenario, library) };
        DataReceivedEventHandler add = (_, line) =>
        {
            lock (lines)
            {
                lines.Add(line.Data ?? "");
            }

            onLine?.Invoke(line.Data ?? "");
        };
        process.OutputDataReceived += add;
        process.ErrorDataReceived += add;
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        if (!process.WaitForExit(Longest))
        {
            process.Kill(entireProcessTree: true);
            lock (lines)
            {
                throw new TimeoutException($"{mpirun} {scenario} hangs: {string.Join('\n', lines)}");
            }
        }

        process.WaitForExit();
        return new MpiRun { ExitCode = process.ExitCode, Lines = lines };
    }

    /// <summary>What each of two ranks said of something.</summary>
    public string[] Of(string name) =>
        [.. Enumerable.Range(0, 2).Select(
            rank => Lines.Single(line => line.Contains($"{rank}:{name}=", StringComparison.Ordinal)).Split('=')[1])];

    private static ProcessStartInfo Start(string mpirun, string scenario, string? library)
    {
        var start = new ProcessStartInfo(mpirun, ["-n", "2", "dotnet", Program, .. scenario.Split(' ')])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };

        // What Open MPI wants for root and for more ranks than cores, in a form that MPICH does not mind.
        foreach (var name in (string[])["OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "OMPI_MCA_rmaps_base_oversubscribe"])
        {
            start.Environment[name] = "1";
        }

        // Open MPI gives ranks a terminal, to which .NET would write more than text.
        start.Environment["TERM"] = "dumb";
        start.Environment["PDP_MPI"] = library;
        return start;
    }

    private static IReadOnlyList<string> Installed(string[] names) =>
        [.. names.Where(
            name => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Join(folder, name))))];
}
