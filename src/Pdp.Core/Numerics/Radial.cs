using Pdp.Internal;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Numerics;

/// <summary>The gradient along the weights themselves.</summary>
/// <remarks>
/// With τ = ρ·t² masks don't change when all weights under them are scaled: ŵ(c·w) = c·ŵ(w). So the derivative along w is ⟨g, ŵ⟩. A
/// gradient with constant thresholds, or of a mask m′ other than m, has another one; the surplus, ⟨∂L/∂w − m·g, w⟩, is taken from it.
/// </remarks>
internal static class Radial
{
    /// <summary>∂L/∂w − w·⟨∂L/∂w − m·g, w⟩/⟨w, w⟩.</summary>
    /// <param name="gradient">∂L/∂w.</param>
    /// <param name="masked">m·g.</param>
    /// <param name="weight">w.</param>
    /// <param name="total">
    /// Sums pairs of values, <c>[2, …]</c>, over the weights of each mask, in a shape that broadcasts back; null if there is one mask.
    /// </param>
    public static Tensor Corrected(Tensor gradient, Tensor masked, Tensor weight, Func<Tensor, Tensor>? total = null)
    {
        using var scope = NewDisposeScope();
        // The squares of weights themselves may be too small or too large for the type.
        var units = InUnits(weight);
        var pair = stack([gradient.sub(masked).mul_(units), units.mul(units)]);
        var sums = total is null ? pair.reshape(2, -1).sum(1) : total(pair);
        using Scalar smallest = Precision.SmallestNormalOf(weight.dtype).ToScalar();
        return gradient.sub(units.mul_(sums[0].div(sums[1].clamp_min_(smallest)))).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Weights as a differentiable product: their direction, which is the weights with a gradient only across them, and their length, 1.
    /// </summary>
    public static (Tensor Direction, Tensor Length) Split(Tensor weight)
    {
        using var scope = NewDisposeScope();
        using Scalar smallest = Precision.SmallestNormalOf(weight.dtype).ToScalar();
        var units = InUnits(weight);
        var square = units.mul(units).sum().clamp_min(smallest);
        var length = square.div(square.detach()).sqrt();
        return (weight.div(length).MoveToOuterDisposeScope(), length.MoveToOuterDisposeScope());
    }

    /// <summary>The weights in units of the largest.</summary>
    private static Tensor InUnits(Tensor weight)
    {
        using Scalar smallest = Precision.SmallestNormalOf(weight.dtype).ToScalar();
        return weight.div(weight.detach().abs().max().clamp_min_(smallest));
    }
}
