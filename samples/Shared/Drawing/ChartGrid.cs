namespace Pdp.Samples.Drawing;

/// <summary>Charts of the same size side by side under a title.</summary>
internal sealed record ChartGrid(string Title, IReadOnlyList<Chart> Charts, int Columns)
{
    private const int HeaderHeight = 34;
    private const int Gap = 8;

    /// <summary>All of them as a file.</summary>
    public string ToFile()
    {
        var (cellWidth, cellHeight) = (Charts[0].Width + Gap, Charts[0].Height + Gap);
        var rows = (Charts.Count + Columns - 1) / Columns;
        var svg = Svg.Picture(Title, (Columns * cellWidth) + Gap, HeaderHeight + (rows * cellHeight));
        for (var i = 0; i < Charts.Count; i++)
        {
            var cell = Charts[i].ToSvg();
            cell.SetAttributeValue("x", Gap + (i % Columns * cellWidth));
            cell.SetAttributeValue("y", HeaderHeight + (i / Columns * cellHeight));
            cell.SetAttributeValue("width", Charts[i].Width);
            cell.SetAttributeValue("height", Charts[i].Height);
            svg.Add(cell);
        }

        return Svg.File(svg);
    }
}
