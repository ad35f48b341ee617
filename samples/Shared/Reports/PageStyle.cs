namespace Pdp.Samples.Reports;

/// <summary>How a run's page looks, from a phone's width up, in light and in dark surroundings.</summary>
internal static class PageStyle
{
    /// <summary>The style sheet of the page, without that of its charts.</summary>
    public const string Css = """
        :root { color-scheme: light dark; --ink: #1f2328; --faint: #59636e; --line: #d8dee4;
            --paper: #ffffff; --ground: #f6f8fa; --bar: #1a7f37; }
        @media (prefers-color-scheme: dark) {
        :root { --ink: #e6edf3; --faint: #9198a1; --line: #30363d; --paper: #151b23; --ground: #0d1117; --bar: #3fb950; }
        }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--ground); color: var(--ink);
            font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
        main { max-width: 1180px; margin: 0 auto; padding: 24px 16px 48px; }
        h1 { font-size: 24px; line-height: 1.25; margin: 0; overflow-wrap: anywhere; }
        h2 { font-size: 17px; margin: 32px 0 10px; }
        p { color: var(--faint); margin: 8px 0; overflow-wrap: anywhere; }
        .facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 10px; margin: 18px 0; }
        .facts div { background: var(--paper); border: 1px solid var(--line); border-radius: 8px; padding: 10px 14px; }
        .facts dt { color: var(--faint); font-size: 13px; }
        .facts dd { margin: 0; font-size: 21px; font-weight: 600; font-variant-numeric: tabular-nums; }
        .warnings { background: var(--paper); border: 1px solid var(--line); border-left: 4px solid #bf8700; border-radius: 6px;
            padding: 10px 12px 10px 30px; }
        .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 340px), 1fr)); gap: 12px; }
        .chart { display: block; width: 100%; max-width: 480px; height: auto; border: 1px solid var(--line); border-radius: 8px; }
        .scroll { overflow-x: auto; background: var(--paper); border: 1px solid var(--line); border-radius: 8px; }
        table { border-collapse: collapse; width: 100%; font-size: 13px; font-variant-numeric: tabular-nums; }
        th, td { padding: 5px 10px; text-align: right; white-space: nowrap; }
        th { color: var(--faint); font-weight: 600; border-bottom: 1px solid var(--line); }
        th:first-child, td:first-child { text-align: left; }
        .pairs th, .pairs td { text-align: left; white-space: normal; overflow-wrap: anywhere; }
        tbody tr:nth-child(even) { background: var(--ground); }
        tfoot td { border-top: 1px solid var(--line); font-weight: 600; }
        .bar { width: clamp(40px, 10vw, 110px); height: 9px; background: var(--line); border-radius: 4px; overflow: hidden; }
        .bar div { height: 100%; background: var(--bar); }
        """;
}
