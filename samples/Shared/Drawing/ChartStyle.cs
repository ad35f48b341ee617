namespace Pdp.Samples.Drawing;

/// <summary>How charts look, in light and in dark surroundings.</summary>
internal static class ChartStyle
{
    private static readonly string[] Light =
        ["#0b66c3", "#c9510c", "#1a7f37", "#cf222e", "#8250df", "#0a7b83", "#bf3989", "#7d4e00", "#6e7781"];

    private static readonly string[] Dark =
        ["#58a6ff", "#f0883e", "#3fb950", "#ff7b72", "#bc8cff", "#39c5cf", "#f778ba", "#d4a72c", "#8b949e"];

    /// <summary>The style sheet of charts.</summary>
    public static string Css { get; } = $$"""
        .chart text { font: 12px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
        .chart .title { font-weight: 600; font-size: 13px; }
        .chart .line { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
        .chart .bold { stroke-width: 3.2; }
        .chart .dashed { stroke-dasharray: 5 4; stroke-width: 1.4; }
        .chart .bars { fill-opacity: 0.55; }
        .chart .grid { fill: none; stroke-width: 1; }
        {{Colors("#1f2328", "#59636e", "#d8dee4", "#ffffff", Light)}}
        @media (prefers-color-scheme: dark) {
        {{Colors("#e6edf3", "#9198a1", "#30363d", "#151b23", Dark)}}
        }
        """;

    /// <summary>The number of an existing color, for any number.</summary>
    public static int ColorOf(int color) => color % Light.Length;

    private static string Colors(string ink, string faint, string grid, string paper, string[] colors) => string.Join('\n', [
        $".chart text {{ fill: {ink}; }}",
        $".chart .faint {{ fill: {faint}; }}",
        $".chart .grid {{ stroke: {grid}; }}",
        $".chart .paper {{ fill: {paper}; }}",
        .. colors.Select((color, index) => $".chart .stroke{index} {{ stroke: {color}; }} .chart .fill{index} {{ fill: {color}; }}"),
    ]);
}
