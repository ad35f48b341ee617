namespace Pdp.Numerics.Kernels;

/// <summary>Masks one weight in memory, in float32, a piece at a time. Pieces may run at the same time.</summary>
internal unsafe interface IMaskKernel
{
    /// <summary>The number of pieces of the weight.</summary>
    int Pieces { get; }

    /// <summary>Copies w to the dense copy and replaces it by ŵ.</summary>
    void Enter(int piece, float* weight, float* dense);

    /// <summary>Puts w back and turns g = ∂L/∂ŵ into ∂L/∂w.</summary>
    /// <param name="piece">The number of the piece.</param>
    /// <param name="weight">ŵ, unless something has changed it.</param>
    /// <param name="dense">w.</param>
    /// <param name="gradient">g, corrected in place; null if there is none.</param>
    /// <param name="sum">The earlier gradient, to which the corrected one is added instead; null if there is none.</param>
    /// <param name="radial">Gets the sums of the piece; null if no correction follows.</param>
    /// <returns>Whether the weight was still ŵ.</returns>
    bool Leave(int piece, float* weight, float* dense, float* gradient, float* sum, RadialSums* radial);

    /// <summary>The weights of a piece.</summary>
    (long Start, int Length) Extent(int piece);
}
