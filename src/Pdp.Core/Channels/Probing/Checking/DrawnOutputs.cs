using Pdp.Channels.Probing.Running;

namespace Pdp.Channels.Probing.Checking;

/// <summary>The means of outputs over many draws of random numbers, and how far chance may take them.</summary>
internal sealed class DrawnOutputs
{
    private const ulong Draws = 24;

    /// <summary>The standard errors by which means may differ.</summary>
    private const double Errors = 8;

    /// <summary>The share of the largest mean by which they may differ besides, for rounding.</summary>
    private const double Share = 0.001;

    private readonly double[] _means;
    private readonly double[] _variances;

    private DrawnOutputs(double[][] draws)
    {
        _means = [.. Enumerable.Range(0, draws[0].Length).Select(i => draws.Average(values => values[i]))];
        _variances = [.. _means.Select((mean, i) => draws.Sum(values => (values[i] - mean) * (values[i] - mean)) / (draws.Length - 1))];
    }

    /// <summary>Runs the passes.</summary>
    /// <param name="pass">A pass with the random numbers of a number.</param>
    public static DrawnOutputs Of(Func<ulong, Outputs> pass)
    {
        var draws = new List<double[]>();
        for (var draw = 0ul; draw < Draws; draw++)
            draws.Add(pass(draw).Values);
        return new([.. draws]);
    }

    /// <summary>The largest difference of the means beyond chance, as a share of the largest mean; null if there is none.</summary>
    public double? Excess(DrawnOutputs other)
    {
        var largest = _means.Select(Math.Abs).DefaultIfEmpty().Max();
        var excess = _means.Select((mean, i) =>
            Math.Abs(mean - other._means[i]) - (Errors * Math.Sqrt((_variances[i] + other._variances[i]) / Draws))).DefaultIfEmpty().Max();
        return excess > Share * largest ? excess / largest : null;
    }
}
