using Pdp.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Sparse.Tests;

public sealed class PackTests
{
    private static readonly SparseOptions Everything = new() { Include = ["*"], MaximumSeconds = 0.01 };
    private static readonly Scalar Threshold = 0.05.ToScalar();

    public static TheoryData<string> Models => ["linear", "convolution", "same", "line"];

    [Theory]
    [MemberData(nameof(Models))]
    public void Pack_WhenModelRuns_GivesItsOutput(string kind)
    {
        using var scope = NewDisposeScope();
        using var _ = inference_mode();
        var (model, example) = Make(kind);
        var expected = model.call(example);

        Tensor actual;
        using (var packed = SparseModel.Pack(model, example, Everything))
            actual = model.call(example);

        Assert.True(actual.allclose(expected, rtol: 1e-5, atol: 1e-6));
        Assert.True(model.call(example).Equals(expected));
        model.Dispose();
    }

    [Fact]
    public void Pack_WhenAModuleIsExcluded_LeavesAllBelowItDense()
    {
        using var scope = NewDisposeScope();
        using var model = Pruned.Prune(
            Sequential(("body", Sequential(("in", Linear(8, 8)), ("out", Linear(8, 8)))), ("head", Linear(8, 4))), 0.5);

        using var packed = SparseModel.Pack(model, ones(2, 8), Everything with { Exclude = ["body"] });

        Assert.Equal(
            ["body.in.weight", "body.out.weight"],
            packed.Report.Layers.Where(layer => layer.Reason == "excluded by 'body'").Select(layer => layer.Name));
    }

    [Fact]
    public void Unpack_WhenPacked_GivesTheVerySameParameterBack()
    {
        using var scope = NewDisposeScope();
        using var layer = Linear(8, 4);
        layer.eval();
        var weight = layer.weight;
        using (no_grad())
        {
            weight[0, 0] = -0.0f;
            weight[0, 1] = float.NaN;
            weight[0, 2] = 0;
        }

        var before = weight.bytes.ToArray();
        weight.grad = ones(4, 8);

        SparseModel.Pack(layer, ones(2, 8), Everything).Dispose();

        Assert.Same(weight, layer.weight);
        Assert.Same(weight, layer.parameters().First());
        Assert.Equal(before, weight.bytes.ToArray());
        Assert.True(weight.requires_grad);
        Assert.NotNull(weight.grad);
    }

    [Fact]
    public void Pack_WhenModelIsCalled_LeavesNoTensors()
    {
        var (model, example) = Make("convolution");
        using var packed = SparseModel.Pack(model, example, Everything);

        Leaks.None(() =>
        {
            using var _ = no_grad();
            model.call(example).Dispose();
        });
        model.Dispose();
        example.Dispose();
    }

    // Tensor.TotalCount is no measure here: TorchSharp counts the tensor that a Parameter is made of for ever.
    [Fact]
    public void Dispose_WhenPackedAgainAndAgain_LeavesNoTensors()
    {
        var (model, example) = Make("convolution");
        SparseModel.Pack(model, example, Everything).Dispose();
        Leaks.ForgetGarbage();
        var live = DisposeScopeManager.Statistics.ThreadTotalLiveCount;

        for (var i = 0; i < 5; i++)
            SparseModel.Pack(model, example, Everything).Dispose();

        Assert.Equal(live, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        model.Dispose();
        example.Dispose();
    }

    private static (Module<Tensor, Tensor> Model, Tensor Example) Make(string kind)
    {
        manual_seed(5);
        Module<Tensor, Tensor> model = kind switch
        {
            "linear" => Sequential(Linear(16, 32), ReLU(), Linear(32, 5, hasBias: false)),
            "same" => Sequential(Conv2d(3, 8, 3, padding: Padding.Same, dilation: 2), Conv2d(8, 4, 2, padding: Padding.Same)),
            "line" => Sequential(Conv1d(3, 8, 3, padding: 2, stride: 2), Conv1d(8, 4, 1)),
            _ => Sequential(Conv2d(3, 8, 3, padding: 1), ReLU(), Conv2d(8, 4, 3, stride: 2, bias: false)),
        };
        foreach (var weight in model.parameters())
        {
            using var mask = weight.abs().gt(Threshold);
            using var _ = no_grad();
            weight.mul_(mask);
        }

        model.eval();
        return (model, kind == "linear" ? randn(6, 16) : kind == "line" ? randn(2, 3, 9) : randn(2, 3, 9, 9));
    }
}
