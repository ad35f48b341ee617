using CsCheck;
using Pdp.Baselines.Tests.Support;
using Pdp.Tests;
using Pdp.Tests.Support;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Baselines.Tests;

public sealed class ScpTests
{
    [Fact]
    public void OffProbability_AtShiftZero_IsOneHalf() =>
        Assert.Equal([0.5, 0.5, 0.5], Off([1, -0.3, 1e-9], [0, 0, 0]));

    [Fact]
    public void OffProbability_FallsWithTheShift_AndRisesWithTheScaleOfAPositiveOne()
    {
        var cases = Gen.Select(Gen.Double[0.5, 3], Gen.Double[0.01, 3], Gen.Bool, Gen.Double[0.01, 1]);

        Law.Holds(cases, one =>
        {
            var (scale, size, isNegative, step) = one;
            var shift = isNegative ? -size : size;
            var off = Off([scale, scale, -scale, scale + step, scale], [shift, shift + step, shift, size, size]);
            Assert.All(off, probability => Assert.InRange(probability, 0, 1));
            Assert.True(off[1] < off[0]);
            Assert.Equal(off[0], off[2]);
            Assert.True(off[3] > off[4]);
        });
    }

    [Theory]
    [InlineData(0.7, 0.4)]
    [InlineData(-1.5, -0.9)]
    [InlineData(0.2, 0.3)]
    public void OffProbability_IsTheShareOfZerosBehindARectifier(double scale, double shift)
    {
        const int Draws = 200_000;
        var zeros = Tensors.Normal(11, Draws).Count(normal => Math.Max(0, (scale * normal) + shift) == 0);

        // Four standard deviations.
        Assert.Equal(zeros / (double)Draws, Off([scale], [shift]).Single(), 4 * 0.5 / Math.Sqrt(Draws));
    }

    [Fact]
    public void OffProbability_AtScaleZero_IsThatOfAConstant() =>
        Assert.Equal([0.0, 1, 1], Off([0, 0, 0], [0.1, -0.1, 0]));

    [Fact]
    public void Mask_RemovesTheChannelsThatAreOffMostLikely_ByTheMeanOverNorms()
    {
        using var scene = Scene();
        var (first, third) = (On(scene.Model.bn1), On(scene.Model.bn3));
        scene.Pruner.BeginEpoch(0);

        var removed = scene.Removed();

        Assert.Equal(Lowest(On(scene.Model.bn2), 6), removed["bn2.weight"]);
        Assert.Equal(Lowest([.. first.Zip(third, (a, b) => a + b)], 4), removed["bn1.weight"]);
        Assert.Equal(removed["bn1.weight"], removed["bn3.weight"]);
        Assert.NotEqual(Lowest(first, 4), removed["bn1.weight"]);
    }

    [Fact]
    public void Mask_IsTakenAnewInEveryScope()
    {
        using var scene = Scene();
        scene.Pruner.BeginEpoch(0);
        var before = scene.Removed()["bn2.weight"];
        var returns = Array.IndexOf(before, true);
        var shifts = scene.Model.bn2.bias!.Values();
        shifts[returns] = 20;
        Tensors.Fill(scene.Model.bn2.bias!, shifts);

        var after = scene.Removed()["bn2.weight"];

        Assert.False(after[returns]);
        Assert.Equal(6, after.Count(isRemoved => isRemoved));
        scene.Pruner.BeginEpoch(1);
    }

    // P(on) is nearly 1 up to β/|γ| = 7.5, and rounds to 1 above 8.3.
    [Theory]
    [InlineData(0.75, 0.01)]
    [InlineData(2.5, 0.1)]
    public void Channels_ThatAreNearlyAlwaysOn_AreStillTold(double largest, double difference)
    {
        using var scene = Scene();
        Tensors.Fill(scene.Model.bn2.weight, [.. Enumerable.Repeat(0.1, 12)]);
        Tensors.Fill(scene.Model.bn2.bias!, [.. Enumerable.Range(0, 12).Select(i => largest - (difference * i))]);
        scene.Pruner.BeginEpoch(0);

        Assert.Equal(Enumerable.Range(0, 12).Select(i => i >= 6), scene.Removed()["bn2.weight"]);
    }

    [Fact]
    public void Gradients_OfTheNorms_AreAutogradsOfTheStraightThroughGate()
    {
        using var scene = Scene(ScalarType.Float64);
        Assert.All(scene.Map.Groups, group => Assert.True(group.IsNormalized));
        using var scope = NewDisposeScope();
        scene.Loss(1).backward();
        var earlier = Gradients(scene.Model);
        scene.Pruner.BeginEpoch(0);
        var removed = scene.Removed();
        var expected = Oracle(scene, removed);

        using (scene.Pruner.Mask())
            scene.Loss(0).backward();

        var actual = Gradients(scene.Model);
        // Float64 through three batch norms, whose gradients are differences of sums over 144 places.
        foreach (var name in expected.Keys)
            Close.Equal([.. expected[name].Zip(earlier[name], (a, b) => a + b)], actual[name], 1e-9, Close.Float64);
    }

    [Fact]
    public void Gradients_AtScaleZero_AreFinite()
    {
        using var scene = Scene();
        Tensors.Fill(scene.Model.bn3.weight, [0, 0, 0, 1, 0, -1, 0, 0]);
        Tensors.Fill(scene.Model.bn3.bias!, [0, 1, -1, 0, 1, 0, 0, 2]);
        scene.Pruner.BeginEpoch(0);

        using (var scope = NewDisposeScope())
        using (scene.Pruner.Mask())
            scene.Loss(0).backward();

        Assert.All(Gradients(scene.Model).Values, gradient => Assert.All(gradient, value => Assert.True(double.IsFinite(value))));
    }

    [Fact]
    public void Schedule_ByDefault_IsTheLibrarysRamp()
    {
        using var scene = new ChannelScene(scene => scene.Make("SCP"));

        Assert.Equal(new CubicRamp(1.25, 4), scene.Pruner.Schedule);
    }

    [Fact]
    public void Groups_WithoutANorm_AreRefusedByName()
    {
        using var model = TestModels.Cnn();
        using var example = rand(1, 3, 8, 8);
        var map = ChannelMap.Find(model, example);
        PdpOptions options =
            new() { Method = new Scp(model, map), Strategy = new PerChannel(), Channels = map, Sparsity = 0.5, Epochs = 10 };

        var error = Assert.Throws<ArgumentException>(() => new PdpPruner(model, options));
        using var left = new PdpPruner(model, options with { Exclude = ["conv2.weight"] });

        Assert.Contains("there is none in 'conv2.weight': leave them dense", error.Message, StringComparison.Ordinal);
        Assert.Equal(["conv1.weight"], left.Masks.Select(mask => mask.Name));
    }

    private static ChannelScene Scene(ScalarType type = ScalarType.Float32) =>
        new(scene => scene.Make("SCP"), (_, options) => options with { Schedule = new ConstantSparsity() }, type);

    private static double[] Off(double[] scale, double[] shift)
    {
        using var scope = NewDisposeScope();
        return Scp.OffProbability(Tensors.Of(scale), Tensors.Of(shift)).Values();
    }

    private static double[] On(BatchNorm2d norm) => [.. Off(norm.weight.Values(), norm.bias!.Values()).Select(off => 1 - off)];

    private static IEnumerable<bool> Lowest(double[] scores, int count)
    {
        var cut = scores.Order().ElementAt(count - 1);
        return scores.Select(score => score <= cut);
    }

    private static Dictionary<string, double[]> Gradients(Module model) =>
        model.named_parameters().ToDictionary(pair => pair.name, pair => pair.parameter.grad!.Values());

    /// <summary>
    /// The masked network written down with the gate M + P(on) − detach(P(on)) in the norms, which carry the mask alone; filters are M·w.
    /// </summary>
    private static Dictionary<string, double[]> Oracle(ChannelScene scene, Dictionary<string, bool[]> removed)
    {
        var p = scene.Model.named_parameters()
            .ToDictionary(pair => pair.name, pair => (Tensor)pair.parameter.detach().clone().requires_grad_());
        var (outer, inner) = (Gate((On("bn1") + On("bn3")) / 2, removed["bn1.weight"]), Gate(On("bn2"), removed["bn2.weight"]));
        var (_, labels) = TestModels.Batch(0, 4);

        var x = functional.relu(Block(ResidualNet.Batch(0, type: ScalarType.Float64), 1, outer));
        var y = functional.relu(Block(x, 2, inner));
        x = functional.relu(Block(y, 3, outer) + x);
        var output = functional.linear(functional.adaptive_avg_pool2d(x, 1).flatten(1), p["fc.weight"], p["fc.bias"]);
        functional.cross_entropy(output, labels).backward();
        return p.ToDictionary(pair => pair.Key, pair => pair.Value.grad!.Values());

        Tensor On(string norm) => special.ndtr(p[$"{norm}.bias"] / p[$"{norm}.weight"].abs());

        Tensor Gate(Tensor probability, bool[] isRemoved) =>
            Tensors.Of([.. isRemoved.Select(gone => gone ? 0.0 : 1)]) + probability - probability.detach();

        Tensor Block(Tensor input, int number, Tensor gate)
        {
            var made = functional.conv2d(input, p[$"conv{number}.weight"] * gate.detach().reshape(-1, 1, 1, 1), padding: [1, 1]);
            return functional.batch_norm(
                made, null, null, p[$"bn{number}.weight"] * gate, p[$"bn{number}.bias"] * gate, training: true, eps: 1e-5);
        }
    }
}
