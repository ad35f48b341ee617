using Pdp.Samples.Comparison;

namespace Pdp.Samples.Tests.Cifar10.Comparison;

public sealed class CompareRecipeTests
{
    private const string Plain = """
        { "options": { "epochs": 2, "lr": 0.1 }, "seeds": [0, 1],
          "columns": { "80 %": { "sparsity": 0.8 }, "2:4": { "strategy": "2:4" } },
          "methods": { "pdp": {}, "lnm": { "columns": ["2:4"], "options": { "lr": 0.2 }, "in": { "2:4": { "epochs": 3 } } } } }
        """;

    private const string Allocated =
        """{ "from-scratch": true, "seeds": [0], "columns": { "90 %": { "sparsity": 0.9 }, "80 %": { "sparsity": 0.8 } },"""
            + """ "methods": { "optg": {}, "pdp-optg": { "method": "pdp", "columns": ["80 %"],"""
            + """ "options": { "allocation": "from:{optg}" } } } }""";

    [Fact]
    public void Cells_AreColumnsTimesMethodsTimesSeeds_DenseFirst()
    {
        var cells = Recipes.Parse(Plain).Cells().Select(cell => cell.Name);

        Assert.Equal(["dense-dense-0", "dense-dense-1", "80-pdp-0", "2o4-pdp-0", "2o4-lnm-0", "80-pdp-1", "2o4-pdp-1", "2o4-lnm-1"], cells);
    }

    [Fact]
    public void Options_OfAColumnOfAMethod_WinOverOthers()
    {
        var cell = Recipes.Parse(Plain).Cells().Single(cell => cell.Name == "2o4-lnm-1");

        Assert.Equal(["--method", "lnm", "--seed", "1", "--epochs", "3", "--lr", "0.2", "--strategy", "2:4"], cell.Arguments);
    }

    [Fact]
    public void ARow_MayBeAMethodUnderAnotherName()
    {
        var cell = Recipes.Parse(
            """{ "seeds": [0], "columns": { "80 %": {} }, "methods": { "pdp, taught": { "method": "pdp","""
                + """ "options": { "teacher": "{dense}" } } } }""")
            .Cells().Last();

        Assert.Equal(("80-pdptaught-0", "pdp"), (cell.Name, cell.Method));
        Assert.Contains("dense/weights", cell.ArgumentsWith("dense/weights", report: null));
    }

    [Fact]
    public void ARow_MayTakeTheSparsitiesOfAnother()
    {
        var cell = Recipes.Parse(Allocated).Cells().Last();

        Assert.Equal(("pdp-optg", "optg", "80-optg-0"), (cell.Row, cell.AllocatedBy, cell.AllocatingName));
        Assert.Contains("from:optg/pruning.json", cell.ArgumentsWith("dense/weights", "optg/pruning.json"));
    }

    [Theory]
    [InlineData("{optg}", "{otpg}", "There is no row 'otpg'; did you mean optg?")]
    [InlineData(
        "{optg}", "{pdp-optg}", "In column '80 %', row 'pdp-optg' takes the sparsities of 'pdp-optg', which has none of its own there.")]
    [InlineData("\"optg\": {}", "\"optg\": { \"columns\": [\"90 %\"] }", "In column '80 %', row 'pdp-optg' takes the sparsities of 'optg'")]
    public void ARow_ThatTakesWhatIsNotThere_IsRefused(string right, string wrong, string expected)
    {
        var error = Assert.Throws<ArgumentException>(() => Recipes.Parse(Allocated.Replace(right, wrong, StringComparison.Ordinal)));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[0, 1]", "null")]
    [InlineData("\"pdp\": {}", "\"pdp\": null")]
    [InlineData("{ \"sparsity\": 0.8 }", "null")]
    [InlineData("{ \"epochs\": 3 }", "null")]
    [InlineData("{ \"epochs\": 2, \"lr\": 0.1 }", "null")]
    [InlineData("{ \"lr\": 0.2 }", "null")]
    [InlineData("[\"2:4\"]", "7")]
    [InlineData("[0, 1]", "[0.5]")]
    [InlineData("0.8", "{}")]
    public void Read_WhenAValueIsOfTheWrongType_NamesTheFile(string right, string wrong)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("mine.json"), Plain.Replace(right, wrong, StringComparison.Ordinal));

        var error = Assert.Throws<ArgumentException>(() => Recipes.Read(folder.File("mine.json")));

        Assert.StartsWith($"The recipe '{folder.File("mine.json")}' can't be used. ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_WhenTheNameIsMistyped_SuggestsTheNearOneAndListsAll()
    {
        var error = Assert.Throws<ArgumentException>(() => Recipes.Read("tabel"));

        Assert.Contains("There is no recipe 'tabel'; did you mean --recipe table?", error.Message, StringComparison.Ordinal);
        Assert.Contains("smoke, table.", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"seeds\"", "\"seed\"", "There is no key 'seed'; did you mean seeds?")]
    [InlineData("\"lnm\"", "\"lnmm\"", "There is no method 'lnmm'; did you mean lnm?")]
    [InlineData("\"in\"", "\"inn\"", "There is no key of a method 'inn'; did you mean in?")]
    [InlineData("[\"2:4\"]", "[\"2:5\"]", "There is no column '2:5'; did you mean 2:4?")]
    [InlineData("\"lr\": 0.1", "\"lrr\": 0.1", "There is no setting '--lrr'; did you mean --lr?")]
    [InlineData("0.8", "1.8", "Must be in [0, 1)")]
    [InlineData("\"2:4\": { \"st", "\"80\": { \"sparsity\": 0.7 }, \"2:4\": { \"st", "would share the folder 80-pdp-0")]
    [InlineData("\"80 %\"", "\"dense\"", "The dense runs have a column of that name")]
    [InlineData("0.8", "80", "In column '80 %', row 'pdp': --sparsity 80: Must be in [0, 1), a fraction: 0.8, not 80")]
    [InlineData("\"strategy\": \"2:4\"", "\"strategy\": \"5:4\"", "In column '2:4', row 'pdp': --strategy 5:4")]
    [InlineData("\"lr\": 0.1", "\"seed\": 3", "--seed is given by the comparison")]
    [InlineData("\"lr\": 0.1", "\"weights\": \"x\"", "--weights is given by the comparison")]
    [InlineData("\"lr\": 0.1", "\"lr\": null", "$.options.lr is null")]
    [InlineData("\"pdp\": {}", "\"pdp\": null", "$.methods.pdp is null")]
    [InlineData("[0, 1]", "[]", "It has no seeds.")]
    [InlineData("[0, 1]", "[1, 1]", "The seed 1 is there more than once.")]
    [InlineData("\"pdp\": {}", "\"pdp\": { \"columns\": [\"2:4\"] }", "No method runs in column '80 %'.")]
    public void Parse_WhenANameIsUnknown_SuggestsTheNearOne(string right, string wrong, string expected)
    {
        var error = Assert.ThrowsAny<ArgumentException>(() => Recipes.Parse(Plain.Replace(right, wrong, StringComparison.Ordinal)));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_WhenThereIsNone_ListsThoseThatComeWithTheProgram()
    {
        var error = Assert.Throws<ArgumentException>(() => Recipes.Read("nonsense"));

        Assert.Contains("smoke", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void RecipesThatComeWithTheProgram_CanBeRead()
    {
        string[] names =
        [
            "choose", "choose-floor", "choose-long", "choose-steps", "choose-trained", "finetune", "scratch", "smoke", "table",
        ];

        Assert.Equal(names, CompareRecipe.Names);
        Assert.All(names, name => Assert.NotEmpty(Recipes.Read(name).Cells()));
    }
}
