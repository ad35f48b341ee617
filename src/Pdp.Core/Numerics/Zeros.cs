using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Numerics;

/// <summary>Writes zeros by selection: a product would leave −0 where a weight was negative, and its bits are not those of 0.</summary>
/// <remarks>Works in the caller's dispose scope.</remarks>
internal static class Zeros
{
    private static readonly Scalar Zero = 0.ToScalar();

    /// <summary>The values, with zeros where nothing is kept (a bool tensor that broadcasts to them).</summary>
    public static Tensor Outside(Tensor kept, Tensor values) => values.masked_fill(kept.logical_not(), Zero);

    /// <summary>Writes zeros where nothing is kept.</summary>
    public static void WriteOutside(Tensor kept, Tensor values) => values.masked_fill_(kept.logical_not(), Zero);

    /// <summary>Replaces numbers that are smaller than the smallest normal one by zeros, in place.</summary>
    public static Tensor WithoutSubnormals(Tensor values, Scalar smallestNormal) =>
        values.masked_fill_(values.abs().lt(smallestNormal), Zero);
}
