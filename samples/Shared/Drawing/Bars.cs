using System.Text;
using System.Xml.Linq;

namespace Pdp.Samples.Drawing;

/// <summary>Bars of the same width that stand on the horizontal axis.</summary>
internal sealed record Bars(string? Name, int Color, IReadOnlyList<Point> Tops, double Width) : Mark(Name, Color)
{
    public override IEnumerable<XElement> Draw(Frame frame)
    {
        var path = new StringBuilder();
        foreach (var top in Tops.Where(top => double.IsFinite(top.Y)))
        {
            var (left, right) = (frame.X(top.X - (Width / 2)), frame.X(top.X + (Width / 2)));
            var (from, to) = (frame.Y(0), frame.Y(Math.Clamp(top.Y, frame.Vertical.Low, frame.Vertical.High)));
            path.Append(Rectangle(left, to, right - left, from - to));
        }

        yield return Svg.Element("path", ("class", Class), ("d", path.ToString()));
    }

    public override IEnumerable<XElement> DrawKey(double x, double y) =>
        [Svg.Element("path", ("class", Class), ("d", Rectangle(x - 8, y - 5, 16, 10)))];

    private string Class => $"bars fill{ChartStyle.ColorOf(Color)}";

    private static string Rectangle(double left, double top, double width, double height) =>
        $"M{Svg.Number(left)} {Svg.Number(top)}h{Svg.Number(width)}v{Svg.Number(height)}h{Svg.Number(-width)}z";
}
