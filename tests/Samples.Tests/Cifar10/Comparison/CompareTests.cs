using System.Text.Json;
using Pdp.Samples.Cifar10;
using Pdp.Samples.Comparison;
using Pdp.Training;

namespace Pdp.Samples.Tests.Cifar10.Comparison;

/// <summary>What the command says before any cell runs, and its exit codes.</summary>
public sealed class CompareTests : IDisposable
{
    private const string Plain =
        """{ "options": { "epochs": 8 }, "seeds": [0], "columns": { "80 %": { "sparsity": 0.8 } }, "methods": { "pdp": {} } }""";

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> RecipeNames => [.. CompareRecipe.Names];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("\"pdp\": {}", "\"nisp\": {}", "nisp prunes channels")]
    [InlineData("\"pdp\": {}", "\"pofa\": {}", "pofa learns from a teacher")]
    [InlineData("\"epochs\": 8", "\"epochs\": 8, \"ramp-end\": 12", "row 'pdp' can't run in column '80 %'")]
    public void Run_OfWhatDoesNotGoTogether_NamesTheCellAtOnce(string right, string wrong, string expected)
    {
        var error = Assert.ThrowsAny<ArgumentException>(
            () => Rehearsal.Require(Recipes.Sample, Recipes.Parse(Plain.Replace(right, wrong, StringComparison.Ordinal)).Cells()));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    // On a network and pictures that are small: where channels are cut, most of the time goes into finding those that belong together.
    [Theory]
    [MemberData(nameof(RecipeNames))]
    public void Run_OfARecipeThatComesWithTheProgram_IsPossible(string name) =>
        Rehearsal.Require(Recipes.Sample, Recipes.Read(name).Cells().Select(
            cell => cell with { Options = new Dictionary<string, string>(cell.Options) { ["width"] = "4", ["side"] = "8" } }));

    [Fact]
    public void Run_FromScratchWithWeights_SaysThatNoneAreWanted()
    {
        var recipe = _folder.File("recipe.json");
        File.WriteAllText(recipe, Plain.Replace("{ \"options\"", "{ \"from-scratch\": true, \"options\"", StringComparison.Ordinal));

        var error = Assert.Throws<ArgumentException>(() => Compare.Run(
            Recipes.Sample, ["--recipe", recipe, "--data", _folder.Path, "--weights", "w.safetensors", "--out", _folder.File("run")]));

        Assert.Contains("starts from fresh weights: leave --weights out", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"epochs\": 8", "\"epochs\": 3", "80-pdp-0 was run with --epochs 8, not --epochs 3")]
    [InlineData("\"pdp\"", "\"gmp\"", "80-pdp-0 is not in this one")]
    [InlineData("\"80 %\"", "\"70 %\"", "80-pdp-0 is not in this one")]
    public void Run_WhereAnotherRecipesResultsAre_SaysSoAndLeavesThem(string right, string wrong, string expected)
    {
        Leave(Plain);

        var error = Assert.Throws<ArgumentException>(
            () => OtherRecipe.Refuse(_folder.Path, Folders(Plain.Replace(right, wrong, StringComparison.Ordinal))));

        Assert.Contains($"'{_folder.Path}' holds results of another recipe: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.NotNull(Folders(Plain)[1].Report());
    }

    [Fact]
    public void Run_WhereRunsFromOtherWeightsAre_SaysSo()
    {
        Leave(Plain);

        var error = Assert.Throws<ArgumentException>(() => OtherRecipe.Refuse(_folder.Path, Folders(Plain, weights: "other")));

        Assert.Contains("80-pdp-0 was run from other weights", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_OfARecipeThatHasBecomeOneFromScratch_SaysWhatItsResultsStartedFrom()
    {
        var pruned = Folders(Plain)[1];
        var report = Reports.Of(pruned.Cell, 0.8) with { WeightsHash = "given" };
        AtomicFile.WriteText(Path.Combine(pruned.Path, "report.json"), JsonSerializer.Serialize(report, Json.Options));
        var recipe = _folder.File("recipe.json");
        File.WriteAllText(recipe, Plain.Replace("{ \"options\"", "{ \"from-scratch\": true, \"options\"", StringComparison.Ordinal));

        var error = Assert.Throws<ArgumentException>(
            () => Compare.Run(Recipes.Sample, ["--recipe", recipe, "--out", _folder.Path, "--tables-only"]));

        Assert.Contains("80-pdp-0 was run from given weights, not from scratch", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_WhereASmallerRecipesResultsAre_GoesOn()
    {
        Leave(Plain);

        OtherRecipe.Refuse(_folder.Path, Folders(Plain.Replace("\"pdp\": {}", "\"pdp\": {}, \"gmp\": {}", StringComparison.Ordinal)));
    }

    [Fact]
    public void Run_OfTablesWithAFailedRun_DrawsThemAndFails()
    {
        var recipe = Leave(Plain);
        Folders(Plain)[0].Fail("no such data");

        var code = Compare.Run(Recipes.Sample, ["--recipe", recipe, "--out", _folder.Path, "--tables-only"]);

        Assert.Equal(1, code);
        Assert.Contains("no such data", File.ReadAllText(_folder.File("results.md")), StringComparison.Ordinal);
        Assert.Contains("no such data", File.ReadAllText(_folder.File("results.csv")), StringComparison.Ordinal);
    }

    [Fact]
    public void Run_OfTablesWithoutResults_SaysSoAndMakesNothing()
    {
        var recipe = Leave(Plain);

        var error = Assert.Throws<ArgumentException>(
            () => Compare.Run(Recipes.Sample, ["--recipe", recipe, "--out", _folder.File("nothing"), "--tables-only"]));

        Assert.Contains("has no results of this recipe yet", error.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder.File("nothing")));
    }

    [Fact]
    public void Run_WhereAnotherComparisonIsAtWork_SaysSo()
    {
        var recipe = Leave(Plain);
        using var other = FolderLock.Take(_folder.Path);

        var error = Assert.Throws<IOException>(
            () => Compare.Run(Recipes.Sample, ["--recipe", recipe, "--out", _folder.Path, "--tables-only"]));

        Assert.Contains("Another process is working", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_WithoutItsData_SaysSoBeforeAnyCell()
    {
        var recipe = Leave(Plain);

        var error = Assert.Throws<ArgumentException>(() => Compare.Run(
            Recipes.Sample, ["--recipe", recipe, "--out", _folder.File("new"), "--data", "nowhere", "--weights", recipe]));

        Assert.Contains("--data names 'nowhere'", error.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder.File("new")));
    }

    [Fact]
    public void Run_WithWeightsThatAreNone_SaysSoBeforeAnyCell()
    {
        var recipe = Leave(Plain);

        Assert.Throws<InvalidDataException>(
            () => Compare.Run(Recipes.Sample, ["--recipe", recipe, "--out", _folder.File("new"), "--data", recipe, "--weights", recipe]));

        Assert.False(Directory.Exists(_folder.File("new")));
    }

    // A recipe's runs may be of several widths, and only weights that fit them all can start them.
    [Theory]
    [InlineData(8, 8, 8, null)]
    [InlineData(16, 16, 16, null)]
    [InlineData(8, 8, 16, "conv1.weight")]
    [InlineData(8, 16, 16, "conv1.weight")]
    public void RequireInputs_TriesTheWeightsOnTheNetworkOfEachRun(int weights, int first, int last, string? fault)
    {
        var file = _folder.File("weights.safetensors");
        using (var model = new ResNet20(weights))
        {
            Safetensors.Save(file, model.state_dict());
        }

        var error = Record.Exception(() => Recipes.Sample.RequireInputs([["--width", $"{first}"], ["--width", $"{last}"]], "data", file));

        Assert.Equal(fault is not null, error is InvalidDataException);
        Assert.Contains(fault ?? "", error?.Message ?? "", StringComparison.Ordinal);
    }

    private CellFolder[] Folders(string recipe, string? weights = null) =>
        [.. Recipes.Parse(recipe).Cells().Select(cell => new CellFolder(Recipes.Sample, _folder.Path, cell, weights))];

    /// <returns>The recipe's file.</returns>
    private string Leave(string recipe)
    {
        var pruned = Folders(recipe)[1];
        AtomicFile.WriteText(
            Path.Combine(pruned.Path, "report.json"), JsonSerializer.Serialize(Reports.Of(pruned.Cell, 0.8), Json.Options));
        File.WriteAllText(_folder.File("recipe.json"), recipe);
        return _folder.File("recipe.json");
    }
}
