using CsCheck;
using Pdp.Baselines.Tests.Support;
using Pdp.Tests.Support;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Baselines.Tests;

public sealed class StrTests
{
    /// <summary>logit(0.1), somewhat above the median |w| of the scene's layers.</summary>
    private static readonly double LogitOfTenth = Math.Log(0.1 / 0.9);

    [Fact]
    public void Forward_IsTheSoftThresholdAtSigmoidOfS()
    {
        using var scene = SceneAt(LogitOfTenth);
        var cut = ThresholdOf(scene, "first.weight");
        var weights = scene["first.weight"];
        (weights[0], weights[1], weights[2], weights[3]) = (cut, -cut, -MathF.BitIncrement((float)cut), 0);
        scene.Fill("first.weight", weights);

        var masked = scene.Masked()["first.weight"];

        Assert.InRange(masked.Count(w => w == 0), weights.Length / 4, weights.Length * 3 / 4);
        Assert.Equal(weights.Select(w => Math.Abs(w) <= cut ? 0 : Math.Sign(w) * (double)(float)(Math.Abs(w) - cut)), masked);
        Assert.True(masked[2] < 0, "Just above the threshold something is left.");
        scene.Pruner.BeginEpoch(1);
        Assert.Equal(masked.LongCount(w => w == 0), scene.Pruner.Masks[0].Removed);
    }

    [Fact]
    public void AtTheLogitOfACut_ItRemovesWhatTheMagnitudeMaskDoes()
    {
        using var scene = SceneAt(LogitOfTenth);
        var mask = scene.Pruner.Masks[1];
        var weights = scene[mask.Name];

        var masked = scene.Masked()[mask.Name];

        var cut = new PdpMask(mask.Name, mask.Layout, mask.Strategy, mask.Temperature, target: weights.LongCount(w => Math.Abs(w) < 0.1));
        cut.Advance(1, epoch: 0);
        using var kept = cut.Kept(scene.Parameter(mask.Name));
        Assert.Equal(kept.Values(), masked.Select(w => w == 0 ? 0.0 : 1));
        // A few roundings of float32 at 0.1, where its unit is 7.5e-9: that of the logit, the sigmoid and the difference.
        Close.Equal([.. weights.Select(w => Math.Sign(w) * Math.Max(Math.Abs(w) - 0.1, 0))], masked, 0, 1e-7);
    }

    [Fact]
    public void FarBelowZero_ItLeavesWeightsBitForBitAndSToItsDecay()
    {
        using var scene = SceneAt(-3200);

        var pass = scene.Pass();

        Assert.All(scene.Layers, layer => Assert.Equal(scene[layer], pass[layer].Masked));
        Assert.All(scene.Layers, layer => Assert.Equal(scene.Upstream(layer), pass[layer].Gradient));
        Assert.All(scene.Pruner.Parameters, parameter => Assert.Equal([0], Gradient(parameter.Parameter)));
    }

    [Fact]
    public void Forward_IsNonExpansive() => Law.Holds(
        Gen.Select(Gen.Double[-2, 2].Array[12], Gen.Double[-2, 2].Array[12], Gen.Double[-6, 3]),
        drawn =>
        {
            using var scope = NewDisposeScope();
            using var run = Run(new Str { Start = drawn.Item3 }, drawn.Item1);
            var (a, b) = (Tensors.Of(drawn.Item1, [3, 4]), Tensors.Of(drawn.Item2, [3, 4]));
            var apart = run.Forward(0, a).Values().Zip(run.Forward(0, b).Values(), (x, y) => Math.Abs(x - y));

            Assert.All(apart.Zip(drawn.Item1.Zip(drawn.Item2, (x, y) => Math.Abs(x - y))), pair => Assert.True(
                pair.First <= pair.Second + 1e-15));
        });

    [Fact]
    public void Gradients_AreThoseOfAutograd()
    {
        using var scope = NewDisposeScope();
        using var run = Run(new Str { Start = -0.5 }, Tensors.Normal(1, 12));
        var s = run.Parameters[0].Parameter;
        var cut = s.sigmoid().Values()[0];
        var w = Tensors.Of([cut, -cut, .. Tensors.Normal(1, 10)], [3, 4]);
        var g = Tensors.Of(Tensors.Normal(2, 12), [3, 4]);
        Tensor gradient;
        using (no_grad())
            gradient = run.Backward(0, w, g);

        var (leaf, oracle) = (w.detach().clone().requires_grad_(), s.detach().clone().requires_grad_());
        leaf.sign().mul(leaf.abs().sub(oracle.sigmoid()).relu()).mul(g).sum().backward();

        Assert.InRange(gradient.Values().Count(value => value == 0), 5, 9);
        Close.Equal(leaf.grad!.Values(), gradient.Values(), Close.Float64);
        Close.Equal(oracle.grad!.Values(), Gradient(s), Close.Float64);
    }

    [Fact]
    public void GradientOfS_HasTheOppositeSignAndAddsUp()
    {
        using var scope = NewDisposeScope();
        using var run = Run(new Str { Start = -3 }, Tensors.Normal(1, 12));
        var w = Tensors.Of(Tensors.Normal(1, 12), [3, 4]);
        var s = run.Parameters[0].Parameter;

        using var _ = no_grad();
        run.Backward(0, w, w.sign());
        var once = Gradient(s)[0];
        run.Backward(0, w, w.sign());

        Assert.True(once < 0);
        Assert.Equal(2 * once, Gradient(s)[0]);
    }

    [Fact]
    public void Sparsity_IsCountedOnceAnEpoch()
    {
        using var scene = SceneAt(LogitOfTenth);
        var share = scene.Masked().Values.SelectMany(weight => weight).Average(w => w == 0 ? 1.0 : 0);
        Assert.InRange(share, 0.2, 0.8);
        Assert.Equal(share, scene.Pruner.Sparsity, 12);

        foreach (var (_, s) in scene.Pruner.Parameters)
            Tensors.Fill(s, [-3200]);
        scene.Pruner.BeginEpoch(0.5);
        Assert.Equal(share, scene.Pruner.Sparsity, 12);
        scene.Masked();
        scene.Pruner.BeginEpoch(1);
        Assert.Equal(0, scene.Pruner.Sparsity);
    }

    [Fact]
    public void Commit_WritesWhatIsLeftAndKeepsItsCounts()
    {
        using var scene = SceneAt(LogitOfTenth);
        var masked = scene.Masked();

        var report = scene.Pruner.Commit();
        scene.Pruner.BeginEpoch(1);

        Assert.All(scene.Layers, layer => Assert.Equal(masked[layer], scene[layer]));
        Assert.True(report.Removed > 0);
        Assert.Equal(report.Layers.Select(layer => layer.Removed), scene.Pruner.Masks.Select(mask => mask.RemovedWeights));
        Assert.Empty(scene.Pruner.Report().Warnings);
    }

    [Fact]
    public void Commit_CountsWhatItRemovesNotWhatTheEpochBeganWith()
    {
        using var scene = SceneAt(-3200);
        Assert.Equal(0, scene.Pruner.Sparsity);
        foreach (var (_, s) in scene.Pruner.Parameters)
            Tensors.Fill(s, [LogitOfTenth]);

        var report = scene.Pruner.Commit();

        Assert.All(report.Layers, layer => Assert.True(layer.Removed > 0));
        Assert.Equal(scene.Layers.Select(layer => scene[layer].LongCount(w => w == 0)), report.Layers.Select(layer => layer.Removed));
        Assert.Equal(report.Layers.Select(layer => layer.Removed), scene.Pruner.Masks.Select(mask => mask.RemovedWeights));
    }

    [Fact]
    public void ALayerBelowItsThreshold_IsZeroAndCountsItsLargestWeightAsKept()
    {
        using var scene = SceneAt(5);

        var report = scene.Pruner.Commit();

        Assert.All(scene.Layers, layer => Assert.All(scene[layer], w => Assert.Equal(0, w)));
        Assert.All(report.Layers, layer => Assert.Equal((layer.Elements - 1, layer.Elements), (layer.Removed, layer.Zeros)));
    }

    [Fact]
    public void Parameters_AreOneThresholdALayer()
    {
        using var scene = SceneAt(-4);

        Assert.Equal(
            ["first.weight.threshold", "second.weight.threshold", "last.weight.threshold"],
            scene.Pruner.Parameters.Select(pair => pair.Name));
        Assert.All(scene.Pruner.Parameters, pair => Assert.Equal([-4], pair.Parameter.Values()));
        Assert.All(scene.Pruner.Parameters, pair => Assert.Equal(
            (1, ScalarType.Float32), (pair.Parameter.shape.Single(), pair.Parameter.dtype)));
    }

    [Fact]
    public void ASparsity_IsRefusedWithWhatSteersIt()
    {
        var error = Assert.Throws<ArgumentException>(() => new Scene(Options(new Str()) with { Sparsity = 0.5 }));

        Assert.StartsWith(
            "Sparsity is an outcome of STR, controlled by Start and by the decay of its thresholds: leave PdpOptions.Sparsity unset.",
            error.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void OtherTargets_AreRefused()
    {
        var options = Options(new Str());

        Unsupported(options with { Schedule = new LinearRamp(0, 5) }, "leave PdpOptions.Schedule");
        Unsupported(options with { AutomaticStart = new() { Level = 1 } }, "AutomaticStart unset");
        Unsupported(options with { Allocation = new UniformSparsity() }, "leave Allocation");
        Unsupported(options with { Allocation = new GlobalMagnitude { DensityFloor = 0.5 } }, "leave Allocation and its floor");
        Unsupported(options with { MaximumLayerSparsity = 0.9 }, "MaximumLayerSparsity");
        Unsupported(options with { Rules = [new("first.weight") { Sparsity = 0.5 }] }, "the sparsities of rules unset");
        Unsupported(options with { Strategy = new PerChannel() }, "STR is not defined for the strategy channel; it supports unstructured.");
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.NegativeInfinity)]
    [InlineData(1e300)]
    public void Start_OutsideItsRange_IsRefused(double start) =>
        Assert.Equal("Start", Assert.Throws<ArgumentOutOfRangeException>(() => new Str { Start = start }).ParamName);

    private static PdpOptions Options(Str method) => new() { Method = method, Epochs = 10 };

    private static Scene SceneAt(double start)
    {
        var scene = new Scene(Options(new Str { Start = start }));
        scene.Pruner.BeginEpoch(0);
        return scene;
    }

    /// <summary>σ(s) as the run computes it.</summary>
    private static double ThresholdOf(Scene scene, string layer)
    {
        using var threshold = scene.Pruner.Parameters.Single(pair => pair.Name == $"{layer}.threshold").Parameter.sigmoid();
        return threshold.Values()[0];
    }

    /// <summary>A run on one float64 weight [3, 4].</summary>
    private static IMethodRun Run(Str method, double[] weights)
    {
        var mask = new PdpMask("weight", new WeightLayout([3, 4]), new Unstructured(), Temperature.Absolute(1));
        return method.Attach([new MethodLayer(mask, new Parameter(Tensors.Of(weights, [3, 4])))]);
    }

    private static double[] Gradient(Parameter parameter)
    {
        using var gradient = parameter.grad!;
        return gradient.Values();
    }

    private static void Unsupported(PdpOptions options, string reason) =>
        Assert.Contains(reason, Assert.Throws<ArgumentException>(() => new Scene(options)).Message, StringComparison.Ordinal);
}
