using Pdp.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Channels;

/// <summary>Under what circumstances channels are found, and what finding them leaves as it was.</summary>
public sealed class FindModeTests
{
    private static readonly Scalar One = 1.0;
    private static readonly string[] Expected = ["conv1.weight", "conv2.weight", "linear1.weight"];

    [Fact]
    public void Find_UnderNoGrad_FindsTheSame()
    {
        using var _ = no_grad();

        Assert.Equal(Expected, Filters.Of(ZooExample()));
    }

    [Fact]
    public void Find_UnderInferenceMode_FindsTheSame()
    {
        using var model = Zoo.Get(nameof(PlainCnn)).Make();
        using var _ = inference_mode(true);
        using var example = Zoo.Get(nameof(PlainCnn)).Batch(size: 1);

        Assert.Equal(Expected, Filters.Of(ChannelMap.Find(model, example)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(1e-30)]
    [InlineData(1e6)]
    public void Find_OnAnExampleThatIsAllAlike_FindsTheSame(double value)
    {
        using var model = Zoo.Get(nameof(PlainCnn)).Make();
        using var example = full([1, 3, 16, 16], value);

        Assert.Equal(Expected, Filters.Of(ChannelMap.Find(model, example)));
    }

    [Fact]
    public void Find_OfAModelThatIsNotCalledByCall_UsesTheInputItself()
    {
        using var model = Zoo.Get(nameof(PlainCnn)).Make();
        using var example = rand(2, 3, 16, 16);

        Assert.Equal(Expected, Filters.Of(ChannelMap.Find(model, () => model.forward(example))));
    }

    [Fact]
    public void Find_OfTiedWeights_LeavesGradientsAndWhatLearnsAsTheyWere()
    {
        using var model = new TiedNet();
        using (var scope = NewDisposeScope())
            model.call(tensor(new long[] { 1, 2, 3, 4 }).reshape(2, 2)).sum().backward();
        var before = model.named_parameters()
            .Select(pair => (pair.name, pair.parameter.requires_grad, Gradient: pair.parameter.grad?.Values())).ToArray();
        using var example = tensor(new long[] { 1, 2, 3, 4 }).reshape(2, 2);

        ChannelMap.Find(model, example);

        var after = model.named_parameters()
            .Select(pair => (pair.name, pair.parameter.requires_grad, Gradient: pair.parameter.grad?.Values())).ToArray();
        Assert.Equal(before.Select(item => (item.name, item.requires_grad)), after.Select(item => (item.name, item.requires_grad)));
        Assert.All(before.Zip(after), pair => Assert.Equal(pair.First.Gradient, pair.Second.Gradient));
        Assert.All(after, item => Assert.NotNull(item.Gradient));
    }

    [Fact]
    public void Find_LeavesRandomNumbersAsTheyWere()
    {
        using var model = new Ending(x => functional.dropout(x, 0.5, training: true));
        using var example = rand(2, 6);
        manual_seed(4);
        using var expected = rand(5);
        manual_seed(4);

        ChannelMap.Find(model, example);

        using var actual = rand(5);
        Assert.Equal(expected.Values(), actual.Values());
    }

    /// <summary>Norms over a batch of one leave nothing of it, which must not hide what else training runs.</summary>
    [Fact]
    public void Find_OnABatchOfOne_SeesWhatOnlyTrainingRuns()
    {
        var (first, norm, second) = (Linear(6, 8), BatchNorm1d(8), Linear(8, 3));
        using var model = new Net(new { first, norm, second }, (net, x) =>
        {
            x = functional.relu(norm.call(first.call(x)));
            return net.training ? second.call(x).add(x.mean([1], keepdim: true), One) : second.call(x);
        });
        using var example = rand(1, 6);

        var map = ChannelMap.Find(model, () => model.forward(example));

        Assert.Contains("in training mode", map.Unsupported["first.weight"]);
    }

    /// <summary>From these states, two passes in a row that drop other units happened to give the same outputs.</summary>
    [Theory]
    [InlineData(48)]
    [InlineData(169)]
    [InlineData(187)]
    [InlineData(264)]
    public void Find_OfDropoutInsideAFunction_FindsTheGroupsAllTheSame(int seed)
    {
        manual_seed(seed % 10);
        var (first, second, third) = (Linear(6, 8), Linear(8, 8), Linear(8, 3));
        using var model = new Net(new { first, second, third }, (net, x) =>
        {
            x = functional.dropout(functional.relu(first.call(x)), 0.5, net.training);
            return third.call(functional.dropout(functional.relu(second.call(x)), 0.5, net.training));
        });
        using var example = rand(2, 6);
        manual_seed(seed);

        var map = ChannelMap.Find(model, example);

        Assert.Equal(["first.weight", "second.weight"], Filters.Of(map));
    }

    [Theory]
    [InlineData("AttentionByCount", 1)]
    [InlineData("AttentionByCount", 5)]
    [InlineData("AttentionByWidth", 1)]
    public void Find_OnTokensThatAreOneOrAllAlike_DoesNotCutThroughHeads(string name, int tokens)
    {
        using var model = ZooCases.Get(name).Model.Make();
        using var example = ones(1, tokens, 8);

        var map = ChannelMap.Find(model, example);

        Assert.All(map.Groups.Where(group => Filters.Of(group).Contains("v.weight")), group => Assert.Equal(2, group.Channels));
        Assert.Equal(name == "AttentionByWidth", map.Groups.Any(group => Filters.Of(group).Contains("v.weight")));
    }

    [Fact]
    public void Find_OnABatch_SeesWhatTheModelDoesWithABatchOfOne()
    {
        var (conv, fc) = (Conv2d(3, 8, 3), Linear(8, 4));
        using var model = new Net(new { conv, fc }, x =>
        {
            x = functional.relu(conv.call(x)).mean([2, 3]).squeeze();
            return fc.call(x.mul(x.softmax(0)));
        });
        using var example = rand(2, 3, 8, 8);

        var map = ChannelMap.Find(model, example);

        Assert.Empty(map.Groups);
        Assert.Contains("on a batch of one", map.Unsupported["conv.weight"]);
    }

    private static ChannelMap ZooExample()
    {
        using var model = Zoo.Get(nameof(PlainCnn)).Make();
        using var example = Zoo.Get(nameof(PlainCnn)).Batch(size: 1);
        return ChannelMap.Find(model, example);
    }
}
