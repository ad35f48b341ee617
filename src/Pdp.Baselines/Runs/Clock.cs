namespace Pdp.Baselines.Runs;

/// <summary>Determines when something that happens at intervals of time is due.</summary>
/// <param name="interval">The interval in epochs; 0 means always.</param>
internal sealed class Clock(double interval)
{
    /// <summary>A tolerance, as epochs are sums of fractions.</summary>
    private const double Slack = 1e-9;

    private double? _last;

    /// <summary>Whether the interval has passed since it last happened; true the first time.</summary>
    public bool IsDue(double epoch) => !(_last is { } last && epoch - last < interval - Slack);

    /// <summary>Records that it has happened; called afterwards, so that failures are retried.</summary>
    public void Note(double epoch) => _last = epoch;
}
