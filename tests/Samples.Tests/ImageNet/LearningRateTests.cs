using Pdp.Samples.ImageNet;

namespace Pdp.Samples.Tests.ImageNet;

public sealed class LearningRateTests
{
    private static readonly LearningRate Rate = new(Highest: 1, WarmupSteps: 4, Steps: 14);

    // Fifths on the way up, and a cosine that is at its highest in step 4, at its half in step 9 and at zero behind the end.
    [Theory]
    [InlineData(0, 0.2)]
    [InlineData(3, 0.8)]
    [InlineData(4, 1)]
    [InlineData(9, 0.5)]
    [InlineData(14, 0)]
    public void At_OfAStep_IsOnTheLineOrTheCosine(long step, double expected) => Assert.Equal(expected, Rate.At(step), 1e-15);

    [Fact]
    public void At_WithoutWarmup_StartsHighest() => Assert.Equal(0.1, new LearningRate(0.1, 0, 10).At(0));

    [Fact]
    public void At_AfterTheWarmup_FallsAtEveryStep() => Assert.All(Enumerable.Range(4, 9), step => Assert.True(Rate.At(step + 1) < Rate.At(step)));
}
