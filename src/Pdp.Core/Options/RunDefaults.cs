namespace Pdp.Options;

/// <summary>What options that are left unset mean: it depends on the length of the run, the strategy and the sparsity.</summary>
/// <param name="options">The options.</param>
internal readonly struct RunDefaults(PdpOptions options)
{
    /// <summary>The epochs from which a run has time for a later ramp, and for gradients that settle which weights stay.</summary>
    private const double LongRun = 10;

    /// <summary>The sparsity from which magnitudes say too little about which layer a weight is missed in.</summary>
    private const double HighSparsity = 0.95;

    public ISparsityAllocation Allocation => IsLong && IsHigh ? new LayerAdaptiveMagnitude() : new GlobalMagnitude();

    public ISparsityScheduler Schedule => (options.Strategy, options.Method) switch
    {
        (PerChannel, null) => Ramp(0.125, 0.25),
        (_, null) => IsLong ? Ramp(0.25, 0.6) : Ramp(0.125, 0.5),
        _ => Ramp(0.125, 0.4),
    };

    private bool IsLong => options.Epochs >= LongRun;

    private bool IsHigh => options is { Sparsity: >= HighSparsity, Strategy: Unstructured, Importance: null };

    /// <summary>The temperatures of a layer with a strategy; they follow the schedule in force.</summary>
    public (Temperature Mask, Temperature? Gradient) TemperaturesOf(IMaskStrategy strategy) => strategy is PerChannel
        ? (Temperature.Relative(1e-6), null)
        : (SoftUntilHard(0.001, strategy), GradientTemperatureOf(strategy));

    private Temperature GradientTemperatureOf(IMaskStrategy strategy) => !IsLong ? SoftUntilHard(1, strategy)
        : strategy is NofM ? SoftUntilHard(0.1, strategy)
        : SoftUntilHard(0.1, strategy).WithRadialCorrection();

    /// <summary>From ρ = 1 at the schedule's start to another ρ where the masks become hard.</summary>
    private Temperature SoftUntilHard(double to, IMaskStrategy strategy) => Temperature.Relative(1)
        .AnnealedTo(to, options.EffectiveSchedule.StartEpoch, HardEpochOf(strategy))
        // A schedule that starts in the last tenth of the run leaves no time to anneal; the commit must find hard masks nevertheless.
        .HardFrom(Math.Min(HardEpochOf(strategy), options.Epochs));

    /// <summary>The epoch from which masks are hard; a tenth of the run after the schedule's start or later.</summary>
    private double HardEpochOf(IMaskStrategy strategy)
    {
        var (start, end) = (options.EffectiveSchedule.StartEpoch, options.EffectiveSchedule.EndEpoch);
        var usual = strategy is NofM && IsLong ? end : 0.75 * options.Epochs;
        return Math.Max(usual, Math.Max(end, start + (0.1 * options.Epochs)));
    }

    private CubicRamp Ramp(double start, double end) => new(start * options.Epochs, end * options.Epochs);
}
