namespace Pdp.Watching;

/// <summary>What the bits of a gradient, summed up in float64 over marks, tell of how it came about.</summary>
internal sealed class GradientBits
{
    /// <summary>The low bits of a float64 mantissa that a float32 number leaves zero.</summary>
    private const int Spare = 29;

    /// <summary>Those of them that sums of a few float32 numbers of about the same size leave zero.</summary>
    private const int SpareOfSums = 16;

    /// <summary>How far a mark is below the earlier gradient: 2⁻⁴⁸ of it.</summary>
    private const int MarkDepth = 48;

    /// <summary>The fewest numbers that tell how bits are spread.</summary>
    private const int Telling = 16;

    /// <summary>The fewest elements without their marks that are no coincidence.</summary>
    private const int FewestLost = 4;

    private readonly double[] _sums;
    private readonly double[] _unmarked;

    /// <summary>Takes the sums, and the marks that they began with; null if with zeros.</summary>
    public GradientBits(double[] sums, double[]? marks)
    {
        _sums = sums;
        _unmarked = marks is null ? sums : new double[sums.Length];
        for (var i = 0; marks is not null && i < sums.Length; i++)
        {
            // A sum that is much larger than the earlier gradient never took the mark, and doesn't tell.
            var hasRoom = sums[i] + marks[i] != sums[i];
            _unmarked[i] = hasRoom ? sums[i] - marks[i] : sums[i];
            if (hasRoom && LowZeros(sums[i]) < Spare)
                KeptMarks++;
            else if (hasRoom && LowZeros(_unmarked[i]) < Spare)
                LostMarks++;
        }
    }

    /// <summary>Whether the marks were zeroed before one backward pass: none is left.</summary>
    public bool IsZeroed => LostMarks >= Math.Min(FewestLost, _sums.Length) && KeptMarks == 0;

    /// <summary>Whether these are not what one backward pass gives: float32 numbers, or sums of a few of about the same size where it is sparse.</summary>
    public bool IsNoGradient => Share(value => LowZeros(value) < SpareOfSums) > 0.05;

    /// <summary>Whether bits are spread as a factor spreads them, and not as sums of a few float32 numbers have them, whatever their sizes.</summary>
    public bool IsScaled => _unmarked.Length >= Telling && Share(IsFilled) > 0.3;

    private int LostMarks { get; }

    private int KeptMarks { get; }

    /// <summary>Marks for an earlier gradient: a power of two for each number that is not 0; null where all are.</summary>
    public static double[]? Marks(double[] earlier)
    {
        var isMarked = false;
        for (var i = 0; i < earlier.Length; i++)
        {
            earlier[i] = earlier[i] == 0 || !double.IsFinite(earlier[i]) ? 0 : Math.ScaleB(1, Math.ILogB(earlier[i]) - MarkDepth);
            isMarked |= earlier[i] != 0;
        }

        return isMarked ? earlier : null;
    }

    /// <summary>The gradient, without marks.</summary>
    public double[] Gradient(bool isZeroed) => isZeroed ? _sums : _unmarked;

    private static long LowZeros(double value) => long.TrailingZeroCount(BitConverter.DoubleToInt64Bits(value));

    /// <summary>
    /// Whether the lowest bits are used although the number is far from one of float32. In a sum of two, either the smaller one is so small that the
    /// sum is close to the larger one, or its own low bits are zero.
    /// </summary>
    private static bool IsFilled(double value)
    {
        var single = (float)value;
        var unit = (double)(MathF.BitIncrement(MathF.Abs(single)) - MathF.Abs(single));
        return LowZeros(value) <= 2 && Math.Abs(value - single) > 0.15 * unit;
    }

    /// <summary>The share of such numbers among those that are not 0.</summary>
    private double Share(Func<double, bool> isSuch)
    {
        var (nonzero, such) = (0, 0);
        foreach (var value in _unmarked)
        {
            if (value == 0)
                continue;
            nonzero++;
            such += isSuch(value) ? 1 : 0;
        }

        return such / (double)Math.Max(1, nonzero);
    }
}
