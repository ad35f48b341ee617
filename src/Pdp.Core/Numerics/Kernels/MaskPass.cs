using System.Runtime.CompilerServices;

namespace Pdp.Numerics.Kernels;

/// <summary>The passes, in vectors of one width.</summary>
/// <typeparam name="TLanes">The vector.</typeparam>
internal sealed unsafe class MaskPass<TLanes> : IMaskPass
    where TLanes : unmanaged, ILanes<TLanes>
{
    /// <summary>The number of weights whose products are summed in float32.</summary>
    private const int InFloat = 1 << 12;

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
        float* competing = null, RadialSums* radial = null) => competing is null
            ? Leave(weight, dense, gradient, sum, length, new BoundaryOfAll<TLanes>(threshold, scale), own, radial)
            : Leave(weight, dense, gradient, sum, length, new BoundaryByImportance<TLanes>(threshold, scale, competing), own, radial);

    public bool Leave(
        float* weight, float* dense, float* gradient, float* sum, int length, float* thresholds, float* scales, Sharpness? own = null,
        RadialSums* radial = null) =>
        Leave(weight, dense, gradient, sum, length, new BoundaryOfEach<TLanes>(thresholds, scales), own, radial);

    private static bool Leave<T>(
        float* weight, float* dense, float* gradient, float* sum, int length, T boundary, Sharpness? own, RadialSums* radial)
        where T : struct, IBoundary<TLanes> => own is { } sharpness
        ? Leave(weight, dense, gradient, sum, length, new BoundaryWithGradient<TLanes, T>(boundary, sharpness), radial)
        : Leave(weight, dense, gradient, sum, length, boundary, radial);

    private static bool Leave<T>(float* weight, float* dense, float* gradient, float* sum, int length, T boundary, RadialSums* radial)
        where T : struct, IBoundary<TLanes> => radial is null
        ? LeaveAll(weight, dense, gradient, sum, length, boundary, radial)
        : LeaveAll(weight, dense, gradient, sum, length, new BoundaryWithSums<TLanes, T>(boundary), radial);

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

    private static bool LeaveAll<T>(float* weight, float* dense, float* gradient, float* sum, int length, T boundary, RadialSums* radial)
        where T : struct, IBoundary<TLanes>
    {
        var whole = length - (length % TLanes.Count);
        var isUnchanged = LeaveWhole(weight, dense, gradient, sum, whole, boundary, radial);
        return isUnchanged & (whole == length || LeaveRest(
            weight + whole,
            dense + whole,
            IMaskPass.At(gradient, whole),
            IMaskPass.At(sum, whole),
            length - whole,
            boundary,
            whole,
            radial));
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
    private static bool LeaveWhole<T>(float* weight, float* dense, float* gradient, float* sum, int length, T boundary, RadialSums* radial)
        where T : struct, IBoundary<TLanes>
    {
        var same = TLanes.Equal(TLanes.Create(0), TLanes.Create(0));
        var (unit, surplus, square) = (TLanes.Create(T.HasSums ? radial->Unit : 0), TLanes.Create(0), TLanes.Create(0));
        for (var i = 0; i < length; i += TLanes.Count)
        {
            var w = TLanes.Load(dense + i);
            same &= MaskMath<TLanes>.Correct(
                w, weight + i, IMaskPass.At(gradient, i), IMaskPass.At(sum, i), boundary, i, unit, ref surplus, ref square);
            w.Store(weight + i);
            if (T.HasSums && (i & (InFloat - 1)) == 0)
                Add(radial, ref surplus, ref square);
        }

        if (T.HasSums)
            Add(radial, ref surplus, ref square);
        return TLanes.HighestBits(same) == (1u << TLanes.Count) - 1;
    }

    /// <summary>Adds the sums of the lanes to those in float64.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(RadialSums* radial, ref TLanes surplus, ref TLanes square)
    {
        radial->Surplus += TLanes.Sum(surplus);
        radial->Square += TLanes.Sum(square);
        (surplus, square) = (TLanes.Create(0), TLanes.Create(0));
    }

    /// <summary>Handles the last weights, fewer than a vector, in a copy padded to a whole one.</summary>
    private static bool LeaveRest<T>(
        float* weight, float* dense, float* gradient, float* sum, int length, T boundary, int place, RadialSums* radial)
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
        var (unit, surplus, square) = (TLanes.Create(T.HasSums ? radial->Unit : 0), TLanes.Create(0), TLanes.Create(0));
        var same = MaskMath<TLanes>.Correct(
            TLanes.Load(w), places, g, sum is null ? null : s, boundary, place, unit, ref surplus, ref square);
        Copy(dense, weight, length);
        Copy(g, gradient, length);
        Copy(s, sum, length);
        if (T.HasSums)
            Add(radial, surplus, square, length);
        return (~TLanes.HighestBits(same) & ((1u << length) - 1)) == 0;
    }

    /// <summary>Adds the sums of the first lanes; those beyond the weights may be anything.</summary>
    private static void Add(RadialSums* radial, TLanes surplus, TLanes square, int length)
    {
        var lanes = stackalloc float[2 * Lanes.Most];
        surplus.Store(lanes);
        square.Store(lanes + Lanes.Most);
        for (var i = 0; i < length; i++)
            (radial->Surplus, radial->Square) = (radial->Surplus + lanes[i], radial->Square + lanes[Lanes.Most + i]);
    }

    private static void Copy(float* source, float* target, int length)
    {
        if (source is not null && target is not null)
            new ReadOnlySpan<float>(source, length).CopyTo(new Span<float>(target, length));
    }
}
