namespace Pdp.Baselines.Runs;

/// <summary>Says when a whole epoch begins, for what happens once in each.</summary>
internal sealed class WholeEpochs
{
    /// <summary>Epochs are sums of fractions.</summary>
    private const double Slack = 1e-9;

    private double? _last;

    /// <summary>Whether this is the first time that it is asked in this epoch.</summary>
    public bool IsNew(double epoch)
    {
        var whole = Math.Floor(epoch + Slack);
        if (whole <= _last)
            return false;

        _last = whole;
        return true;
    }
}
