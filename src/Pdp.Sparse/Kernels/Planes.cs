namespace Pdp.Sparse.Kernels;

/// <summary>How [pictures, rows, positions] lie in memory, with the positions of a picture side by side.</summary>
/// <param name="Positions">The positions of a picture.</param>
/// <param name="RowStride">From one row to the next.</param>
/// <param name="PictureStride">From one picture to the next.</param>
internal readonly record struct Planes(long Positions, long RowStride, long PictureStride)
{
    /// <summary>Where a position, counted over all pictures, is in the first row, and how many from it on are in its picture.</summary>
    public (long Offset, int Length) Part(long position, int most)
    {
        var (picture, place) = Math.DivRem(position, Positions);
        return ((picture * PictureStride) + place, (int)Math.Min(most, Positions - place));
    }
}
