using System.Xml.Linq;

namespace Pdp.Samples.Drawing;

/// <summary>
/// A chart with two axes, or a third at the right, and a legend above; drawn as SVG that needs no script and no font of its own.
/// </summary>
internal sealed record Chart
{
    private const double Gap = 10;
    private const double LineHeight = 18;
    private const double CharacterWidth = 7;
    private const double KeyWidth = 26;

    public required string Title { get; init; }

    public required Axis X { get; init; }

    public required Axis Y { get; init; }

    /// <summary>The axis at the right; null if there is none.</summary>
    public Axis? Right { get; init; }

    /// <summary>What it shows, the first at the back.</summary>
    public required IReadOnlyList<Mark> Marks { get; init; }

    /// <summary>The size in pixels; a page may scale it.</summary>
    public int Width { get; init; } = 400;

    public int Height { get; init; } = 280;

    private bool IsSlanted => X.Ticks.Sum(tick => tick.Text.Length + 1) * CharacterWidth > Width - 80;

    /// <summary>The chart, for a page that has <see cref="ChartStyle.Css"/>.</summary>
    public XElement ToSvg()
    {
        var svg = Svg.Picture(Title, Width, Height);
        var legend = Legend().ToArray();
        var frame = FrameBelow(legend.Length == 0 ? 0 : legend.Max(entry => entry.Line) + 1);
        svg.Add(legend.SelectMany(DrawEntry), Grid(frame), Labels(frame));
        svg.Add(Clipped(frame, Marks.OrderBy(mark => mark is Line { IsBold: true })
            .SelectMany(mark => mark.Draw(mark.IsOnRight && Right is not null ? frame with { Vertical = Right } : frame))));
        return svg;
    }

    /// <summary>The chart as a file of its own.</summary>
    public string ToFile() => Svg.File(ToSvg());

    private Frame FrameBelow(int legendLines)
    {
        var top = (LineHeight * (1 + legendLines)) + (2 * Gap) + LineHeight;
        var bottom = Height - (2 * LineHeight) - (IsSlanted ? X.Ticks.Max(tick => tick.Text.Length) * CharacterWidth * 0.8 : 0);
        return new Frame(Gap + WidthOf(Y), top, Width - Gap - (Right is null ? Gap : WidthOf(Right)), bottom, X, Y);
    }

    private static double WidthOf(Axis axis) =>
        (axis.Ticks.Select(tick => tick.Text.Length).DefaultIfEmpty(1).Max() * CharacterWidth) + Gap;

    // What lies outside the plot is not drawn, except for half of a marker on its edge.
    private static XElement Clipped(Frame frame, IEnumerable<XElement> content)
    {
        const double around = 5;
        var (left, top, right, bottom) = (frame.Left - around, frame.Top - around, frame.Right + around, frame.Bottom + around);
        var box = Box(frame with { Left = left, Top = top, Right = right, Bottom = bottom });
        var clip = Svg.Element("svg", [.. box, ("viewBox", string.Join(' ', box.Select(side => side.Value)))]);
        clip.Add(content);
        return clip;
    }

    private static (string Name, string Value)[] Box(Frame frame) =>
    [
        ("x", Svg.Number(frame.Left)), ("y", Svg.Number(frame.Top)),
        ("width", Svg.Number(frame.Right - frame.Left)), ("height", Svg.Number(frame.Bottom - frame.Top)),
    ];

    private IEnumerable<(Mark Mark, double X, int Line)> Legend()
    {
        var (x, line) = (Gap, 0);
        foreach (var mark in Marks.Where(mark => mark.Name is not null))
        {
            var width = KeyWidth + (mark.Name!.Length * CharacterWidth) + Gap;
            (x, line) = x + width > Width && x > Gap ? (Gap, line + 1) : (x, line);
            yield return (mark, x, line);
            x += width;
        }
    }

    private IEnumerable<XElement> DrawEntry((Mark Mark, double X, int Line) entry)
    {
        var y = (LineHeight * (entry.Line + 2)) + 2;
        return [.. entry.Mark.DrawKey(entry.X + Gap, y - 4), Svg.Text(entry.X + KeyWidth, y, entry.Mark.Name!)];
    }

    private static IEnumerable<XElement> Grid(Frame frame) =>
    [
        .. frame.Vertical.Ticks.Select(tick => Svg.Element(
            "path", ("class", "grid"), ("d", $"M{Svg.Number(frame.Left)} {Svg.Number(frame.Y(tick.At))}H{Svg.Number(frame.Right)}"))),
        Svg.Element("rect", [("class", "grid"), .. Box(frame)]),
    ];

    private IEnumerable<XElement> Labels(Frame frame)
    {
        foreach (var tick in X.Ticks)
        {
            yield return IsSlanted ? Slanted(frame, tick) : Svg.Text(frame.X(tick.At), frame.Bottom + LineHeight - 2, tick.Text, "middle");
        }

        foreach (var tick in Y.Ticks)
        {
            yield return Svg.Text(frame.Left - 6, frame.Y(tick.At) + 4, tick.Text, "end");
        }

        foreach (var tick in Right?.Ticks ?? [])
        {
            yield return Svg.Text(frame.Right + 6, (frame with { Vertical = Right! }).Y(tick.At) + 4, tick.Text);
        }

        yield return Faint(Svg.Text((frame.Left + frame.Right) / 2, Height - 6, X.Label, "middle"));
        yield return Faint(Svg.Text(Gap, frame.Top - 11, Y.Label));
        if (Right is not null)
        {
            yield return Faint(Svg.Text(Width - Gap, frame.Top - 11, Right.Label, "end"));
        }
    }

    private static XElement Slanted(Frame frame, Tick tick)
    {
        var (x, y) = (frame.X(tick.At) + 5, frame.Bottom + 12);
        var text = Svg.Text(x, y, tick.Text, "end");
        text.SetAttributeValue("transform", $"rotate(-60 {Svg.Number(x)} {Svg.Number(y)})");
        return text;
    }

    private static XElement Faint(XElement text)
    {
        text.SetAttributeValue("class", "faint");
        return text;
    }
}
