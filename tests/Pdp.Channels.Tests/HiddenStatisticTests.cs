using Pdp.Tests.Support;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Channels;

/// <summary>Numbers over all channels that no output shows at once.</summary>
public sealed class HiddenStatisticTests
{
    private static readonly Scalar One = 1.0;
    private static readonly Scalar Threshold = 50.0;

    public HiddenStatisticTests() => manual_seed(3);

    /// <summary>What training leaves in a buffer, evaluation may use.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Find_OfAMeanOverChannelsThatIsKeptForLater_RefusesThemAndRestoresIt(bool isPersistent)
    {
        using var model = new Keeping(isPersistent);
        using var example = rand(2, 6);

        var map = ChannelMap.Find(model, example);

        Assert.Equal(1, model.Level);
        Assert.Empty(map.Groups);
        Assert.Contains("in training mode", map.Unsupported["first.weight"]);
    }

    /// <summary>Nothing writes to its numbers, so it needs no copy.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Find_OfAModelWithAnExpandedOrSparseBufferThatFilesDoNotHold_FindsItsChannels(bool isSparse)
    {
        using var row = ones(1);
        using var body = new Net(new { first = Linear(6, 8), second = Linear(8, 3) }, (net, x) =>
        {
            var layers = net.named_children().ToDictionary(pair => pair.name, pair => (Linear)pair.module);
            return layers["second"].call(functional.relu(layers["first"].call(x)));
        });
        body.register_buffer("mask", isSparse ? row.to_sparse() : row.expand(4), persistent: false);
        using var example = rand(2, 6);

        Assert.Single(ChannelMap.Find(body, example).Groups);
    }

    [Fact]
    public void Shrink_ByADeclaredGroupThatIsWrongBeyondAThreshold_Throws()
    {
        var (first, head) = (Linear(6, 8), Linear(8, 3));
        using var model = new Net(new { first, head }, x =>
        {
            x = functional.relu(first.call(x));
            return head.call(x).mul(x.mean().gt(Threshold).to_type(x.dtype).add(One, One));
        });
        using var example = rand(2, 6);
        ChannelSlice[] slices =
        [
            new("first.weight", 0, 0, 1, ChannelRole.Filter),
            new("first.bias", 0, 0, 1, ChannelRole.Bias),
            new("head.weight", 1, 0, 1, ChannelRole.Input),
        ];
        var map = ChannelMap.Find(model, example);
        Assert.Empty(map.Groups);
        using var pruner = new PdpPruner(model, ZooCut.Options(map.With(new ChannelGroup("first.weight", 8, slices))));
        pruner.BeginEpoch(0);
        pruner.Commit();

        Assert.Contains("can't be shrunk", Assert.Throws<InvalidOperationException>(() => pruner.Shrink(example)).Message);
    }

    /// <summary>A network that averages its channels in training, for evaluation to divide by.</summary>
    private sealed class Keeping : Module<Tensor, Tensor>
    {
        private readonly Linear first = Linear(6, 8);
        private readonly Linear second = Linear(8, 3);
        private readonly Tensor level = ones(1);

        public Keeping(bool isPersistent)
            : base(nameof(Keeping))
        {
            register_buffer("level", level, isPersistent);
            RegisterComponents();
        }

        public float Level => level.item<float>();

        public override Tensor forward(Tensor input)
        {
            using var scope = NewDisposeScope();
            var x = functional.relu(first.call(input));
            if (training)
                level.copy_(x.detach().mean().reshape(1));
            return (training ? second.call(x) : second.call(x).div(level)).MoveToOuterDisposeScope();
        }
    }
}
