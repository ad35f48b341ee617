using System.Runtime.Intrinsics.X86;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Training.Tests.Optimizers;

/// <summary>
/// Each optimizer over 100 steps against independent float32 arithmetic: the fused path bit for bit, the other to 10⁻⁶. Against
/// float64 both
/// differ by up to 4·10⁻⁶, as PyTorch does, since float32 rounds β, 1 − γ·λ and the like, and each step repeats that.
/// </summary>
public sealed class Float32ArithmeticTests
{
    private const int Steps = 100;

    /// <summary>
    /// As many elements as vectors of any width divide: the kernels round the rest otherwise, without fused multiplications.
    /// </summary>
    private const int Side = 8;

    public static TheoryData<SgdOptions> SgdCases => new(
        new SgdOptions { LearningRate = 0.1 },
        new SgdOptions { LearningRate = 0.1, WeightDecay = 0.02 },
        new SgdOptions { LearningRate = 0.05, Momentum = 0.9 },
        new SgdOptions { LearningRate = 0.05, Momentum = 0.9, Dampening = 0.3, WeightDecay = 0.02 },
        new SgdOptions { LearningRate = 0.05, Momentum = 0.9, WeightDecay = 0.02, IsNesterov = true });

    public static TheoryData<AdamOptions> AdamCases => new(
        new AdamOptions(),
        new AdamOptions { LearningRate = 0.03, Beta1 = 0.8, Beta2 = 0.95, Epsilon = 1e-3 },
        new AdamOptions { LearningRate = 0.03, WeightDecay = 0.1 },
        new AdamOptions { LearningRate = 0.03, WeightDecay = 0.1, UsesAmsGrad = true });

    [Theory]
    [MemberData(nameof(SgdCases))]
    public void Sgd_OverManySteps_IsThatOfFloat32(SgdOptions options) =>
        Check(parameters => new FusedSgd(parameters, options), (weight, gradients) => Float32Reference.Sgd(weight, gradients, options));

    [Theory]
    [MemberData(nameof(AdamCases))]
    public void Adam_OverManySteps_IsThatOfFloat32(AdamOptions options) => Check(
        parameters => new FusedAdam(parameters, options),
        (weight, gradients) => Float32Reference.Adam(weight, gradients, options, options.WeightDecay ?? 0, isDecoupled: false));

    [Theory]
    [MemberData(nameof(AdamCases))]
    public void AdamW_OverManySteps_IsThatOfFloat32(AdamOptions options) => Check(
        parameters => new FusedAdamW(parameters, options),
        (weight, gradients) => Float32Reference.Adam(weight, gradients, options, options.WeightDecay ?? 0.01, isDecoupled: true));

    private static void Check(Func<IEnumerable<(string, Parameter)>, FusedOptimizer> make, Func<float, IEnumerable<float>, float> expect)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(5);
        var start = randn(Side, Side, generator: generator);
        var gradients = Enumerable.Range(0, Steps).Select(_ => randn(Side, Side, generator: generator)).ToArray();
        Parameter fused = new(start.clone()), apart = new(start.t().contiguous().t());
        using var optimizer = make([("fused", fused), ("apart", apart)]);

        foreach (var gradient in gradients)
        {
            (fused.grad, apart.grad) = (gradient.clone(), gradient.clone());
            optimizer.step();
        }

        var from = Numbers(start);
        var all = gradients.Select(Numbers).ToArray();
        float[] expected = [.. from.Select((weight, i) => expect(weight, all.Select(gradient => gradient[i])))];

        // Where .NET has FMA, so have libtorch's kernels.
        Assert.Equal(expected, Numbers(fused), (a, b) => Fma.IsSupported ? a == b : IsClose(a, b));
        Assert.Equal(expected, Numbers(apart), IsClose);
    }

    private static bool IsClose(float expected, float actual) => Math.Abs(expected - actual) <= 1e-6f * Math.Max(1, Math.Abs(expected));

    private static float[] Numbers(Tensor tensor) => tensor.detach().contiguous().data<float>().ToArray();
}
