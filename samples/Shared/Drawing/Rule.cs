using System.Xml.Linq;

namespace Pdp.Samples.Drawing;

/// <summary>Dashed lines across the plot, at numbers of one of its axes.</summary>
internal sealed record Rule(string? Name, int Color, IReadOnlyList<double> At) : Mark(Name, Color)
{
    /// <summary>Whether they are upright, at numbers of the horizontal axis.</summary>
    public bool IsUpright { get; init; }

    public override IEnumerable<XElement> Draw(Frame frame) => At.Where(double.IsFinite).Select(at => Stroke(IsUpright
        ? $"M{Svg.Number(frame.X(at))} {Svg.Number(frame.Top)}V{Svg.Number(frame.Bottom)}"
        : $"M{Svg.Number(frame.Left)} {Svg.Number(frame.Y(at))}H{Svg.Number(frame.Right)}"));

    public override IEnumerable<XElement> DrawKey(double x, double y) => [Stroke($"M{Svg.Number(x - 9)} {Svg.Number(y)}h18")];

    private XElement Stroke(string path) => Svg.Element("path", ("class", $"line dashed stroke{ChartStyle.ColorOf(Color)}"), ("d", path));
}
