using System.Diagnostics;

namespace Pdp.Benchmarks;

/// <summary>This program in a process of its own, with other arguments.</summary>
internal static class Itself
{
    public static ProcessStartInfo Start(IEnumerable<string> arguments)
    {
        // Under the dotnet command the assembly comes first.
        var isDotnet = Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet";
        return Start(Environment.ProcessPath!, [.. isDotnet ? [Environment.GetCommandLineArgs()[0]] : Array.Empty<string>(), .. arguments]);
    }

    /// <summary>What it prints.</summary>
    /// <exception cref="InvalidOperationException">It fails.</exception>
    public static string OutputOf(IEnumerable<string> arguments)
    {
        using var process = Process.Start(Start(arguments))!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"The process ended with {process.ExitCode}.");
    }

    /// <summary>A published form of it.</summary>
    public static ProcessStartInfo Start(string program, IEnumerable<string> arguments) =>
        new(program, arguments) { RedirectStandardOutput = true };
}
