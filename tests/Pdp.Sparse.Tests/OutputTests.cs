using Pdp.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Sparse.Tests;

/// <summary>Models that return what they compute in between beside their output.</summary>
public sealed class OutputTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly IDisposable _noGrad = no_grad();

    public void Dispose()
    {
        _noGrad.Dispose();
        _scope.Dispose();
    }

    [Fact]
    public void Pack_WhenATupleHoldsWhatTheActivationGets_DoesNotFoldIt() =>
        AssertNotFolded((output, before) => (output, before), pair => [pair.Item1, pair.Item2]);

    [Fact]
    public void Pack_WhenANestedTupleDoes_DoesNotFoldIt() =>
        AssertNotFolded((output, before) => (output, (output.neg(), before)), pair => [pair.Item1, pair.Item2.Item2]);

    [Fact]
    public void Pack_WhenAnArrayDoes_DoesNotFoldIt() =>
        AssertNotFolded((output, before) => new[] { output, before }, outputs => outputs);

    [Fact]
    public void Pack_WhenADictionaryDoes_DoesNotFoldIt() => AssertNotFolded(
        (output, before) => new Dictionary<string, Tensor> { ["output"] = output, ["hidden"] = before },
        outputs => [outputs["output"], outputs["hidden"]]);

    [Fact]
    public void Pack_WhenATupleHoldsAnArray_DoesNotFoldIt() =>
        AssertNotFolded((output, before) => (output, new[] { before }), pair => [pair.Item1, pair.Item2[0]]);

    [Fact]
    public void Pack_WhenTheFunctionReturnsNull_SaysWhatItHasToReturn()
    {
        using var model = Nets.Convolutions();
        var before = Pruned.Bits(model);

        var fault = Assert.Throws<InvalidOperationException>(() => SparseModel.Pack(model, () => null!));

        Assert.Contains("returned null: it has to return the model's output", fault.Message, StringComparison.Ordinal);
        Assert.Equal(before, Pruned.Bits(model));
    }

    /// <summary>The function passes the output on alone, and the rest is to be right as well.</summary>
    private static void AssertNotFolded<TResult>(Func<Tensor, Tensor, TResult> join, Func<TResult, Tensor[]> take)
    {
        manual_seed(5);
        using var model = Pruned.Prune(new Beside<TResult>(join), 0.5);
        var input = randn(16, 32);
        var expected = take(model.call(input));

        using var packed = SparseModel.Pack(model, () => take(model.call(input))[0], Pruned.Everything);

        Assert.Contains("'relu' can't be folded into 'first'", Assert.Single(packed.Report.Notes), StringComparison.Ordinal);
        Assert.All(packed.Report.Layers, layer => Assert.Equal(LayerForm.Packed, layer.Form));
        Assert.All(take(model.call(input)).Zip(expected), pair => Assert.True(Pruned.IsClose(pair.First, pair.Second)));
    }

    private sealed class Beside<TResult> : Module<Tensor, TResult>
    {
        private readonly TorchSharp.Modules.Linear first = Linear(32, 8);
        private readonly TorchSharp.Modules.ReLU relu = ReLU();
        private readonly TorchSharp.Modules.Linear second = Linear(8, 4);
        private readonly Func<Tensor, Tensor, TResult> _join;

        public Beside(Func<Tensor, Tensor, TResult> join)
            : base("Beside")
        {
            _join = join;
            RegisterComponents();
        }

        public override TResult forward(Tensor input)
        {
            var before = first.call(input);
            return _join(second.call(relu.call(before)), before);
        }
    }
}
