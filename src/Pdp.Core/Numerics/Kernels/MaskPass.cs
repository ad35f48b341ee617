using System.Runtime.CompilerServices;

namespace Pdp.Numerics.Kernels;

/// <summary>The passes, in vectors of one width.</summary>
/// <typeparam name="TLanes">The vector.</typeparam>
internal sealed unsafe class MaskPass<TLanes> : IMaskPass
    where TLanes : unmanaged, ILanes<TLanes>
{
    public void Enter(float* weight, float* dense, int length, float threshold, float scale, float* competing = null)
    {
        if (competing is null)
            Enter(weight, dense, length, new BoundaryOfAll<TLanes>(threshold, scale));
        else
            Enter(weight, dense, length, new BoundaryByImportance<TLanes>(threshold, scale, competing));
    }

    public void Enter(float* weight, float* dense, int length, float* thresholds, float* scales) =>
        Enter(weight, dense, length, new BoundaryOfEach<TLanes>(thresholds, scales));

    public bool Leave(
        float* weight, float* dense, float* gradient, float* sum, int length, float threshold, float scale, Sharpness? own = null,
        float* competing = null) => competing is null
            ? Leave(weight, dense, gradient, sum, length, new BoundaryOfAll<TLanes>(threshold, scale), own)
            : Leave(weight, dense, gradient, sum, length, new BoundaryByImportance<TLanes>(threshold, scale, competing), own);

    public bool Leave(
        float* weight, float* dense, float* gradient, float* sum, int length, float* thresholds, float* scales, Sharpness? own = null) =>
        Leave(weight, dense, gradient, sum, length, new BoundaryOfEach<TLanes>(thresholds, scales), own);

    private static bool Leave<T>(float* weight, float* dense, float* gradient, float* sum, int length, T boundary, Sharpness? own)
        where T : struct, IBoundary<TLanes> => own is { } sharpness
        ? Leave(weight, dense, gradient, sum, length, new BoundaryWithGradient<TLanes, T>(boundary, sharpness))
        : Leave(weight, dense, gradient, sum, length, boundary);

    private static void Enter<T>(float* weight, float* dense, int length, T boundary)
        where T : struct, IBoundary<TLanes>
    {
        var whole = length - (length % TLanes.Count);
        EnterWhole(weight, dense, whole, boundary);
        if (whole == length)
            return;

        var rest = stackalloc float[Lanes.Most];
        Copy(weight + whole, dense + whole, length - whole);
        Copy(weight + whole, rest, length - whole);
        MaskMath<TLanes>.Masked(TLanes.Load(rest), boundary, whole).Store(rest);
        Copy(rest, weight + whole, length - whole);
    }

    private static bool Leave<T>(float* weight, float* dense, float* gradient, float* sum, int length, T boundary)
        where T : struct, IBoundary<TLanes>
    {
        var whole = length - (length % TLanes.Count);
        var isUnchanged = LeaveWhole(weight, dense, gradient, sum, whole, boundary);
        return isUnchanged & (whole == length || LeaveRest(
            weight + whole, dense + whole, IMaskPass.At(gradient, whole), IMaskPass.At(sum, whole), length - whole, boundary, whole));
    }

    [MethodImpl(Compiled.AtOnce)]
    private static void EnterWhole<T>(float* weight, float* dense, int length, T boundary)
        where T : struct, IBoundary<TLanes>
    {
        var isAligned = (nint)dense % (TLanes.Count * sizeof(float)) == 0;
        for (var i = 0; i < length; i += TLanes.Count)
        {
            var w = TLanes.Load(weight + i);
            // Around the caches, as the backward pass would evict the copy before it is read again. This also saves fetching its lines
            // first.
            if (isAligned)
                w.StorePast(dense + i);
            else
                w.Store(dense + i);
            MaskMath<TLanes>.Masked(w, boundary, i).Store(weight + i);
        }
    }

    [MethodImpl(Compiled.AtOnce)]
    private static bool LeaveWhole<T>(float* weight, float* dense, float* gradient, float* sum, int length, T boundary)
        where T : struct, IBoundary<TLanes>
    {
        var same = TLanes.Equal(TLanes.Create(0), TLanes.Create(0));
        for (var i = 0; i < length; i += TLanes.Count)
        {
            var w = TLanes.Load(dense + i);
            same &= MaskMath<TLanes>.Correct(w, weight + i, IMaskPass.At(gradient, i), IMaskPass.At(sum, i), boundary, i);
            w.Store(weight + i);
        }

        return TLanes.HighestBits(same) == (1u << TLanes.Count) - 1;
    }

    /// <summary>Handles the last weights, fewer than a vector, in a copy padded to a whole one.</summary>
    private static bool LeaveRest<T>(float* weight, float* dense, float* gradient, float* sum, int length, T boundary, int place)
        where T : struct, IBoundary<TLanes>
    {
        var places = stackalloc float[4 * Lanes.Most];
        var w = places + Lanes.Most;
        var g = w + Lanes.Most;
        var s = g + Lanes.Most;
        new Span<float>(places, 4 * Lanes.Most).Clear();
        Copy(weight, places, length);
        Copy(dense, w, length);
        Copy(gradient, g, length);
        Copy(sum, s, length);
        var same = MaskMath<TLanes>.Correct(TLanes.Load(w), places, g, sum is null ? null : s, boundary, place);
        Copy(dense, weight, length);
        Copy(g, gradient, length);
        Copy(s, sum, length);
        return (~TLanes.HighestBits(same) & ((1u << length) - 1)) == 0;
    }

    private static void Copy(float* source, float* target, int length)
    {
        if (source is not null && target is not null)
            new ReadOnlySpan<float>(source, length).CopyTo(new Span<float>(target, length));
    }
}
