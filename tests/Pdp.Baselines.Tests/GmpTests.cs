using Pdp.Baselines.Tests.Support;
using Pdp.Masks;
using Pdp.Scheduling;

namespace Pdp.Baselines.Tests;

public sealed class GmpTests
{
    [Fact]
    public void Gradient_IsMasked()
    {
        using var scene = new Scene(Scene.Options(new Gmp(), 0.6));
        scene.Pruner.BeginEpoch(0);

        var pass = scene.Pass();

        Assert.All(scene.Layers, layer =>
        {
            var (masked, gradient) = pass[layer];
            Assert.Equal(scene.Upstream(layer).Zip(masked, (g, w) => w == 0 ? 0 : g), gradient);
        });
    }

    [Fact]
    public void RemovedWeights_StayZeroUnderMomentumAndDecay()
    {
        using var scene = new Scene(Scene.Options(new Gmp(), 0.6) with { Schedule = new CubicRamp(0, 5) });
        var zeros = new HashSet<int>();
        for (var step = 0; step < 10; step++)
        {
            scene.Pruner.BeginEpoch(step);
            var masked = scene.Pass()["second.weight"].Masked;
            Assert.All(zeros, index => Assert.Equal(0, masked[index]));
            zeros.UnionWith(Enumerable.Range(0, masked.Length).Where(index => masked[index] == 0));

            // As momentum does, this moves weights that get no gradient.
            scene.Fill("second.weight", [.. scene["second.weight"].Select((w, index) => (0.99 * w) + (0.3 * Math.Sin(index + step)))]);
        }

        scene.Pruner.Commit();
        Assert.Equal(scene.Pruner.Masks[1].Target, scene["second.weight"].LongCount(w => w == 0));
    }

    [Fact]
    public void Sparsity_NeverFallsAndEndsAtTheTarget()
    {
        using var scene = new Scene(Scene.Options(new Gmp { Interval = 2 }, 0.9) with { Schedule = new CubicRamp(1, 6) });
        var counts = new List<long>();
        for (var epoch = 0; epoch < 10; epoch++)
        {
            scene.Pruner.BeginEpoch(epoch);
            counts.Add(scene.Masked().Values.Sum(weight => weight.LongCount(w => w == 0)));
        }

        Assert.Equal(counts.Order(), counts);
        Assert.Equal(0, counts[0]);
        Assert.Equal((long)Math.Round(0.9 * scene.Pruner.Masks.Sum(mask => mask.Layout.Elements)), counts[6]);
        Assert.Equal(counts[2], counts[3]);
        Assert.Equal(counts[6], counts[9]);
    }

    [Fact]
    public void Pdp_AtTemperatureZero_IsGmp()
    {
        using var gmp = new Scene(Scene.Options(new Gmp(), 0.7));
        using var pdp = new Scene(new PdpOptions { Sparsity = 0.7, Epochs = 10, Schedule = new ConstantSparsity(), Temperature = Temperature.Absolute(1e-12) });
        gmp.Pruner.BeginEpoch(0);
        pdp.Pruner.BeginEpoch(0);

        var (left, right) = (gmp.Pass(), pdp.Pass());

        Assert.All(gmp.Layers, layer =>
        {
            Assert.Equal(left[layer].Masked, right[layer].Masked);
            Assert.Equal(left[layer].Gradient, right[layer].Gradient);
        });
    }

    [Theory]
    [InlineData("2:4")]
    [InlineData("channel")]
    public void OtherStrategies_KeepTheirCounts(string strategy)
    {
        using var scene = new Scene(Scene.Options(new Gmp(), strategy == "channel" ? 0.5 : null) with { Strategy = strategy == "channel" ? new Channel() : NofM.Parse(strategy) });
        scene.Pruner.BeginEpoch(0);
        var expected = scene.Pruner.Masks.ToDictionary(mask => mask.Name, mask => mask.TargetWeights);

        var masked = scene.Masked();
        var report = scene.Pruner.Commit();

        Assert.All(scene.Layers, layer => Assert.Equal(expected[layer], masked[layer].LongCount(w => w == 0)));
        Assert.All(report.Layers, layer => Assert.Equal(expected[layer.Name], layer.Zeros));
    }
}
