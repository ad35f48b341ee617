namespace Pdp.Baselines.Runs;

/// <summary>Says when something that happens every so many epochs is due.</summary>
/// <param name="interval">In epochs; 0 for always.</param>
internal sealed class Clock(double interval)
{
    /// <summary>Epochs are sums of fractions.</summary>
    private const double Slack = 1e-9;

    private double? _last;

    /// <summary>Whether so much time has gone by since it happened last; the first time, too.</summary>
    public bool IsDue(double epoch) => !(_last is { } last && epoch - last < interval - Slack);

    /// <summary>Takes note that it has happened; after it has, so that what fails is tried again.</summary>
    public void Note(double epoch) => _last = epoch;
}
