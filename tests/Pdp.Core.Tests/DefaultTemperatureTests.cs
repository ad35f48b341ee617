using TorchSharp;
using static TorchSharp.torch.nn;

namespace Pdp.Tests;

/// <summary>The default temperature of a layer is that of its own strategy.</summary>
public sealed class DefaultTemperatureTests
{
    private static readonly Temperature Annealed = Temperature.Relative(1).AnnealedTo(0.001, 1, 6).HardFrom(6);
    private static readonly Temperature Hard = Temperature.Relative(1e-6);

    [Fact]
    public void Masks_WhereARuleChangesTheStrategy_HaveItsDefaultTemperature()
    {
        using var model = Sequential(("a", Linear(8, 8)), ("b", Linear(8, 8)), ("c", Linear(8, 8)));
        var options = new PdpOptions { Epochs = 8, Sparsity = 0.5 };

        Assert.Equal([Hard, Annealed, Annealed], TemperaturesOf(options with
        {
            Strategy = new PerChannel(),
            Rules = [new("b.weight") { Strategy = new Unstructured() }, new("c.weight") { Strategy = NofM.Keep(2, of: 4) }],
        }));
        Assert.Equal([Annealed, Hard, Annealed], TemperaturesOf(
            options with { Rules = [new("b.weight") { Strategy = new PerChannel() }] }));
        Assert.Equal([Annealed, Hard, Annealed], TemperaturesOf(options with
        {
            Sparsity = null,
            Strategy = NofM.Keep(2, of: 4),
            Rules = [new("b.weight") { Strategy = new PerChannel(), Sparsity = 0.5 }],
        }));

        Temperature[] TemperaturesOf(PdpOptions options)
        {
            using var pruner = new PdpPruner(model, options);
            return [.. pruner.Masks.Select(mask => mask.Temperature)];
        }
    }

    [Theory]
    [InlineData(9, 6.75, 6.75)]
    [InlineData(10, 6, 7.5)]
    [InlineData(30, 18, 22.5)]
    public void Masks_OfNofMInALongRun_AreHardFromTheRampsEndOn(double epochs, double patterns, double others)
    {
        using var model = Sequential(("a", Linear(8, 8)), ("b", Linear(8, 8)));
        using var pruner = new PdpPruner(model, new()
        {
            Epochs = epochs,
            Sparsity = 0.5,
            Rules = [new("a.weight") { Strategy = NofM.Keep(1, of: 4) }],
        });

        Assert.Equal([patterns, others], pruner.Masks.Select(mask => mask.Temperature.HardEpoch!.Value));
        Assert.Equal([patterns, others], pruner.Masks.Select(mask => mask.GradientTemperature!.HardEpoch!.Value));
    }

    [Fact]
    public void Commit_AfterAScheduleThatEndsWithTheRun_LeavesKeptWeightsAsTheyAre()
    {
        using var model = Linear(8, 8, hasBias: false);
        using var pruner = new PdpPruner(model, new() { Epochs = 8, Sparsity = 0.5, Schedule = new OneShot { Epoch = 8 } });
        var before = model.weight.data<float>().ToArray();
        pruner.BeginEpoch(7, 9, 10);

        pruner.Commit();

        var after = model.weight.data<float>().ToArray();
        Assert.Equal(32, after.Count(weight => weight == 0));
        Assert.All(before.Zip(after), pair => Assert.True(pair.Second == 0 || pair.Second == pair.First));
    }

    [Fact]
    public void Masks_WhereATemperatureIsGiven_HaveIt()
    {
        using var model = Sequential(("a", Linear(8, 8)), ("b", Linear(8, 8)), ("c", Linear(8, 8)));
        var (given, ruled) = (Temperature.Absolute(1e-4), Temperature.Relative(0.1));

        using var pruner = new PdpPruner(model, new()
        {
            Epochs = 8,
            Sparsity = 0.5,
            Temperature = given,
            Rules = [new("b.weight") { Strategy = new PerChannel() }, new("c.weight") { Strategy = new PerChannel(), Temperature = ruled }],
        });

        Assert.Equal([given, given, ruled], pruner.Masks.Select(mask => mask.Temperature));
    }

    /// <summary>In the last quarter the network already is what the commit leaves, to the last bit.</summary>
    [Fact]
    public void Commit_AfterARunByDefault_ChangesNoOutput()
    {
        using var scope = torch.NewDisposeScope();
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, new() { Epochs = 8, Sparsity = 0.8 });
        for (var step = 0; step < 40; step++)
            TestModels.Train(model, pruner, step / 5.0, seed: step);

        pruner.BeginEpoch(8);
        Assert.Equal(0, pruner.Report().Leak);
        var masked = Weights(pruner.Mask());
        pruner.Commit();

        Assert.True(masked.Zip(Weights(pruner.Mask())).All(pair => pair.First.equal(pair.Second).all().item<bool>()));

        torch.Tensor[] Weights(MaskScope opened)
        {
            using (opened)
                return [.. model.parameters().Select(parameter => parameter.detach().clone())];
        }
    }
}
