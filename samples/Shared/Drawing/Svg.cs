using System.Globalization;
using System.Xml;
using System.Xml.Linq;

namespace Pdp.Samples.Drawing;

/// <summary>Elements of SVG. Their text is escaped when they are written.</summary>
internal static class Svg
{
    public static readonly XNamespace Namespace = "http://www.w3.org/2000/svg";

    /// <summary>A picture with its title on paper of its own, for a page that has <see cref="ChartStyle.Css"/>.</summary>
    public static XElement Picture(string title, int width, int height)
    {
        var picture = Element(
            "svg", ("class", "chart"), ("viewBox", $"0 0 {width} {height}"), ("role", "img"), ("aria-label", Printable(title)));
        var heading = Text(10, 18, title);
        heading.SetAttributeValue("class", "title");
        picture.Add(Element("rect", ("class", "paper"), ("width", $"{width}"), ("height", $"{height}"), ("rx", "6")), heading);
        return picture;
    }

    /// <summary>A picture as a file of its own.</summary>
    public static string File(XElement picture)
    {
        var file = new XElement(picture);
        string[] box = ((string)file.Attribute("viewBox")!).Split(' ');
        file.SetAttributeValue("width", box[2]);
        file.SetAttributeValue("height", box[3]);
        file.AddFirst(new XElement(Namespace + "style", ChartStyle.Css));
        return file + "\n";
    }

    /// <summary>An element with attributes.</summary>
    public static XElement Element(string name, params ReadOnlySpan<(string Name, string Value)> attributes)
    {
        var element = new XElement(Namespace + name);
        foreach (var (key, value) in attributes)
        {
            element.SetAttributeValue(key, value);
        }

        return element;
    }

    /// <summary>A line of text at a point.</summary>
    /// <param name="x">Where it is, in pixels.</param>
    /// <param name="y">Its baseline.</param>
    /// <param name="text">The text.</param>
    /// <param name="anchor">What of it is at x: its start, middle or end.</param>
    public static XElement Text(double x, double y, string text, string anchor = "start")
    {
        var element = Element("text", ("x", Number(x)), ("y", Number(y)), ("text-anchor", anchor));
        element.Add(Printable(text));
        return element;
    }

    /// <summary>A pixel, to a tenth.</summary>
    public static string Number(double value) => value.ToString("0.#", CultureInfo.InvariantCulture);

    /// <summary>A text without the characters that XML can't hold.</summary>
    public static string Printable(string text) =>
        string.Concat(text.EnumerateRunes().Where(rune => rune.Value >= 0x10000 || XmlConvert.IsXmlChar((char)rune.Value)));
}
