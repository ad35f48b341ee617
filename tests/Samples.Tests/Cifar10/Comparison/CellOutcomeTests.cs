using System.Text.Json;
using Pdp.Samples.Cifar10;
using Pdp.Samples.Comparison;
using Pdp.Training;

namespace Pdp.Samples.Tests.Cifar10.Comparison;

public sealed class CellOutcomeTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Report_OfOtherSettings_DoesNotCount()
    {
        var folders = Folders();
        Leave(folders[1]);
        var changed = new CellFolder(
            Recipes.Sample, _folder.Path, folders[1].Cell with { Options = new Dictionary<string, string> { ["epochs"] = "3" } });

        Assert.NotNull(folders[1].Report());
        Assert.Null(changed.Report());
    }

    // So that results can be kept while the sample gets more options.
    [Theory]
    [InlineData(" --side 32", "", true)]
    [InlineData(" --side 32", " --side 16", false)]
    [InlineData(" --side 32", " --gone 1", false)]
    [InlineData(" --epochs 8", "", true)]
    [InlineData(" --sparsity 0.8", "", false)]
    public void Report_FromBeforeAnOption_CountsAtItsDefault(string now, string then, bool counts)
    {
        var folder = Folders()[1];
        var report = Reports.Of(folder.Cell, 0.86);
        Assert.Contains(now, report.Settings, StringComparison.Ordinal);
        Leave(folder, report with { Settings = report.Settings.Replace(now, then, StringComparison.Ordinal) });

        Assert.Equal(counts, folder.Report() is not null);
        Assert.Equal(counts, folder.Difference() is null);
    }

    [Theory]
    [InlineData("{dense}", " --side 32", true)]
    [InlineData("{dense}", "taught ", false)]
    public void Report_OfATaughtRun_CountsIfItWasTaught(string teacher, string without, bool counts)
    {
        var cell = Folders()[1].Cell;
        var taught = cell with { Options = new Dictionary<string, string>(cell.Options) { ["teacher"] = teacher } };
        var folder = new CellFolder(Recipes.Sample, _folder.Path, taught);
        var report = Reports.Of(taught, 0.86);
        Leave(folder, report with { Settings = report.Settings.Replace(without, "", StringComparison.Ordinal) });

        Assert.Equal(counts, folder.Report() is not null);
    }

    [Fact]
    public void Report_OfOtherWeights_DoesNotCount()
    {
        var folders = Folders();
        Leave(folders[1]);

        Assert.Null(new CellFolder(Recipes.Sample, _folder.Path, folders[1].Cell, weightsHash: "other").Report());
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData("given", false)]
    public void Report_WhereRunsStartFromScratch_CountsIfItsRunDid(string? then, bool counts)
    {
        var folder = Folders()[1];
        Leave(folder, Reports.Of(folder.Cell, 0.8) with { WeightsHash = then });
        var fresh = new CellFolder(Recipes.Sample, _folder.Path, folder.Cell, isFromScratch: true);

        Assert.Equal(counts, fresh.Report() is not null);
        Assert.Equal(counts ? null : "80-pdp-0 was run from given weights, not from scratch", fresh.Difference());
        Assert.NotNull(folder.Report());
    }

    [Fact]
    public void Failure_OfOtherSettings_DoesNotCount()
    {
        var folders = Folders();
        folders[1].Fail("no such data");
        var changed = new CellFolder(
            Recipes.Sample, _folder.Path, folders[1].Cell with { Options = new Dictionary<string, string> { ["epochs"] = "3" } });

        Assert.Equal("no such data", folders[1].Outcome().Fault);
        Assert.Null(changed.Outcome().Fault);
    }

    [Theory]
    [InlineData("report.json", "{ \"method\": ")]
    [InlineData("report.json", "")]
    [InlineData("report.json", "null")]
    [InlineData("report.json", "{ \"method\": \"pdp\" }")]
    [InlineData("report.json", "REPORT", "0.86", "8.6")]
    [InlineData("report.json", "REPORT", "\"pdp\"", "null")]
    [InlineData("layers.csv", "layer,strategy,weights,removed,zeros,sparsity\nconv1,unstructured,10")]
    [InlineData("layers.csv", "layer,strategy,weights,removed,zeros,sparsity\nconv1,unstructured,10,2,2,0.2")]
    [InlineData("layers.csv", "layer,strategy,weights,removed,zeros,sparsity\nconv1,unstructured,10,80,80,8")]
    [InlineData("history.json", "[ { \"layer\": \"conv1\" } ]")]
    [InlineData("history.json", "[ null ]")]
    [InlineData("history.json", "[ { \"layer\":")]
    [InlineData("failure.json", "{ \"error\"")]
    public void Outcome_OfADamagedFile_NamesIt(string file, string text, string right = "", string wrong = "")
    {
        var folder = Folders()[1];
        var report = JsonSerializer.Serialize(Reports.Of(folder.Cell, 0.86), Json.Options);
        if (file != "failure.json")
            AtomicFile.WriteText(Path.Combine(folder.Path, "report.json"), report);
        AtomicFile.WriteText(
            Path.Combine(folder.Path, file), text == "REPORT" ? report.Replace(right, wrong, StringComparison.Ordinal) : text);

        var (found, fault) = folder.Outcome();

        Assert.Null(found);
        Assert.StartsWith($"'{Path.Combine(folder.Path, file)}' is damaged: ", fault, StringComparison.Ordinal);
    }

    private CellFolder[] Folders()
    {
        var recipe = Recipes.Parse("""{ "seeds": [0], "columns": { "80 %": { "sparsity": 0.8 } }, "methods": { "pdp": {}, "gmp": {} } }""");
        return [.. recipe.Cells().Select(cell => new CellFolder(Recipes.Sample, _folder.Path, cell))];
    }

    private static void Leave(CellFolder folder) => Leave(folder, Reports.Of(folder.Cell, 0.8));

    private static void Leave(CellFolder folder, RunReport report) =>
        AtomicFile.WriteText(Path.Combine(folder.Path, "report.json"), JsonSerializer.Serialize(report, Json.Options));
}
