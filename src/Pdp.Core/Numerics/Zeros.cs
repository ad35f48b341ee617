using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Numerics;

/// <summary>Zeros by selection: a product leaves −0 where a weight was negative, whose bits are not those of 0.</summary>
/// <remarks>Works in the caller's dispose scope.</remarks>
internal static class Zeros
{
    private static readonly Scalar Zero = 0.ToScalar();

    /// <summary>The values with zeros outside of what is kept, a bool that broadcasts to them.</summary>
    public static Tensor Outside(Tensor kept, Tensor values) => values.masked_fill(kept.logical_not(), Zero);

    /// <summary>Writes zeros outside of what is kept.</summary>
    public static void WriteOutside(Tensor kept, Tensor values) => values.masked_fill_(kept.logical_not(), Zero);

    /// <summary>Writes zeros in the place of what is smaller than the smallest normal number.</summary>
    public static Tensor WithoutSubnormals(Tensor values, Scalar smallestNormal) => values.masked_fill_(values.abs().lt(smallestNormal), Zero);
}
