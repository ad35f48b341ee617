using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Pdp.Numerics.Kernels;

namespace Pdp.Sparse.Kernels;

/// <summary>Transposes matrices.</summary>
internal static unsafe class Transposition
{
    private const int Side = 4;
    private const int Line = 16;

    /// <summary>target[column, row] = source[row, column].</summary>
    /// <param name="source">[rows, columns].</param>
    /// <param name="sourceStride">From one row of the source to the next.</param>
    /// <param name="target">[columns, rows].</param>
    /// <param name="targetStride">From one row of the target to the next.</param>
    /// <param name="rows">The rows of the source.</param>
    /// <param name="columns">The columns of the source.</param>
    [MethodImpl(Compiled.AtOnce)]
    public static void Run(float* source, long sourceStride, float* target, long targetStride, int rows, int columns)
    {
        var (wholeRows, wholeColumns) = Sse.IsSupported ? (rows & -Side, columns & -Side) : (0, 0);
        if (Sse.IsSupported)
            Squares(source, sourceStride, target, targetStride, wholeRows, wholeColumns);
        var rest = target + (wholeColumns * targetStride);
        Singles(source + wholeColumns, sourceStride, rest, targetStride, wholeRows, columns - wholeColumns);
        Singles(source + (wholeRows * sourceStride), sourceStride, target + wholeRows, targetStride, rows - wholeRows, columns);
    }

    /// <summary>Works in blocks of whole cache lines on both sides, along the rows further apart, which may be in no cache.</summary>
    [MethodImpl(Compiled.AtOnce)]
    private static void Squares(float* source, long sourceStride, float* target, long targetStride, int rows, int columns)
    {
        var (high, wide) = sourceStride >= targetStride ? (Line, columns) : (rows, Line);
        for (var top = 0; top < rows; top += high)
        {
            for (var left = 0; left < columns; left += wide)
            {
                var (from, to) = ((top * sourceStride) + left, (left * targetStride) + top);
                Band(source + from, sourceStride, target + to, targetStride, Math.Min(high, rows - top), Math.Min(wide, columns - left));
            }
        }
    }

    [MethodImpl(Compiled.AtOnce)]
    private static void Band(float* source, long sourceStride, float* target, long targetStride, int rows, int columns)
    {
        for (var top = 0; top < rows; top += Line)
        {
            var bottom = Math.Min(top + Line, rows);
            for (var left = 0; left < columns; left += Line)
            {
                var right = Math.Min(left + Line, columns);
                for (var column = left; column < right; column += Side)
                {
                    for (var row = top; row < bottom; row += Side)
                        Square(source + (row * sourceStride) + column, sourceStride, target + (column * targetStride) + row, targetStride);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Square(float* source, long sourceStride, float* target, long targetStride)
    {
        var (a, b) = (Vector128.Load(source), Vector128.Load(source + sourceStride));
        var (c, d) = (Vector128.Load(source + (2 * sourceStride)), Vector128.Load(source + (3 * sourceStride)));
        var (lowAb, highAb) = (Sse.UnpackLow(a, b), Sse.UnpackHigh(a, b));
        var (lowCd, highCd) = (Sse.UnpackLow(c, d), Sse.UnpackHigh(c, d));
        Sse.MoveLowToHigh(lowAb, lowCd).Store(target);
        Sse.MoveHighToLow(lowCd, lowAb).Store(target + targetStride);
        Sse.MoveLowToHigh(highAb, highCd).Store(target + (2 * targetStride));
        Sse.MoveHighToLow(highCd, highAb).Store(target + (3 * targetStride));
    }

    [MethodImpl(Compiled.AtOnce)]
    private static void Singles(float* source, long sourceStride, float* target, long targetStride, int rows, int columns)
    {
        for (var row = 0; row < rows; row++)
        {
            for (var column = 0; column < columns; column++)
                target[(column * targetStride) + row] = source[(row * sourceStride) + column];
        }
    }
}
