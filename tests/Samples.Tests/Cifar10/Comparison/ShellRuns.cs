using System.Diagnostics;
using System.Text.Json;
using Pdp.Samples.Comparison;
using Pdp.Training;

namespace Pdp.Samples.Tests.Cifar10.Comparison;

/// <summary>The cells of a small comparison, whose runs are shell commands that leave a report, or don't.</summary>
internal static class ShellRuns
{
    /// <summary>A dense run, one of pdp and one of gmp.</summary>
    public static CellFolder[] Folders(string root)
    {
        var recipe = Recipes.Parse("""{ "seeds": [0], "columns": { "80 %": { "sparsity": 0.8 } }, "methods": { "pdp": {}, "gmp": {} } }""");
        return [.. recipe.Cells().Select(cell => new CellFolder(Recipes.Sample, root, cell))];
    }

    /// <summary>A run that leaves its report, and is noted.</summary>
    public static ProcessStartInfo Leaving(CellFolder folder, List<string> started)
    {
        started.Add(folder.Cell.Name);
        Leave(folder);
        return Shell("exit 0");
    }

    public static void Leave(CellFolder folder) =>
        AtomicFile.WriteText(
            Path.Combine(folder.Path, "report.json"), JsonSerializer.Serialize(Reports.Of(folder.Cell, 0.8), Json.Options));

    public static ProcessStartInfo Shell(string script) =>
        new("bash") { ArgumentList = { "-c", script }, RedirectStandardOutput = true, RedirectStandardError = true };
}
