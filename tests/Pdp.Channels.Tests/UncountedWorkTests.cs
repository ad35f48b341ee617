using Pdp.Tests.Support;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Channels;

/// <summary>The total of multiply-accumulates is honest: what is not in it is listed.</summary>
public sealed class UncountedWorkTests
{
    /// <summary>Networks that multiply outside of layers, and the names that must be in the words.</summary>
    public static TheoryData<string, string> Uncounted => new()
    {
        { "AttentionByCount", "'proj'" },
        { "AttentionByWidth", "'proj'" },
        { "AttentionOfOneHead", "'proj'" },
        { "Detector", "'proj'" },
        { "Vit1", "'proj'" },
        { "Vit4", "'proj'" },
        { "Bert2", "'proj'" },
        { "FusedAttention", "'proj'" },
        { "GroupedQuery2Of4", "'proj'" },
        { "GroupedQuery4Of4", "'proj'" },
        { "GroupedQuery3Of8", "'proj'" },
        { "Correlations", "'conv2'" },
        { "TalkingHeads", "'proj'" },
        { "NonLocal", "'back'" },
        { "ResponseNorm", "'conv2'" },
        { "ChannelSoftmaxNet", "'conv2'" },
        { "LstmBehindCnn", "'lstm.weight_ih_l0'" },
        { "BilinearNet", "'both.weight'" },
        { "WeightStandardized", "'weight.value'" },
        { "CosineClassifier", "'classes.value'" },
        { "ValueHead", "'policy.value'" },
        { "FusedHeads", "'proj'" },
        { "FusedHeadsByCount", "'proj'" },
        { "FusedKeysAndValues", "'proj'" },
        { "WeightNormalizedReader", "'direction.value'" },
    };

    /// <summary>Networks like those, and some in which all positions meet without a product.</summary>
    private static readonly string[] Mixing =
        [
            "Vit2", "Bert1", "Bert4", "GramMatrix", "OwnGreatest", "OwnStatistics", "OwnSoftmax", "AsymmetricQuantization",
            "NormOfGroupsByCount",
        ];

    /// <summary>Networks of which all that multiplies is counted.</summary>
    public static TheoryData<string> Counted =>
    [
        .. ZooCases.All.Except(MixingNets.Cases).Select(zoo => zoo.Name).Except(Uncounted.Select(row => (string)row[0])).Except(Mixing),
    ];

    [Theory]
    [MemberData(nameof(Uncounted))]
    public void Of_AModelThatMultipliesOutsideOfLayers_ListsWhere(string name, string words)
    {
        var count = CountOf(name);

        Assert.Contains(count.Uncounted, text => text.Contains(words, StringComparison.Ordinal));
        Assert.Contains("not counted: ", count.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Of_AttentionBetweenConvolutionsWithChannelsLast_ListsIt()
    {
        var zoo = ZooCases.Get("NonLocal");
        using var model = zoo.Model.Make();
        using var example = zoo.Input(0, ScalarType.Float32, batch: 1);
        using var last = example.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2);

        Assert.Contains(MacCount.Of(model, last).Uncounted, text => text.Contains("'back'", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Counted))]
    public void Of_AModelOfLayersAlone_ListsNothing(string name) => Assert.Empty(CountOf(name).Uncounted);

    [Fact]
    public void Of_AnAttentionModule_CountsItsLayersAndBothProducts()
    {
        using var model = new Attending();
        using var example = ones(1, 5, 8);

        var count = MacCount.Of(model, example);

        // Four layers of 8 × 8 on 5 tokens, and q·kᵀ and p·v of 5 × 5 × 8.
        Assert.Equal((4 * 64 * 5) + (2 * 5 * 5 * 8) + (8 * 3 * 5), count.Total);
        Assert.Empty(count.Uncounted);
    }

    [Fact]
    public void Of_AnAttentionModuleOnOtherKeys_CountsTheirTokens()
    {
        using var attention = new Crossing();
        using var example = ones(1, 5, 8);

        Assert.Equal((2 * 64 * 2) + (2 * 64 * 5) + (2 * 2 * 5 * 8) + (8 * 3 * 2), MacCount.Of(attention, example).Total);
    }

    [Fact]
    public void Of_AHeadThatMultipliesByTheEmbedding_ListsIt()
    {
        var (tokens, fc) = (Embedding(50, 8), Linear(8, 8));
        using var model = new Net(new { tokens, fc }, x => fc.call(tokens.call(x)).matmul(tokens.weight!.t()));
        using var example = randint(0, 50, [1, 7]);

        Assert.Contains("'tokens.weight'", Assert.Single(MacCount.Of(model, example).Uncounted), StringComparison.Ordinal);
        Assert.True(tokens.weight!.requires_grad);
        using var again = model.call(example);
        Assert.True(again.requires_grad);
    }

    [Fact]
    public void Of_EmbeddingsThatShareAWeight_ListsNothing()
    {
        var (source, target, fc) = (Embedding(50, 8), Embedding(50, 8), Linear(8, 4));
        target.weight = source.weight!;
        using var model = new Net(new { source, target, fc }, x => fc.call(cat([source.call(x), target.call(x)], 1)));
        using var example = randint(0, 50, [1, 7]);

        Assert.Empty(MacCount.Of(model, example).Uncounted);
    }

    [Fact]
    public void Of_ALinearHeadThatIsTiedToTheEmbedding_CountsIt()
    {
        var (tokens, head) = (Embedding(50, 8), Linear(8, 50, false));
        head.weight = tokens.weight!;
        using var model = new Net(new { tokens, head }, x => head.call(tokens.call(x)));
        using var example = randint(0, 50, [1, 7]);

        var count = MacCount.Of(model, example);

        Assert.Equal(7 * 8 * 50, count.Total);
        Assert.Empty(count.Uncounted);
    }

    [Fact]
    public void After_ACut_KeepsWhatIsNotCounted()
    {
        var zoo = ZooCases.Get("LstmBehindCnn");
        using var model = zoo.Model.Make();
        using var example = zoo.Input(0, ScalarType.Float32, batch: 1);
        var (map, count) = (ChannelMap.Find(model, example), MacCount.Of(model, example));

        Assert.Equal(count.Uncounted, count.After(map.Groups.Select(group => new ChannelCut(group, 1))).Uncounted);
    }

    private static MacCount CountOf(string name)
    {
        var zoo = ZooCases.Get(name);
        using var model = zoo.Model.Make();
        using var example = zoo.Input(0, ScalarType.Float32, batch: 1);
        return MacCount.Of(model, example);
    }

    /// <summary>Tokens that attend to one another.</summary>
    private sealed class Attending : Module<Tensor, Tensor>
    {
        private readonly MultiheadAttention attention = MultiheadAttention(8, 2);
        private readonly Linear fc = Linear(8, 3);

        public Attending()
            : base(nameof(Attending)) => RegisterComponents();

        public override Tensor forward(Tensor input)
        {
            using var scope = NewDisposeScope();
            var x = input.transpose(0, 1);
            return fc.call(attention.call(x, x, x, null, false, null).Item1).MoveToOuterDisposeScope();
        }
    }

    /// <summary>The first two tokens attend to all.</summary>
    private sealed class Crossing : Module<Tensor, Tensor>
    {
        private readonly MultiheadAttention attention = MultiheadAttention(8, 2);
        private readonly Linear fc = Linear(8, 3);

        public Crossing()
            : base(nameof(Crossing)) => RegisterComponents();

        public override Tensor forward(Tensor input)
        {
            using var scope = NewDisposeScope();
            var x = input.transpose(0, 1);
            return fc.call(attention.call(x.narrow(0, 0, 2), x, x, null, false, null).Item1).MoveToOuterDisposeScope();
        }
    }
}
