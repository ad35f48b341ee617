using Pdp.Tests.Support;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Channels;

/// <summary>What is found of models with several outputs, shared parameters and parts that never run.</summary>
public sealed class FindTests
{
    public FindTests() => manual_seed(3);

    [Fact]
    public void Find_OfSeveralOutputs_ComparesEachInItsOwnScale()
    {
        using var model = new TwoOutputs();
        using var example = rand(2, 6);

        var map = ChannelMap.Find(model, () =>
        {
            var (boxes, scores) = model.call(example);
            return [boxes, scores];
        });

        Assert.Equal(["first.weight"], Filters.Of(map));
        Assert.Contains("output changes", map.Unsupported["second.weight"]);
    }

    [Fact]
    public void Find_OfAnOutputWithoutABatch_ComparesEachElementInItsOwnScale()
    {
        var (first, head) = (Linear(6, 8), Linear(8, 3));
        using Scalar million = 1e6, hundredth = 0.01;
        using var model = new Net(new { first, head }, x =>
        {
            x = functional.relu(first.call(x));
            return cat([head.call(x).flatten().mul(million), x.mean().reshape(1).mul(hundredth)]);
        });
        using var example = rand(2, 6);

        var map = ChannelMap.Find(model, example);

        Assert.Empty(map.Groups);
    }

    [Fact]
    public void Find_OfHeadsWhoseNumberIsFixed_SaysSo()
    {
        using var model = ZooCases.Get("AttentionByCount").Model.Make();
        using var example = rand(2, 5, 8);

        Assert.Contains("2 heads of attention, which can't be removed as a whole", ChannelMap.Find(model, example).Unsupported["v.weight"]);
    }

    [Fact]
    public void Find_OfALayerThatNoPassRuns_NamesItAndRefusesWhatItMayRead()
    {
        var (first, second, third, never) = (Linear(6, 8), Linear(8, 7), Linear(7, 3), Linear(8, 7));
        var isSwitched = false;
        using var model = new Net(new { first, second, third, never }, x =>
        {
            x = functional.relu(first.call(x));
            return third.call(functional.relu(isSwitched ? never.call(x) : second.call(x)));
        });
        using var example = rand(2, 6);

        var map = ChannelMap.Find(model, example);

        Assert.Empty(map.Groups);
        Assert.StartsWith("never ran", map.Unsupported["never.weight"]);
        Assert.StartsWith("never.weight never ran", map.Unsupported["first.weight"]);
        Assert.StartsWith("never.weight never ran", map.Unsupported["second.weight"]);
    }

    /// <summary>Boxes in pixels, and scores that hang on the greatest of the second layer's channels.</summary>
    private sealed class TwoOutputs : Module<Tensor, (Tensor, Tensor)>
    {
        private static readonly Scalar Pixels = 1e6;
        private readonly Linear first = Linear(6, 8);
        private readonly Linear second = Linear(8, 8);
        private readonly Linear boxes = Linear(8, 4);

        public TwoOutputs()
            : base(nameof(TwoOutputs)) => RegisterComponents();

        public override (Tensor, Tensor) forward(Tensor input)
        {
            using var scope = NewDisposeScope();
            var x = second.call(functional.relu(first.call(input)));
            return (boxes.call(x).mul(Pixels).MoveToOuterDisposeScope(), x.amax([1]).MoveToOuterDisposeScope());
        }
    }

    /// <summary>A gated recurrent unit of convolutions, whose gates multiply channel by channel as heads of one channel would.</summary>
    [Fact]
    public void Find_OfGatesChannelByChannel_DoesNotSpeakOfHeads()
    {
        using Scalar one = 1;
        var (enter, update, reset, next, fc) = (Conv2d(3, 8, 1), Conv2d(16, 8, 1), Conv2d(16, 8, 1), Conv2d(16, 8, 1), Linear(8, 4));
        using var model = new Net(new { enter, update, reset, next, fc }, x =>
        {
            var seen = enter.call(x).relu();
            var state = zeros_like(seen);
            for (var time = 0; time < 3; time++)
            {
                var both = cat([state, seen], 1);
                var share = update.call(both).sigmoid();
                var proposed = next.call(cat([reset.call(both).sigmoid().mul(state), seen], 1)).tanh();
                state = state.mul(share.neg().add(one)).add(proposed.mul(share));
            }

            return fc.call(state.mean([2, 3]));
        });
        using var example = rand(2, 3, 6, 6);

        var map = ChannelMap.Find(model, example);

        Assert.NotEmpty(map.Unsupported);
        Assert.DoesNotContain(map.Unsupported.Values, reason => reason.Contains("heads", StringComparison.Ordinal));
    }
}
