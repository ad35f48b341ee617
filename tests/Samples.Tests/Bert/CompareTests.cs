using Pdp.Samples.Bert;
using Pdp.Samples.Bert.Training;
using Pdp.Samples.Comparison;
using Pdp.Training;

namespace Pdp.Samples.Tests.Bert;

public sealed class CompareTests : IDisposable
{
    private const string Recipe = """
        { "options": { "epochs": 2 }, "seeds": [0, 1],
          "columns": { "90 %": { "sparsity": 0.9, "start": "{dense}" } },
          "methods": { "pdp": { "options": { "teacher": "{dense}" } }, "gmp": { "seeds": [0] } } }
        """;

    private readonly TemporaryFolder _folder = new();
    private readonly ComparedBert _sample = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void RecipesThatComeWithTheProgram_CanBeReadAndRehearsed()
    {
        var paths = Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "comparisons", "bert"));

        Assert.Equal(["mnli.json", "smoke.json"], paths.Select(Path.GetFileName).Order());
        Assert.All(paths, path => Rehearsal.Require(_sample, CompareRecipe.Read(path, _sample).Cells()));
    }

    [Fact]
    public void Cells_OfARowWithSeedsOfItsOwn_AreOfTheseAlone() =>
        Assert.Equal(["dense-dense-0", "dense-dense-1", "90-pdp-0", "90-gmp-0", "90-pdp-1"], Folders(Recipe).Select(
            folder => folder.Cell.Name));

    [Theory]
    [InlineData("\"seeds\": [0] ", "\"seeds\": [7] ", "There is no seed '7'")]
    [InlineData("\"pdp\"", "\"nisp\"", "There is no method 'nisp'")]
    [InlineData("\"epochs\": 2", "\"weights\": \"x\"", "--weights is given by the comparison")]
    public void Parse_OfWhatIsNotThere_SaysSo(string right, string wrong, string expected)
    {
        var error = Assert.Throws<ArgumentException>(() => Folders(Recipe.Replace(right, wrong, StringComparison.Ordinal)));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Tables_OfFinishedRuns_HaveTheirAccuracies()
    {
        var folders = Folders(Recipe);
        foreach (var (index, folder) in folders.Index())
        {
            Leave(folder, 0.7 + (0.01 * index));
        }

        var results = new Results(folders);

        Assert.Contains("| pdp | **73.00 ± 1.00** (90.0 %) |", results.ToMarkdown(), StringComparison.Ordinal);
        Assert.Contains("| gmp | **73.00** (90.0 %) |", results.ToMarkdown(), StringComparison.Ordinal);
        Assert.Contains("| dense | 70.50 ± 0.50 |", results.ToMarkdown(), StringComparison.Ordinal);
        Assert.StartsWith(
            "column,row,method,strategy,seed,epochs,accuracy,sparsity,macs_removed,soft_accuracy,",
            results.ToCsv(),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Report_OfARunFromOtherWeights_DoesNotCount()
    {
        var folder = Folders(Recipe)[2];
        Leave(folder, 0.7);
        var plain = Folders(Recipe.Replace(", \"start\": \"{dense}\"", "", StringComparison.Ordinal))[2];

        Assert.NotNull(folder.Report());
        Assert.Null(plain.Report());
        Assert.Contains("--start", plain.Difference(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bert/model.safetensors", "lacks model.safetensors")]
    [InlineData("task/train.tsv", "has no train.tsv")]
    public void RequireInputs_WithoutAFile_SaysSo(string file, string expected)
    {
        TinyBert.WriteModel(_folder.File("bert"));
        TinyBert.WriteTask(_folder.File("task"));
        File.Delete(_folder.File(file));

        var error = Assert.Throws<ArgumentException>(() => _sample.RequireInputs([], _folder.File("task"), _folder.File("bert")));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void RequireInputs_OfFilesThatFit_SaysNothing()
    {
        TinyBert.WriteModel(_folder.File("bert"));
        TinyBert.WriteTask(_folder.File("task"));

        _sample.RequireInputs([], _folder.File("task"), _folder.File("bert"));

        Assert.NotNull(_sample.HashOf(_folder.File("bert")));
    }

    private CellFolder[] Folders(string recipe) =>
        [.. CompareRecipe.Parse(recipe, _sample).Cells().Select(cell => new CellFolder(_sample, _folder.File("out"), cell))];

    private static void Leave(CellFolder folder, double accuracy)
    {
        var settings = CommandLine.Parse<Settings>(folder.Cell.Arguments);
        var report = new RunReport
        {
            Method = settings.Method,
            Strategy = settings.Strategy,
            Sparsity = settings.Method == "dense" ? 0 : settings.Sparsity,
            Accuracy = accuracy,
            SoftAccuracy = null,
            Accuracies = new Dictionary<string, double> { ["dev_matched"] = accuracy },
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
