using System.Diagnostics;

namespace Pdp.Samples.Comparison;

/// <summary>Starts this program for the run of one cell, with one thread.</summary>
internal static class CellCommand
{
    // Else glibc gives the memory of a step's tensors back to the system and fetches it anew in the next step, which takes a
    // seventh of a small network's time.
    private static readonly (string Name, string Bytes)[] KeptMemory =
        [("MALLOC_MMAP_THRESHOLD_", "1000000000"), ("MALLOC_TRIM_THRESHOLD_", "2000000000")];

    public static ProcessStartInfo Of(CellFolder folder, CompareSettings settings)
    {
        var program = Environment.ProcessPath!;
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["OMP_NUM_THREADS"] = "1";
        foreach (var (name, bytes) in KeptMemory)
        {
            start.Environment.TryAdd(name, bytes);
        }

        if (Path.GetFileNameWithoutExtension(program) == "dotnet")
        {
            start.ArgumentList.Add(typeof(CellCommand).Assembly.Location);
        }

        string[] weights = settings.Weights is { } file ? ["--weights", file] : [];
        string[] places = ["--data", settings.Data!, "--out", folder.Path, .. folder.Sample.RunArguments, .. weights];
        var arguments = folder.Cell.ArgumentsWith(Path.Combine(folder.DensePath, "weights.safetensors"), folder.AllocatingReport);
        foreach (var argument in arguments.Concat(places))
        {
            start.ArgumentList.Add(argument);
        }

        return start;
    }
}
