using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Layers;

/// <summary>Rules for channels that belong together: a.weight and b.weight share a mask of eight channels.</summary>
public sealed class ChannelTiesTests
{
    [Theory]
    [InlineData("a")]
    [InlineData("b")]
    [InlineData("?")]
    public void ARule_ForAnyOfTheGroup_IsForTheGroup(string pattern)
    {
        using var model = new Sum();
        using var pruner = Make(model, new PerChannel(), sparsity: null, new LayerRule(pattern) { Sparsity = 0.75 });

        var layers = pruner.Plan().Layers;

        Assert.Equal([0.75, 0.75], layers.Take(2).Select(layer => layer.Sparsity));
        Assert.Equal($"'{pattern}'", layers[0].Rule);
    }

    [Fact]
    public void AStrategy_ForOneOfTheGroup_IsForTheGroup()
    {
        using var model = new Sum();
        using var pruner = Make(model, new Unstructured(), 0.5, new LayerRule("b") { Strategy = new PerChannel() });

        Assert.Equal(["channel", "channel", "unstructured"], pruner.Plan().Layers.Select(layer => layer.Strategy));
    }

    [Fact]
    public void ARule_BehindAnotherForTheGroup_NeverCounts()
    {
        using var model = new Sum();

        var fault = Assert.Throws<ArgumentException>(
            () => Make(model, new PerChannel(), 0.5, new("a") { Sparsity = 0.25 }, new("b") { Sparsity = 0.5 }));

        Assert.Contains(
            "The rule for 'b' never applies, as an earlier one does: that for 'a' for b.weight", fault.Message, StringComparison.Ordinal);
        fault = Assert.Throws<ArgumentException>(
            () => Make(model, new PerChannel(), 0.5, new("a") { Sparsity = 0.25 }, new("b") { Strategy = new Unstructured() }));
        Assert.Contains("The rule for 'b' never applies", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a")]
    [InlineData("b")]
    public void ARule_BeforeACatchAll_IsForTheGroup(string name)
    {
        using var model = new Sum();
        using var pruner = Make(
            model, new Unstructured(), 0.3, new(name) { Strategy = new PerChannel(), Sparsity = 0.25 }, new("*") { MaximumSparsity = 0.9 });

        var layers = pruner.Plan().Layers;

        Assert.Equal([$"'{name}'", "with a.weight", "'*'"], layers.Select(layer => layer.Rule));
        Assert.Equal(["channel", "channel", "unstructured"], layers.Select(layer => layer.Strategy));
    }

    [Fact]
    public void Rules_WhereNoMaskIsShared_AreForTheirOwnWeights()
    {
        using var model = new Sum();
        using var pruner = Make(
            model,
            new PerChannel(),
            0.5,
            new("a") { Strategy = new Unstructured(), MaximumSparsity = 0.9 },
            new("b") { Strategy = new Unstructured(), MaximumSparsity = 0.8 });

        Assert.Equal(["'a'", "'b'", null], pruner.Plan().Layers.Select(layer => layer.Rule));
    }

    [Fact]
    public void Rules_WithEqualValues_AreOne()
    {
        using var model = new Sum();
        using var pruner = Make(model, new Unstructured(), 0.5, new("a")
        {
            Strategy = new PerChannel { RoundTo = 2 },
        }, new("b") { Strategy = new PerChannel { RoundTo = 2 } });

        Assert.Equal([null, null], pruner.Plan().Layers.Take(2).Select(layer => layer.DenseReason));
    }

    [Fact]
    public void ARule_ForAGroupThatStaysDense_TellsWhy()
    {
        using var model = new Sum();

        var fault = Assert.Throws<ArgumentException>(
            () => Make(model, new PerChannel(), 0.5, new("b") { Strategy = new Unstructured() }, new("a") { Sparsity = 0.25 }));

        Assert.Contains(
            "The rule for 'a' matches only weights that stay dense: a.weight: tied to b.weight, which has another strategy",
            fault.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Companions_OnTheSameMemory_AreNamed()
    {
        using var model = new Sum();
        model.ShareBiases();

        var fault = Assert.Throws<ArgumentException>(() => Make(model, new PerChannel(), 0.5));

        Assert.Contains("'a.bias' and 'b.bias' are two parameters on the same memory", fault.Message, StringComparison.Ordinal);
    }

    private static PdpPruner Make(Sum model, IMaskStrategy strategy, double? sparsity, params LayerRule[] rules)
    {
        using var input = ones(2, 3);
        return new(model, new()
        {
            Sparsity = sparsity,
            Epochs = 1,
            Strategy = strategy,
            Channels = ChannelMap.Find(model, input),
            Schedule = new ConstantSparsity(),
            Allocation = new UniformSparsity(),
            Rules = rules,
        });
    }

    /// <summary>Two linear layers that are added up, and a reader.</summary>
    private sealed class Sum : Module<Tensor, Tensor>
    {
        private readonly Linear a = Linear(3, 8);
        private readonly Linear b = Linear(3, 8);
        private readonly Linear last = Linear(8, 2);

        public Sum()
            : base(nameof(Sum)) => RegisterComponents();

        /// <summary>Gives both makers biases of their own on one memory.</summary>
        public void ShareBiases() => b.bias = new Parameter(a.bias!.detach());

        public override Tensor forward(Tensor input)
        {
            using var scope = NewDisposeScope();
            return last.call(functional.relu(a.call(input) + b.call(input))).MoveToOuterDisposeScope();
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                a.Dispose();
                b.Dispose();
                last.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
