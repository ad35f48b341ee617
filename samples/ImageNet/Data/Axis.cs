namespace Pdp.Samples.ImageNet.Data;

/// <summary>What is seen of a picture in one direction: a stretch of it, resized, and a window of the resized pixels.</summary>
/// <param name="Origin">Where the stretch begins, in pixels.</param>
/// <param name="Length">Its length in pixels.</param>
/// <param name="Size">Its size after resizing.</param>
/// <param name="Skip">Where the window begins in the resized stretch.</param>
/// <param name="IsMirrored">Whether the window runs backwards.</param>
internal readonly record struct Axis(double Origin, double Length, int Size, int Skip = 0, bool IsMirrored = false)
{
    /// <summary>The same stretch of a picture decoded at a fraction of its size.</summary>
    public Axis Scaled(double factor) => this with { Origin = Origin * factor, Length = Length * factor };
}
