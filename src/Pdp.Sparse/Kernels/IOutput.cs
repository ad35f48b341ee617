namespace Pdp.Sparse.Kernels;

/// <summary>Where the product goes, [rows of the weight, positions].</summary>
internal unsafe interface IOutput
{
    /// <summary>Adds the addend, if there is one, to finished sums.</summary>
    /// <param name="sums">[rows, tile.Width].</param>
    /// <param name="first">The first row.</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="tile">The positions.</param>
    void AddTo(float* sums, int first, int rows, Tile tile);

    /// <summary>Writes finished rows.</summary>
    /// <param name="sums">[rows, tile.Width].</param>
    /// <param name="first">The first row.</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="tile">The positions.</param>
    void Write(float* sums, int first, int rows, Tile tile);
}
