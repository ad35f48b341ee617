namespace Pdp.Baselines.Tests;

/// <summary>Methods that rank the whole model by themselves have no floor, and their plan promises none.</summary>
public sealed class DensityFloorTests
{
    private static readonly PdpOptions Options = new() { Epochs = 8, Sparsity = 0.9 };

    public static TheoryData<IPruningMethod, bool> Methods => new()
    {
        { new AcDc(), false },
        { new GraNet(), false },
        { new OptG(), false },
        { new Gmp(), true },
        { new Dnw(), true },
        { new MovementPruning(), true },
    };

    [Theory]
    [MemberData(nameof(Methods))]
    public void Configure_LeavesTheDefaultFloorOnlyWhereItHolds(IPruningMethod method, bool hasFloor) =>
        Assert.All(
            [Options, Options with { Epochs = 30, Sparsity = 0.95 }],
            options => Assert.Equal(hasFloor ? null : new GlobalMagnitude { DensityFloor = 0 }, method.Configure(options).Allocation));

    [Fact]
    public void Configure_OfAnotherAllocation_KeepsIt() =>
        Assert.Equal(new UniformSparsity(), new AcDc().Configure(Options with { Allocation = new UniformSparsity() }).Allocation);
}
