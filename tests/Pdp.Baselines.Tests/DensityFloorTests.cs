namespace Pdp.Baselines.Tests;

/// <summary>Methods that rank the whole model by themselves have no floor, and their plan promises none.</summary>
public sealed class DensityFloorTests
{
    private static readonly PdpOptions Options = new() { Epochs = 8, Sparsity = 0.9 };

    public static TheoryData<IPruningMethod, double> Methods => new()
    {
        { new AcDc(), 0 },
        { new GraNet(), 0 },
        { new OptG(), 0 },
        { new Gmp(), 0.2 },
        { new Dnw(), 0.2 },
        { new MovementPruning(), 0.2 },
    };

    [Theory]
    [MemberData(nameof(Methods))]
    public void Configure_LeavesAFloorOnlyWhereItHolds(IPruningMethod method, double floor) =>
        Assert.Equal(new GlobalMagnitude { DensityFloor = floor }, method.Configure(Options).Allocation);

    [Fact]
    public void Configure_OfAnotherAllocation_KeepsIt() =>
        Assert.Equal(new UniformSparsity(), new AcDc().Configure(Options with { Allocation = new UniformSparsity() }).Allocation);
}
