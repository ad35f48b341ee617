namespace Pdp.Numerics.Kernels;

/// <summary>The passes over weights in memory at the beginning and the end of a scope, with one threshold t and scale 1/√τ for all, or for each.</summary>
/// <remarks>Those for each go on in memory for a vector behind the last one.</remarks>
internal unsafe interface IMaskPass
{
    /// <summary>Copies w to the dense copy and puts ŵ in its place.</summary>
    void Enter(float* weight, float* dense, int length, float threshold, float scale);

    /// <inheritdoc cref="Enter(float*, float*, int, float, float)"/>
    void Enter(float* weight, float* dense, int length, float* thresholds, float* scales);

    /// <summary>Puts w back and turns g = ∂L/∂ŵ into ∂L/∂w, as <see cref="IMaskKernel.Leave"/> has it.</summary>
    /// <remarks>The gradient's own temperature is null if it is that of the mask.</remarks>
    bool Leave(float* weight, float* dense, float* gradient, float* sum, int length, float threshold, float scale, Sharpness? own = null);

    /// <inheritdoc cref="Leave(float*, float*, float*, float*, int, float, float, Sharpness?)"/>
    bool Leave(float* weight, float* dense, float* gradient, float* sum, int length, float* thresholds, float* scales, Sharpness? own = null);

    /// <summary>A place in a gradient, if there is one.</summary>
    static float* At(float* elements, long place) => elements is null ? null : elements + place;
}
