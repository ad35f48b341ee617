using Pdp.Tests.Support;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Masking;

/// <summary>Gradients of <c>Embedding(sparse: true)</c>: the same as dense ones, with an earlier gradient of either kind.</summary>
public sealed class SparseGradientTests
{
    public static TheoryData<string, ScalarType, string> Cases()
    {
        var cases = new TheoryData<string, ScalarType, string>();
        foreach (var strategy in (string[])["unstructured", "2:4", "channel"])
        {
            foreach (var earlier in (string[])["none", "dense", "sparse"])
            {
                cases.Add(strategy, ScalarType.Float32, earlier);
                cases.Add(strategy, ScalarType.Float64, earlier);
            }
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Scope_WithASparseGradient_CorrectsItAsADenseOne(string strategy, ScalarType type, string earlier)
    {
        foreach (var form in Enum.GetValues<MaskForm>())
        {
            var expected = GradientOf(isSparse: false, strategy, type, earlier, form, isCommitted: false);

            var actual = GradientOf(isSparse: true, strategy, type, earlier, form, isCommitted: false);
            Close.Equal(expected, actual, Close.Of(type), Close.Of(type) / 10);
            Assert.Contains(expected, value => value != 0);
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Scope_WithASparseGradientAfterCommit_CorrectsItAsADenseOne(string strategy, ScalarType type, string earlier)
    {
        var expected = GradientOf(isSparse: false, strategy, type, earlier, MaskForm.Soft, isCommitted: true);

        var actual = GradientOf(isSparse: true, strategy, type, earlier, MaskForm.Soft, isCommitted: true);
        Close.Equal(expected, actual, Close.Of(type), Close.Of(type) / 10);
    }

    [Fact]
    public void Scope_WhoseGradientCannotBeCorrected_LosesNothingOfTheEarlierOne()
    {
        using var scope = NewDisposeScope();
        using var model = Model(isSparse: false, ScalarType.Float64);
        var weight = model.parameters().Single();
        using var pruner = PrunerOf(model, "unstructured");
        var earlier = Tensors.Of(Tensors.Normal(3, 96), weight.shape);
        weight.grad = earlier.clone();
        pruner.BeginEpoch(0);

        using (pruner.Mask())
            weight.grad = Tensors.Of(Tensors.Normal(4, 96), weight.shape).to_type(ScalarType.ComplexFloat64).to_sparse();

        Assert.Equal(earlier.Values(), weight.grad!.Values());
        Assert.Throws<InvalidOperationException>(() => pruner.Mask());
    }

    private static double[] GradientOf(bool isSparse, string strategy, ScalarType type, string earlier, MaskForm form, bool isCommitted)
    {
        using var scope = NewDisposeScope();
        using var model = Model(isSparse, type);
        var weight = model.parameters().Single();
        using var pruner = PrunerOf(model, strategy);
        pruner.BeginEpoch(0);
        if (isCommitted)
            pruner.Commit();
        if (earlier == "dense")
            weight.grad = Tensors.Of(Tensors.Normal(3, 96), weight.shape, type);
        else if (earlier == "sparse")
            Backward(model, 9, 11, 9);

        using (pruner.Mask(form))
            Backward(model, 1, 4, 9);

        return weight.grad!.to_dense().Values();
    }

    private static Embedding Model(bool isSparse, ScalarType type)
    {
        var model = Embedding(12, 8, sparse: isSparse);
        model.to(type);
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        model.parameters().Single().copy_(Tensors.Of(Tensors.Normal(1, 96), [12, 8], type));
        return model;
    }

    private static PdpPruner PrunerOf(Module model, string strategy) => new(model, new()
    {
        Epochs = 1,
        Sparsity = 0.5,
        Strategy = strategy == "2:4" ? NofM.Keep(2, of: 4) : strategy == "channel" ? new PerChannel() : new Unstructured(),
        Include = ["weight"],
        Schedule = new ConstantSparsity(),
        Temperature = Temperature.Relative(0.5),
    });

    private static void Backward(Embedding model, params long[] tokens)
    {
        using var scope = NewDisposeScope();
        var rows = model.call(tensor(tokens));
        rows.mul(rows).sum().backward();
    }
}
