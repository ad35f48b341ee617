namespace Pdp.Numerics.Kernels;

/// <summary>The passes over weights in memory at the beginning and the end of a scope.</summary>
/// <remarks>
/// The threshold t and the scale 1/√τ are either the same for all weights, or given for each, in memory that extends a vector beyond the
/// last one, as does what weights compete by; null if that is w.
/// </remarks>
internal unsafe interface IMaskPass
{
    /// <summary>Copies w to the dense copy and replaces it by ŵ.</summary>
    void Enter(float* weight, float* dense, int length, float threshold, float scale, float* competing = null);

    /// <inheritdoc cref="Enter(float*, float*, int, float, float, float*)"/>
    void Enter(float* weight, float* dense, int length, float* thresholds, float* scales);

    /// <summary>Puts w back and turns g = ∂L/∂ŵ into ∂L/∂w, as in <see cref="IMaskKernel.Leave"/>.</summary>
    /// <remarks>
    /// The gradient's own temperature is null if it is that of the mask. The sums are null if no <see cref="RadialCorrection"/> follows.
    /// </remarks>
    bool Leave(
        float* weight, float* dense, float* gradient, float* sum, int length, float threshold, float scale, Sharpness? own = null,
        float* competing = null, RadialSums* radial = null);

    /// <inheritdoc cref="Leave(float*, float*, float*, float*, int, float, float, Sharpness?, float*, RadialSums*)"/>
    bool Leave(
        float* weight, float* dense, float* gradient, float* sum, int length, float* thresholds, float* scales, Sharpness? own = null,
        RadialSums* radial = null);

    /// <summary>The address of an element; null if there is no array.</summary>
    static float* At(float* elements, long place) => elements is null ? null : elements + place;
}
