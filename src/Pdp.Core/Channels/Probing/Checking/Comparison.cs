using Pdp.Channels.Probing.Running;

namespace Pdp.Channels.Probing.Checking;

/// <summary>Compares outputs with expected ones, each row on its own scale, and tolerates differences that rounding explains.</summary>
/// <remarks>
/// A row may be small because large numbers cancel, and a deep network may amplify rounding errors. The tolerance is therefore a share of
/// the row plus the change of the output when the weights change in their last digits.
/// </remarks>
internal sealed class Comparison
{
    /// <summary>The tolerated multiple of the change that the last digits cause.</summary>
    private const double Margin = 8;

    private readonly TrialPass _expected;
    private readonly RoundingTolerance _rounding;
    private readonly double[] _allowed;
    private readonly double[] _allowedInBuffers;

    /// <summary>Prepares a comparison.</summary>
    /// <param name="expected">The expected pass.</param>
    /// <param name="jittered">The pass with weights that are changed in their last digits.</param>
    /// <param name="rounding">The tolerances for the model's type.</param>
    public Comparison(TrialPass expected, TrialPass jittered, RoundingTolerance rounding)
    {
        (_expected, _rounding) = (expected, rounding);
        (_allowed, var typical) = AllowedIn(expected.Outputs, jittered.Outputs);
        (_allowedInBuffers, _) = AllowedIn(expected.Buffers, jittered.Buffers);
        IsConclusive = expected.Outputs.Largest > 0 && typical < rounding.Chaos;
    }

    /// <summary>Whether the outputs are finite somewhere, not all zero, and not chaotic.</summary>
    public bool IsConclusive { get; }

    /// <summary>Whether other outputs have the same shapes.</summary>
    public bool Fits(TrialPass other) =>
        _expected.Outputs.HasShapesOf(other.Outputs) && _expected.Buffers.HasShapesOf(other.Buffers);

    /// <summary>The largest difference that rounding doesn't explain, as a share of its row; null if there is none.</summary>
    public double? Excess(TrialPass other)
    {
        RowDifference[] excessive =
        [
            .. Excessive(_expected.Outputs, other.Outputs, _allowed),
            .. Excessive(_expected.Buffers, other.Buffers, _allowedInBuffers),
        ];
        return excessive.Length == 0 ? null : excessive.Max(row => row.Difference / row.Scale);
    }

    private static IEnumerable<RowDifference> Excessive(Outputs expected, Outputs other, double[] allowed) =>
        expected.DifferencesTo(other).Zip(allowed).Where(pair => pair.First.Difference > pair.Second).Select(pair => pair.First);

    private (double[] Allowed, double Typical) AllowedIn(Outputs expected, Outputs jittered)
    {
        if (!expected.HasShapesOf(jittered))
            return ([], 0);

        RowDifference[] rows = [.. expected.DifferencesTo(jittered)];
        var largest = expected.Largest;
        var typical = Median([.. rows.Where(row => row.Scale > 0).Select(row => row.Difference / row.Scale)]);
        double[] allowed =
        [
            .. rows.Select(row => (_rounding.Tolerance * (row.Scale + (_rounding.Tolerance * largest)))
                + (Margin * Math.Max(row.Difference, typical * row.Scale))),
        ];
        return (allowed, typical);
    }

    private static double Median(double[] values)
    {
        if (values.Length == 0)
            return 0;
        Array.Sort(values);
        return values[values.Length / 2];
    }
}
