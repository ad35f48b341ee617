namespace Pdp.Tests.Allocation;

/// <summary>Allocations that users write themselves, and that may be wrong.</summary>
public sealed class OwnAllocationTests
{
    public static TheoryData<string, Func<long[], long[]?>> Mistakes => new()
    {
        { "asked to remove 832 weights from 3 layers and gave 3 counts that remove 831", counts => [counts[0] - 1, .. counts[1..]] },
        { "gave 2 counts that remove 832", counts => [counts[0], counts[1] + counts[2]] },
        { "gave null", _ => null },
        { "removes -1 weights from 'last.weight', whose bounds are 0 to 127", counts => [counts[0], counts[1] + counts[2] + 1, -1] },
        { "removes 128 weights from 'last.weight'", counts => [counts[0], counts[1] + counts[2] - 128, 128] },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void Pruner_WithAnAllocationThatBreaksItsContract_SaysHow(string words, Func<long[], long[]?> mistake)
    {
        using var model = TestModels.Mlp();
        var options = new PdpOptions { Sparsity = 0.5, Epochs = 4, Allocation = new Own(mistake) };

        var fault = Assert.Throws<InvalidOperationException>(() => new PdpPruner(model, options));

        Assert.Contains(words, fault.Message, StringComparison.Ordinal);
    }

    private sealed record Own(Func<long[], long[]?> Mistake) : ISparsityAllocation
    {
        public double? FixedSparsity(IReadOnlyList<AllocationLayer> layers) => null;

        public IReadOnlyList<long> Allocate(IReadOnlyList<AllocationLayer> layers, long remove) =>
            Mistake([.. new UniformSparsity().Allocate(layers, remove)])!;
    }
}
