namespace Pdp.Sparse.Kernels;

/// <summary>Neighbouring positions that are computed at once.</summary>
/// <param name="Start">The first position.</param>
/// <param name="Count">How many there are.</param>
/// <param name="Width">The width in which they are computed, at least their number.</param>
internal readonly record struct Tile(long Start, int Count, int Width)
{
    /// <summary>The widest tile.</summary>
    public const int MostWidth = 64;
}
