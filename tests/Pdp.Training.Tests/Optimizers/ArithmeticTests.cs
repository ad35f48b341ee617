using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Training.Tests.Optimizers;

/// <summary>Each optimizer against its equations in float64, on the fused path (float32, contiguous) and on the other.</summary>
public sealed class ArithmeticTests
{
    private const int Steps = 100;

    /// <summary>One rounding of float32 for each step; Float32ArithmeticTests tell it from other errors.</summary>
    private const double Float32 = Steps * 6e-8;

    private const double Float64 = 1e-12;
    private static readonly long[] Shape = [3, 5];

    public static TheoryData<SgdOptions, ScalarType, bool> SgdCases => Cases(
        new SgdOptions { LearningRate = 0.1 },
        new SgdOptions { LearningRate = 0.1, WeightDecay = 0.02 },
        new SgdOptions { LearningRate = 0.05, Momentum = 0.9 },
        new SgdOptions { LearningRate = 0.05, Momentum = 0.9, Dampening = 0.3, WeightDecay = 0.02 },
        new SgdOptions { LearningRate = 0.05, Momentum = 0.9, WeightDecay = 0.02, IsNesterov = true });

    public static TheoryData<AdamOptions, ScalarType, bool> AdamCases => Cases(
        new AdamOptions(),
        new AdamOptions { LearningRate = 0.03, Beta1 = 0.8, Beta2 = 0.95, Epsilon = 1e-3 },
        new AdamOptions { LearningRate = 0.03, WeightDecay = 0.1 },
        new AdamOptions { LearningRate = 0.03, WeightDecay = 0.1, UsesAmsGrad = true });

    [Theory]
    [MemberData(nameof(SgdCases))]
    public void Sgd_OverManySteps_FollowsItsEquations(SgdOptions options, ScalarType type, bool isContiguous) => Check(
        parameters => new FusedSgd(parameters, options), (weight, gradients) =>
            Reference.Sgd(weight, gradients, options), type, isContiguous);

    [Theory]
    [MemberData(nameof(AdamCases))]
    public void Adam_OverManySteps_FollowsItsEquations(AdamOptions options, ScalarType type, bool isContiguous) => Check(
        parameters => new FusedAdam(parameters, options),
        (weight, gradients) =>
            Reference.Adam(weight, gradients, options, options.WeightDecay ?? 0, isDecoupled: false), type, isContiguous);

    [Theory]
    [MemberData(nameof(AdamCases))]
    public void AdamW_OverManySteps_FollowsItsEquations(AdamOptions options, ScalarType type, bool isContiguous) => Check(
        parameters => new FusedAdamW(parameters, options),
        (weight, gradients) =>
            Reference.Adam(weight, gradients, options, options.WeightDecay ?? 0.01, isDecoupled: true), type, isContiguous);

    [Fact]
    public void Step_WhenAParameterHasNoGradientYet_LeavesItAndCountsItsStepsApart()
    {
        using var scope = NewDisposeScope();
        Parameter early = new(ones(2)), late = new(ones(2));
        using var optimizer = new FusedAdamW([("early", early), ("late", late)], new AdamOptions { LearningRate = 0.1 });

        for (var step = 0; step < 3; step++)
        {
            early.grad = tensor(new[] { 0.5f, -0.25f });
            if (step == 2)
                late.grad = tensor(new[] { 0.5f, -0.25f });
            optimizer.step();
            if (step == 1)
                Assert.Equal(new[] { 1f, 1f }, late.data<float>().ToArray());
        }

        var options = new AdamOptions { LearningRate = 0.1 };
        Assert.Equal(Reference.Adam(1, [0.5, 0.5, 0.5], options, 0.01, isDecoupled: true), early.data<float>()[0], 1e-6);
        Assert.Equal(Reference.Adam(1, [0.5], options, 0.01, isDecoupled: true), late.data<float>()[0], 1e-6);
    }

    [Fact]
    public void Step_OfAParameterThatTookAnotherLayout_GoesOnWithItsState()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(5);
        var (start, gradient) = (randn([4, 4], generator: generator), randn([4, 4], generator: generator));
        Parameter plain = new(start.clone()), moved = new(start.t().contiguous().t());
        using var optimizer = new FusedSgd([("plain", plain), ("moved", moved)], new SgdOptions { LearningRate = 0.1, Momentum = 0.9 });
        (plain.grad, moved.grad) = (gradient.clone(), gradient.clone());
        optimizer.step();
        using (no_grad())
            moved.set_(moved.detach().contiguous());

        optimizer.step();

        Assert.True(moved.is_contiguous());
        Assert.All(Numbers(plain).Zip(Numbers(moved)), pair => Assert.Equal(pair.First, pair.Second, 1e-6));
    }

    [Fact]
    public void Step_WhenGroupsDiffer_UsesTheRateAndDecayOfEach()
    {
        using var scope = NewDisposeScope();
        Parameter decaying = new(ones(2, 2)), free = new(ones(2));
        var groups = ParameterGroup.DecayWeightsOnly([("weight", decaying), ("bias", free)], 0.5);
        groups[1].LearningRate = 0.01;
        using var optimizer = new FusedSgd(groups, new SgdOptions { LearningRate = 0.1 });
        decaying.grad = ones(2, 2);
        free.grad = ones(2);

        optimizer.step();

        Assert.Equal(1 - (0.1 * 1.5), decaying.data<float>()[0], 1e-6);
        Assert.Equal(1 - 0.01, free.data<float>()[0], 1e-6);
    }

    private static void Check(
        Func<IEnumerable<(string, Parameter)>, FusedOptimizer> make, Func<double, IEnumerable<double>, double> expect, ScalarType type,
        bool isContiguous)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(5);
        var start = randn(Shape, dtype: type, generator: generator);
        var gradients = Enumerable.Range(0, Steps).Select(_ => randn(Shape, dtype: type, generator: generator)).ToArray();
        var parameter = new Parameter(isContiguous ? start.clone() : start.t().contiguous().t());
        Assert.Equal(isContiguous, parameter.is_contiguous());
        using var optimizer = make([("w", parameter)]);

        foreach (var gradient in gradients)
        {
            parameter.grad = gradient.clone();
            optimizer.step();
        }

        var got = Numbers(parameter);
        var from = Numbers(start);
        var all = gradients.Select(Numbers).ToArray();
        for (var i = 0; i < got.Length; i++)
            Assert.Equal(
                expect(from[i], all.Select(gradient => gradient[i])),
                got[i],
                (type == ScalarType.Float64 ? Float64 : Float32) * (1 + Math.Abs(got[i])));
    }

    private static double[] Numbers(Tensor tensor) => tensor.detach().to_type(ScalarType.Float64).contiguous().data<double>().ToArray();

    private static TheoryData<T, ScalarType, bool> Cases<T>(params T[] options)
    {
        var cases = new TheoryData<T, ScalarType, bool>();
        foreach (var option in options)
        {
            cases.Add(option, ScalarType.Float32, true);
            cases.Add(option, ScalarType.Float32, false);
            cases.Add(option, ScalarType.Float64, true);
        }

        return cases;
    }
}
