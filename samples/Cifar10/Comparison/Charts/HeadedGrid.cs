using ScottPlot;

namespace Pdp.Samples.Cifar10.Comparison;

/// <summary>A grid of plots under a first one, which has title and legend for all.</summary>
internal sealed class HeadedGrid(int rows, int columns) : IMultiplotLayout
{
    public const int HeaderHeight = 80;

    public PixelRect[] GetSubplotRectangles(SubplotCollection subplots, PixelRect figureRect)
    {
        var top = figureRect.Top + HeaderHeight;
        var (width, height) = (figureRect.Width / columns, (figureRect.Bottom - top) / rows);
        var rectangles = new PixelRect[subplots.Count];
        rectangles[0] = new PixelRect(figureRect.Left, figureRect.Right, top, figureRect.Top);
        for (var i = 1; i < rectangles.Length; i++)
        {
            var (left, above) = (figureRect.Left + ((i - 1) % columns * width), top + ((i - 1) / columns * height));
            rectangles[i] = new PixelRect(left, left + width, above + height, above);
        }

        return rectangles;
    }
}
