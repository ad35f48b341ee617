using System.Xml.Linq;

namespace Pdp.Samples.Drawing;

/// <summary>A line of the legend without anything in the plot.</summary>
internal sealed record Words(string Text) : Mark(Text, 0)
{
    public override IEnumerable<XElement> Draw(Frame frame) => [];

    public override IEnumerable<XElement> DrawKey(double x, double y) => [];
}
