namespace Pdp.Samples;

/// <summary>
/// When a run prunes, as its settings say. Impossible ones are an error that names their options, before the run begins.
/// </summary>
internal sealed class Timeline(PruningSettings settings)
{
    private bool IsOfChannels => StrategyOption.Parse(settings.Strategy) is PerChannel;

    // As in the library, runs of ten epochs or more have a later ramp, except for channels.
    private bool IsLate => settings.Epochs >= 10 && !IsOfChannels;

    private double Start => settings.DenseEpochs ?? settings.Epochs * (IsLate ? 0.25 : 0.125);

    private double End => settings.RampEnd ?? settings.Epochs * (IsLate ? 0.6 : IsOfChannels ? 0.25 : 0.5);

    /// <summary>The ramp; null, which stands for the method's own schedule, where no option asks for another.</summary>
    /// <exception cref="ArgumentException">It would not end after its start and within the run.</exception>
    public ISparsityScheduler? Schedule() => settings switch
    {
        { Epsilon: not null, RampEnd: not null } => throw new ArgumentException("Give either --epsilon or --ramp-end, not both."),
        { Epsilon: { } epsilon } => Linear(epsilon),
        { DenseEpochs: null, RampEnd: null } => null,
        _ => Cubic(),
    };

    /// <summary>The temperature; null, which stands for the library's, where neither is given.</summary>
    /// <exception cref="ArgumentException">Both are given, or annealing would not end after its start and within the run.</exception>
    public Temperature? Temperature()
    {
        var (relative, absolute) = (settings.RelativeTemperature, settings.Temperature);
        Require(relative is null || absolute is null, "Give either --temperature or --relative-temperature, not both.");
        Require(settings.AnnealEnd is null || $"{relative}{settings.GradientTemperature}".Contains(':', StringComparison.Ordinal),
            "--anneal-end is for a temperature that is annealed: give --relative-temperature, such as 1:0.03.");
        Require(settings.HardFrom is null || relative is not null || absolute is not null || settings.GradientTemperature is not null,
            "--hard-from is for temperatures that are given: give --relative-temperature, such as 1:0.001.");
        return relative is not null ? Relative(relative)
            : absolute is { } temperature ? Hardened(Pdp.Temperature.Absolute(temperature))
            : null;
    }

    /// <summary>The temperature of the gradient; null, which stands for the library's, where none is given.</summary>
    /// <exception cref="ArgumentException">
    /// Annealing would not end after its start and within the run, or there is a correction and no temperature.
    /// </exception>
    public Temperature? GradientTemperature()
    {
        Require(!settings.RadialCorrection || settings.GradientTemperature is not null,
            "--radial-correction is for a temperature that is given: give --gradient-temperature, such as 1:0.1.");
        return settings.GradientTemperature is not { } text ? null
            : settings.RadialCorrection ? Relative(text).WithRadialCorrection()
            : Relative(text);
    }

    /// <summary>Checks at the start of a run, not in its middle, that the commit comes after the schedule has ended.</summary>
    /// <param name="commit">The epoch of the commit.</param>
    /// <param name="schedule">The schedule; null if it isn't known yet.</param>
    public void RequireEnded(double commit, ISparsityScheduler? schedule)
    {
        Require(
            commit <= settings.Epochs,
            FormattableString.Invariant(
                $"The commit would come in epoch {commit:0.####} (--commit-at), after the run of {settings.Epochs} epochs (--epochs)."));
        Require(
            commit >= settings.Epochs || schedule is null || schedule.EndEpoch <= commit,
            FormattableString.Invariant(
                $"The commit would come in epoch {commit:0.####}, but the schedule ends in epoch {schedule?.EndEpoch:0.####}: ")
            + "raise --commit-at, or let a ramp end earlier (--ramp-end).");
    }

    private EpsilonRamp Linear(double epsilon)
    {
        var ramp = new EpsilonRamp { WarmupEpochs = Start, Epsilon = epsilon };
        RequireWithin(ramp.EndEpoch, "The ramp", "--epsilon");
        return ramp;
    }

    private CubicRamp Cubic()
    {
        RequireWithin(End, "The ramp", "--ramp-end");
        return new CubicRamp(Start, End);
    }

    private Temperature Relative(string text) => Hardened(TemperatureOption.Parse(text) is var (from, to) && to is { } last
        ? Annealed(from, last)
        : Pdp.Temperature.Relative(from));

    private Temperature Hardened(Temperature temperature) =>
        settings.HardFrom is { } epoch ? temperature.HardFrom(epoch) : temperature;

    private Temperature Annealed(double from, double to)
    {
        var end = settings.AnnealEnd ?? 0.9 * settings.Epochs;
        RequireWithin(end, "Annealing", "--anneal-end");
        return Pdp.Temperature.Relative(from).AnnealedTo(to, Start, end);
    }

    private void RequireWithin(double end, string what, string option) => Require(
        end > Start && end <= settings.Epochs,
        FormattableString.Invariant(
            $"{what} would start at epoch {Start:0.####} (--dense-epochs) and end at epoch {end:0.####} ({option}): ")
        + $"it must end after its start and within the {settings.Epochs} epochs of the run (--epochs).");

    private static void Require(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw new ArgumentException(otherwise);
        }
    }
}
