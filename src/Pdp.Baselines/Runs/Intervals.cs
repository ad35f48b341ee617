namespace Pdp.Baselines.Runs;

/// <summary>Says when an interval of time begins, for what happens once in each.</summary>
/// <param name="length">In epochs, from epoch 0 on; 0 for a new one at each call.</param>
internal sealed class Intervals(double length)
{
    /// <summary>Epochs are sums of fractions.</summary>
    private const double Slack = 1e-9;

    private double? _last;

    /// <summary>Whether nothing has happened in the interval of an epoch yet.</summary>
    public bool IsNew(double epoch) => length == 0 || !(Number(epoch) <= _last);

    /// <summary>Takes note that it has happened; after it has, so that what fails is tried again.</summary>
    public void Note(double epoch) => _last = length == 0 ? null : Number(epoch);

    private double Number(double epoch) => Math.Floor((epoch + Slack) / length);
}
