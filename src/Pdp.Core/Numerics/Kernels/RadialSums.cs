namespace Pdp.Numerics.Kernels;

/// <summary>Sums over weights, in units of the largest of them, for a <see cref="RadialCorrection"/>.</summary>
internal struct RadialSums
{
    /// <summary>What weights are multiplied by: one over the largest.</summary>
    public float Unit;

    /// <summary>⟨∂L/∂w − m·g, w⟩: the derivative along the weights beyond that of ŵ.</summary>
    public double Surplus;

    /// <summary>⟨w, w⟩.</summary>
    public double Square;
}
