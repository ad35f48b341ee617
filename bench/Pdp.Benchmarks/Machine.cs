using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Pdp.Numerics.Kernels;

namespace Pdp.Benchmarks;

/// <summary>What one thread of this machine does at most, as measured now.</summary>
internal static unsafe class Machine
{
    private const int Rounds = 9;

    /// <summary>Multiply-adds of float32 per millisecond, on numbers in registers.</summary>
    public static double MultiplyAdds() => Vector512.IsHardwareAccelerated ? Best(Chains<Lanes512>) : Best(Chains<Lanes256>);

    /// <summary>Bytes per millisecond, read from memory of a size again and again: from whichever cache has it.</summary>
    public static double BytesRead(long bytes)
    {
        var length = (nint)Math.Max(bytes / 256, 16) * 64;
        var memory = (float*)NativeMemory.AlignedAlloc((nuint)length * sizeof(float), 64);
        new Span<float>(memory, (int)length).Fill(1);
        var repeats = Math.Max(1, (1 << 24) / length);
        var rate = Best(() =>
        {
            for (var i = 0L; i < repeats; i++)
                Read(memory, length);
            return (long)length * sizeof(float) * repeats;
        });
        NativeMemory.AlignedFree(memory);
        return rate;
    }

    /// <summary>The most that an action does per millisecond; it says how much it has done.</summary>
    private static double Best(Func<long> action)
    {
        var best = 0.0;
        for (var round = 0; round < Rounds; round++)
        {
            var start = Stopwatch.GetTimestamp();
            var done = action();
            best = Math.Max(best, done / Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        return best;
    }

    /// <summary>Twelve chains of multiply-adds, of which two begin in each cycle and each takes four.</summary>
    [MethodImpl(Compiled.AtOnce)]
    private static long Chains<TLanes>()
        where TLanes : unmanaged, ILanes<TLanes>
    {
        const int Count = 100_000;
        var x = TLanes.Create(0.5f);
        var (a, b, c, d, e, f) = (x, x, x, x, x, x);
        var (g, h, i, j, k, l) = (x, x, x, x, x, x);
        for (var n = 0; n < Count; n++)
        {
            (a, b, c) = (TLanes.MultiplyAdd(a, x, x), TLanes.MultiplyAdd(b, x, x), TLanes.MultiplyAdd(c, x, x));
            (d, e, f) = (TLanes.MultiplyAdd(d, x, x), TLanes.MultiplyAdd(e, x, x), TLanes.MultiplyAdd(f, x, x));
            (g, h, i) = (TLanes.MultiplyAdd(g, x, x), TLanes.MultiplyAdd(h, x, x), TLanes.MultiplyAdd(i, x, x));
            (j, k, l) = (TLanes.MultiplyAdd(j, x, x), TLanes.MultiplyAdd(k, x, x), TLanes.MultiplyAdd(l, x, x));
        }

        return Used(a + b + c + d + e + f + g + h + i + j + k + l, 12L * TLanes.Count * Count);
    }

    [MethodImpl(Compiled.AtOnce)]
    private static void Read(float* memory, nint length)
    {
        var (a, b, c, d) = (Vector512<float>.Zero, Vector512<float>.Zero, Vector512<float>.Zero, Vector512<float>.Zero);
        for (var end = memory + length; memory < end; memory += 64)
        {
            a += Vector512.Load(memory);
            b += Vector512.Load(memory + 16);
            c += Vector512.Load(memory + 32);
            d += Vector512.Load(memory + 48);
        }

        if (float.IsNaN(Vector512.Sum(a + b + c + d)))
            throw new InvalidOperationException("The sum of ones is no number.");
    }

    /// <summary>What was done, if the result is a number, so that the compiler leaves nothing out.</summary>
    private static long Used<TLanes>(TLanes result, long done)
        where TLanes : unmanaged, ILanes<TLanes> =>
        TLanes.HighestBits(result) == 0 ? done : throw new InvalidOperationException("A sum of positive numbers is negative.");
}
