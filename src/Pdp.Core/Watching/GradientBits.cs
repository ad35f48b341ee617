namespace Pdp.Watching;

/// <summary>Infers from the bits of a gradient that was accumulated in float64 on top of marks how it was computed.</summary>
internal sealed class GradientBits
{
    /// <summary>The low bits of a float64 mantissa that are zero in float32 numbers.</summary>
    private const int Spare = 29;

    /// <summary>The lowest of these bits, which are zero even in sums of a few float32 numbers of similar size.</summary>
    private const int SpareOfSums = 16;

    /// <summary>The ratio of a mark to the earlier gradient: 2⁻⁴⁸.</summary>
    private const int MarkDepth = 48;

    /// <summary>The smallest number of elements whose bits are conclusive.</summary>
    private const int Telling = 16;

    /// <summary>The smallest number of elements without their marks that can't be a coincidence.</summary>
    private const int FewestLost = 4;

    private readonly double[] _sums;
    private readonly double[] _unmarked;

    /// <summary>Takes the sums and the marks that they started from; null if they started from zeros.</summary>
    public GradientBits(double[] sums, double[]? marks)
    {
        _sums = sums;
        _unmarked = marks is null ? sums : new double[sums.Length];
        for (var i = 0; marks is not null && i < sums.Length; i++)
        {
            // A sum much larger than the earlier gradient never had room for the mark, so it is inconclusive.
            var hasRoom = sums[i] + marks[i] != sums[i];
            _unmarked[i] = hasRoom ? sums[i] - marks[i] : sums[i];
            if (hasRoom && LowZeros(sums[i]) < Spare)
                KeptMarks++;
            else if (hasRoom && LowZeros(_unmarked[i]) < Spare)
                LostMarks++;
        }
    }

    /// <summary>Whether the marks were zeroed before a backward pass, so that none is left.</summary>
    public bool IsZeroed => LostMarks >= Math.Min(FewestLost, _sums.Length) && KeptMarks == 0;

    /// <summary>
    /// Whether these can't come from one backward pass, which gives float32 numbers or, if it is sparse, sums of a few of similar size.
    /// </summary>
    public bool IsNoGradient => Share(value => LowZeros(value) < SpareOfSums) > 0.05;

    /// <summary>Whether bits are spread as a multiplication spreads them, unlike in sums of a few float32 numbers of any size.</summary>
    public bool IsScaled => _unmarked.Length >= Telling && Share(IsFilled) > 0.3;

    private int LostMarks { get; }

    private int KeptMarks { get; }

    /// <summary>Marks for an earlier gradient: a power of two for each nonzero element; null if all are zero.</summary>
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

    /// <summary>The gradient without the marks.</summary>
    public double[] Gradient(bool isZeroed) => isZeroed ? _sums : _unmarked;

    private static long LowZeros(double value) => long.TrailingZeroCount(BitConverter.DoubleToInt64Bits(value));

    /// <summary>
    /// Whether the lowest bits are used although the number is far from any float32 number. In a sum of two, either the smaller one is so
    /// small that the sum is close to the larger one, or its own low bits are zero.
    /// </summary>
    private static bool IsFilled(double value)
    {
        var single = (float)value;
        var unit = (double)(MathF.BitIncrement(MathF.Abs(single)) - MathF.Abs(single));
        return LowZeros(value) <= 2 && Math.Abs(value - single) > 0.15 * unit;
    }

    /// <summary>The fraction of such numbers among the nonzero ones.</summary>
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
