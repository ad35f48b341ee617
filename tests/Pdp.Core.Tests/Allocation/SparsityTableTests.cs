using Pdp.Tests.Support;
using static TorchSharp.torch;

namespace Pdp.Tests.Allocation;

public sealed class SparsityTableTests
{
    private static readonly Dictionary<string, double> Table = new() { ["layer0"] = 0.333, ["layer1"] = 0.9, ["layer2"] = 0 };

    [Fact]
    public void Allocate_ByATable_IsWithinOneWeightOfIt()
    {
        var budget = Layers(remove: 393);

        var counts = budget.Allocate(new SparsityTable(Table));

        Assert.Equal([33, 360, 0], counts);
    }

    [Fact]
    public void FixedSparsity_OfATable_IsItsOwnTotal()
    {
        using var scope = NewDisposeScope();
        var budget = Layers(remove: 0);

        var sparsity = new SparsityTable(Table).FixedSparsity(budget.Candidates());

        Close.Equal((33.3 + 360) / 570, sparsity!.Value, Close.Float64);
    }

    [Fact]
    public void Allocate_ByATableWhoseCountsAreNotWhole_RoundsTheLargestRemaindersUp()
    {
        var budget = Budget.Of(11, [.. Enumerable.Range(0, 3).Select(i => Tensors.Normal(i, 10))]);

        var counts = budget.Allocate(
            new SparsityTable(new Dictionary<string, double> { ["layer0"] = 0.32, ["layer1"] = 0.36, ["layer2"] = 0.44 }));

        Assert.Equal([3, 4, 4], counts);
    }

    [Fact]
    public void Allocate_WithoutALayerOfTheModel_NamesIt()
    {
        using var scope = NewDisposeScope();
        var allocation = new SparsityTable(new Dictionary<string, double> { ["layer0"] = 0.5, ["layer2"] = 0.5 });
        var candidates = Layers(remove: 0).Candidates();

        var fault = Assert.Throws<ArgumentException>(() => allocation.FixedSparsity(candidates));

        Assert.Contains("lacks layer1", fault.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => allocation.Allocate(candidates, 0));
    }

    [Fact]
    public void Allocate_WithALayerThatIsNotThere_NamesItAndTheCandidates()
    {
        using var scope = NewDisposeScope();
        var allocation = new SparsityTable(new Dictionary<string, double>(Table) { ["layre1"] = 0.5 });

        var fault = Assert.Throws<ArgumentException>(() => allocation.Allocate(Layers(remove: 0).Candidates(), 0));

        Assert.Contains("names layre1", fault.Message, StringComparison.Ordinal);
        Assert.Contains("layer0, layer1, layer2", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Allocate_WhereABoundForbidsTheTablesSparsity_RefusesRatherThanToMoveItElsewhere()
    {
        using var scope = NewDisposeScope();
        var budget = Layers(remove: 393);
        var bounded = new Budget([budget.Layers[0], budget.Layers[1] with { Maximum = 300 }, budget.Layers[2]], 393);

        var fault = Assert.Throws<ArgumentException>(() => new SparsityTable(Table).Allocate(bounded.Candidates(), 393));

        Assert.Contains("sparsity 0.9 of layer1, but its bounds allow 0 to 300 of its 400", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-0.1)]
    [InlineData(double.NaN)]
    public void Constructor_WithASparsityOutsideOfItsRange_NamesTheLayer(double sparsity) =>
        Assert.Throws<ArgumentOutOfRangeException>(
            "fc.weight", () => new SparsityTable(new Dictionary<string, double> { ["fc.weight"] = sparsity }));

    [Fact]
    public void Constructor_WithATableThatChangesLater_KeepsItsOwn()
    {
        var table = new Dictionary<string, double>(Table);
        var allocation = new SparsityTable(table);

        table["layer0"] = 0.1;

        Assert.Equal(0.333, allocation.Sparsities["layer0"]);
    }

    private static Budget Layers(long remove) =>
        Budget.Of(remove, [.. new[] { 100, 400, 70 }.Select((count, i) => Tensors.Normal(i, count))]);
}
