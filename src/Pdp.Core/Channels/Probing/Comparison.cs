namespace Pdp.Channels.Probing;

/// <summary>Outputs to compare others with, each row in its own scale, and the differences among them that rounding explains.</summary>
/// <remarks>
/// A row may be small because large numbers cancel, and a network may be so deep that last digits grow: what the output changes by when the weights
/// change in their last digits is therefore allowed besides a share of the row.
/// </remarks>
internal sealed class Comparison
{
    /// <summary>How many times what the last digits change may be seen.</summary>
    private const double Margin = 8;

    /// <summary>Outputs that the last digits change by more than this share say nothing.</summary>
    private const double Chaos = 0.01;

    private readonly Outputs _expected;
    private readonly double[] _allowed;

    /// <summary>Prepares a comparison.</summary>
    /// <param name="expected">The outputs.</param>
    /// <param name="jittered">The same with weights that are changed in their last digits.</param>
    /// <param name="rounding">The rounding of the model's type.</param>
    public Comparison(Outputs expected, Outputs jittered, Rounding rounding)
    {
        _expected = expected;
        if (!expected.HasShapesOf(jittered))
        {
            _allowed = [];
            return;
        }

        RowDifference[] rows = [.. expected.DifferencesTo(jittered)];
        var typical = Median([.. rows.Where(row => row.Scale > 0).Select(row => row.Difference / row.Scale)]);
        _allowed = [.. rows.Select(row => (rounding.Tolerance * (row.Scale + (rounding.Tolerance * expected.Largest))) + (Margin * Math.Max(row.Difference, typical * row.Scale)))];
        IsTelling = expected.Largest > 0 && typical < Chaos;
    }

    /// <summary>Whether the outputs are finite somewhere, not all zero, and not chaotic.</summary>
    public bool IsTelling { get; }

    /// <summary>Whether other outputs have the same shapes.</summary>
    public bool Fits(Outputs other) => _expected.HasShapesOf(other);

    /// <summary>The largest difference, as a share of its row, that rounding doesn't explain; null if there is none.</summary>
    public double? Excess(Outputs other)
    {
        RowDifference[] excessive = [.. _expected.DifferencesTo(other).Zip(_allowed).Where(pair => pair.First.Difference > pair.Second).Select(pair => pair.First)];
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
