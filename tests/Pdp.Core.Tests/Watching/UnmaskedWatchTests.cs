using Pdp.Watching;

namespace Pdp.Tests.Watching;

/// <summary>Steps on a GPU, whose gradients are read only where it is decided whether they are a fault.</summary>
public sealed class UnmaskedWatchTests
{
    private int _reads;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void RequireMasked_AfterWhatMayBeSteps_ReadsTheGradientOnce(bool carriesGradient)
    {
        var watch = Watch(carriesGradient);
        watch.Committed(2);
        watch.MayHaveStepped();
        watch.MayHaveStepped();
        Assert.Equal(0, _reads);

        var fault = Record.Exception(watch.RequireMasked);

        Assert.Equal(carriesGradient, fault is InvalidOperationException);
        Assert.Null(Record.Exception(watch.RequireMasked));
        Assert.Equal(1, _reads);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Require_AfterAnEpochOfWhatMayBeSteps_ReadsTheGradientOnce(bool carriesGradient)
    {
        var watch = Watch(carriesGradient);
        watch.Begin(1, isPruning: true);
        watch.Enter();
        watch.MayHaveStepped();
        watch.Require(1.5);
        Assert.Equal(0, _reads);

        Assert.Equal(carriesGradient, Record.Exception(() => watch.Require(2)) is InvalidOperationException);
        Assert.Equal(1, _reads);
    }

    [Fact]
    public void Require_AfterATrainingScope_ReadsNoGradient()
    {
        var watch = Watch(carriesGradient: true);
        watch.Begin(1, isPruning: true);
        watch.MayHaveStepped();
        watch.Trained();

        watch.Require(2);
        watch.RequireMasked();

        Assert.Equal(0, _reads);
    }

    private UnmaskedWatch Watch(bool carriesGradient) => new(() =>
    {
        _reads++;
        return carriesGradient;
    });
}
