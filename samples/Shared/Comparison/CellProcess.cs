using System.ComponentModel;
using System.Diagnostics;

namespace Pdp.Samples.Comparison;

/// <summary>The process of one cell's run.</summary>
internal static class CellProcess
{
    private const int Interrupted = 128 + 2;
    private const int Terminated = 128 + 15;

    /// <summary>Runs it to its end, and keeps what it prints in the cell's log.</summary>
    /// <returns>What it wrote to standard error, or how it ended; null if it ended well and left its report.</returns>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    /// <exception cref="IOException">The log can't be written.</exception>
    public static async Task<string?> RunAsync(CellFolder folder, ProcessStartInfo start, CancellationToken stop)
    {
        try
        {
            using var process = Process.Start(start) ?? throw new Win32Exception();
            var errors = await FollowAsync(process, folder.Log, stop);
            await RequireNotStoppedAsync(process.ExitCode, stop);
            return Failure(process.ExitCode, errors, folder.Outcome());
        }
        catch (Win32Exception e)
        {
            return $"The run could not be started: {e.Message}";
        }
    }

    private static async Task<string> FollowAsync(Process process, string path, CancellationToken stop)
    {
        await using var registration = stop.Register(() => Kill(process));
        try
        {
            var reading = process.StandardError.ReadToEndAsync(CancellationToken.None);
            await using var log = new StreamWriter(path);
            while (await process.StandardOutput.ReadLineAsync(CancellationToken.None) is { } line)
            {
                await log.WriteLineAsync(line.AsMemory(), CancellationToken.None);
            }

            var errors = await reading;
            await log.WriteAsync(errors.AsMemory(), CancellationToken.None);
            await process.WaitForExitAsync(CancellationToken.None);
            return errors;
        }
        finally
        {
            // Where the log can't be written the run must not continue by itself.
            Kill(process);
        }
    }

    // Ctrl-C reaches this process and its runs in any order: a run that ended by it didn't fail.
    private static async Task RequireNotStoppedAsync(int exitCode, CancellationToken stop)
    {
        stop.ThrowIfCancellationRequested();
        if (exitCode is Interrupted or Terminated)
        {
            await Task.Delay(TimeSpan.FromSeconds(1), stop);
        }
    }

    private static string? Failure(int exitCode, string errors, CellOutcome outcome)
    {
        if (outcome.Report is not null)
        {
            return null;
        }

        // For an unhandled exception the message will do; the log has the rest.
        var lines = errors.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        string[] said = [.. lines.Where(line => !line.StartsWith("at ", StringComparison.Ordinal))];
        return said.Length > 0 ? string.Join(' ', said) : outcome.Fault ?? HowItEnded(exitCode);
    }

    private static string HowItEnded(int exitCode) => exitCode switch
    {
        0 => "It ended without a report, and said nothing.",
        > 128 and < 160 => $"It was ended by signal {exitCode - 128}, and said nothing; did memory run out?",
        _ => $"It ended with exit code {exitCode}, and said nothing.",
    };

    private static void Kill(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // It has ended by itself.
        }
    }
}
