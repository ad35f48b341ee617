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

    /// <summary>A published form of it.</summary>
    public static ProcessStartInfo Start(string program, IEnumerable<string> arguments) =>
        new(program, arguments) { RedirectStandardOutput = true };
}
