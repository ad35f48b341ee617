using System.Diagnostics;
using System.Text.Json;
using Pdp.Samples.Cifar10;
using Pdp.Samples.Comparison;
using Pdp.Training;

namespace Pdp.Samples.Tests.Cifar10.Comparison;

/// <summary>What a comparison says of cells that another version of the library or another machine made.</summary>
public sealed class CellVersionTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("0.0.1+abc", true)]
    [InlineData(null, true)]
    [InlineData("this one", false)]
    public async Task RunAsync_AfterOtherVersionsOfTheLibrary_SaysHowManyCellsTheyMade(string? version, bool isSaid)
    {
        var written = await SaidAsync(report => report with { Version = version == "this one" ? LibraryVersion.Current : version });

        var expected = $"3 of them were made by another version of the library than this one, {LibraryVersion.Current}";
        Assert.Equal(isSaid, written.Contains(expected, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("EPYC, AVX2", true)]
    [InlineData(null, true)]
    [InlineData("this one", false)]
    [InlineData("this one, cuda:0", false)]
    public async Task RunAsync_AfterCellsOfOtherMachines_SaysHowManyThereAre(string? machine, bool isSaid)
    {
        var named = machine?.Replace("this one", Machine.Processor, StringComparison.Ordinal);

        var written = await SaidAsync(report => report with { Machine = named });

        var expected = $"3 of them were made on another machine than this one, {Machine.Processor}";
        Assert.Equal(isSaid, written.Contains(expected, StringComparison.Ordinal));
    }

    // By a comparison whose cells have all been made, with these reports.
    private async Task<string> SaidAsync(Func<RunReport, RunReport> change)
    {
        var recipe = Recipes.Parse("""{ "seeds": [0], "columns": { "80 %": { "sparsity": 0.8 } }, "methods": { "pdp": {}, "gmp": {} } }""");
        CellFolder[] folders = [.. recipe.Cells().Select(cell => new CellFolder(Recipes.Sample, _folder.Path, cell))];
        foreach (var folder in folders)
        {
            var report = change(Reports.Of(folder.Cell, 0.8));
            AtomicFile.WriteText(Path.Combine(folder.Path, "report.json"), JsonSerializer.Serialize(report, Json.Options));
        }

        var (console, written) = (Console.Out, new StringWriter());
        Console.SetOut(TextWriter.Synchronized(written));
        try
        {
            await new CellRuns(folders, jobs: 1, folder => throw new UnreachableException()).RunAsync(CancellationToken.None);
        }
        finally
        {
            Console.SetOut(console);
        }

        return written.ToString();
    }
}
