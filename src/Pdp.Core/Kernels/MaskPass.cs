using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Pdp.Kernels;

/// <summary>The passes over weights in memory at the beginning and the end of a scope.</summary>
internal static unsafe class MaskPass
{
    private const int Lanes = MaskMath.Lanes;

    /// <summary>Copies w to the dense copy and puts ŵ in its place.</summary>
    public static void Enter<T>(float* weight, float* dense, int length, T boundary)
        where T : struct, IBoundary
    {
        var whole = length - (length % Lanes);
        EnterWhole(weight, dense, whole, boundary);
        if (whole == length)
            return;

        var rest = stackalloc float[Lanes];
        Copy(weight + whole, dense + whole, length - whole);
        Copy(weight + whole, rest, length - whole);
        MaskMath.Masked(Vector512.Load(rest), boundary.Threshold(whole), boundary.Scale(whole)).Store(rest);
        Copy(rest, weight + whole, length - whole);
    }

    /// <summary>Puts w back and turns g = ∂L/∂ŵ into ∂L/∂w, as <see cref="IMaskKernel.Leave"/> has it.</summary>
    public static bool Leave<T>(float* weight, float* dense, float* gradient, float* sum, int length, T boundary)
        where T : struct, IBoundary
    {
        var whole = length - (length % Lanes);
        var isUnchanged = LeaveWhole(weight, dense, gradient, sum, whole, boundary);
        return isUnchanged
            & (whole == length || LeaveRest(weight + whole, dense + whole, At(gradient, whole), At(sum, whole), length - whole, boundary.Threshold(whole), boundary.Scale(whole)));
    }

    /// <summary>A place in a gradient, if there is one.</summary>
    public static float* At(float* elements, long place) => elements is null ? null : elements + place;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void EnterWhole<T>(float* weight, float* dense, int length, T boundary)
        where T : struct, IBoundary
    {
        var isAligned = (nint)dense % (Lanes * sizeof(float)) == 0;
        for (var i = 0; i < length; i += Lanes)
        {
            var w = Vector512.Load(weight + i);
            // Past the caches: the copy is read only when the backward pass has thrown it out of them, and its lines need not be fetched first.
            if (isAligned)
                w.StoreAlignedNonTemporal(dense + i);
            else
                w.Store(dense + i);
            MaskMath.Masked(w, boundary.Threshold(i), boundary.Scale(i)).Store(weight + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool LeaveWhole<T>(float* weight, float* dense, float* gradient, float* sum, int length, T boundary)
        where T : struct, IBoundary
    {
        var same = Vector512<float>.AllBitsSet;
        for (var i = 0; i < length; i += Lanes)
        {
            var w = Vector512.Load(dense + i);
            same &= MaskMath.Correct(w, weight + i, At(gradient, i), At(sum, i), boundary.Threshold(i), boundary.Scale(i));
            w.Store(weight + i);
        }

        return Vector512.EqualsAll(same.AsInt32(), Vector512<int>.AllBitsSet);
    }

    /// <summary>What is left of a vector, moved to a whole one.</summary>
    private static bool LeaveRest(float* weight, float* dense, float* gradient, float* sum, int length, Vector512<float> t, Vector512<float> scale)
    {
        var places = stackalloc float[4 * Lanes];
        var w = places + Lanes;
        var g = w + Lanes;
        var s = g + Lanes;
        new Span<float>(places, 4 * Lanes).Clear();
        Copy(weight, places, length);
        Copy(dense, w, length);
        Copy(gradient, g, length);
        Copy(sum, s, length);
        var same = MaskMath.Correct(Vector512.Load(w), places, g, sum is null ? null : s, t, scale);
        Copy(dense, weight, length);
        Copy(g, gradient, length);
        Copy(s, sum, length);
        return (~same.ExtractMostSignificantBits() & ((1ul << length) - 1)) == 0;
    }

    private static void Copy(float* source, float* target, int length)
    {
        if (source is not null && target is not null)
            new ReadOnlySpan<float>(source, length).CopyTo(new Span<float>(target, length));
    }
}
