using Pdp.Baselines.Tests.Support;
using Pdp.Tests.Support;
using static TorchSharp.torch;

namespace Pdp.Baselines.Tests;

public sealed class GmpTests
{
    /// <summary>
    /// Some roundings of float32, whose unit is 1.2e-7, in sums of numbers of one sign; above what a mask twenty logits from its boundary
    /// leaves open.
    /// </summary>
    private const double Rounding = 1e-6;

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
    public void Sparsity_BetweenTwoMasks_IsThatOfTheOneThatStands()
    {
        using var scene = new Scene(Scene.Options(new Gmp { Interval = 2 }, 0.9) with { Schedule = new CubicRamp(1, 6) });
        for (var epoch = 0.0; epoch < 8; epoch += 0.5)
        {
            scene.Pruner.BeginEpoch(epoch);

            var zeros = scene.Masked().ToDictionary(pair => pair.Key, pair => pair.Value.LongCount(w => w == 0));
            scene.Pruner.BeginEpoch(epoch + 0.25);
            Assert.All(scene.Pruner.Masks, mask => Assert.Equal(zeros[mask.Name], mask.Removed));
            Assert.Equal(zeros.Values.Sum() / 1664.0, scene.Pruner.Sparsity);
        }
    }

    [Theory]
    [InlineData("unstructured", false)]
    [InlineData("unstructured", true)]
    [InlineData("1:4", false)]
    [InlineData("channel", false)]
    public void RemovedWeights_StayZeroUnderSgd(string strategy, bool isCubic)
    {
        using var scene = new Scene(Scene.Options(new Gmp(), strategy == "1:4" ? null : 0.8) with
        {
            Strategy = StrategyOf(strategy),
            Schedule = isCubic ? new CubicRamp(1, 8) : new LinearRamp(1, 8),
        });
        using var sgd = new Sgd(scene.Model, 0.3, momentum: 0.9, decay: 0.02);
        var zeros = scene.Layers.ToDictionary(layer => layer, _ => new HashSet<int>());
        for (var step = 0; step < 30; step++)
        {
            scene.Pruner.BeginEpoch(step / 3.0);
            var pass = scene.Pass(seed: 7 + step);
            foreach (var layer in scene.Layers)
            {
                Assert.All(zeros[layer], index => Assert.Equal(0, pass[layer].Masked[index]));
                zeros[layer].UnionWith(pass[layer].Masked.Index().Where(pair => pair.Item == 0).Select(pair => pair.Index));
            }

            sgd.Step();
        }

        scene.Pruner.Commit();
        Assert.All(scene.Pruner.Masks, mask => Assert.Equal(mask.TargetWeights, scene[mask.Name].LongCount(w => w == 0)));
        Assert.All(scene.Pruner.Masks, mask => Assert.Equal(mask.TargetWeights, zeros[mask.Name].Count));
    }

    [Fact]
    public void RemovedChannels_ThatAreTied_StayRemovedThoughMomentumMovesThem()
    {
        using var scene = new ChannelScene(
            _ => new Gmp(), (_, options) => options with { Sparsity = 0.75, Schedule = new LinearRamp(1, 8) });
        using var sgd = new Sgd(scene.Model, 0.05, momentum: 0.9, decay: 0.01);
        Dictionary<string, bool[]>? last = null;
        for (var step = 0; step < 20; step++)
        {
            scene.Pruner.BeginEpoch(step / 2.0);
            var removed = scene.Removed();
            foreach (var norm in removed.Keys)
                Assert.All(last?[norm].Zip(removed[norm]) ?? [], pair => Assert.True(pair.Second || !pair.First));
            last = removed;
            using (var scope = NewDisposeScope())
            using (scene.Pruner.Mask())
                scene.Loss(step).backward();
            sgd.Step();
            // Further than any optimizer: what is removed is larger than all that is kept.
            Raise(scene, removed);
        }

        Assert.Equal([6, 9, 6], last!.Values.Select(norm => norm.Count(isRemoved => isRemoved)));
    }

    [Fact]
    public void Pdp_AtTemperatureZero_IsGmp()
    {
        using var gmp = new Scene(Scene.Options(new Gmp(), 0.7));
        using var pdp = new Scene(
            new PdpOptions { Sparsity = 0.7, Epochs = 10, Schedule = new ConstantSparsity(), Temperature = Temperature.Absolute(1e-12) });
        gmp.Pruner.BeginEpoch(0);
        pdp.Pruner.BeginEpoch(0);

        var (left, right) = (gmp.Pass(), pdp.Pass());

        Assert.All(gmp.Layers, layer =>
        {
            Assert.Equal(left[layer].Masked, right[layer].Masked);
            Assert.Equal(left[layer].Gradient, right[layer].Gradient);
        });
    }

    [Fact]
    public void Pdp_FarFromTheBoundary_HasTheGradientOfGmp()
    {
        using var gmp = new Scene(Scene.Options(new Gmp(), 0.75) with { Allocation = new UniformSparsity() });
        using var pdp = new Scene(new PdpOptions
        {
            Sparsity = 0.75,
            Epochs = 10,
            Schedule = new ConstantSparsity(),
            Allocation = new UniformSparsity(),
            Temperature = Temperature.Relative(0.05),
        });
        foreach (var scene in new[] { gmp, pdp })
        {
            foreach (var mask in scene.Pruner.Masks)
                scene.Fill(mask.Name, FarFromTheBoundary(mask));
            scene.Pruner.BeginEpoch(0);
        }

        var (left, right) = (gmp.Pass(), pdp.Pass());

        Assert.All(gmp.Layers, layer => Close.Equal(left[layer].Gradient, right[layer].Gradient, Rounding, Rounding));
    }

    [Fact]
    public void Pdp_Commit_ChangesTheForwardByWhatRemovedWeightsLeaked()
    {
        using var scene = new Scene(
            new PdpOptions { Sparsity = 0.7, Epochs = 10, Schedule = new ConstantSparsity(), Temperature = Temperature.Relative(0.5) });
        scene.Pruner.BeginEpoch(0);
        var soft = scene.Masked();
        var removed = scene.Pruner.Masks.ToDictionary(mask => mask.Name, mask => RemovedBy(mask, scene.Parameter(mask.Name)));

        var report = scene.Pruner.Commit();

        var lost = scene.Layers.ToDictionary(
            layer => layer, layer => soft[layer].Zip(removed[layer], (w, isRemoved) => isRemoved ? Math.Abs(w) : 0).Sum());
        Assert.All(scene.Layers, layer => Close.Equal(
            lost[layer], soft[layer].Zip(scene.Masked()[layer], (a, b) => Math.Abs(a - b)).Sum(), Rounding));
        Assert.All(report.Layers, layer => Close.Equal(lost[layer.Name] / soft[layer.Name].Sum(Math.Abs), layer.Leak, Rounding));
        Close.Equal(lost.Values.Sum() / soft.Values.Sum(weight => weight.Sum(Math.Abs)), report.Leak, Rounding);
        Assert.InRange(report.Leak, 0.05, 0.5);

        static bool[] RemovedBy(PdpMask mask, Tensor weight)
        {
            using var kept = mask.Kept(weight);
            return [.. kept.Values().Select(value => value == 0)];
        }
    }

    [Theory]
    [InlineData("2:4")]
    [InlineData("channel")]
    public void OtherStrategies_KeepTheirCounts(string strategy)
    {
        using var scene = new Scene(Scene.Options(new Gmp(), strategy == "channel" ? 0.5 : null) with
        {
            Strategy = strategy == "channel" ? new PerChannel() : NofM.Parse(strategy),
        });
        scene.Pruner.BeginEpoch(0);
        var expected = scene.Pruner.Masks.ToDictionary(mask => mask.Name, mask => mask.TargetWeights);

        var masked = scene.Masked();
        var report = scene.Pruner.Commit();

        Assert.All(scene.Layers, layer => Assert.Equal(expected[layer], masked[layer].LongCount(w => w == 0)));
        Assert.All(report.Layers, layer => Assert.Equal(expected[layer.Name], layer.Zeros));
    }

    private static IMaskStrategy StrategyOf(string name) => name switch
    {
        "unstructured" => new Unstructured(),
        "channel" => new PerChannel(),
        _ => NofM.Parse(name),
    };

    /// <summary>Three quarters of about 0.05, the rest of about 5: all are far from t, which lies between.</summary>
    private static double[] FarFromTheBoundary(PdpMask mask) =>
        [.. Enumerable.Range(0, (int)mask.Members).Select(
            i => (i % 2 == 0 ? 1 : -1) * (i < 0.75 * mask.Members ? 0.05 + (i * 5e-5) : 5 + (i * 1e-3)))];

    private static void Raise(ChannelScene scene, Dictionary<string, bool[]> removed)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        foreach (var (filter, norm) in new[]
        {
            ("conv1.weight", "bn1.weight"),
            ("conv2.weight", "bn2.weight"),
            ("conv3.weight", "bn3.weight"),
        })
        {
            var parameter = scene.Model.get_parameter(filter)!;
            var width = (int)(parameter.numel() / parameter.shape[0]);
            Tensors.Fill(parameter, [.. parameter.Values().Index().Select(pair => removed[norm][pair.Index / width] ? 9.0 : pair.Item)]);
        }
    }
}
