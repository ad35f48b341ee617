namespace Pdp.Baselines.Tests;

public sealed class AlternatingPhasesTests
{
    [Theory]
    [InlineData(100, "10 20 30 40 50 60 70 85", "15 25 35 45 55 65 75")]
    [InlineData(200, "20 40 60 80 100 120 140 170", "30 50 70 90 110 130 150")]
    [InlineData(8, "1 3 6", "2 4")]
    [InlineData(8.9, "1 3 6", "2 4")]
    [InlineData(9, "1 3 6", "2 4")]
    [InlineData(5, "1 4", "2")]
    [InlineData(4, "3", "")]
    [InlineData(2, "1", "")]
    public void Over_ScalesThePapersPhases(double epochs, string compressions, string decompressions)
    {
        var phases = AlternatingPhases.Over(epochs);

        Assert.Equal(compressions, string.Join(' ', phases.Compressions));
        Assert.Equal(decompressions, string.Join(' ', phases.Decompressions));
    }

    [Fact]
    public void Over_AnyLength_EndsCompressedAfterALongerDensePhase()
    {
        for (var epochs = 5; epochs <= 400; epochs++)
        {
            var phases = AlternatingPhases.Over(epochs);

            var dense = phases.Decompressions.Zip(phases.Compressions.Skip(1), (from, to) => to - from).ToArray();
            Assert.True(epochs - phases.EndEpoch >= 0.15 * epochs, $"{epochs} epochs end at {phases.EndEpoch}.");
            Assert.True(phases.StartEpoch >= 1
                && Math.Abs(phases.StartEpoch - (epochs / 10.0)) <= 0.9, $"{epochs} epochs begin at {phases.StartEpoch}.");
            Assert.All(dense[..^1], length => Assert.True(
                length < dense[^1], $"{epochs} epochs have dense phases of {string.Join(", ", dense)}."));
        }
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(9.999, 0)]
    [InlineData(10, 1)]
    [InlineData(14.999, 1)]
    [InlineData(15, 0)]
    [InlineData(84.999, 0)]
    [InlineData(85, 1)]
    [InlineData(1000, 1)]
    public void Fraction_IsOneInCompressedPhases(double epoch, double fraction) =>
        Assert.Equal(fraction, AlternatingPhases.Over(100).Fraction(epoch));

    [Theory]
    [InlineData(14, 15, true)]
    [InlineData(14.9, 15.1, true)]
    [InlineData(15, 16, false)]
    [InlineData(9, 10, false)]
    [InlineData(10, 14.9, false)]
    [InlineData(60, 80, true)]
    [InlineData(-1, 0, false)]
    public void IsDecompression_SaysWhetherADensePhaseBegan(double before, double now, bool expected) =>
        Assert.Equal(expected, AlternatingPhases.Over(100).IsDecompression(before, now));

    [Fact]
    public void Phases_ThatDoNotAlternate_AreRefused()
    {
        Assert.Contains(
            "don't alternate", Assert.Throws<ArgumentException>(() => new AlternatingPhases([], [])).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new AlternatingPhases([1], [2]));
        Assert.Throws<ArgumentException>(() => new AlternatingPhases([1, 4], []));
        Assert.Throws<ArgumentException>(() => new AlternatingPhases([1, 4], [4]));
        Assert.Throws<ArgumentException>(() => new AlternatingPhases([1, 4], [1]));
        Assert.Throws<ArgumentException>(() => new AlternatingPhases([-1, 4], [2]));
        Assert.Equal(0, new AlternatingPhases([0, 4], [1]).StartEpoch);
    }

    [Theory]
    [InlineData(1.99)]
    [InlineData(2147483648)]
    [InlineData(double.NaN)]
    public void Over_OutsideItsRange_IsRefused(double epochs) =>
        Assert.Equal("epochs", Assert.Throws<ArgumentOutOfRangeException>(() => AlternatingPhases.Over(epochs)).ParamName);
}
