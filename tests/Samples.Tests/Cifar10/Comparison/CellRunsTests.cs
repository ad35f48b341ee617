using System.Diagnostics;
using System.Text.Json;
using Pdp.Samples.Cifar10;
using Pdp.Samples.Cifar10.Comparison;

namespace Pdp.Samples.Tests.Cifar10.Comparison;

/// <summary>Runs are shell commands here that leave a report, or don't.</summary>
public sealed class CellRunsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task RunAsync_RunsWhatIsMissingAndNothingElse()
    {
        var folders = Folders();
        Leave(folders[1]);
        var started = new List<string>();

        var failures = await new CellRuns(folders, jobs: 1, folder => Leaving(folder, started)).RunAsync(CancellationToken.None);

        Assert.Equal(0, failures);
        Assert.Equal(["dense-dense-0", "80-gmp-0"], started);
        Assert.All(folders, folder => Assert.NotNull(folder.Report()));
    }

    [Fact]
    public async Task RunAsync_WhenOneFails_GoesOnWithTheOthers()
    {
        var folders = Folders();
        var started = new List<string>();

        var failures = await new CellRuns(folders, jobs: 1, folder => folder.Cell.Method == "pdp" ? Shell("exit 3") : Leaving(folder, started)).RunAsync(CancellationToken.None);

        Assert.Equal(1, failures);
        Assert.Equal(["dense-dense-0", "80-gmp-0"], started);
        Assert.Null(folders[1].Report());
    }

    [Fact]
    public async Task RunAsync_WhenStopped_KeepsFinishedCells()
    {
        var folders = Folders();
        using var stop = new CancellationTokenSource();
        var started = new List<string>();

        ProcessStartInfo Command(CellFolder folder)
        {
            if (folder.Cell.Method != "pdp")
                return Leaving(folder, started);
            stop.CancelAfter(200);
            return Shell("sleep 60");
        }

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => new CellRuns(folders, jobs: 1, Command).RunAsync(stop.Token));

        Assert.NotNull(folders[0].Report());
        Assert.Null(folders[1].Report());
    }

    [Fact]
    public void Report_OfOtherSettings_DoesNotCount()
    {
        var folders = Folders();
        Leave(folders[1]);
        var changed = new CellFolder(_folder.Path, folders[1].Cell with { Options = new Dictionary<string, string> { ["epochs"] = "3" } });

        Assert.NotNull(folders[1].Report());
        Assert.Null(changed.Report());
    }

    [Fact]
    public void Report_OfOtherWeights_DoesNotCount()
    {
        var folders = Folders();
        Leave(folders[1]);

        Assert.Null(new CellFolder(_folder.Path, folders[1].Cell, weightsHash: "other").Report());
    }

    [Fact]
    public void Report_ThatIsDamaged_DoesNotCount()
    {
        var folders = Folders();
        AtomicFile.WriteText(Path.Combine(folders[1].Path, "report.json"), "{ \"method\": ");

        Assert.Null(folders[1].Report());
    }

    [Fact]
    public async Task RunAsync_DropsWhatAnEarlierRunHasLeft()
    {
        var folders = Folders();
        AtomicFile.WriteText(Path.Combine(folders[1].Path, "history.json"), "[]");

        await new CellRuns(folders, jobs: 1, folder => Shell("exit 0")).RunAsync(CancellationToken.None);

        Assert.False(File.Exists(Path.Combine(folders[1].Path, "history.json")));
    }

    private CellFolder[] Folders()
    {
        var recipe = CompareRecipe.Parse("""{ "seeds": [0], "columns": { "80 %": { "sparsity": 0.8 } }, "methods": { "pdp": {}, "gmp": {} } }""");
        return [.. recipe.Cells().Select(cell => new CellFolder(_folder.Path, cell))];
    }

    private static ProcessStartInfo Leaving(CellFolder folder, List<string> started)
    {
        started.Add(folder.Cell.Name);
        Leave(folder);
        return Shell("exit 0");
    }

    private static void Leave(CellFolder folder) =>
        AtomicFile.WriteText(Path.Combine(folder.Path, "report.json"), JsonSerializer.Serialize(Reports.Of(folder.Cell, 0.8), Json.Options));

    private static ProcessStartInfo Shell(string script) =>
        new("bash") { ArgumentList = { "-c", script }, RedirectStandardOutput = true, RedirectStandardError = true };
}
