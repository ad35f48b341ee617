namespace Pdp.Samples.ImageNet.Data;

/// <summary>What the network sees of a picture.</summary>
/// <param name="Horizontal">From left to right.</param>
/// <param name="Vertical">From top to bottom.</param>
internal readonly record struct View(Axis Horizontal, Axis Vertical)
{
    /// <summary>The smallest of 1/8, 1/4, 1/2 and 1 at which a JPEG can be decoded without harm.</summary>
    /// <remarks>
    /// Decoding at a fraction averages square blocks of pixels; that disappears in the wider triangle of the filter as long as
    /// two or more of the averages go into each pixel in each direction. Other fractions are no faster than decoding in full.
    /// </remarks>
    public float Fraction()
    {
        var reduction = Math.Min(Horizontal.Length / Horizontal.Size, Vertical.Length / Vertical.Size);
        return reduction switch { >= 16 => 0.125f, >= 8 => 0.25f, >= 4 => 0.5f, _ => 1 };
    }

    /// <summary>The same view of the picture decoded at a fraction of its size.</summary>
    public View Scaled(double factor) => new(Horizontal.Scaled(factor), Vertical.Scaled(factor));
}
