namespace Pdp.Baselines.Runs;

/// <summary>Says when something that happens every so many epochs is due.</summary>
/// <param name="interval">In epochs; 0 for always.</param>
internal sealed class Clock(double interval)
{
    /// <summary>Epochs are sums of fractions.</summary>
    private const double Slack = 1e-9;

    private double? _last;

    /// <summary>Whether so much time has gone by since it was due last; the first time, too.</summary>
    public bool IsDue(double epoch)
    {
        if (_last is { } last && epoch - last < interval - Slack)
            return false;

        _last = epoch;
        return true;
    }
}
