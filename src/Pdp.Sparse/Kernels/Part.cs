namespace Pdp.Sparse.Kernels;

/// <summary>Neighbouring positions in a vector, whose inputs lie side by side.</summary>
/// <param name="Source">Where the input of the vector's first position would be, relative to the first channel.</param>
/// <param name="First">The first of them.</param>
/// <param name="End">The one after the last.</param>
internal readonly record struct Part(long Source, int First, int End);
