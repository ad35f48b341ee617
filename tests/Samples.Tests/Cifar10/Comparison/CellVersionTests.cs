using System.Diagnostics;
using System.Text.Json;
using Pdp.Samples.Comparison;
using Pdp.Training;

namespace Pdp.Samples.Tests.Cifar10.Comparison;

/// <summary>What a comparison says of cells that another version of the library made.</summary>
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
        var recipe = Recipes.Parse("""{ "seeds": [0], "columns": { "80 %": { "sparsity": 0.8 } }, "methods": { "pdp": {}, "gmp": {} } }""");
        CellFolder[] folders = [.. recipe.Cells().Select(cell => new CellFolder(Recipes.Sample, _folder.Path, cell))];
        foreach (var folder in folders)
        {
            var report = Reports.Of(folder.Cell, 0.8) with { Version = version == "this one" ? LibraryVersion.Current : version };
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

        var expected = $"3 of them were made by another version of the library than this one, {LibraryVersion.Current}";
        Assert.Equal(isSaid, written.ToString().Contains(expected, StringComparison.Ordinal));
    }
}
