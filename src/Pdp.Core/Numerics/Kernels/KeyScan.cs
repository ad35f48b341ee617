using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Pdp.Numerics.Kernels;

/// <summary>Passes over magnitudes as keys. A key is the bits of |w| read as an integer; keys sort as the magnitudes do.</summary>
/// <remarks>
/// Each pass works on one piece of the data and adds to totals that all pieces share, so the order of the pieces doesn't matter.
/// </remarks>
internal static unsafe class KeyScan
{
    /// <summary>The key of infinity. The keys of NaN are above it.</summary>
    public const int Infinity = 0x7f800000;

    /// <summary>What <see cref="SmallestAbove"/> returns if there is no such key.</summary>
    public const int None = int.MaxValue;

    /// <summary>The number of bins of a histogram.</summary>
    public const int Bins = 2048;

    /// <summary>How many numbers a vector has; a constant, because a field would be read in every iteration.</summary>
    private const int Lanes = 8;

    private const int Unsigned = 0x7fffffff;
    private const int BufferLength = 1024;

    /// <summary>
    /// Counts the keys below [low, high] and in it, finds the largest of all, and collects those in the range while there is room.
    /// </summary>
    [MethodImpl(Compiled.AtOnce)]
    [SkipLocalsInit]
    public static void Count(int* bits, int count, int low, int high, CountTotals* totals)
    {
        var buffer = stackalloc int[BufferLength];
        var (buffered, inside, below, largest) = (0, 0, 0L, 0);
        var (lows, widths, unsigned) = (Vector256.Create(low), Vector256.Create((uint)(high - low)), Vector256.Create(Unsigned));
        var (belows, largests) = (Vector256<int>.Zero, Vector256<int>.Zero);
        var i = 0;
        for (; i <= count - (4 * Lanes); i += 4 * Lanes)
        {
            var (a, b) = (Vector256.Load(bits + i) & unsigned, Vector256.Load(bits + i + Lanes) & unsigned);
            var (c, d) = (Vector256.Load(bits + i + (2 * Lanes)) & unsigned, Vector256.Load(bits + i + (3 * Lanes)) & unsigned);
            largests = Vector256.Max(Vector256.Max(largests, Vector256.Max(a, b)), Vector256.Max(c, d));
            (a, b, c, d) = (a - lows, b - lows, c - lows, d - lows);
            // A negative difference means below the range; read as an unsigned number it is far beyond the width.
            belows -= (a >> 31) + (b >> 31) + (c >> 31) + (d >> 31);
            var (inA, inB) = (Vector256.LessThanOrEqual(a.AsUInt32(), widths), Vector256.LessThanOrEqual(b.AsUInt32(), widths));
            var (inC, inD) = (Vector256.LessThanOrEqual(c.AsUInt32(), widths), Vector256.LessThanOrEqual(d.AsUInt32(), widths));
            if (((inA | inB) | (inC | inD)) == Vector256<uint>.Zero)
                continue;

            var mask = inA.ExtractMostSignificantBits() | (inB.ExtractMostSignificantBits() << 8)
                | (inC.ExtractMostSignificantBits() << 16) | (inD.ExtractMostSignificantBits() << 24);
            inside += BitOperations.PopCount(mask);
            if (buffered > BufferLength - 32)
                buffered = Flush(buffer, buffered, totals);
            if (totals->Collected >= totals->Room)
                continue;
            for (; mask != 0; mask &= mask - 1)
                buffer[buffered++] = bits[i + BitOperations.TrailingZeroCount(mask)] & Unsigned;
        }

        for (; i < count; i++)
        {
            var key = bits[i] & Unsigned;
            largest = Math.Max(largest, key);
            below += key < low ? 1 : 0;
            if (key < low || key > high)
                continue;
            inside++;
            if (buffered == BufferLength)
                buffered = Flush(buffer, buffered, totals);
            buffer[buffered++] = key;
        }

        Flush(buffer, buffered, totals);
        for (var lane = 0; lane < Lanes; lane++)
            (below, largest) = (below + belows[lane], Math.Max(largest, largests[lane]));
        totals->Add(below, inside, largest);
    }

    /// <summary>Whether any number has its sign bit set, as negative ones and −0 have.</summary>
    [MethodImpl(Compiled.AtOnce)]
    public static bool HasSigns(int* bits, long count)
    {
        var any = Vector256<int>.Zero;
        var i = 0L;
        for (; i <= count - Lanes; i += Lanes)
            any |= Vector256.Load(bits + i);
        var hasSigns = any.ExtractMostSignificantBits() != 0;
        for (; i < count; i++)
            hasSigns |= bits[i] < 0;
        return hasSigns;
    }

    /// <summary>The largest key.</summary>
    [MethodImpl(Compiled.AtOnce)]
    public static int Largest(int* bits, int count)
    {
        var unsigned = Vector256.Create(Unsigned);
        var largests = Vector256<int>.Zero;
        var i = 0;
        for (; i <= count - Lanes; i += Lanes)
            largests = Vector256.Max(largests, Vector256.Load(bits + i) & unsigned);
        var largest = 0;
        for (; i < count; i++)
            largest = Math.Max(largest, bits[i] & Unsigned);
        for (var lane = 0; lane < Lanes; lane++)
            largest = Math.Max(largest, largests[lane]);
        return largest;
    }

    /// <summary>The smallest key above another; <see cref="None"/> if there is none.</summary>
    [MethodImpl(Compiled.AtOnce)]
    public static int SmallestAbove(int* bits, int count, int key)
    {
        var (unsigned, keys, smallests) = (Vector256.Create(Unsigned), Vector256.Create(key), Vector256.Create(None));
        var i = 0;
        for (; i <= count - Lanes; i += Lanes)
        {
            var candidates = Vector256.Load(bits + i) & unsigned;
            var above = Vector256.ConditionalSelect(Vector256.GreaterThan(candidates, keys), candidates, Vector256.Create(None));
            smallests = Vector256.Min(smallests, above);
        }

        var smallest = None;
        for (; i < count; i++)
            smallest = Math.Min(smallest, (bits[i] & Unsigned) > key ? bits[i] & Unsigned : None);
        for (var lane = 0; lane < Lanes; lane++)
            smallest = Math.Min(smallest, smallests[lane]);
        return smallest;
    }

    /// <summary>Adds the keys in [low, high] to the bins <c>(key − low) &gt;&gt; shift</c>.</summary>
    [MethodImpl(Compiled.AtOnce)]
    public static void Histogram(int* bits, int count, int low, int high, int shift, int* bins)
    {
        var width = (uint)(high - low);
        for (var i = 0; i < count; i++)
        {
            var distance = (uint)((bits[i] & Unsigned) - low);
            if (distance <= width)
                bins[distance >> shift]++;
        }
    }

    /// <summary>Moves the collected keys to the shared place; those that don't fit are still counted.</summary>
    private static int Flush(int* buffer, int buffered, CountTotals* totals)
    {
        if (buffered > 0 && Volatile.Read(ref totals->Collected) < totals->Room)
        {
            var start = Interlocked.Add(ref totals->Collected, buffered) - buffered;
            var fitting = Math.Clamp(totals->Room - start, 0, buffered);
            new ReadOnlySpan<int>(buffer, fitting).CopyTo(new Span<int>(totals->Place + start, fitting));
        }

        return 0;
    }
}
