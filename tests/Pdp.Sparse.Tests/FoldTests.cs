using Pdp.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Sparse.Tests;

/// <summary>What is folded into layers, and what must not be.</summary>
public sealed class FoldTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly IDisposable _noGrad = no_grad();

    public void Dispose()
    {
        _noGrad.Dispose();
        _scope.Dispose();
    }

    [Fact]
    public void Pack_WhenNormsAndActivationsFollow_FoldsThem()
    {
        using var model = Nets.Convolutions();
        var expected = model.call(Nets.Picture());

        using var packed = SparseModel.Pack(model, Nets.Picture(), Pruned.Everything);

        Assert.Equal(["1", "2"], packed.Report.Layers[0].Folded);
        Assert.Equal(["4", "5"], packed.Report.Layers[1].Folded);
        Assert.Empty(packed.Report.Layers[2].Folded);
        Assert.True(Pruned.IsClose(model.call(Nets.Picture()), expected));
    }

    [Fact]
    public void Pack_WhenFoldingIsOff_FoldsNothing()
    {
        using var model = Nets.Convolutions();

        using var packed = SparseModel.Pack(model, Nets.Picture(), Pruned.Everything with { Fold = false });

        Assert.All(packed.Report.Layers, layer => Assert.Empty(layer.Folded));
    }

    [Fact]
    public void Pack_WhenSomeoneElseReadsTheTensor_FoldsNothingAndSaysSo()
    {
        using var model = Pruned.Prune(new Residual(), 0.5);
        var (input, before) = (randn(2, 4, 6, 6), Pruned.Bits(model));
        var expected = model.call(input);

        using (var packed = SparseModel.Pack(model, input, Pruned.Everything))
        {
            Assert.Contains("'norm' can't be folded into 'conv'", Assert.Single(packed.Report.Notes), StringComparison.Ordinal);
            Assert.Equal([[], ["relu"]], packed.Report.Layers.Where(layer => layer.Shape.Count == 4).Select(layer => layer.Folded));
            Assert.True(Pruned.IsClose(model.call(input), expected));
        }

        Assert.Equal(before, Pruned.Bits(model));
    }

    [Fact]
    public void Pack_WhenSomeoneElseReadsWhatIsPositiveOnTheExample_DoesNotFoldTheActivation()
    {
        using var model = Pruned.Prune(new ReadBefore(), 0.5);
        model.linear.bias!.add_(full(8, 4f));
        var (input, large) = (randn(16, 32), randn(16, 32).mul(full(1, 30f)));
        var expected = model.call(large);

        using var packed = SparseModel.Pack(model, input, Pruned.Everything);

        Assert.Empty(Assert.Single(packed.Report.Layers).Folded);
        Assert.True(Pruned.IsClose(model.call(large), expected));
    }

    [Theory]
    [InlineData("1")]
    [InlineData("2")]
    public void Call_WhenAFoldedModuleGotAHook_SaysSo(string name)
    {
        using var model = Nets.Convolutions();
        using var packed = SparseModel.Pack(model, Nets.Picture(), Pruned.Everything);
        var folded = (Module<Tensor, Tensor>)model.named_modules().Single(pair => pair.name == name).module;
        var hook = folded.register_forward_pre_hook((_, input) => input.neg());

        var error = Assert.Throws<InvalidOperationException>(() => model.call(Nets.Picture()));
        hook.remove();

        Assert.Contains($"'{name}' is folded and got a hook", error.Message, StringComparison.Ordinal);
        model.call(Nets.Picture());
    }

    [Fact]
    public void Pack_WhenNormIsCalledTwice_DoesNotFoldIt()
    {
        var norm = BatchNorm2d(4);
        using var model = Pruned.Prune(Sequential(Conv2d(4, 4, 1), norm, norm), 0.5);
        norm.running_mean!.add_(ones(4));
        var input = randn(2, 4, 5, 5);
        var expected = model.call(input);

        using var packed = SparseModel.Pack(model, input, Pruned.Everything);

        Assert.Empty(packed.Report.Layers[0].Folded);
        Assert.True(Pruned.IsClose(model.call(input), expected));
    }

    [Theory]
    [InlineData("ReLU6")]
    [InlineData("GELU")]
    public void Pack_WhenActivationIsKnown_FoldsIt(string kind)
    {
        using var model = Pruned.Prune(Sequential(Linear(12, 8), kind == "GELU" ? GELU() : ReLU6(), Linear(8, 2)), 0.5);
        var input = randn(5, 12).mul(ones(1).add(ones(1)));
        var expected = model.call(input);

        using var packed = SparseModel.Pack(model, input, Pruned.Everything);

        Assert.Equal(["1"], packed.Report.Layers[0].Folded);
        Assert.True(Pruned.IsClose(model.call(input), expected));
    }

    [Fact]
    public void Pack_WhenLayerStaysDense_FoldsIntoItAndGivesItBack()
    {
        using var model = Nets.Convolutions();
        var (before, expected) = (Pruned.Bits(model), model.call(Nets.Picture()));
        var plan = new SparsePlan(
        [
            new() { Name = "0.weight", Shape = [8, 3, 3, 3], Form = LayerForm.ChannelsLast, Norm = "1" },
            new() { Name = "3.weight", Shape = [16, 8, 3, 3], Form = LayerForm.Folded, Norm = "4", Activation = "5" },
        ]);

        using (var packed = SparseModel.Pack(model, plan))
        {
            Assert.Equal([LayerForm.ChannelsLast, LayerForm.Folded, LayerForm.Dense], packed.Report.Layers.Select(layer => layer.Form));
            Assert.True(Pruned.IsClose(model.call(Nets.Picture()), expected));
        }

        Assert.Equal(before, Pruned.Bits(model));
    }

    [Fact]
    public void Call_WhenInputHasMoreDimensionsThanTheNormWasFoldedFor_IsRefused()
    {
        using var model = Pruned.Prune(Sequential(Linear(6, 4), BatchNorm1d(4)), 0.5);
        using var packed = SparseModel.Pack(model, randn(3, 6), Pruned.Everything);

        var fault = Assert.Throws<InvalidOperationException>(() => model.call(randn(3, 4, 6)));

        Assert.Contains("Fold = false", fault.Message, StringComparison.Ordinal);
    }

    private sealed class Residual : Module<Tensor, Tensor>
    {
        private static readonly Scalar One = 1.0;

        private readonly TorchSharp.Modules.Conv2d conv = Conv2d(4, 4, 3, padding: 1);
        private readonly TorchSharp.Modules.BatchNorm2d norm = BatchNorm2d(4);
        private readonly TorchSharp.Modules.Conv2d other = Conv2d(4, 4, 1);
        private readonly TorchSharp.Modules.ReLU relu = ReLU();

        public Residual()
            : base(nameof(Residual))
        {
            norm.running_var!.add_(ones(4));
            RegisterComponents();
        }

        // The convolution's output goes to the norm, and around it; one activation serves twice.
        public override Tensor forward(Tensor input)
        {
            using var scope = NewDisposeScope();
            var product = conv.call(input);
            var sum = relu.call(norm.call(product).add(product, One));
            return relu.call(other.call(sum)).MoveToOuterDisposeScope();
        }
    }

    /// <summary>A linear layer whose output is read before the activation as well.</summary>
    private sealed class ReadBefore : Module<Tensor, Tensor>
    {
        public readonly TorchSharp.Modules.Linear linear = Linear(32, 8);
        private readonly TorchSharp.Modules.ReLU relu = ReLU();

        public ReadBefore()
            : base(nameof(ReadBefore)) => RegisterComponents();

        public override Tensor forward(Tensor input)
        {
            using var scope = NewDisposeScope();
            var before = linear.call(input);
            return relu.call(before).add(before).MoveToOuterDisposeScope();
        }
    }
}
