using Pdp.Baselines.Tests.Support;
using Pdp.Tests.Support;
using static TorchSharp.torch;

namespace Pdp.Baselines.Tests;

public sealed class ChannelRankingTests
{
    [Theory]
    [InlineData("NISP")]
    [InlineData("DCP-score")]
    public void Ranking_IsMadeOnceAtAnEighthOfTheRun(string name)
    {
        using var scene = Scene(name);
        scene.Train(0);
        Assert.All(scene.Removed().Values, removed => Assert.DoesNotContain(true, removed));
        scene.Train(1.3);
        var before = scene.Removed();

        // Another model as far as a ranking is concerned.
        foreach (var parameter in scene.Model.parameters())
            Tensors.Fill(parameter, Tensors.Normal(77 + (int)parameter.numel(), parameter.numel(), 0.4));
        scene.Pruner.BeginEpoch(5);

        Assert.Equal(new OneShot { Epoch = 1.25 }, scene.Pruner.Schedule);
        Assert.Equal(before, scene.Removed());
        Assert.All(before.Values, removed => Assert.Equal(removed.Length / 2, removed.Count(isRemoved => isRemoved)));
    }

    [Theory]
    [InlineData("NISP")]
    [InlineData("DCP-score")]
    public void Ranking_UnderARamp_StaysThatOfItsStart(string name)
    {
        using var scene = Scene(name, options => options with { Schedule = new LinearRamp(0, 4) });
        scene.Pruner.BeginEpoch(0);
        scene.Pruner.BeginEpoch(1);
        var expected = name == "NISP"
            ? new Nisp(scene.Model, scene.Map, scene.Example).Scores() : new DcpOneShot(scene.Model, scene.Map, scene.Backward).Scores();
        var first = scene.Removed()["bn2.weight"];

        foreach (var parameter in scene.Model.parameters())
            Tensors.Fill(parameter, Tensors.Normal(77 + (int)parameter.numel(), parameter.numel(), 0.4));
        scene.Pruner.BeginEpoch(4);

        var cut = expected["conv2.weight"].Order().ElementAt(5);
        Assert.Equal(expected["conv2.weight"].Select(score => score <= cut), scene.Removed()["bn2.weight"]);
        Assert.InRange(first.Count(isRemoved => isRemoved), 1, 2);
    }

    [Theory]
    [InlineData("NISP")]
    [InlineData("DCP-score")]
    public void Mask_RemovesTheLowestScores(string name)
    {
        using var scene = Scene(name, options => options with { Schedule = new ConstantSparsity() });
        var scores = name == "NISP"
            ? new Nisp(scene.Model, scene.Map, scene.Example).Scores() : new DcpOneShot(scene.Model, scene.Map, scene.Backward).Scores();
        scene.Pruner.BeginEpoch(0);

        var removed = scene.Removed();

        foreach (var (norm, group) in new[]
        {
            ("bn1.weight", "conv1.weight"),
            ("bn2.weight", "conv2.weight"),
            ("bn3.weight", "conv1.weight"),
        })
        {
            var cut = scores[group].Order().ElementAt((scores[group].Count / 2) - 1);
            Assert.Equal(scores[group].Select(score => score <= cut), removed[norm]);
        }
    }

    [Theory]
    [InlineData("NISP")]
    [InlineData("DCP-score")]
    public void Scores_LeaveTheModelAsItWas(string name)
    {
        using var scene = Scene(name);
        scene.Train(0);
        using (var scope = NewDisposeScope())
            scene.Loss(1).backward();
        scene.Model.bn2.eval();
        var before = ChannelScene.Snapshot(scene.Model);
        var output = scene.Output();
        scene.Model.bn2.eval();

        Scores(scene, name, scene.Backward, () => scene.Model.call(scene.Example.abs()));
        Assert.Equal(before, ChannelScene.Snapshot(scene.Model));
        Assert.Throws<InvalidTimeZoneException>(() => Scores(scene, name, Fail, () => throw new InvalidTimeZoneException()));
        Assert.Equal(before, ChannelScene.Snapshot(scene.Model));
        Assert.Equal(output, scene.Output());

        void Fail()
        {
            scene.Backward();
            throw new InvalidTimeZoneException();
        }
    }

    [Theory]
    [InlineData("NISP")]
    [InlineData("DCP-score")]
    public void Scores_LeaveNoTensorBehind(string name)
    {
        using var scene = Scene(name);

        Leaks.None(() => Scores(scene, name, scene.Backward, () => scene.Model.call(scene.Example.abs())));
    }

    [Theory]
    [InlineData("NISP")]
    [InlineData("DCP-score")]
    public void Scores_OfAModelThatIsNotFinite_AreRefused(string name)
    {
        using var scene = Scene(name);
        Tensors.Fill(scene.Model.fc.weight!, [.. Enumerable.Repeat(double.NaN, 32)]);

        var error = Assert.Throws<InvalidOperationException>(
            () => Scores(scene, name, scene.Backward, () => scene.Model.call(scene.Example.abs())));

        Assert.Contains("a score is not finite", error.Message, StringComparison.Ordinal);
    }

    private static ChannelScene Scene(string name, Func<PdpOptions, PdpOptions>? change = null) =>
        new(scene => scene.Make(name), (_, options) => change?.Invoke(options) ?? options);

    private static void Scores(ChannelScene scene, string name, Action backward, Func<Tensor> forward)
    {
        if (name == "NISP")
            new Nisp(scene.Model, scene.Map, forward).Scores();
        else
            new DcpOneShot(scene.Model, scene.Map, backward).Scores();
    }
}
