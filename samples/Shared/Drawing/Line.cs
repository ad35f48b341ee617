using System.Globalization;
using System.Xml.Linq;

namespace Pdp.Samples.Drawing;

/// <summary>Points joined by a line. It is interrupted where a point is not finite.</summary>
internal sealed record Line(string? Name, int Color, IReadOnlyList<Point> Points) : Mark(Name, Color)
{
    private const double HalfKey = 9;

    /// <summary>Whether each point has a marker, which tells its numbers when pointed at.</summary>
    public bool HasMarkers { get; init; } = true;

    /// <summary>Whether the line between the points is dashed.</summary>
    public bool IsDashed { get; init; }

    /// <summary>Whether it stands out from the other lines.</summary>
    public bool IsBold { get; init; }

    public override IEnumerable<XElement> Draw(Frame frame)
    {
        var path = Path(frame);
        if (path.Length > 0)
        {
            yield return Stroke(path);
        }

        foreach (var point in HasMarkers ? Points.Where(frame.Holds) : [])
        {
            var title = string.Create(CultureInfo.InvariantCulture, $"{Name}: {point.Y:G5} at {point.X:G5}");
            yield return Marker.Draw(Color, frame.X(point.X), frame.Y(point.Y), new XElement(Svg.Namespace + "title", title));
        }
    }

    public override IEnumerable<XElement> DrawKey(double x, double y)
    {
        yield return Stroke($"M{Svg.Number(x - HalfKey)} {Svg.Number(y)}h{2 * HalfKey}");
        if (HasMarkers)
        {
            yield return Marker.Draw(Color, x, y);
        }
    }

    private XElement Stroke(string path) =>
        Svg.Element("path", ("class", $"line stroke{ChartStyle.ColorOf(Color)}{(IsDashed ? " dashed" : "")}{(IsBold ? " bold" : "")}"),
            ("d", path));

    private string Path(Frame frame)
    {
        var path = new System.Text.StringBuilder();
        var isDrawn = false;
        foreach (var point in Points)
        {
            var isFinite = double.IsFinite(point.X) && double.IsFinite(point.Y);
            if (isFinite)
            {
                path.Append(isDrawn ? 'L' : 'M').Append(Svg.Number(frame.X(point.X))).Append(' ').Append(Svg.Number(frame.Y(point.Y)));
            }

            isDrawn = isFinite;
        }

        return path.ToString();
    }
}
