using Pdp.Tests.Support;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests;

/// <summary>The steps that are trained when a pruner is made, of kinds that no other test has.</summary>
public sealed class JitWarmupTests
{
    [Theory]
    [InlineData(11, 1)]
    [InlineData(11, 3)]
    public void Run_OfANewKind_HappensOnce(int members, int kernel)
    {
        var mask = Making.Mask(NofM.Keep(2, of: members), [4, 2L * members, kernel, kernel], members - 2, Temperature.Relative(0.25));

        Assert.True(JitWarmup.Run(mask));
        Assert.False(JitWarmup.Run(mask));
    }

    [Fact]
    public void Run_OfMasksWhoseGradientsDiffer_CompilesForEach()
    {
        var corrected = Temperature.Relative(1).WithRadialCorrection();
        PdpMask Mask(Temperature temperature, Temperature? gradient) =>
            new("weight", new([4, 38]), NofM.Keep(2, of: 19), temperature, 17) { GradientTemperature = gradient };

        Assert.True(JitWarmup.Run(Mask(Temperature.Relative(1), null)));
        Assert.True(JitWarmup.Run(Mask(Temperature.Relative(1), Temperature.Relative(0.5))));
        Assert.True(JitWarmup.Run(Mask(corrected, null)));
        Assert.True(JitWarmup.Run(Mask(Temperature.Relative(0.5), corrected)));
        Assert.False(JitWarmup.Run(Mask(Temperature.Relative(2), corrected)));
    }

    [Fact]
    public void Pruner_ThatWarmsUp_DrawsNothingAndLeavesNothingBehind()
    {
        using var scope = NewDisposeScope();
        using var layer = Linear(26, 8, hasBias: false);
        manual_seed(5);
        var expected = rand(3).Values();
        Leaks.ForgetGarbage();
        var before = Tensor.TotalCount;
        // TorchSharp counts the tensor of which a parameter is made, but doesn't see it go.
        new Parameter(zeros(1)).Dispose();
        var parameter = Tensor.TotalCount - before;

        manual_seed(5);
        using (no_grad())
        {
            using (new PdpPruner(layer, Options(NofM.Keep(2, of: 13))))
                Assert.False(is_grad_enabled());
        }

        Assert.Equal(before + (2 * parameter), Tensor.TotalCount);
        Assert.True(is_grad_enabled());
        Assert.Equal(expected, rand(3).Values());
        Assert.Null(layer.weight!.grad);
        Assert.False(JitWarmup.Run(Making.Mask(NofM.Keep(2, of: 13), [8, 26], 11, Temperature.Relative(0.25))));
    }

    [Fact]
    public void Pruner_MadeInInferenceMode_RehearsesAllTheSame()
    {
        using var layer = Linear(34, 8, hasBias: false);
        using (inference_mode())
            new PdpPruner(layer, Options(NofM.Keep(2, of: 17))).Dispose();

        Assert.False(JitWarmup.Run(Making.Mask(NofM.Keep(2, of: 17), [8, 34], 15, Temperature.Relative(0.25))));
    }

    /// <summary>Options with one temperature for masks and gradients.</summary>
    private static PdpOptions Options(NofM strategy) =>
        new() { Epochs = 1, Sparsity = strategy.FixedSparsity, Strategy = strategy, Temperature = Temperature.Relative(0.25) };
}
