using CsCheck;
using Pdp.Tests.Support;

namespace Pdp.Tests.Scheduling;

/// <summary>What every scheduler promises, whatever its shape.</summary>
public sealed class SchedulerTests
{
    private static readonly Gen<ISparsityScheduler> Schedulers =
        from kind in Gen.Int[0, 5]
        from start in Gen.OneOf(Gen.Const(0.0), Gen.Int[0, 40].Select(epoch => (double)epoch), Gen.Double.Unit.Select(share => 40 * share))
        from length in Gen.OneOf(Gen.Int[1, 100].Select(epochs => (double)epochs), Gen.Double.Unit.Select(share => 0.01 + (99 * share)))
        select (ISparsityScheduler)(kind switch
        {
            0 => new LinearRamp(start, start + length),
            1 => new CubicRamp(start, start + length),
            2 => new CosineRamp(start, start + length),
            3 => new EpsilonRamp { WarmupEpochs = start, Epsilon = 1 / Math.Max(length, 1) },
            4 => new OneShot { Epoch = start },
            _ => new ConstantSparsity(),
        });

    [Fact]
    public void Fraction_OverTheWindow_LiesInTheUnitIntervalAndNeverFalls() => Law.Holds(Schedulers, schedule =>
    {
        var length = Math.Max(schedule.EndEpoch - schedule.StartEpoch, 1);
        var epochs = Enumerable.Range(-10, 221).Select(step => schedule.StartEpoch + (length * step / 200));

        var fractions = epochs.Select(schedule.Fraction).ToArray();

        Assert.All(fractions, fraction => Assert.InRange(fraction, 0, 1));
        Assert.All(fractions.Zip(fractions.Skip(1)), pair => Assert.True(pair.First <= pair.Second));
    });

    [Fact]
    public void Fraction_UpToTheStart_IsZero() =>
        Law.Holds(Schedulers.Where(schedule => schedule.EndEpoch > schedule.StartEpoch), schedule =>
    {
        var fractions = new[] { 0, schedule.StartEpoch / 2, schedule.StartEpoch }.Select(schedule.Fraction);

        Assert.All(fractions, fraction => Assert.Equal(0, fraction));
    });

    [Fact]
    public void Fraction_FromTheEndOn_IsExactlyOne() => Law.Holds(Schedulers, schedule =>
    {
        var fractions =
            new[] { schedule.EndEpoch, Math.BitIncrement(schedule.EndEpoch), schedule.EndEpoch + 1, 1e9 }.Select(schedule.Fraction);

        Assert.All(fractions, fraction => Assert.Equal(1, fraction));
    }, count: 300);

    [Fact]
    public void Fraction_JustInsideTheWindow_IsAboveZeroAndBelowOne() =>
        Law.Holds(Schedulers.Where(schedule => schedule.EndEpoch > schedule.StartEpoch), schedule =>
    {
        var length = schedule.EndEpoch - schedule.StartEpoch;

        var (first, last) = (
            schedule.Fraction(schedule.StartEpoch + (0.01 * length)), schedule.Fraction(schedule.EndEpoch - (0.01 * length)));

        Assert.True(first > 0);
        Assert.True(last < 1);
    });
}
