namespace Pdp.Channels.Probing;

/// <summary>Compares outputs with expected ones, each row on its own scale, and tolerates differences that rounding explains.</summary>
/// <remarks>
/// A row may be small because large numbers cancel, and a deep network may amplify rounding errors. The tolerance is therefore a share of
/// the row plus the change of the output when the weights change in their last digits.
/// </remarks>
internal sealed class Comparison
{
    /// <summary>The tolerated multiple of the change that the last digits cause.</summary>
    private const double Margin = 8;

    /// <summary>If the last digits change the outputs by more than this share, the comparison is not conclusive.</summary>
    private const double Chaos = 0.01;

    private readonly Outputs _expected;
    private readonly double[] _allowed;

    /// <summary>Prepares a comparison.</summary>
    /// <param name="expected">The expected outputs.</param>
    /// <param name="jittered">The outputs with weights that are changed in their last digits.</param>
    /// <param name="rounding">The tolerances for the model's type.</param>
    public Comparison(Outputs expected, Outputs jittered, RoundingTolerance rounding)
    {
        _expected = expected;
        if (!expected.HasShapesOf(jittered))
        {
            _allowed = [];
            return;
        }

        RowDifference[] rows = [.. expected.DifferencesTo(jittered)];
        var typical = Median([.. rows.Where(row => row.Scale > 0).Select(row => row.Difference / row.Scale)]);
        _allowed =
        [
            .. rows.Select(row => (rounding.Tolerance * (row.Scale + (rounding.Tolerance * expected.Largest)))
                + (Margin * Math.Max(row.Difference, typical * row.Scale))),
        ];
        IsConclusive = expected.Largest > 0 && typical < Chaos;
    }

    /// <summary>Whether the outputs are finite somewhere, not all zero, and not chaotic.</summary>
    public bool IsConclusive { get; }

    /// <summary>Whether other outputs have the same shapes.</summary>
    public bool Fits(Outputs other) => _expected.HasShapesOf(other);

    /// <summary>The largest difference that rounding doesn't explain, as a share of its row; null if there is none.</summary>
    public double? Excess(Outputs other)
    {
        RowDifference[] excessive =
        [
            .. _expected.DifferencesTo(other).Zip(_allowed)
                .Where(pair => pair.First.Difference > pair.Second).Select(pair => pair.First),
        ];
        return excessive.Length == 0 ? null : excessive.Max(row => row.Difference / row.Scale);
    }

    private static double Median(double[] values)
    {
        if (values.Length == 0)
            return 0;
        Array.Sort(values);
        return values[values.Length / 2];
    }
}
