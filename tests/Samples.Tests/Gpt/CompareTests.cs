using Pdp.Samples.Comparison;
using Pdp.Samples.Gpt;
using Pdp.Samples.Gpt.Training;
using Pdp.Training;

namespace Pdp.Samples.Tests.Gpt;

public sealed class CompareTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ComparedGpt _sample = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void RecipesThatComeWithTheProgram_CanBeReadAndRehearsed()
    {
        var paths = Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "comparisons", "gpt"));

        Assert.Equal(["ptb.json", "smoke.json"], paths.Select(Path.GetFileName).Order());
        Assert.All(paths, path => Rehearsal.Require(_sample, CompareRecipe.Read(path, _sample).Cells()));
    }

    [Fact]
    public void Tables_OfPerplexities_HaveTheLeastInBold()
    {
        var recipe = CompareRecipe.Parse(
            """{ "from-scratch": true, "seeds": [0, 1], "columns": { "90 %": { "sparsity": 0.9 } }, "methods": { "pdp": {},"""
                + """ "gmp": {} } }""",
            _sample);
        CellFolder[] folders = [.. recipe.Cells().Select(cell => new CellFolder(_sample, _folder.Path, cell))];
        foreach (var folder in folders)
            Leave(folder, (folder.Cell.Method == "gmp" ? 180 : 150) + folder.Cell.Seed);

        var results = new Results(folders);

        Assert.Contains("| perplexity | 90 % |", results.ToMarkdown(), StringComparison.Ordinal);
        Assert.Contains("| pdp | **150.50 ± 0.50** (90.0 %) |", results.ToMarkdown(), StringComparison.Ordinal);
        Assert.Contains("| gmp | 180.50 ± 0.50 (90.0 %) |", results.ToMarkdown(), StringComparison.Ordinal);
        Assert.StartsWith(
            "column,row,method,strategy,seed,epochs,perplexity,sparsity,macs_removed,soft_perplexity,",
            results.ToCsv(),
            StringComparison.Ordinal);
        Charts.Draw(results, _folder.File("charts"));
        Assert.Contains("dense, 150.50", File.ReadAllText(_folder.File("charts/perplexity-sparsity.svg")), StringComparison.Ordinal);
    }

    [Fact]
    public void Report_OfAPerplexityBelowOne_IsDamaged()
    {
        var recipe = CompareRecipe.Parse(
            """{ "from-scratch": true, "seeds": [0], "columns": { "90 %": {} }, "methods": { "pdp": {} } }""", _sample);
        var folder = new CellFolder(_sample, _folder.Path, recipe.Cells().First());

        Leave(folder, 0.5);

        Assert.Contains("sparsity or perplexity is out of its range", folder.Outcome().Fault, StringComparison.Ordinal);
    }

    private static void Leave(CellFolder folder, double perplexity)
    {
        var settings = CommandLine.Parse<Settings>(folder.Cell.Arguments);
        var report = new RunReport
        {
            Method = settings.Method,
            Strategy = settings.Strategy,
            Sparsity = settings.Method == "dense" ? 0 : settings.Sparsity,
            Perplexity = perplexity,
            SoftPerplexity = null,
            Perplexities = new Dictionary<string, double> { ["test"] = perplexity },
            Tokens = "5 characters",
            Weights = 1000,
            Text = null,
            Epochs = settings.Epochs,
            Seed = settings.Seed,
            SecondsPerEpoch = 1,
            StepRatio = 1,
            PeakMemory = 100,
            ExtraParameters = 0,
            Settings = settings.Fingerprint(),
            WeightsHash = null,
            Version = "1.2.3",
        };
        AtomicFile.WriteText(Path.Combine(folder.Path, "report.json"), report.ToJson());
    }
}
