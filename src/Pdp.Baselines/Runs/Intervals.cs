namespace Pdp.Baselines.Runs;

/// <summary>Determines when an interval of time begins, for something that happens once in each.</summary>
/// <param name="length">The length in epochs, counted from epoch 0; 0 means a new interval at each call.</param>
internal sealed class Intervals(double length)
{
    /// <summary>A tolerance, as epochs are sums of fractions.</summary>
    private const double Slack = 1e-9;

    private double? _last;

    /// <summary>Whether it has not happened yet in the interval of an epoch.</summary>
    public bool IsNew(double epoch) => length == 0 || !(Number(epoch) <= _last);

    /// <summary>Records that it has happened; called afterwards, so that failures are retried.</summary>
    public void Note(double epoch) => _last = length == 0 ? null : Number(epoch);

    private double Number(double epoch) => Math.Floor((epoch + Slack) / length);
}
