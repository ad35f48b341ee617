using Pdp.Tests.Support;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Training.Tests.Gradients;

public sealed class GradientClippingTests
{
    private static readonly ScalarType[] Types = [ScalarType.Float32, ScalarType.Float64, ScalarType.BFloat16];

    [Theory]
    [InlineData(ScalarType.Float32, 0.1)]
    [InlineData(ScalarType.Float32, 1e3)]
    [InlineData(ScalarType.Float64, 0.1)]
    [InlineData(ScalarType.Float64, 1e3)]
    public void ByNorm_OfDenseGradients_AgreesWithLibtorch(ScalarType type, double maximum)
    {
        using var scope = NewDisposeScope();
        var (ours, theirs) = (Parameters(type), Parameters(type));

        var norm = GradientClipping.ByNorm(ours, maximum);
        var expected = nn.utils.clip_grad_norm_(theirs.Select(entry => entry.Parameter), maximum);

        Assert.Equal(expected, norm.to_type(ScalarType.Float64).item<double>(), 1e-6 * expected);
        Assert.All(ours.Zip(theirs), pair => Close(pair.Second.Parameter.grad, pair.First.Parameter.grad, 1e-6));
        Assert.Equal((type, 0L), (norm.dtype, norm.dim()));
    }

    [Fact]
    public void ByNorm_OfAKnownGradient_ScalesByTheEquation()
    {
        using var scope = NewDisposeScope();
        var (first, second) = (With([3, 0], ScalarType.Float64), With([0, 4], ScalarType.Float64));

        var norm = GradientClipping.ByNorm([("first", first), ("second", second)], 2);

        Assert.Equal(5, norm.item<double>());
        Assert.Equal([3 * 2 / (5 + 1e-6), 0], first.grad!.data<double>().ToArray());
        Assert.Equal([0, 4 * 2 / (5 + 1e-6)], second.grad!.data<double>().ToArray());
    }

    [Fact]
    public void ByNorm_OverSeveralTypes_TakesTheNormOfAll()
    {
        using var scope = NewDisposeScope();
        (string, Parameter)[] parameters = [.. Types.Select(type => (type.ToString(), With([2, 2, 2, 2], type)))];

        var norm = GradientClipping.ByNorm(parameters, 1);

        Assert.Equal((ScalarType.Float64, Math.Sqrt(48)), (norm.dtype, norm.item<double>()), (a, b) => a.Item1 == b.Item1
            && Math.Abs(a.Item2 - b.Item2) < 1e-12);
        Assert.All(parameters, entry => Assert.Equal(
            2 / Math.Sqrt(48), Numbers(entry.Item2.grad!)[0], entry.Item2.dtype == ScalarType.BFloat16 ? 2e-3 : 1e-6));
    }

    [Fact]
    public void ByNorm_OfHalfPrecision_DoesNotOverflow()
    {
        using var scope = NewDisposeScope();
        var weight = With([300, 400], ScalarType.Float16);

        var norm = GradientClipping.ByNorm([("w", weight)], 5);

        Assert.Equal((ScalarType.Float32, 500f), (norm.dtype, norm.item<float>()));
        Assert.Equal([3, 4], Numbers(weight.grad!), (a, b) => Math.Abs(a - b) < 1e-2);
    }

    [Fact]
    public void ByNorm_WithTiedAndIdleParameters_CountsEachGradientOnce()
    {
        using var scope = NewDisposeScope();
        using var model = nn.Embedding(2, 1);
        model.weight!.grad = tensor(new[] { 3f, 4f }).reshape(2, 1);
        var idle = new Parameter(ones(2));

        // The property makes a new wrapper at each call.
        var norm = GradientClipping.ByNorm([("once", model.weight!), ("again", model.weight!), ("idle", idle)], 1);

        Assert.Equal(5f, norm.item<float>());
        Assert.Equal(0.6f, model.weight!.grad!.data<float>()[0], 1e-6f);
        Assert.Null(idle.grad);
    }

    [Fact]
    public void ByNorm_WithoutGradients_IsZero()
    {
        using var scope = NewDisposeScope();

        Assert.Equal(0f, GradientClipping.ByNorm([("w", new Parameter(ones(2)))], 1).item<float>());
        Assert.Equal(0f, GradientClipping.ByNorm([], 1).item<float>());
        GradientClipping.ByValue([], 1);
    }

    [Fact]
    public void ByValue_OfMixedGradients_AgreesWithLibtorch()
    {
        using var scope = NewDisposeScope();
        var (ours, theirs) = (Parameters(ScalarType.Float32), Parameters(ScalarType.Float32));

        GradientClipping.ByValue(ours, 0.25);
        nn.utils.clip_grad_value_(theirs.Select(entry => entry.Parameter), 0.25);

        Assert.All(ours.Zip(theirs), pair => Close(pair.Second.Parameter.grad, pair.First.Parameter.grad, 0));
        Assert.Contains(Numbers(ours[0].Parameter.grad!), value => Math.Abs(value) < 0.25);
        Assert.Contains(Numbers(ours[0].Parameter.grad!), value => value == 0.25f);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void ByNorm_WhenAGradientIsNotFinite_DoesAsTold(float wrong)
    {
        using var scope = NewDisposeScope();
        Parameter[] kept = [With([1, 2], ScalarType.Float32), With([wrong, 1], ScalarType.Float32)], zeroed =
            [Copy(kept[0]), Copy(kept[1])], refused = [Copy(kept[0]), Copy(kept[1])];

        var norm = GradientClipping.ByNorm(Named(kept), 1);
        GradientClipping.ByNorm(Named(zeroed), 1, NonFiniteGradients.Zero);
        var error = Assert.Throws<NotFiniteNumberException>(() => GradientClipping.ByNorm(Named(refused), 1, NonFiniteGradients.Throw));

        double[] expected = float.IsNaN(wrong) ? [double.NaN, double.NaN, double.NaN, double.NaN] : [0, 0, double.NaN, 0];
        Assert.False(float.IsFinite(norm.item<float>()));
        Assert.Equal(expected, kept.SelectMany(parameter => Numbers(parameter.grad!)));
        Assert.All(zeroed, parameter => Assert.Equal([0, 0], Numbers(parameter.grad!)));
        Assert.Contains("'p1'", error.Message, StringComparison.Ordinal);
        Assert.Equal([1, 2], Numbers(refused[0].grad!));
    }

    [Fact]
    public void ByNorm_WhenAllIsFinite_IgnoresTheOption()
    {
        using var scope = NewDisposeScope();
        Parameter[] zeroed = [With([3, 4], ScalarType.Float32)], refused = [Copy(zeroed[0])];

        GradientClipping.ByNorm(Named(zeroed), 1, NonFiniteGradients.Zero);
        GradientClipping.ByNorm(Named(refused), 1, NonFiniteGradients.Throw);

        Assert.Equal(0.6, Numbers(zeroed[0].grad!)[0], 1e-6);
        Assert.Equal(Numbers(zeroed[0].grad!), Numbers(refused[0].grad!));
    }

    [Fact]
    public void ByNorm_WhenTheNormOverflows_SaysSo()
    {
        using var scope = NewDisposeScope();
        Parameter[] large = [With([3e38, 3e38], ScalarType.Float32)];

        var error = Assert.Throws<NotFiniteNumberException>(() => GradientClipping.ByNorm(Named(large), 1, NonFiniteGradients.Throw));

        Assert.Contains("too large", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Clip_WhenAnArgumentIsWrong_SaysSo()
    {
        using var scope = NewDisposeScope();
        var gone = new Parameter(ones(1));
        gone.Dispose();

        foreach (var maximum in new[] { 0, -1, double.NaN, double.PositiveInfinity })
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => GradientClipping.ByNorm([], maximum));
            Assert.Throws<ArgumentOutOfRangeException>(() => GradientClipping.ByValue([], maximum));
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => GradientClipping.ByNorm([], 1, (NonFiniteGradients)3));
        Assert.Throws<ArgumentNullException>(() => GradientClipping.ByNorm(null!, 1));
        Assert.Throws<ArgumentNullException>(() => GradientClipping.ByValue([("w", null!)], 1));
        Assert.Contains(
            "'gone'",
            Assert.Throws<InvalidOperationException>(() => GradientClipping.ByNorm([("gone", gone)], 1)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Clip_ManyTimes_LeavesNoTensorBehind()
    {
        using var weight = With([3, 4], ScalarType.Float32);

        Leaks.None(() =>
        {
            GradientClipping.ByNorm([("w", weight)], 1, NonFiniteGradients.Zero).Dispose();
            GradientClipping.ByNorm([("w", weight)], 1, NonFiniteGradients.Throw).Dispose();
            GradientClipping.ByValue([("w", weight)], 1);
        });
    }

    private static (string Name, Parameter Parameter)[] Parameters(ScalarType type)
    {
        using var generator = new Generator(7);
        long[][] shapes = [[64, 33], [17], [3, 5, 7], [1], [0, 4]];
        return
        [
            .. shapes.Select((shape, i) => (
                $"p{i}", new Parameter(zeros(shape, dtype: type)) { grad = randn(shape, dtype: type, generator: generator) })),
            ("transposed", new Parameter(zeros(4, 6, dtype: type)) { grad = randn(6, 4, dtype: type, generator: generator).t() }),
            ("idle", new Parameter(zeros(2, dtype: type))),
        ];
    }

    private static (string, Parameter)[] Named(Parameter[] parameters) => [.. parameters.Select((parameter, i) => ($"p{i}", parameter))];

    private static Parameter With(double[] gradient, ScalarType type) =>
        new(zeros(gradient.Length, dtype: type)) { grad = tensor(gradient).to_type(type) };

    private static Parameter Copy(Parameter parameter) => new(parameter.detach().clone()) { grad = parameter.grad!.clone() };

    private static double[] Numbers(Tensor tensor) =>
        tensor.numel() == 0 ? [] : tensor.detach().to_type(ScalarType.Float64).contiguous().data<double>().ToArray();

    private static void Close(Tensor? expected, Tensor? actual, double tolerance)
    {
        Assert.Equal(expected is null, actual is null);
        if (expected is not null)
            Assert.Equal(Numbers(expected), Numbers(actual!), (a, b) => Math.Abs(a - b) <= tolerance * Math.Max(Math.Abs(a), 1e-3));
    }
}
