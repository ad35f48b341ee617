using System.Xml.Linq;

namespace Pdp.Samples.Drawing;

/// <summary>Vertical bars around points, which reach as far below as above.</summary>
internal sealed record Spreads(int Color, IReadOnlyList<(Point Middle, double Half)> Bars) : Mark(null, Color)
{
    private const double HalfCap = 4;

    public override IEnumerable<XElement> Draw(Frame frame) => Bars.Select(bar =>
    {
        var (x, top, bottom) = (frame.X(bar.Middle.X), frame.Y(bar.Middle.Y + bar.Half), frame.Y(bar.Middle.Y - bar.Half));
        var cap = $"m{Svg.Number(-HalfCap)} 0h{Svg.Number(2 * HalfCap)}";
        return Svg.Element(
            "path",
            ("class", $"line stroke{ChartStyle.ColorOf(Color)}"),
            ("d", $"M{Svg.Number(x)} {Svg.Number(top)}V{Svg.Number(bottom)}{cap}M{Svg.Number(x)} {Svg.Number(top)}{cap}"));
    });

    public override IEnumerable<XElement> DrawKey(double x, double y) => [];
}
