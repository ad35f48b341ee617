using Pdp.Tests.Support;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Channels;

/// <summary>Under what circumstances channels are found, and what finding them leaves as it was.</summary>
public sealed class FindTests
{
    private static readonly Scalar One = 1.0;
    private static readonly string[] Filters = ["conv1.weight", "conv2.weight", "linear1.weight"];

    [Fact]
    public void Find_UnderNoGrad_FindsTheSame()
    {
        using var _ = no_grad();

        Assert.Equal(Filters, FiltersOf(ZooExample()));
    }

    [Fact]
    public void Find_UnderInferenceMode_FindsTheSame()
    {
        using var model = Zoo.Get(nameof(PlainCnn)).Make();
        using var _ = inference_mode(true);
        using var example = Zoo.Get(nameof(PlainCnn)).Batch(size: 1);

        Assert.Equal(Filters, FiltersOf(ChannelMap.Find(model, example)));
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

        Assert.Equal(Filters, FiltersOf(ChannelMap.Find(model, example)));
    }

    [Fact]
    public void Find_OfWholeNumbers_SaysThatTheyHaveNoGradient()
    {
        using var model = new Ending(x => x.argmax(1));
        using var example = ones(1, 6);

        Assert.Contains("has no gradient", Assert.Throws<ArgumentException>(() => ChannelMap.Find(model, example)).Message);
    }

    [Fact]
    public void Find_OfADetachedOutput_SaysThatItHasNoGradient()
    {
        using var model = new Ending(x => x.detach());
        using var example = ones(1, 6);

        Assert.Contains("has no gradient", Assert.Throws<ArgumentException>(() => ChannelMap.Find(model, example)).Message);
    }

    [Fact]
    public void Find_OfAModelThatIsNotCalledByCall_UsesTheInputItself()
    {
        using var model = Zoo.Get(nameof(PlainCnn)).Make();
        using var example = rand(2, 3, 16, 16);

        Assert.Equal(Filters, FiltersOf(ChannelMap.Find(model, () => model.forward(example))));
    }

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

        Assert.Equal(["first.weight"], FiltersOf(map));
        Assert.Contains("output changes", map.Unsupported["second.weight"]);
    }

    [Fact]
    public void Find_OfLayersThatShareABias_TiesThem()
    {
        using var model = new SharedBias();
        using var example = rand(2, 6);

        var map = ChannelMap.Find(model, example);

        Assert.Equal(["a.weight", "b.weight"], FiltersOf(map));
    }

    [Fact]
    public void Find_OfTiedWeights_LeavesGradientsAndWhatLearnsAsTheyWere()
    {
        using var model = new Tied();
        using (var scope = NewDisposeScope())
            model.call(tensor(new long[] { 1, 2, 3, 4 }).reshape(2, 2)).sum().backward();
        var before = model.named_parameters().Select(pair => (pair.name, pair.parameter.requires_grad, Gradient: pair.parameter.grad?.Values())).ToArray();
        using var example = tensor(new long[] { 1, 2, 3, 4 }).reshape(2, 2);

        ChannelMap.Find(model, example);

        var after = model.named_parameters().Select(pair => (pair.name, pair.parameter.requires_grad, Gradient: pair.parameter.grad?.Values())).ToArray();
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

        Assert.Equal(["first.weight", "second.weight"], FiltersOf(map));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Find_OfAProductWithAMatrixThatNobodyKnowsOf_RefusesAndGoesOn(bool isSymmetric)
    {
        var matrix = isSymmetric ? ones(8, 2) : rand(8, 2);
        using var model = new Net(new { first = Linear(6, 8), second = Linear(8, 3), third = Linear(5, 5) }, (net, x) =>
        {
            Tensor Layer(string name, Tensor input) => ((Linear)net.named_children().Single(pair => pair.name == name).module).call(input);
            x = functional.relu(Layer("first", x));
            return Layer("third", cat([x.matmul(matrix), Layer("second", x)], 1));
        });
        using var example = rand(2, 6);

        var map = ChannelMap.Find(model, example);

        Assert.Contains("does not run without some of its channels", map.Unsupported["first.weight"]);
        matrix.Dispose();
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

        Assert.All(map.Groups.Where(group => FiltersOf(group).Contains("v.weight")), group => Assert.Equal(2, group.Channels));
        Assert.Equal(name == "AttentionByWidth", map.Groups.Any(group => FiltersOf(group).Contains("v.weight")));
    }

    [Fact]
    public void Find_OfHeadsWhoseNumberIsFixed_SaysSo()
    {
        using var model = ZooCases.Get("AttentionByCount").Model.Make();
        using var example = rand(2, 5, 8);

        Assert.Contains("2 heads of attention, which can't be removed as a whole", ChannelMap.Find(model, example).Unsupported["v.weight"]);
    }

    /// <summary>A cancelled pass shows nothing of the channels, so it must not pass for one that sizes make fail.</summary>
    [Theory]
    [InlineData(typeof(OperationCanceledException))]
    [InlineData(typeof(IOException))]
    [InlineData(typeof(UnauthorizedAccessException))]
    public void Find_OfAForwardThatGivesUpMidway_ThrowsItAndRestoresTheModel(Type fault)
    {
        using var model = new Ending(x => x);
        using var example = rand(2, 6);
        var calls = 0;
        Assert.NotEmpty(ChannelMap.Find(model, () => Call(int.MaxValue)).Groups);
        var before = Everything.Of(model);
        foreach (var last in new[] { 1, 2, calls / 2, calls - 4, calls - 1 })
        {
            calls = 0;
            Assert.Throws(fault, () => ChannelMap.Find(model, () => Call(last)));
            Assert.Equal(before, Everything.Of(model));
        }

        Tensor Call(int last) => calls++ < last ? model.call(example) : throw (Exception)Activator.CreateInstance(fault)!;
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

    /// <summary>Silent channels are 0 there, which is less than the example's, and more than other inputs'.</summary>
    [Fact]
    public void Shrink_ByADeclaredGroupThatIsRightOnTheExampleOnly_Throws()
    {
        var (first, head) = (Linear(6, 8), Linear(8, 3));
        using var model = new Net(new { first, head }, x =>
        {
            x = first.call(x);
            return head.call(x.mul(x.amax([1], keepdim: true).sigmoid()));
        });
        using (no_grad())
        {
            first.weight.abs_();
            first.bias!.zero_();
        }

        using var example = ones(2, 6);
        ChannelSlice[] slices = [new("first.weight", 0, 0, 1, ChannelRole.Filter), new("first.bias", 0, 0, 1, ChannelRole.Bias), new("head.weight", 1, 0, 1, ChannelRole.Input)];
        var map = ChannelMap.Find(model, example).With(new ChannelGroup("first.weight", 8, slices));
        using var pruner = new PdpPruner(model, ZooCut.Options(map));
        pruner.BeginEpoch(0);
        pruner.Commit();
        using var before = model.call(example);

        var fault = Assert.Throws<InvalidOperationException>(() => pruner.Shrink(example));

        Assert.Contains("can't be shrunk", fault.Message);
        Assert.DoesNotContain("on the example", fault.Message);
        using var after = model.call(example);
        Assert.Equal(before.Values(), after.Values());
    }

    [Fact]
    public void Shrink_OfAModelThatAddsNoise_ComparesUnderTheSameNoise()
    {
        using var model = new Ending(x => x.add(randn_like(x), One));
        using var example = rand(2, 6);
        var map = ChannelMap.Find(model, example);
        using var pruner = new PdpPruner(model, ZooCut.Options(map));
        pruner.BeginEpoch(0);
        pruner.Commit();

        var report = pruner.Shrink(example);

        Assert.InRange(report.Difference, 0, 1e-5 * report.Scale);
        Assert.True(report.ParametersAfter < report.ParametersBefore);
    }

    private static ChannelMap ZooExample()
    {
        using var model = Zoo.Get(nameof(PlainCnn)).Make();
        using var example = Zoo.Get(nameof(PlainCnn)).Batch(size: 1);
        return ChannelMap.Find(model, example);
    }

    private static IEnumerable<string> FiltersOf(ChannelMap map) => map.Groups.SelectMany(FiltersOf);

    private static IEnumerable<string> FiltersOf(ChannelGroup group) => group.Of(ChannelRole.Filter).Select(slice => slice.Name);

    private sealed class Ending : Module<Tensor, Tensor>
    {
        private readonly Func<Tensor, Tensor> _end;
        private readonly Linear first = Linear(6, 8);
        private readonly Linear second = Linear(8, 3);

        public Ending(Func<Tensor, Tensor> end)
            : base(nameof(Ending))
        {
            _end = end;
            RegisterComponents();
        }

        public override Tensor forward(Tensor input)
        {
            using var scope = NewDisposeScope();
            return _end(second.call(functional.relu(first.call(input)))).MoveToOuterDisposeScope();
        }
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

    private sealed class SharedBias : Module<Tensor, Tensor>
    {
        private static readonly Scalar One = 1.0;
        private readonly Linear a = Linear(6, 8);
        private readonly Linear b = Linear(6, 8);
        private readonly Linear head = Linear(8, 3);

        public SharedBias()
            : base(nameof(SharedBias))
        {
            b.bias = a.bias;
            RegisterComponents();
        }

        public override Tensor forward(Tensor input)
        {
            using var scope = NewDisposeScope();
            return head.call(functional.relu(a.call(input)).add(functional.relu(b.call(input)), One)).MoveToOuterDisposeScope();
        }
    }

    private sealed class Tied : Module<Tensor, Tensor>
    {
        private readonly Embedding embedding = Embedding(7, 6);
        private readonly Linear inner = Linear(6, 6);
        private readonly Linear head = Linear(6, 7, hasBias: false);

        public Tied()
            : base(nameof(Tied))
        {
            head.weight = embedding.weight!;
            RegisterComponents();
        }

        public override Tensor forward(Tensor input)
        {
            using var scope = NewDisposeScope();
            return head.call(functional.relu(inner.call(embedding.call(input)))).MoveToOuterDisposeScope();
        }
    }
}
