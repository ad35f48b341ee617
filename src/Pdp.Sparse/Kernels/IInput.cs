namespace Pdp.Sparse.Kernels;

/// <summary>The matrix that a weight is multiplied by, [columns of the weight, positions], wherever its numbers are.</summary>
internal unsafe interface IInput
{
    /// <summary>Prepares for a tile; the same worker then copies its rows.</summary>
    /// <param name="tile">The positions.</param>
    /// <param name="worker">The number of the worker.</param>
    void Begin(Tile tile, int worker);

    /// <summary>Copies some of the matrix's rows to a slab.</summary>
    /// <param name="slab">[count, tile.Width]; what is beyond the tile's positions does not matter.</param>
    /// <param name="first">The first row.</param>
    /// <param name="count">How many rows.</param>
    /// <param name="tile">The positions.</param>
    /// <param name="worker">The number of the worker.</param>
    void Fill(float* slab, int first, int count, Tile tile, int worker);
}
