using System.Xml.Linq;

namespace Pdp.Samples.Drawing;

/// <summary>The marker of a line's points, in a shape by color, so that lines can be told apart without colors, too.</summary>
internal static class Marker
{
    public static XElement Draw(int color, double x, double y, params object[] content)
    {
        var at = $"M{Svg.Number(x)} {Svg.Number(y)}";
        var shape = (color % 4) switch
        {
            0 => "m-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0z",
            1 => "m-3.2 -3.2h6.4v6.4h-6.4z",
            2 => "m0 -4.5l4.5 4.5l-4.5 4.5l-4.5 -4.5z",
            _ => "m0 -4.2l4.2 7.4h-8.4z",
        };
        var marker = Svg.Element("path", ("class", $"fill{ChartStyle.ColorOf(color)}"), ("d", at + shape));
        marker.Add(content);
        return marker;
    }
}
