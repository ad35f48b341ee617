using System.Diagnostics;

namespace Pdp.Samples.Cifar10;

/// <summary>What pruning costs: the time spent in it, over the rest of the same steps.</summary>
internal sealed class StepCosts
{
    private readonly List<(double Pruning, double Whole)> _steps = [];
    private long _begun;
    private long _pruning;
    private long _mark;

    /// <summary>The medians' ratio of a step with pruning and without; null before the first step.</summary>
    public double? Ratio => _steps.Count == 0 ? null : Median(_steps.Select(step => step.Whole)) / Median(_steps.Select(step => step.Whole - step.Pruning));

    public void BeginStep()
    {
        _begun = Stopwatch.GetTimestamp();
        _pruning = 0;
    }

    public void BeginPruning() => _mark = Stopwatch.GetTimestamp();

    public void EndPruning() => _pruning += Stopwatch.GetTimestamp() - _mark;

    public void EndStep() => _steps.Add((_pruning, Stopwatch.GetTimestamp() - _begun));

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }
}
