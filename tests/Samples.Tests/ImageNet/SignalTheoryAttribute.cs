using System.Globalization;

namespace Pdp.Samples.Tests.ImageNet;

/// <summary>Skips a test, with a message, where signals don't arrive: on Windows, and where the parent has them ignored.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class SignalTheoryAttribute : TheoryAttribute
{
    private const string Status = "/proc/self/status";
    private const string Label = "SigIgn:";

    /// <summary>The bits of SIGINT (2) and SIGTERM (15).</summary>
    private const ulong Used = (1UL << 1) | (1UL << 14);

    public SignalTheoryAttribute()
    {
        if (OperatingSystem.IsWindows())
        {
            Skip = "Windows has no such signals.";
        }
        else if ((Ignored() & Used) != 0)
        {
            Skip = "The parent process has SIGINT or SIGTERM ignored, as a shell does in the background.";
        }
    }

    private static ulong Ignored() => File.Exists(Status)
        && File.ReadLines(Status).FirstOrDefault(line => line.StartsWith(Label, StringComparison.Ordinal)) is { } line
            ? ulong.Parse(line.AsSpan(Label.Length).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture)
            : 0;
}
