using Pdp.Internal;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Strategies;

/// <summary>Computes the magnitudes of competitors that consist of several weights each.</summary>
internal static class RowMagnitude
{
    /// <summary>√(c·Σw²) of each row.</summary>
    /// <param name="rows"><c>[members, weights of a member]</c>.</param>
    /// <param name="slope">c.</param>
    /// <returns><c>[1, members]</c>; the caller's.</returns>
    public static Tensor Of(Tensor rows, double slope)
    {
        using var scope = NewDisposeScope();
        using Scalar factor = slope.ToScalar();
        using Scalar smallest = Precision.SmallestNormalOf(rows.dtype).ToScalar();
        // Computed in units of each row's largest weight, as the squares of the weights may overflow or underflow.
        var largest = rows.abs().amax([1], keepdim: true).clamp_min_(smallest);
        var relative = rows.div(largest);
        return relative.mul_(relative).sum(1, keepdim: true).mul_(factor).sqrt_().mul_(largest).reshape(1, -1).MoveToOuterDisposeScope();
    }
}
