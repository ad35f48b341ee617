namespace Pdp.Samples.Drawing;

/// <summary>Where numbers lie in a picture: its plot, in pixels, between two axes.</summary>
internal sealed record Frame(double Left, double Top, double Right, double Bottom, Axis Horizontal, Axis Vertical)
{
    /// <summary>The pixel of a number on the horizontal axis.</summary>
    public double X(double value) => Left + ((value - Horizontal.Low) / (Horizontal.High - Horizontal.Low) * (Right - Left));

    /// <summary>The pixel of a number on the vertical axis.</summary>
    public double Y(double value) => Bottom - ((value - Vertical.Low) / (Vertical.High - Vertical.Low) * (Bottom - Top));

    /// <summary>Whether a point can be shown.</summary>
    public bool Holds(Point point) =>
        point.X >= Horizontal.Low && point.X <= Horizontal.High && point.Y >= Vertical.Low && point.Y <= Vertical.High;
}
