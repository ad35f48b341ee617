using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Pdp.Numerics.Kernels;

namespace Pdp.Sparse.Kernels;

/// <summary>The loop over nonzeros for a single position: four nonzeros fill a vector.</summary>
/// <remarks>Combining single loads is faster than the processor's gather.</remarks>
internal static unsafe class VectorKernel
{
    /// <summary>The largest column that an index can hold; all its bits are set.</summary>
    private const ulong Columns = ushort.MaxValue / PackedMatrix.IndexUnit;

    /// <summary>y += W·x for the rows of a panel.</summary>
    /// <param name="panel">W.</param>
    /// <param name="x">The inputs of the block.</param>
    /// <param name="y">One sum for each row of the panel.</param>
    [MethodImpl(Compiled.AtOnce)]
    public static void Multiply(Panel panel, float* x, float* y)
    {
        var rows = panel.Rows;
        var indices = panel.Indices;
        var values = panel.Values;
        for (var end = rows + panel.Count; rows < end; rows++)
        {
            var (even, odd) = (Vector128<float>.Zero, Vector128<float>.Zero);
            int n = rows->Count;
            for (; n > 8; n -= 8, indices += 8, values += 8)
            {
                even = Add(even, Gather(x, indices), values);
                odd = Add(odd, Gather(x, indices + 4), values + 4);
            }

            if (n > 4)
            {
                even = Add(even, Gather(x, indices), values);
                n -= 4;
                indices += 4;
                values += 4;
            }

            // The last nonzeros, up to four, are read with what follows them, which may be NaN.
            var isOwn = Vector128.LessThan(Vector128.Create(0, 1, 2, 3), Vector128.Create(n)).AsSingle();
            odd = Vector128.MultiplyAddEstimate(Gather(x, indices) & isOwn, Vector128.Load(values) & isOwn, odd);
            indices += n;
            values += n;
            y[rows->Place] += Vector128.Sum(even + odd);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Add(Vector128<float> sums, Vector128<float> x, float* values) =>
        Vector128.MultiplyAddEstimate(x, Vector128.Load(values), sums);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Gather(float* x, ushort* indices)
    {
        // The division shifts each column's lowest bits, which are zeros, into the column before it.
        var four = *(ulong*)indices / PackedMatrix.IndexUnit;
        return Vector128.Create(x[four & Columns], x[(four >> 16) & Columns], x[(four >> 32) & Columns], x[four >> 48]);
    }
}
