using Pdp.Tests.Support;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Sparse.Tests;

/// <summary>Models that can't be packed as they are, and models that change.</summary>
public sealed class PackBadInputTests
{
    [Fact]
    public void Pack_WhenModelIsInTrainingMode_SaysToCallEval()
    {
        using var scope = NewDisposeScope();
        using var model = Nets.Convolutions();
        model.train();

        var fault = Assert.Throws<InvalidOperationException>(() => SparseModel.Pack(model, Nets.Picture()));

        Assert.Contains("model.eval()", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Pack_WhenModelHasNoZeros_LeavesItAndSaysSo()
    {
        using var scope = NewDisposeScope();
        using var model = Sequential(Linear(6, 5), ReLU(), Linear(5, 3));
        model.eval();
        var weights = model.parameters().ToArray();

        using var packed = SparseModel.Pack(model, ones(2, 6));

        Assert.Contains("has zeros", Assert.Single(packed.Report.Notes), StringComparison.Ordinal);
        Assert.Equal(2, packed.Report.Layers.Count);
        Assert.All(packed.Report.Layers, layer => Assert.Equal((LayerForm.Dense, "no zeros"), (layer.Form, layer.Reason)));
        Assert.All(weights.Zip(model.parameters()), pair => Assert.Same(pair.First, pair.Second));
        Assert.All(weights, weight => Assert.True(weight.requires_grad));
    }

    [Fact]
    public void Pack_WhenModelHasNoMatrices_LeavesItAndSaysSo()
    {
        using var scope = NewDisposeScope();
        using var model = Sequential(BatchNorm1d(6), ReLU());
        model.eval();

        using var packed = SparseModel.Pack(model, ones(2, 6));

        Assert.Contains("has zeros", Assert.Single(packed.Report.Notes), StringComparison.Ordinal);
        Assert.Empty(packed.Report.Layers);
    }

    [Theory]
    [InlineData(0.5f, "on none of them: a number is above 0.5")]
    [InlineData(5f, "on fewer of them: a number is above 5")]
    public void Pack_WhenModelRefusesRandomNumbers_PacksByTheExampleAndSaysSo(float most, string expected)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var model = Pruned.Prune(new Bounded(most), 0.8);
        var example = full([4, 40], 0.5f);
        var dense = model.call(example);

        using var packed = SparseModel.Pack(model, example, Pruned.Everything);

        Assert.Contains(packed.Report.Notes, note => note.EndsWith(expected, StringComparison.Ordinal));
        Assert.Equal(LayerForm.Packed, packed.Report.Layers.Single().Form);
        Assert.True(Pruned.IsClose(model.call(example), dense));
    }

    /// <summary>A model may throw anything on numbers that are none of its inputs.</summary>
    [Fact]
    public void Pack_WhenModelsCodeFailsOnRandomNumbers_PacksByTheExampleAndSaysSo()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var model = Pruned.Prune(new Indexing(), 0.8);
        var example = zeros([4, 40]);

        using var packed = SparseModel.Pack(model, example, Pruned.Everything);

        Assert.StartsWith("The model refuses random numbers", Assert.Single(packed.Report.Notes), StringComparison.Ordinal);
        Assert.Equal(LayerForm.Packed, packed.Report.Layers.Single().Form);
    }

    [Fact]
    public void Pack_WhenWeightsHoldNaN_GivesNaNWhereTheDenseLayerDoes()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var layer = Pruned.Prune(Linear(40, 8), 0.8);
        layer.weight[2, 7] = float.NaN;
        var before = Pruned.Bits(layer);
        var (input, expected) = (ones(3, 40), layer.call(ones(3, 40)));

        using (var packed = SparseModel.Pack(layer, input, Pruned.Everything))
        {
            Assert.Equal(LayerForm.Packed, packed.Report.Layers.Single().Form);
            Assert.Equal(expected.isnan().data<bool>().ToArray(), layer.call(input).isnan().data<bool>().ToArray());
        }

        Assert.Equal(before, Pruned.Bits(layer));
    }

    [Fact]
    public void Pack_WhenExampleHasTheWrongShape_LeavesTheModelAsItWas()
    {
        using var scope = NewDisposeScope();
        using var model = Nets.Convolutions();
        var before = Pruned.Bits(model);

        Assert.Throws<ArgumentException>(() => SparseModel.Pack(model, ones(1, 7, 9, 9), Pruned.Everything));

        Assert.Equal(before, Pruned.Bits(model));
        using var packed = SparseModel.Pack(model, Nets.Picture(), Pruned.Everything);
        Assert.Contains(packed.Report.Layers, layer => layer.Form == LayerForm.Packed);
    }

    [Fact]
    public void Pack_WhenModelFailsHalfway_LeavesTheModelAsItWas()
    {
        using var scope = NewDisposeScope();
        using var model = Nets.Convolutions();
        var (before, calls) = (Pruned.Bits(model), 0);
        var picture = Nets.Picture();

        for (var last = 1; last < 12; last++)
        {
            calls = 0;
            Assert.Throws<OperationCanceledException>(() => SparseModel.Pack(
                model, () => ++calls == last ? throw new OperationCanceledException() : model.call(picture), Pruned.Everything));
        }

        Assert.Equal(before, Pruned.Bits(model));
        Assert.True(model.call(picture).requires_grad);
    }

    [Fact]
    public void PackAndLoad_OfNull_NameIt()
    {
        using var scope = NewDisposeScope();
        using var model = Nets.Convolutions();
        var (picture, plan) = (Nets.Picture(), new SparsePlan([]));

        Assert.Throws<ArgumentNullException>("model", () => SparseModel.Pack(null!, picture));
        Assert.Throws<ArgumentNullException>("example", () => SparseModel.Pack(model, (Tensor)null!));
        Assert.Throws<ArgumentNullException>("options", () => SparseModel.Pack(model, picture, null!));
        Assert.Throws<ArgumentNullException>("model", () => SparseModel.Pack(null!, () => picture));
        Assert.Throws<ArgumentNullException>("forward", () => SparseModel.Pack(model, (Func<Tensor>)null!));
        Assert.Throws<ArgumentNullException>("model", () => SparseModel.Pack(null!, plan));
        Assert.Throws<ArgumentNullException>("plan", () => SparseModel.Pack(model, (SparsePlan)null!));
        Assert.Throws<ArgumentNullException>("model", () => SparseModel.Load(null!, "file", plan));
        Assert.Throws<ArgumentNullException>("path", () => SparseModel.Load(model, null!, plan));
        Assert.Throws<ArgumentNullException>("plan", () => SparseModel.Load(model, "file", null!));
    }

    [Fact]
    public void Pack_WhenMatchFitsNothing_ListsTheCandidates()
    {
        using var scope = NewDisposeScope();
        using var model = Nets.Convolutions();

        var fault = Assert.Throws<ArgumentException>(() => SparseModel.Pack(model, Nets.Picture(), new() { Exclude = ["conv9"] }));

        Assert.Contains("No weight matches 'conv9'. The candidates are 0.weight, 3.weight", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Pack_WhenIncludedWeightCannotBePacked_SaysWhy()
    {
        using var scope = NewDisposeScope();
        using var model = Pruned.Prune(Conv2d(8, 8, 3, groups: 8), 0.5);

        var fault = Assert.Throws<ArgumentException>(() => SparseModel.Pack(model, ones(1, 8, 5, 5), Pruned.Everything));

        Assert.Contains("8 groups", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Pack_WhenModelIsRandom_LeavesItAndSaysSo()
    {
        using var scope = NewDisposeScope();
        using var model = Pruned.Prune(Linear(8, 4), 0.5);

        using var packed = SparseModel.Pack(model, () => model.call(randn(2, 8)), Pruned.Everything);

        Assert.Contains("varies from call to call", Assert.Single(packed.Report.Notes), StringComparison.Ordinal);
        Assert.Equal(LayerForm.Dense, packed.Report.Layers.Single().Form);
    }

    /// <summary>A layer that takes numbers up to a bound.</summary>
    /// <summary>Looks up its largest input in a table of one row.</summary>
    private sealed class Indexing : Module<Tensor, Tensor>
    {
        private static readonly float[] Table = [1];
        private readonly TorchSharp.Modules.Linear fc = Linear(40, 8);

        public Indexing()
            : base(nameof(Indexing))
        {
            RegisterComponents();
        }

        public override Tensor forward(Tensor input) =>
            fc.call(input).mul(tensor(Table[(int)Math.Ceiling(input.abs().max().item<float>())]));
    }

    private sealed class Bounded : Module<Tensor, Tensor>
    {
        private readonly TorchSharp.Modules.Linear _layer = Linear(40, 8);
        private readonly float _most;

        public Bounded(float most)
            : base(nameof(Bounded))
        {
            _most = most;
            RegisterComponents();
        }

        public override Tensor forward(Tensor input) => input.max().item<float>() > _most
            ? throw new InvalidOperationException(FormattableString.Invariant($"a number is above {_most}"))
            : _layer.call(input);
    }
}
