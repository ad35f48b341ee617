using Pdp.Samples.ImageNet;

namespace Pdp.Samples.Tests.ImageNet;

public sealed class RecipeTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> All => [.. Recipe.Names];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Parse_OfThePapersResNet18_HasItsSettings()
    {
        var settings = Recipe.Parse(["--recipe", "pdp-resnet18"]);

        Assert.Equal(("resnet18", 100, 1024, "pdp", "unstructured"), (
            settings.Model, settings.Epochs, settings.Batch, settings.Method, settings.Strategy));
        Assert.Equal((0.855, 16, 0.015, 1e-4), (settings.Sparsity, settings.DenseEpochs, settings.Epsilon, settings.Temperature));
    }

    [Theory]
    [InlineData("pdp-mobilenet-v1", "mobilenet-v1", "unstructured")]
    [InlineData("pdp-resnet18-2of4", "resnet18", "2:4")]
    [InlineData("pdp-resnet18-2of8", "resnet18", "2:8")]
    [InlineData("pdp-resnet50-1of4", "resnet50", "1:4")]
    [InlineData("pdp-resnet50-4of8", "resnet50", "4:8")]
    [InlineData("pdp-resnet50-channel", "resnet50", "channel")]
    public void Parse_OfARecipe_IsWhatItsNameSays(string recipe, string model, string strategy)
    {
        var settings = Recipe.Parse(["--recipe", recipe]);

        Assert.Equal((model, strategy, "pdp"), (settings.Model, settings.Strategy, settings.Method));
    }

    // A pruner checks its options against the model: that the schedule fits into the run, that the target can be met. The names to
    // exclude are of the real network, and are checked with it.
    [Theory]
    [MemberData(nameof(All))]
    public void Options_OfEveryRecipe_ArePossible(string recipe)
    {
        var settings = Recipe.Parse(["--recipe", recipe, "--side", "32"]) with { Exclude = null };
        using var model = new TinyNet(10);

        using var pruner = settings.Method == "pdp" ? new PdpPruner(model, Pruning.Options(settings, model)) : null;

        Assert.Equal(recipe.StartsWith("dense", StringComparison.Ordinal), pruner is null);
        Assert.True(pruner is null || pruner.Schedule.EndEpoch <= 83);
    }

    [Fact]
    public void Exclude_OfTheChannelRecipe_MatchesLayersOfTheNetwork()
    {
        var settings = Recipe.Parse(["--recipe", "pdp-resnet50-channel", "--classes", "10"]);
        using var model = Networks.Make(settings);

        using var pruner = new PdpPruner(model, Pruning.Options(settings with { Strategy = "2:4" }, model));

        Assert.Equal(32, pruner.Masks.Count);
        Assert.All(pruner.Masks, mask => Assert.Matches(@"^layer[1-4]\.[0-5]\.conv[12]\.weight$", mask.Name));
    }

    [Fact]
    public void Parse_WhenCommandLineDiffers_TakesTheCommandLines()
    {
        var settings = Recipe.Parse(["--epochs", "7", "--recipe", "pdp-resnet18", "--lr", "0.5"]);

        Assert.Equal((7, 0.5, 1024), (settings.Epochs, settings.Lr, settings.Batch));
    }

    [Fact]
    public void Parse_WhenOnlyTheLengthDiffers_ScalesTheRecipesTimesAndSaysSo()
    {
        var said = new List<string>();

        var settings = Recipe.Parse(["--recipe", "pdp-resnet18", "--epochs", "25"], said.Add);

        Assert.Equal((25, 1.25, 4.0, 0.06), (settings.Epochs, settings.LrWarmup, settings.DenseEpochs, settings.Epsilon));
        Assert.Equal(["The recipe is for 100 epochs. For 25 its times are --lr-warmup 1.25 --dense-epochs 4 --epsilon 0.06."], said);
    }

    [Fact]
    public void Parse_WhenATimeIsGivenToo_TakesThatAndScalesTheOthers()
    {
        var said = new List<string>();

        var settings = Recipe.Parse(["--recipe", "smoke", "--epochs", "3", "--dense-epochs", "0.75"], said.Add);

        Assert.Equal((0.25, 0.75), (settings.LrWarmup, settings.DenseEpochs));
        Assert.Equal(["The recipe is for 12 epochs. For 3 its times are --lr-warmup 0.25."], said);
    }

    [Fact]
    public void Parse_WhenTheLengthIsTheRecipes_SaysNothing()
    {
        var settings = Recipe.Parse(["--recipe", "smoke", "--epochs", "12"], _ => Assert.Fail("It scaled."));

        Assert.Equal((1, 2), (settings.LrWarmup, settings.DenseEpochs));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Parse_OfEveryRecipe_IsPossibleInFewEpochs(string recipe)
    {
        foreach (var epochs in new[] { 1, 3 })
        {
            var settings = Recipe.Parse(["--recipe", recipe, "--epochs", $"{epochs}"]);

            settings.RequirePossible();

            Assert.Equal(epochs, settings.Epochs);
        }
    }

    [Fact]
    public void Parse_OfAFileWithCommentsAndTrailingComma_TakesItsSettings()
    {
        var path = Write("""{ /* why */ "epochs": 3, "nesterov": true, "strategy": "2:4", }""");

        var settings = Recipe.Parse(["--recipe", path]);

        Assert.Equal((3, true, "2:4"), (settings.Epochs, settings.Nesterov, settings.Strategy));
    }

    [Fact]
    public void Parse_WhenThereIsNoSuchRecipe_ListsThoseThatAre()
    {
        var error = Assert.Throws<ArgumentException>(() => Recipe.Parse(["--recipe", "pdp-resnet19"]));

        Assert.Contains("no recipe 'pdp-resnet19'; did you mean --recipe pdp-resnet18?", error.Message, StringComparison.Ordinal);
        Assert.Contains("pdp-resnet18, pdp-resnet18-1of4", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{ "sparsty": 0.9 }""", "did you mean --sparsity?")]
    [InlineData("""{ "sparsity": 1.5 }""", "Must be in [0, 1)")]
    [InlineData("""{ "epochs": 1.5 }""", "--epochs needs a whole number, not '1.5'")]
    [InlineData("""{ "epochs": [1] }""", "'epochs' is neither a number, nor text")]
    [InlineData("""{ "epochs": 1, "epochs": 2 }""", "epochs")]
    [InlineData("""{ "recipe": "smoke" }""", "can't name another")]
    [InlineData("""{ "sparsity": "NaN" }""", "--sparsity NaN: Must be in [0, 1)")]
    [InlineData("""{ "lr": 1e999 }""", "--lr Infinity: Must be at least 0, and finite")]
    [InlineData("""{ "lr": NaN }""", "is an invalid start of a value")]
    [InlineData("""{ "epochs": null }""", "'epochs' is neither a number, nor text")]
    [InlineData("""{ "nesterov": 1 }""", "--nesterov needs true or false, not '1'")]
    [InlineData("""{ "strategy": "4:2" }""", "--strategy 4:2")]
    [InlineData("""{ "model": {} }""", "'model' is neither a number, nor text")]
    [InlineData("""{ "out": "--lr" }""", "--out needs a value")]
    [InlineData("""{ "model": "\ud800" }""", "can't be used")]
    [InlineData("""null""", "not a JSON object")]
    [InlineData("", "can't be used")]
    [InlineData("""[]""", "not a JSON object")]
    [InlineData("""{ "epochs": """, "LineNumber")]
    public void Parse_WhenRecipeIsWrong_NamesTheFileAndTheFault(string text, string expected)
    {
        var path = Write(text);

        var error = Assert.ThrowsAny<ArgumentException>(() => Recipe.Parse(["--recipe", path]));

        Assert.Contains($"'{path}'", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_WhenRecipeIsNestedDeeply_NamesTheFile()
    {
        var path = Write($$"""{ "exclude": {{new string('[', 100_000)}} }""");

        var error = Assert.Throws<ArgumentException>(() => Recipe.Parse(["--recipe", path]));

        Assert.Contains($"'{path}'", error.Message, StringComparison.Ordinal);
    }

    private string Write(string text)
    {
        var path = _folder.File("mine.json");
        File.WriteAllText(path, text);
        return path;
    }
}
