using static TorchSharp.torch;

namespace Pdp.Tests.Allocation;

/// <summary>Totals that no allocation can meet.</summary>
public sealed class ReachTests
{
    public static TheoryData<string, long> Totals
    {
        get
        {
            var totals = new TheoryData<string, long>();
            foreach (var name in new[] { "global", "lamp", "uniform", "erk", "table" })
            {
                totals.Add(name, 1);
                totals.Add(name, 8);
            }

            return totals;
        }
    }

    [Theory]
    [MemberData(nameof(Totals))]
    public void Allocate_OfATotalThatTheBoundsDoNotAllow_ThrowsAndNamesTheRange(string name, long remove)
    {
        using var scope = NewDisposeScope();
        var budget = new Budget(
            [new([1, 2, 3, 4], [4], 2, 3, ScalarType.Float32), new([5, 6, 7, 8, 9], [5], 0, 4, ScalarType.Float32)], remove);

        var fault = Assert.Throws<ArgumentOutOfRangeException>(
            nameof(remove), () => AllocationOf(name).Allocate(budget.Candidates(), remove));

        Assert.Contains("[2, 7]", fault.Message, StringComparison.Ordinal);
    }

    private static ISparsityAllocation AllocationOf(string name) => name switch
    {
        "lamp" => new LayerAdaptiveMagnitude(),
        "uniform" => new UniformSparsity(),
        "erk" => new ErdosRenyiKernel(),
        "table" => new SparsityTable(new Dictionary<string, double> { ["layer0"] = 0.5, ["layer1"] = 0.5 }),
        _ => new GlobalMagnitude(),
    };
}
