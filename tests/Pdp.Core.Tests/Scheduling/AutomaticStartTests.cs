namespace Pdp.Tests.Scheduling;

public sealed class AutomaticStartTests
{
    [Fact]
    public void Epochs_ByDefault_AreThePapersFive()
    {
        var start = new AutomaticStart { Level = 0.35 };

        Assert.Equal((0.35, 5), (start.Level, start.Epochs));
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    public void Level_ThatIsNotFinite_Throws(double level) =>
        Assert.Throws<ArgumentOutOfRangeException>("Level", () => new AutomaticStart { Level = level });

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public void Epochs_BelowOne_Throw(int epochs) =>
        Assert.Throws<ArgumentOutOfRangeException>("Epochs", () => new AutomaticStart { Level = 0, Epochs = epochs });
}
