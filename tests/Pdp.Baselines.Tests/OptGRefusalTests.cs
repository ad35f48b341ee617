using Pdp.Baselines.Tests.Support;
using Pdp.Tests.Support;

namespace Pdp.Baselines.Tests;

public sealed class OptGRefusalTests
{
    [Theory]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void Interval_OutsideItsRange_IsRefused(double interval) =>
        Assert.Equal("Interval", Assert.Throws<ArgumentOutOfRangeException>(() => new OptG { Interval = interval }).ParamName);

    [Fact]
    public void Attach_BeforeConfigure_IsRefused() =>
        Assert.Contains(
            "set Interval", Assert.Throws<InvalidOperationException>(() => new OptG().Attach([])).Message, StringComparison.Ordinal);

    [Fact]
    public void ScoresThatAreNotFinite_AreRefused()
    {
        using var scene = new Scene(Scene.Options(new OptG(), 0.5));
        Tensors.Fill(scene.ScoreOf("second.weight"), [.. Enumerable.Repeat(double.NegativeInfinity, 1024)]);

        Assert.Contains(
            "not finite", Assert.Throws<InvalidOperationException>(() => scene.Pruner.BeginEpoch(0)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void OtherDivisionsOfTheSparsity_AreRefused()
    {
        var options = Scene.Options(new OptG());

        Unsupported(
            options with { Allocation = new UniformSparsity() }, "The scores of OptG decide how much each layer loses: leave Allocation");
        Unsupported(options with { Allocation = new GlobalMagnitude { DensityFloor = 0.5 } }, "leave Allocation and its floor");
        Unsupported(options with { MinimumLayerSparsity = 0.1 }, "MinimumLayerSparsity");
        Unsupported(options with { Rules = [new("first.weight") { MaximumSparsity = 0.5 }] }, "the sparsities of rules unset");
        Unsupported(options with { Strategy = NofM.Keep(2, of: 4) }, "OptG is not defined for the strategy 2:4; it supports unstructured.");
    }

    private static void Unsupported(PdpOptions options, string reason) =>
        Assert.Contains(reason, Assert.Throws<ArgumentException>(() => new Scene(options)).Message, StringComparison.Ordinal);
}
