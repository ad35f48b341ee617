using System.Diagnostics;

namespace Pdp.Samples;

/// <summary>
/// The most memory that the process had resident, since a reset where the system has one (Linux), else since its start.
/// </summary>
internal static class PeakMemory
{
    /// <summary>Forgets the peak up to now, such as that of reading the data.</summary>
    public static void Reset()
    {
        GC.Collect();
        try
        {
            File.WriteAllText("/proc/self/clear_refs", "5");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Other systems keep the peak of the whole process.
        }
    }

    /// <summary>In bytes; null where the system doesn't say (macOS).</summary>
    public static long? Read()
    {
        using var process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64 is > 0 and var peak ? peak : null;
    }
}
