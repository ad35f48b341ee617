using Pdp.Baselines.Tests.Support;
using Pdp.Tests;
using Pdp.Tests.Support;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Baselines.Tests;

public sealed class NispTests
{
    [Fact]
    public void Scores_OfAnMlp_AreTheTransposedMagnitudesTimesTheLaterScores()
    {
        using var model = TestModels.Mlp();
        using var example = rand(2, 16);
        var method = new Nisp(model, ChannelMap.Find(model, example), example) { OutputScores = [1, 0.5, 0, 3] };
        var (second, last) = (Magnitudes(model, "second.weight"), Magnitudes(model, "last.weight"));

        var scores = method.Scores();

        var expected = Back(last, [1, 0.5, 0, 3]);
        Proportional(expected, scores["second.weight"]);
        Proportional(Back(second, expected), scores["first.weight"]);
    }

    [Fact]
    public void Scores_WithoutOutputScores_AreTheClassifiersColumnSums()
    {
        using var model = TestModels.Mlp();
        using var example = rand(1, 16);
        var scores = new Nisp(model, ChannelMap.Find(model, example), example).Scores();

        Proportional(Back(Magnitudes(model, "last.weight"), [1, 1, 1, 1]), scores["second.weight"]);
    }

    [Theory]
    [InlineData(ScalarType.Float16)]
    [InlineData(ScalarType.BFloat16)]
    public void Scores_OfAHalfType_AreRefused(ScalarType type)
    {
        using var model = TestModels.Mlp();
        using var example = rand(2, 16);
        var method = new Nisp(model, ChannelMap.Find(model, example), example);
        model.to(type);

        var fault = Assert.Throws<InvalidOperationException>(method.Scores);

        Assert.Contains("begin pruning in float32", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Scores_AreLinearInTheOutputScores()
    {
        using var scene = new ChannelScene(scene => new Gmp());
        var method = new Nisp(scene.Model, scene.Map, scene.Example);

        var one = (method with { OutputScores = [1, 0, 2, 0] }).Scores();
        var other = (method with { OutputScores = [0, 3, 1, 1] }).Scores();
        var sum = (method with { OutputScores = [2, 3, 5, 1] }).Scores();

        foreach (var group in sum.Keys)
            Close.Equal([.. one[group].Zip(other[group], (a, b) => (2 * a) + b)], sum[group], Close.Float32);
    }

    [Fact]
    public void Scores_AreNotNegative_AndThoseOfAChannelThatNothingReadsAreZero()
    {
        using var scene = new ChannelScene(scene => new Gmp());
        var weights = scene.Model.conv3.weight.Values();
        for (var filter = 0; filter < 8; filter++)
            Array.Clear(weights, ((filter * 12) + 5) * 9, 9);
        Tensors.Fill(scene.Model.conv3.weight, weights);

        var scores = new Nisp(scene.Model, scene.Map, scene.Example).Scores();

        Assert.All(scores.Values, group => Assert.All(group, score => Assert.True(score >= 0)));
        Assert.Equal([5], scores["conv2.weight"].Index().Where(pair => pair.Item == 0).Select(pair => pair.Index));
        Assert.DoesNotContain(0, scores["conv1.weight"]);
    }

    [Fact]
    public void Scores_OfAConvolution_SumOverPositions_WithNormsBiasesAndDropoutLeftOut()
    {
        manual_seed(3);
        using var model = Sequential(("a", Conv2d(2, 4, 3)), ("norm", BatchNorm2d(4)), ("relu", ReLU6()),
            ("dropout", Dropout(0.5)), ("b", Conv2d(4, 6, 3)), ("pool", AvgPool2d(2)), ("flat", Flatten()), ("fc", Linear(24, 3)));
        var norm = model.modules().OfType<BatchNorm2d>().Single();
        norm.num_batches_tracked = null;
        Tensors.Fill(Parameter(model, "a.bias"), [10, -10, 10, 10]);
        Tensors.Fill(norm.weight, [-1, 0.5, 3, -0.1]);
        Tensors.Fill(norm.bias!, [-5, 1, 0, 2]);
        using var example = rand(1, 2, 8, 8);

        var scores = new Nisp(model, ChannelMap.Find(model, example), example).Scores();

        // Each place of b's output gives a quarter of what reads its pool; each tap of a filter of b meets each place once.
        var perPlace = Back(Magnitudes(model, "fc.weight"), [1, 1, 1]).Select(score => score / 4).ToArray();
        double[] ofB = [.. Enumerable.Range(0, 6).Select(channel => 4 * perPlace.Skip(channel * 4).Take(4).Sum())];
        Proportional(ofB, scores["b.weight"]);
        var taps = Parameter(model, "b.weight").Values().Select(Math.Abs).Chunk(9).Select(kernel => kernel.Sum()).Chunk(4).ToArray();
        Proportional(Back(taps, ofB), scores["a.weight"]);
    }

    [Fact]
    public void Scores_OfLayersThatAreAddedUp_SumTheBranches()
    {
        using var model = new TwoWays();
        using var example = rand(1, 5);
        var map = ChannelMap.Find(model, example);

        var scores = new Nisp(model, map, example).Scores();

        // Over the mean sum of a layer's inputs.
        var (inner, back, last) = (Even(model, "inner.weight"), Even(model, "back.weight"), Even(model, "last.weight"));
        var added = Back(last, [1, 1, 1]);
        var through = Back(back, added);
        var first = Back(inner, through).Zip(added, (branch, straight) => branch + straight);
        Close.Equal(through, scores["inner.weight"], Close.Float32);
        Close.Equal([.. first.Zip(added, (a, b) => a + b)], scores["first.weight"], Close.Float32);
    }

    [Fact]
    public void Scores_DontDependOnTheScaleOfALayer()
    {
        using var scene = new ChannelScene(scene => new Gmp());
        var method = new Nisp(scene.Model, scene.Map, scene.Example);
        var before = method.Scores();

        Tensors.Fill(scene.Model.conv3.weight, [.. scene.Model.conv3.weight.Values().Select(w => 1024 * w)]);
        Tensors.Fill(scene.Model.conv2.weight, [.. scene.Model.conv2.weight.Values().Select(w => -1e-3 * w)]);

        Close.Equal(before["conv1.weight"], method.Scores()["conv1.weight"], Close.Float32);
        Close.Equal(before["conv2.weight"], method.Scores()["conv2.weight"], Close.Float32);
    }

    [Fact]
    public void Scores_OfAVeryDeepNetwork_AreFinite()
    {
        manual_seed(0);
        using var model = Sequential([.. Enumerable.Range(0, 40).SelectMany(i =>
            new (string, Module<Tensor, Tensor>)[] { ($"fc{i}", Linear(12, 12)), ($"relu{i}", ReLU()) }), ("last", Linear(12, 2))]);
        using var example = rand(1, 12);
        foreach (var parameter in model.parameters())
            Tensors.Fill(parameter, [.. parameter.Values().Select(w => 10 * w)]);
        ChannelGroup group = new(
            "fc0.weight", 12, [new("fc0.weight", 0, 0, 1, ChannelRole.Filter), new("fc1.weight", 1, 0, 1, ChannelRole.Input)]);

        var scores = new Nisp(model, ChannelMap.Find(model, example).With(group), example).Scores()["fc0.weight"];

        // Alone, products of 40 layers' |W|, whose rows sum up to about 17, would be of the order 17^40, beyond float32's 3e38.
        Assert.All(scores, score => Assert.InRange(score, 1e-3, 10));
        Assert.Equal(12, scores.Distinct().Count());
    }

    [Fact]
    public void Scores_OfLayersThatTheResponseDoesNotDependOn_AreZero()
    {
        using var model = new TwoWays();
        using var example = rand(1, 5);
        var first = model.children().First();

        var scores = new Nisp(model, ChannelMap.Find(model, example), Response).Scores();

        Assert.All(scores["inner.weight"], score => Assert.Equal(0, score));
        Assert.All(scores["first.weight"], score => Assert.Equal(1, score));

        Tensor Response()
        {
            model.call(example);
            return ((Module<Tensor, Tensor>)first).call(example);
        }
    }

    [Fact]
    public void LayersThatRunByForward_AreRefused()
    {
        using var model = new TwoWays(byForward: true);
        using var example = rand(2, 5);
        var method = new Nisp(model, ChannelMap.Find(model, example), example);

        Assert.Contains(
            "write inner.call(x) instead of inner.forward(x)",
            Assert.Throws<InvalidOperationException>(method.Scores).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void OutputScores_OutsideTheirRange_AreRefused(double score)
    {
        using var scene = new ChannelScene(scene => new Gmp());

        Assert.Equal("OutputScores", Assert.Throws<ArgumentOutOfRangeException>(() =>
            new Nisp(scene.Model, scene.Map, scene.Example) { OutputScores = [1, score] }).ParamName);
    }

    [Fact]
    public void OutputScores_OfAnotherNumber_AreRefused()
    {
        using var scene = new ChannelScene(scene => new Gmp());
        var method = new Nisp(scene.Model, scene.Map, scene.Example) { OutputScores = [1, 2, 3] };

        Assert.Contains(
            "3 scores for the model's output of shape [4, 4]",
            Assert.Throws<InvalidOperationException>(method.Scores).Message,
            StringComparison.Ordinal);
    }

    private static void Proportional(IReadOnlyList<double> expected, IReadOnlyList<double> actual)
    {
        Close.Equal(
            [.. expected.Select(value => value / expected.Sum())], [.. actual.Select(value => value / actual.Sum())], Close.Float32);
        Assert.True(expected.Max() > 1.05 * expected.Min());
    }

    /// <summary>|W|ᵀ·s.</summary>
    private static double[] Back(double[][] magnitudes, IReadOnlyList<double> scores) =>
        [.. Enumerable.Range(0, magnitudes[0].Length).Select(input => magnitudes.Zip(scores, (row, score) => row[input] * score).Sum())];

    private static double[][] Magnitudes(Module model, string name)
    {
        var weight = Parameter(model, name);
        return [.. weight.Values().Select(Math.Abs).Chunk((int)weight.shape[1])];
    }

    private static double[][] Even(Module model, string name)
    {
        var rows = Magnitudes(model, name);
        var mean = rows.Average(row => row.Sum());
        return [.. rows.Select(row => row.Select(w => w / mean).ToArray())];
    }

    private static Parameter Parameter(Module model, string name) => model.named_parameters().Single(pair => pair.name == name).parameter;
}
