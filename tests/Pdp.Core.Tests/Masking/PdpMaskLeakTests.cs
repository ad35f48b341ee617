using Pdp.Tests.Support;
using static TorchSharp.torch;

namespace Pdp.Tests.Masking;

public sealed class PdpMaskLeakTests
{
    private static readonly WeightLayout Layout = new([4, 8]);

    public static TheoryData<string> Operations => ["Threshold", "Soft", "Kept", "Apply"];

    [Theory]
    [MemberData(nameof(Operations))]
    public void Operation_OnAnotherShape_ThrowsAndNamesBoth(string operation)
    {
        using var scope = NewDisposeScope();
        var mask = Making.Mask(new Unstructured(), Layout, 16, Temperature.Relative(1));
        var transposed = Tensors.Of(Tensors.Normal(8, 32), [8, 4]);

        var fault = Assert.Throws<ArgumentException>(() => Run(mask, operation, transposed));

        Assert.Contains("[4, 8], not [8, 4]", fault.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentNullException>(() => Run(mask, operation, null!));
    }

    [Theory]
    [MemberData(nameof(Operations))]
    public void Operation_OnAWeight_BorrowsItAndTracksNoGradient(string operation)
    {
        using var scope = NewDisposeScope();
        var mask = Making.Mask(new Unstructured(), Layout, 16, Temperature.Relative(1));
        var weight = Tensors.Of(Tensors.Normal(9, 32), [4, 8]).requires_grad_();
        var before = weight.Bits();

        var result = Run(mask, operation, weight);

        Assert.Equal(before, weight.Bits());
        Assert.Equal(operation == "Apply", result.requires_grad);
        Assert.Equal(operation == "Threshold" ? [1, 1] : [4, 8], result.shape);
    }

    [Theory]
    [MemberData(nameof(Operations))]
    public void Operation_OnAWeight_LeavesNoTensorBehind(string operation)
    {
        using var weight = Tensors.Of(Tensors.Normal(10, 32), [4, 8], ScalarType.Float32);
        var patterned = Making.Mask(NofM.Keep(2, of: 4), Layout, 2, Temperature.Relative(1));
        var identity = Making.Mask(new Unstructured(), Layout, 0, Temperature.Relative(1));
        var channels = Making.Mask(new PerChannel(), Layout, 2, Temperature.Relative(1));

        Leaks.None(() =>
        {
            foreach (var mask in new[] { patterned, identity, channels })
                Run(mask, operation, weight).Dispose();
        });
    }

    [Fact]
    public void Backward_ThroughApply_LeavesNoTensorBehind()
    {
        using var weight = Tensors.Of(Tensors.Normal(11, 32), [4, 8], ScalarType.Float32).requires_grad_();
        var mask = Making.Mask(new Unstructured(), Layout, 16, Temperature.Relative(1));

        Leaks.None(() =>
        {
            using var masked = mask.Apply(weight);
            using var loss = masked.sum();
            loss.backward();
            weight.grad = null;
        });
    }

    [Theory]
    [InlineData("unstructured")]
    [InlineData("2:4")]
    public void Strategy_InEachOfItsParts_LeavesNoTensorBehind(string name)
    {
        using var weight = Tensors.Of(Tensors.Normal(12, 32), [4, 8], ScalarType.Float32);
        IMaskStrategy strategy = name == "2:4" ? NofM.Keep(2, of: 4) : new Unstructured();

        Leaks.None(() =>
        {
            using var magnitude = strategy.Magnitude(weight, Layout);
            using var sum = strategy.Sum(weight, Layout);
            using var spread = strategy.Spread(sum, Layout);
        });
    }

    private static Tensor Run(PdpMask mask, string operation, Tensor weight) => operation switch
    {
        "Threshold" => mask.Threshold(weight),
        "Soft" => mask.Soft(weight),
        "Kept" => mask.Kept(weight),
        _ => mask.Apply(weight),
    };
}
