using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Pdp.Numerics.Kernels;

namespace Pdp.Sparse.Kernels;

/// <summary>The loop over nonzeros for a single position: four of them fill a vector.</summary>
/// <remarks>Loads that are put together are faster than the processor's gather.</remarks>
internal static unsafe class VectorKernel
{
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
            var sums = Vector128<float>.Zero;
            int n = rows->Count;
            for (; n >= 4; n -= 4, indices += 4, values += 4)
                sums = Vector128.MultiplyAddEstimate(Gather(x, *(ulong*)indices / PackedMatrix.IndexUnit), Vector128.Load(values), sums);
            var sum = Vector128.Sum(sums);
            for (; n > 0; n--)
                sum = float.MultiplyAddEstimate(x[*indices++ / PackedMatrix.IndexUnit], *values++, sum);
            y[rows->Place] += sum;
        }
    }

    /// <summary>The inputs of four indices, of which each has lost its lowest bits to the one before.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Gather(float* x, ulong four) =>
        Vector128.Create(x[four & Mask], x[(four >> 16) & Mask], x[(four >> 32) & Mask], x[four >> 48]);

    private const ulong Mask = ushort.MaxValue / PackedMatrix.IndexUnit;
}
