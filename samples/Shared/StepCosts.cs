using System.Diagnostics;

namespace Pdp.Samples;

/// <summary>What pruning costs: all steps of a run, over the same steps without the time that was spent in pruning.</summary>
internal sealed class StepCosts
{
    private long _whole;
    private long _pruning;
    private long _begun;
    private long _mark;

    /// <summary>The time of all steps over what is left without pruning; null before the first step.</summary>
    public double? Ratio => _whole == 0 ? null : _whole / (double)(_whole - _pruning);

    public void BeginStep() => _begun = Stopwatch.GetTimestamp();

    public void BeginPruning() => _mark = Stopwatch.GetTimestamp();

    public void EndPruning() => _pruning += Stopwatch.GetTimestamp() - _mark;

    public void EndStep() => _whole += Stopwatch.GetTimestamp() - _begun;
}
