using Pdp.Scheduling;

namespace Pdp.Samples;

/// <summary>When a run prunes, as its options say; what can't be is an error that names them, before the run begins.</summary>
internal sealed record Timeline
{
    /// <summary>The length of the run.</summary>
    public required double Epochs { get; init; }

    /// <summary>The option of <see cref="Start"/>, whose name the samples differ in.</summary>
    public required string StartOption { get; init; }

    /// <summary>The dense epochs before pruning begins; an eighth of the run if null.</summary>
    public required double? Start { get; init; }

    /// <summary>The epoch at which a cubic ramp ends; four tenths of the run if null.</summary>
    public required double? RampEnd { get; init; }

    /// <summary>The slope of a linear ramp, per epoch; a cubic ramp if null.</summary>
    public required double? Epsilon { get; init; }

    /// <summary>The temperature's ρ, or where it is annealed from and to; null if not given.</summary>
    public required string? RelativeTemperature { get; init; }

    /// <summary>The temperature's τ; null if not given.</summary>
    public required double? AbsoluteTemperature { get; init; }

    /// <summary>The epoch at which annealing ends; 90 % of the run if null.</summary>
    public required double? AnnealEnd { get; init; }

    private double StartEpoch => Start ?? Epochs / 8;

    /// <summary>The ramp.</summary>
    /// <exception cref="ArgumentException">It would not end after its start and within the run.</exception>
    public ISparsityScheduler Schedule()
    {
        if (Epsilon is { } epsilon)
        {
            Require(RampEnd is null, "Give either --epsilon or --ramp-end, not both.");
            var linear = new EpsilonRamp { WarmupEpochs = StartEpoch, Epsilon = epsilon };
            RequireWithin(linear.EndEpoch, "The ramp", "--epsilon");
            return linear;
        }

        var end = RampEnd ?? 0.4 * Epochs;
        RequireWithin(end, "The ramp", "--ramp-end");
        return new CubicRamp(StartEpoch, end);
    }

    /// <summary>The temperature; null, which stands for the library's, where neither is given.</summary>
    /// <exception cref="ArgumentException">Both are given, or annealing would not end after its start and within the run.</exception>
    public Temperature? Temperature()
    {
        Require(RelativeTemperature is null || AbsoluteTemperature is null, "Give either --temperature or --relative-temperature, not both.");
        var (from, to) = RelativeTemperature is null ? default : TemperatureOption.Parse(RelativeTemperature);
        Require(AnnealEnd is null || to is not null, "--anneal-end is for a temperature that is annealed: give --relative-temperature, such as 1:0.03.");
        return to is { } last ? Annealed(from, last)
            : RelativeTemperature is not null ? Scheduling.Temperature.Relative(from)
            : AbsoluteTemperature is { } temperature ? Scheduling.Temperature.Absolute(temperature)
            : null;
    }

    /// <summary>Says at the start of a run, not in its middle, that the zeros can't be final yet.</summary>
    /// <param name="commit">The epoch at which they are to be.</param>
    /// <param name="schedule">What they follow.</param>
    public void RequireEnded(double commit, ISparsityScheduler? schedule)
    {
        Require(commit <= Epochs, FormattableString.Invariant($"The zeros are to be final in epoch {commit:0.####} (--commit-at), after the run of {Epochs:0.####} epochs (--epochs)."));
        Require(
            commit >= Epochs || schedule is null || schedule.EndEpoch <= commit,
            FormattableString.Invariant($"The zeros are to be final in epoch {commit:0.####}, but the schedule ends in epoch {schedule?.EndEpoch:0.####}: raise --commit-at, or let a ramp end earlier (--ramp-end)."));
    }

    private Temperature Annealed(double from, double to)
    {
        var end = AnnealEnd ?? 0.9 * Epochs;
        RequireWithin(end, "Annealing", "--anneal-end");
        return Scheduling.Temperature.Relative(from).AnnealedTo(to, StartEpoch, end);
    }

    private void RequireWithin(double end, string what, string option) => Require(
        end > StartEpoch && end <= Epochs,
        FormattableString.Invariant($"{what} would start at epoch {StartEpoch:0.####} ({StartOption}) and end at epoch {end:0.####} ({option}): it must end after its start and within the {Epochs:0.####} epochs of the run (--epochs)."));

    private static void Require(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw new ArgumentException(otherwise);
        }
    }
}
