using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Pdp.Internal;

namespace Pdp.Kernels;

/// <summary>One threshold for the whole weight.</summary>
internal sealed unsafe class UnstructuredKernel(long count) : IMaskKernel
{
    /// <summary>The numbers of a vector; a constant, as a field would be read in every turn of a loop.</summary>
    private const int Lanes = 8;

    /// <summary>The weights of a piece: with their copy and gradient they fit the second-level cache.</summary>
    private const int PieceLength = 1 << 16;

    private float _threshold;
    private float _inverse;

    /// <inheritdoc/>
    public int Pieces => (int)((count + PieceLength - 1) / PieceLength);

    /// <summary>Sets the threshold t, the midpoint of two magnitudes, and τ, or ρ·t².</summary>
    public void Set(float below, float above, float temperature, bool isRelative)
    {
        _threshold = (below + above) * 0.5f;
        var clamped = MathF.Max(isRelative ? _threshold * temperature * _threshold : temperature, (float)Precision.SmallestNormal);
        _inverse = 1 / clamped;
    }

    /// <inheritdoc/>
    public void Enter(int piece, float* weight, float* dense)
    {
        var (start, length) = Extent(piece);
        Enter(weight + start, dense + start, length);
    }

    /// <inheritdoc/>
    public bool Leave(int piece, float* weight, float* dense, float* gradient, float* sum)
    {
        var (start, length) = Extent(piece);
        var whole = length - (length % Lanes);
        gradient = gradient is null ? null : gradient + start;
        sum = sum is null ? null : sum + start;
        return Leave(weight + start, dense + start, gradient, sum, whole)
            & LeaveRest(weight + start + whole, dense + start + whole, gradient is null ? null : gradient + whole, sum is null ? null : sum + whole, length - whole);
    }

    private (long Start, int Length) Extent(int piece)
    {
        var start = (long)piece * PieceLength;
        return (start, (int)Math.Min(PieceLength, count - start));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Enter(float* weight, float* dense, int length)
    {
        var (t, inverse) = (Vector256.Create(_threshold), Vector256.Create(_inverse));
        var i = 0;
        for (; i <= length - Lanes; i += Lanes)
        {
            var w = Vector256.Load(weight + i);
            w.Store(dense + i);
            MaskMath.Masked(w, t, inverse).Store(weight + i);
        }

        for (; i < length; i++)
        {
            dense[i] = weight[i];
            weight[i] = MaskMath.Masked(Vector256.CreateScalar(weight[i]), t, inverse).ToScalar();
        }
    }

    /// <summary>Whole vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private bool Leave(float* weight, float* dense, float* gradient, float* sum, int length)
    {
        var (t, inverse) = (Vector256.Create(_threshold), Vector256.Create(_inverse));
        var same = Vector256<float>.AllBitsSet;
        for (var i = 0; i < length; i += Lanes)
        {
            var w = Vector256.Load(dense + i);
            same &= MaskMath.Correct(w, weight + i, gradient is null ? null : gradient + i, sum is null ? null : sum + i, t, inverse);
            w.Store(weight + i);
        }

        return same.ExtractMostSignificantBits() == (1u << Lanes) - 1;
    }

    /// <summary>What is left of a vector, moved to a whole one.</summary>
    private bool LeaveRest(float* weight, float* dense, float* gradient, float* sum, int length)
    {
        if (length == 0)
            return true;

        var places = stackalloc float[4 * Lanes];
        new Span<float>(places, 4 * Lanes).Clear();
        Copy(weight, places, length);
        Copy(dense, places + Lanes, length);
        Copy(gradient, places + (2 * Lanes), length);
        Copy(sum, places + (3 * Lanes), length);
        var isUnchanged = Leave(places, places + Lanes, places + (2 * Lanes), sum is null ? null : places + (3 * Lanes), Lanes);
        Copy(places, weight, length);
        Copy(places + (2 * Lanes), gradient, length);
        Copy(places + (3 * Lanes), sum, length);
        return isUnchanged;
    }

    private static void Copy(float* source, float* target, int length)
    {
        if (source is not null && target is not null)
            new ReadOnlySpan<float>(source, length).CopyTo(new Span<float>(target, length));
    }
}
