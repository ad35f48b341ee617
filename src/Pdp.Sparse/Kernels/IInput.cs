namespace Pdp.Sparse.Kernels;

/// <summary>The matrix that a weight is multiplied with, [columns of the weight, positions], wherever its numbers are.</summary>
internal unsafe interface IInput
{
    /// <summary>Copies some of its rows to a slab.</summary>
    /// <param name="slab">[count, tile.Width]; what is beyond the tile's positions does not matter.</param>
    /// <param name="first">The first row.</param>
    /// <param name="count">How many rows.</param>
    /// <param name="tile">The positions.</param>
    void Fill(float* slab, int first, int count, Tile tile);
}
