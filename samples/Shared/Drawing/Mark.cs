using System.Xml.Linq;

namespace Pdp.Samples.Drawing;

/// <summary>Something that a chart shows.</summary>
/// <param name="Name">What the legend calls it; null leaves it out of the legend.</param>
/// <param name="Color">The number of its color, from 0 on.</param>
internal abstract record Mark(string? Name, int Color)
{
    /// <summary>Whether its numbers are on the axis at the right.</summary>
    public bool IsOnRight { get; init; }

    /// <summary>Draws it.</summary>
    public abstract IEnumerable<XElement> Draw(Frame frame);

    /// <summary>Draws what stands for it in the legend, around a point.</summary>
    public abstract IEnumerable<XElement> DrawKey(double x, double y);
}
