using Pdp.Baselines.Tests.Support;
using Pdp.Tests.Support;

namespace Pdp.Baselines.Tests;

/// <summary>Methods take their masks when the clock is set, in the run's last step those of the whole target.</summary>
public sealed class LastStepTests
{
    [Fact]
    public void FinerSteps_AfterOneTakenForTheLast_AreRefusedBeforeWeightsAreZeroed()
    {
        using var scene = new Scene(Scene.Options(new Gmp(), 0.9) with { Schedule = new CubicRamp(9, 9.8) });
        for (var epoch = 0; epoch < 10; epoch++)
        {
            scene.Pruner.BeginEpoch(epoch);
            scene.Pass();
        }

        var weights = Weights();

        var fault = Assert.Throws<InvalidOperationException>(() => scene.Pruner.BeginEpoch(9.01));

        Assert.Contains("call BeginEpoch(epoch, step, steps)", fault.Message, StringComparison.Ordinal);
        Assert.Equal(weights, Weights());
        Assert.Equal(9, scene.Pruner.Epoch);
        scene.Pruner.BeginEpoch(10);

        double[] Weights() => [.. scene.Model.parameters().SelectMany(parameter => parameter.Values())];
    }
}
