using Pdp.Internal;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Numerics;

/// <summary>The gradient along the weights themselves.</summary>
/// <remarks>
/// With τ = ρ·t² masks don't change when all weights under them are scaled: ŵ(c·w) = c·ŵ(w). So the derivative along w is ⟨g, ŵ⟩. A
/// gradient with constant thresholds, or of a mask m′ other than m, has another one; the surplus, ⟨∂L/∂w − m·g, w⟩, is taken from it.
/// Weights are in units of the largest in all sums, as their squares may be too small or too large for the type.
/// </remarks>
internal static class Radial
{
    private static readonly Scalar One = 1.ToScalar();

    /// <summary>∂L/∂w − w·⟨∂L/∂w − m·g, w⟩/⟨w, w⟩.</summary>
    /// <param name="gradient">∂L/∂w.</param>
    /// <param name="masked">m·g.</param>
    /// <param name="units">w in units of the largest under its mask.</param>
    /// <param name="total">
    /// Sums pairs of values, <c>[2, …]</c>, over the weights of each mask, in a shape that broadcasts back; null if there is one mask.
    /// </param>
    public static Tensor Corrected(Tensor gradient, Tensor masked, Tensor units, Func<Tensor, Tensor>? total = null)
    {
        using var scope = NewDisposeScope();
        var pair = stack([gradient.sub(masked).mul_(units), units.mul(units)]);
        var sums = total is null ? pair.reshape(2, -1).sum(1) : total(pair);
        var share = sums[0].div(sums[1]).nan_to_num_(nan: 0, posinf: 0, neginf: 0);
        return gradient.sub(units.mul(share)).MoveToOuterDisposeScope();
    }

    /// <summary>The weights in units of the largest.</summary>
    public static Tensor InUnits(Tensor weight)
    {
        using var scope = NewDisposeScope();
        return weight.div(LargestOf(weight)).MoveToOuterDisposeScope();
    }

    /// <summary>The largest magnitude, a constant; the smallest normal number if all are 0.</summary>
    public static Tensor LargestOf(Tensor weight)
    {
        using var scope = NewDisposeScope();
        using Scalar smallest = Precision.SmallestNormalOf(weight.dtype).ToScalar();
        return weight.detach().abs().max().clamp_min_(smallest).MoveToOuterDisposeScope();
    }

    /// <summary>A differentiable 0 whose slope is the direction of the weights: ∂/∂w = w/⟨w, w⟩, times the largest weight.</summary>
    public static Tensor Growth(Tensor weight)
    {
        using var scope = NewDisposeScope();
        var units = InUnits(weight.detach());
        var slope = units.div(units.mul(units).sum()).nan_to_num_(nan: 0, posinf: 0, neginf: 0);
        var largest = slope.mul(weight).sum();
        return largest.sub(largest.detach()).MoveToOuterDisposeScope();
    }

    /// <summary>A tensor with another growth: <c>tensor + growth·slope</c>.</summary>
    public static Tensor Grown(Tensor tensor, Tensor growth, Tensor slope)
    {
        using var scope = NewDisposeScope();
        return tensor.add(growth.mul(slope.detach()), One).MoveToOuterDisposeScope();
    }
}
