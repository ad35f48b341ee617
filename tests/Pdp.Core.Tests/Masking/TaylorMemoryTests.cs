using Pdp.Masking;
using Pdp.Tests.Support;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Tests.Masking;

/// <summary>The kernels of Taylor importance, in float32, against tensor operations, which float64 weights take.</summary>
public sealed class TaylorMemoryTests
{
    private const int Steps = 6;
    private const int Window = 4;
    private const double Softness = 0.3;

    [Theory]
    [InlineData(6, 7, 1, false)]
    [InlineData(260, 258, 1, false)]
    [InlineData(260, 258, 2, false)]
    [InlineData(40, 30, 1, true)]
    [InlineData(260, 258, 1, true)]
    public void Run_OfSeveralSteps_GivesWhatTensorOperationsGive(int rows, int columns, int threads, bool hasGradientTemperature)
    {
        set_num_threads(threads);
        try
        {
            var expected = Run(rows, columns, ScalarType.Float64, hasGradientTemperature);
            var actual = Run(rows, columns, ScalarType.Float32, hasGradientTemperature);

            Assert.All(expected.Zip(actual), pair => Close.Equal(pair.First, pair.Second, 1e-4, 1e-5 * pair.First.Max(Math.Abs)));
        }
        finally
        {
            set_num_threads(1);
        }
    }

    [Theory]
    [InlineData(1e-20)]
    [InlineData(1e20)]
    public void Run_WithGradientsOfAnotherScale_GivesWhatTensorOperationsGive(double scale)
    {
        var expected = Run(40, 30, ScalarType.Float64, hasGradientTemperature: true, scale: scale);
        var actual = Run(40, 30, ScalarType.Float32, hasGradientTemperature: true, scale: scale);

        Assert.All(expected.Zip(actual), pair => Close.Equal(pair.First, pair.Second, 1e-4, 1e-5 * pair.First.Max(Math.Abs)));
    }

    [Theory]
    [InlineData(6, 7)]
    [InlineData(260, 258)]
    public void Scope_OfSeveral_LearnsTheBitsOfTheTensorOperations(int rows, int columns)
    {
        using var scope = NewDisposeScope();
        using var weight = new Parameter(Numbers(rows, columns, 1, ScalarType.Float32));
        using var group = Group(weight, hasGradientTemperature: false);
        using var model = new MaskedModel([new PrunedLayer(group, Rule: null)]);
        Tensor? expected = null;
        for (var step = 0; step < Steps; step++)
        {
            Step(model, group, weight, seed: step);
            expected = new Taylor { Window = Window }.Update(expected, Numbers(rows, columns, step, ScalarType.Float32), step);

            Assert.Equal(expected.Bits(), group.Mask.Importance!.Sensitivity!.Bits());
            Assert.Equal(step > 0, group.Memory!.GradientArrived);
        }
    }

    [Fact]
    public void Leave_AfterLearning_GivesTheGradientOfAutograd()
    {
        using var scope = NewDisposeScope();
        using var weight = new Parameter(Numbers(40, 30, 1, ScalarType.Float32));
        using var group = Group(weight, hasGradientTemperature: false);
        using var model = new MaskedModel([new PrunedLayer(group, Rule: null)]);
        Step(model, group, weight, seed: 2);
        weight.grad = null;

        Step(model, group, weight, seed: 3);

        using var _ = no_grad();
        var (w, a) = (weight.detach().to_type(ScalarType.Float64), Numbers(40, 30, 2, ScalarType.Float64).abs());
        var t = Oracle.Threshold(w.mul(a).Values(), removed: 600);
        using var grad = enable_grad();
        var expected = Oracle.Gradient(
            w, Numbers(40, 30, 3, ScalarType.Float64), Tensors.Of([t], [1, 1]), Softness * t * t, new Unstructured(), group.Mask.Layout, a);
        Close.Equal(expected, weight.grad!.Values(), 1e-4, 1e-5);
    }

    [Fact]
    public void Scope_AfterAStridedGradient_GoesOnAsTensorOperationsDo()
    {
        var expected = Run(40, 30, ScalarType.Float64, hasGradientTemperature: false, strided: 3);
        var actual = Run(40, 30, ScalarType.Float32, hasGradientTemperature: false, strided: 3);

        Assert.All(expected.Zip(actual), pair => Close.Equal(pair.First, pair.Second, 1e-4, 1e-5 * pair.First.Max(Math.Abs)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(131)]
    public void Scope_WithAGradientThatIsNotFiniteSomewhere_LearnsNothingFromIt(int place)
    {
        using var scope = NewDisposeScope();
        using var weight = new Parameter(Numbers(12, 11, 1, ScalarType.Float32));
        using var group = Group(weight, hasGradientTemperature: false);
        Assert.IsType<WeightScope>(group.Memory);
        using var model = new MaskedModel([new PrunedLayer(group, Rule: null)]);
        Step(model, group, weight, seed: 5);
        Step(model, group, weight, seed: 6);
        var before = group.Mask.Importance!.Sensitivity!.Values();

        Step(model, group, weight, seed: 7, InfiniteAt(place));

        Assert.Equal(before, group.Mask.Importance.Sensitivity!.Values());
        Assert.Equal(3, group.Mask.Importance.Gradients);
    }

    /// <summary>Weights inside of the scopes, gradients after them, and the importance learned.</summary>
    private static double[][] Run(int rows, int columns, ScalarType type, bool hasGradientTemperature, int strided = -1, double scale = 1)
    {
        using var scope = NewDisposeScope();
        using var weight = new Parameter(Numbers(rows, columns, 1, type));
        using var group = Group(weight, hasGradientTemperature);
        using var model = new MaskedModel([new PrunedLayer(group, Rule: null)]);
        var seen = new List<double[]>();
        for (var step = 0; step < Steps; step++)
        {
            seen.Add(Step(model, group, weight, seed: 10 + step, step == strided
                ? gradient => gradient.t().contiguous().t()
                : gradient => gradient.mul(scale)));
            seen.Add(weight.grad!.Values());
            seen.Add(group.Mask.Importance!.Sensitivity!.Values());
            if (step % 2 == 0)
                weight.grad = null;
        }

        return [.. seen];
    }

    private static double[] Step(MaskedModel model, MaskGroup group, Parameter weight, int seed, Func<Tensor, Tensor>? change = null)
    {
        model.Enter(MaskForm.Soft);
        var masked = weight.Values();
        var gradient = Numbers(weight.shape[0], weight.shape[1], seed, weight.dtype);
        weight.grad = change is null ? gradient : change(gradient);
        model.LeaveMemory();
        Assert.Null(group.Leave(out var _));
        return masked;
    }

    private static Func<Tensor, Tensor> InfiniteAt(int place) => gradient =>
    {
        using var infinity = tensor(float.NegativeInfinity);
        gradient.view(-1)[place].copy_(infinity);
        return gradient;
    };

    private static MaskGroup Group(Parameter weight, bool hasGradientTemperature)
    {
        var mask = new PdpMask(
            "weight", new(weight.shape), new Unstructured(), Temperature.Relative(Softness), target: weight.numel() / 2)
        { GradientTemperature = hasGradientTemperature ? Temperature.Relative(1).WithRadialCorrection() : null };
        var group = new MaskGroup(mask, new GroupSlices(mask, weight));
        group.Follow(new Taylor { Window = Window });
        mask.Move(1, 0);
        return group;
    }

    private static Tensor Numbers(long rows, long columns, int seed, ScalarType type) =>
        Tensors.Of(Tensors.Normal(seed, rows * columns), [rows, columns], ScalarType.Float32).to_type(type);
}
