using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Training.Tests.Gradients;

/// <summary>Gradients that can't be clipped, each after one that can, which must stay as it is.</summary>
public sealed class ClippingFaultTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly Parameter _sound;

    public ClippingFaultTests() => _sound = With(tensor(new[] { 3f, 4f }));

    public void Dispose() => _scope.Dispose();

    [Fact]
    public void Clip_WhenAGradientIsSparse_NamesItAndChangesNothing()
    {
        using var model = nn.Embedding(4, 2, sparse: true);
        model.call(tensor(new long[] { 1, 2 })).sum().backward();

        AssertRefused(model.weight!, "'wrong' is sparse");
    }

    [Theory]
    [InlineData(ScalarType.ComplexFloat32)]
    [InlineData(ScalarType.Int64)]
    public void Clip_WhenAGradientIsNotReal_NamesItAndChangesNothing(ScalarType type) =>
        AssertRefused(With(ones(2, dtype: type)), $"'wrong' is {type}");

    [Fact]
    public void Clip_WhenAGradientIsExpanded_NamesItAndChangesNothing()
    {
        AssertRefused(With(ones(1).expand(5)), "'wrong' is an expanded view");
        AssertRefused(With(ones(3, 1).expand(3, 2)), "'wrong' is an expanded view");
    }

    [Fact]
    public void Clip_WhenAViewSharesNoMemory_Clips()
    {
        var (transposed, single) = (With(full([2, 3], 7f).t()), With(full([1], 7f).expand(1, 1)));

        GradientClipping.ByValue([("transposed", transposed), ("single", single)], 2);

        Assert.Equal(2f, transposed.grad!.amax(0, 1).item<float>());
        Assert.Equal(2f, single.grad!.item<float>());
    }

    [Theory]
    [InlineData(ScalarType.Float16, 1e6)]
    [InlineData(ScalarType.Float16, 1e-9)]
    [InlineData(ScalarType.BFloat16, 1e39)]
    [InlineData(ScalarType.Float32, 1e-60)]
    [InlineData(ScalarType.Float32, 1e300)]
    public void ByValue_WhenATypeDoesNotHoldTheBound_NamesItAndChangesNothing(ScalarType type, double maximum)
    {
        var wide = With(full([2], 1e300, ScalarType.Float64));

        var error = Assert.Throws<ArgumentOutOfRangeException>(
            () => GradientClipping.ByValue([("wide", wide), ("wrong", With(ones(2, dtype: type)))], maximum));

        Assert.Equal(("maximum", maximum), (error.ParamName, error.ActualValue));
        Assert.Contains($"for {type}, the type of the gradient of 'wrong'", error.Message, StringComparison.Ordinal);
        Assert.Equal(1e300, wide.grad!.max().item<double>());
    }

    [Theory]
    [InlineData(1e39)]
    [InlineData(1e-60)]
    public void ByNorm_WhenTheNormsTypeDoesNotHoldTheBound_SaysSoAndChangesNothing(double maximum)
    {
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => GradientClipping.ByNorm([("sound", _sound)], maximum));

        Assert.Contains("for Float32, the type of the norm", error.Message, StringComparison.Ordinal);
        Assert.Equal([3f, 4f], _sound.grad!.data<float>().ToArray());
    }

    [Fact]
    public void Clip_AtTheEndsOfTheRange_Clips()
    {
        var half = With(tensor(new[] { 3f, float.PositiveInfinity }).to_type(ScalarType.Float16));

        GradientClipping.ByValue([("half", half)], 65504);
        GradientClipping.ByNorm([("sound", _sound), ("half", half)], 3e38).Dispose();

        Assert.Equal(65504f, half.grad!.max().to_type(ScalarType.Float32).item<float>());
        Assert.Equal([3f, 4f], _sound.grad!.data<float>().ToArray());
    }

    private static Parameter With(Tensor gradient) =>
        new(zeros(gradient.shape), requires_grad: false) { grad = gradient };

    private void AssertRefused(Parameter wrong, string expected)
    {
        (string, Parameter)[] parameters = [("sound", _sound), ("wrong", wrong)];

        Assert.Contains(
            expected,
            Assert.Throws<InvalidOperationException>(() => GradientClipping.ByNorm(parameters, 1)).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            expected,
            Assert.Throws<InvalidOperationException>(() => GradientClipping.ByValue(parameters, 1)).Message,
            StringComparison.Ordinal);
        Assert.Equal([3f, 4f], _sound.grad!.data<float>().ToArray());
    }
}
