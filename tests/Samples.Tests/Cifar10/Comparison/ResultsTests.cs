using System.Text.Json;
using Pdp.Samples.Cifar10;
using Pdp.Samples.Comparison;
using Pdp.Training;

namespace Pdp.Samples.Tests.Cifar10.Comparison;

public sealed class ResultsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ToMarkdown_GivesMeansSpreadsAndTheBestInBold()
    {
        var text = Made(("pdp", 0, 0.86), ("pdp", 1, 0.84), ("gmp", 0, 0.83), ("gmp", 1, 0.85), ("dense", 0, 0.88), ("dense", 1, 0.88))
            .ToMarkdown();

        Assert.Equal(
            """
            | top-1, % | 80 % | time, over dense | memory, over dense | extra parameters |
            |---|---|---|---|---|
            | pdp | **85.00 ± 1.00** (80.0 %) | 1.250 | 1.50 | 0 |
            | gmp | **84.00 ± 1.00** (80.0 %) | 1.250 | 1.50 | 1,234 |
            | dense | 88.00 ± 0.00 |  |  |  |

            | training, over the same without pruning | 80 % |
            |---|---|
            | pdp | 1.250 |
            | gmp | 1.250 |

            Made with Pdp.Core 1.2.3 (6 cells).

            Made on EPYC (6 cells).

            """.ReplaceLineEndings("\n"),
            text);
    }

    [Theory]
    [InlineData(0.78, 78, true)]
    [InlineData(0.791, 79.1, false)]
    public void ToMarkdown_OfAMethodThatRemovedAnotherShare_MarksItAndMakesItNoMeasure(double removed, double percent, bool isMissed)
    {
        _ = Made(("pdp", 0, 0.84));
        var gmp = Folders.Single(folder => folder.Cell.Name == "80-gmp-0");
        var report = Reports.Of(gmp.Cell, 0.9) with { Sparsity = removed };
        AtomicFile.WriteText(Path.Combine(gmp.Path, "report.json"), JsonSerializer.Serialize(report, Json.Options));

        var text = new Results(Folders).ToMarkdown();

        Assert.Contains(isMissed ? "| pdp | **84.00** (" : "| pdp | 84.00 (", text, StringComparison.Ordinal);
        Assert.Contains(
            FormattableString.Invariant($"| gmp | {(isMissed ? "90.00" : "**90.00**")} ({percent:0.0} %{(isMissed ? " †" : "")};"), text,
            StringComparison.Ordinal);
    }

    [Fact]
    public void ToMarkdown_OfASingleSeed_ClaimsNoSpread()
    {
        var text = Made(("pdp", 0, 0.86), ("dense", 0, 0.88)).ToMarkdown();

        Assert.Contains("| pdp | **86.00** (80.0 %; 1 of 2 seeds) | 1.250 | 1.50 | 0 |", text, StringComparison.Ordinal);
    }

    // What the second seed would have brought is not known; that of the other method shows how much seeds differ.
    [Theory]
    [InlineData(0.855, true)]
    [InlineData(0.861, false)]
    public void ToMarkdown_OfASingleSeedThatLeads_CountsItsSpreadAsTheLargestKnown(double lucky, bool isShared)
    {
        var text = Made(("pdp", 0, 0.85), ("pdp", 1, 0.83), ("gmp", 0, lucky)).ToMarkdown();

        Assert.Contains(isShared ? "| pdp | **84.00 ± 1.00** (" : "| pdp | 84.00 ± 1.00 (", text, StringComparison.Ordinal);
        Assert.Contains(FormattableString.Invariant($"| gmp | **{100 * lucky:0.00}** ("), text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Leaders_AreAllThatAreBetterThanOneOfThem(bool isLessBetter)
    {
        var metric = isLessBetter ? Metric.Perplexity : Metric.Accuracy;
        var sign = isLessBetter ? -1 : 1;
        Score[] scores = [.. new[] { (6.0, 0.0), (5.0, 0.0), (4.0, 2.0), (3.0, 2.9) }
            .Select(score => new Score(10 + (sign * score.Item1), score.Item2, metric))];

        Assert.Equal(scores[..3].ToHashSet(), Score.Leaders([.. scores.Reverse()]));
        Assert.Empty(Score.Leaders([]));
    }

    [Fact]
    public void ToMarkdown_OfAnInterruptedComparison_ShowsWhatHasFinishedAndNamesTheRest()
    {
        var text = Made(("dense", 0, 0.88), ("dense", 1, 0.86), ("pdp", 0, 0.85)).ToMarkdown();

        Assert.Contains("| pdp | **85.00** (80.0 %; 1 of 2 seeds) | 1.250 | 1.50 | 0 |\n| gmp | not run yet | – | – | – |\n| dense | "
            + "87.00 ± 1.00 |  |  |  |\n", text, StringComparison.Ordinal);
        Assert.Contains("| gmp | – |\n", text, StringComparison.Ordinal);
        Assert.EndsWith(
            "\nNot run yet, or not finished: 80-gmp-0, 80-pdp-1, 80-gmp-1. The same command runs them.\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void ToMarkdown_OfTheDenseRunsAlone_HasTheirNumber()
    {
        var text = Made(("dense", 0, 0.88)).ToMarkdown();

        Assert.Contains(
            "| pdp | not run yet | – | – | – |\n| gmp | not run yet | – | – | – |\n| dense | 88.00 (1 of 2 seeds) |  |  |  |\n",
            text,
            StringComparison.Ordinal);
    }

    [Fact]
    public void ToMarkdown_OfAFailedMethod_KeepsItsRowAndSaysWhatItFailedWith()
    {
        Folders.Single(folder => folder.Cell.Name == "80-gmp-0").Fail("no | pipes");
        Folders.Single(folder => folder.Cell.Name == "dense-dense-0").Fail("killed");

        var text = Made(("pdp", 0, 0.85)).ToMarkdown();

        Assert.Contains("| gmp | failed | – | – | – |\n| dense | failed |  |  |  |\n", text, StringComparison.Ordinal);
        Assert.Contains("| failed | error |\n|---|---|\n| dense, dense, seed 0 (cells/dense-dense-0) | killed |\n| gmp, 80 %, seed 0 "
            + "(cells/80-gmp-0) | no \\| pipes |\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void ToMarkdown_OfAMethodThatIsNotDefinedForAColumn_HasADash()
    {
        var recipe = Recipes.Parse(
            """{ "seeds": [0], "columns": { "a|b": {}, "2:4": { "strategy": "2:4" } }, "methods": { "pdp": {},"""
                + """ "lnm": { "columns": ["2:4"] } } }""");

        var text = new Results([.. recipe.Cells().Select(cell => new CellFolder(Recipes.Sample, _folder.Path, cell))]).ToMarkdown();

        Assert.Contains("| top-1, % | a\\|b | 2:4 | time", text, StringComparison.Ordinal);
        Assert.Contains("| lnm | – | not run yet |", text, StringComparison.Ordinal);
    }

    [Fact]
    public void ToMarkdown_OfCellsOfSeveralVersions_NamesEach() => Assert.Contains(
        "\nMade with Pdp.Core 0.1.0+abc (2 cells), an unrecorded version (1 cell), 0.2.0 (1 cell).\n",
        Made(["0.1.0+abc", "0.1.0+abc", null, "0.2.0"], (report, version) => report with { Version = version }).ToMarkdown(),
        StringComparison.Ordinal);

    [Fact]
    public void ToMarkdown_OfCellsOfSeveralMachines_NamesEach() => Assert.Contains(
        "\nMade on EPYC, AVX2 (2 cells); an unrecorded machine (1 cell); M4, NEON (1 cell).\n",
        Made(["EPYC, AVX2", null, "EPYC, AVX2", "M4, NEON"], (report, machine) => report with { Machine = machine }).ToMarkdown(),
        StringComparison.Ordinal);

    [Fact]
    public void MemoryRatio_OnASystemWithoutPeakMemory_IsNone()
    {
        var results = Made<long?>([null, null, null, null], (report, memory) => report with { PeakMemory = memory });

        Assert.Equal(4, results.Cells.Count);
        Assert.All(results.Cells, cell => Assert.Null(results.MemoryRatio(cell)));
    }

    [Fact]
    public void ToCsv_OfAFailedMethod_HasALineWithWhatItFailedWith()
    {
        Folders.Single(folder => folder.Cell.Name == "80-gmp-0").Fail("no \"data\", none");

        var lines = Made(("pdp", 0, 0.86)).ToCsv().TrimEnd().Split('\n');

        Assert.EndsWith(",error", lines[0], StringComparison.Ordinal);
        Assert.Equal("\"80 %\",\"gmp\",gmp,unstructured,0,8,,,,,,,,,,,\"no \"\"data\"\", none\"", lines[2]);
        Assert.All(lines[1..2], line => Assert.Equal(lines[0].Count(c => c == ','), line.Count(c => c == ',')));
    }

    [Fact]
    public void ToCsv_HasALineForEachFinishedCell()
    {
        var lines = Made(("pdp", 0, 0.86), ("dense", 0, 0.88)).ToCsv().TrimEnd().Split('\n');

        Assert.Equal(3, lines.Length);
        Assert.Equal("\"80 %\",\"pdp\",pdp,unstructured,0,8,0.86,0.8,,,1.25,1.5,0,1,1.2.3,\"EPYC\",", lines[2]);
    }

    [Fact]
    public void Draw_LeavesPicturesOfEachKind()
    {
        var charts = Path.Combine(_folder.Path, "charts");

        Charts.Draw(Made(("pdp", 0, 0.86), ("gmp", 0, 0.85), ("dense", 0, 0.88)), charts);

        foreach (var name in new[] { "accuracy-sparsity", "accuracy-cost-80", "layers-80" })
        {
            Assert.Contains("<svg", File.ReadAllText(Path.Combine(charts, name + ".svg")), StringComparison.Ordinal);
        }
    }

    /// <summary>The results of cells that differ in one thing, in the order of the folders.</summary>
    private Results Made<T>(IEnumerable<T> values, Func<RunReport, T, RunReport> with)
    {
        var folders = Folders;
        foreach (var (folder, value) in folders.Zip(values))
        {
            AtomicFile.WriteText(
                Path.Combine(folder.Path, "report.json"),
                JsonSerializer.Serialize(with(Reports.Of(folder.Cell, 0.8), value), Json.Options));
        }

        return new(folders);
    }

    private CellFolder[] Folders =>
    [
        .. Recipes.Parse("""{ "seeds": [0, 1], "columns": { "80 %": { "sparsity": 0.8 } }, "methods": { "pdp": {}, "gmp": {} } }""")
            .Cells()
            .Select(cell => new CellFolder(Recipes.Sample, _folder.Path, cell)),
    ];

    private Results Made(params (string Method, int Seed, double Accuracy)[] runs)
    {
        var folders = Folders;
        foreach (var (method, seed, accuracy) in runs)
        {
            var folder = folders.Single(folder => folder.Cell.Method == method && folder.Cell.Seed == seed);
            AtomicFile.WriteText(
                Path.Combine(folder.Path, "report.json"), JsonSerializer.Serialize(Reports.Of(folder.Cell, accuracy), Json.Options));
        }

        return new Results(folders);
    }
}
