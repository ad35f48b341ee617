namespace Pdp.Numerics.Kernels;

/// <summary>Masks one weight on float32 numbers in memory, a piece at a time; pieces may run at the same time.</summary>
internal unsafe interface IMaskKernel
{
    /// <summary>The pieces of the weight.</summary>
    int Pieces { get; }

    /// <summary>Copies w to the dense copy and puts ŵ in its place.</summary>
    void Enter(int piece, float* weight, float* dense);

    /// <summary>Puts w back and turns g = ∂L/∂ŵ into ∂L/∂w.</summary>
    /// <param name="piece">The number of the piece.</param>
    /// <param name="weight">ŵ, if all went well.</param>
    /// <param name="dense">w.</param>
    /// <param name="gradient">g, corrected in place; null if there is none.</param>
    /// <param name="sum">What the corrected gradient is added to instead, where gradients of several scopes add up; or null.</param>
    /// <returns>Whether the weight was still ŵ.</returns>
    bool Leave(int piece, float* weight, float* dense, float* gradient, float* sum);
}
