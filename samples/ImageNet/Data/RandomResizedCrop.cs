namespace Pdp.Samples.ImageNet.Data;

/// <summary>
/// A random part of the picture, resized to a square and flipped half of the time, for training: 8 % to all of the picture's
/// area, 3:4 to 4:3 in shape, as torchvision's RandomResizedCrop and RandomHorizontalFlip define it.
/// </summary>
internal sealed class RandomResizedCrop(int side) : IViewer
{
    private const int Attempts = 10;
    private const double SmallestArea = 0.08;
    private const double NarrowestShape = 3.0 / 4;
    private const double WidestShape = 4.0 / 3;

    public int Side => side;

    public View Of(int width, int height, SplitMix random)
    {
        var (left, top, cropWidth, cropHeight) = Crop(width, height, ref random);
        var isFlipped = random.Below(2) == 1;
        return new View(new Axis(left, cropWidth, side, IsMirrored: isFlipped), new Axis(top, cropHeight, side));
    }

    private static (int Left, int Top, int Width, int Height) Crop(int width, int height, ref SplitMix random)
    {
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            var (area, shape) = Draw(ref random);
            var cropWidth = Rounded(Math.Sqrt(area * width * height * shape));
            var cropHeight = Rounded(Math.Sqrt(area * width * height / shape));
            if (cropWidth > 0 && cropWidth <= width && cropHeight > 0 && cropHeight <= height)
            {
                var top = random.Below(height - cropHeight + 1);
                return (random.Below(width - cropWidth + 1), top, cropWidth, cropHeight);
            }
        }

        return Central(width, height);
    }

    // Shapes are drawn on a logarithmic scale, so that 3:4 is as likely as 4:3.
    private static (double Area, double Shape) Draw(ref SplitMix random)
    {
        var area = SmallestArea + (random.Unit() * (1 - SmallestArea));
        var shape = Math.Exp(double.Lerp(Math.Log(NarrowestShape), Math.Log(WidestShape), random.Unit()));
        return (area, shape);
    }

    /// <summary>The largest part in the middle that is neither too narrow nor too wide; all of most pictures.</summary>
    internal static (int Left, int Top, int Width, int Height) Central(int width, int height)
    {
        var shape = width / (double)height;
        var cropWidth = shape > WidestShape ? Rounded(height * WidestShape) : width;
        var cropHeight = shape < NarrowestShape ? Rounded(width / NarrowestShape) : height;
        return ((width - cropWidth) / 2, (height - cropHeight) / 2, cropWidth, cropHeight);
    }

    /// <summary>Halves to the even number, as in Python.</summary>
    private static int Rounded(double value) => (int)Math.Round(value, MidpointRounding.ToEven);
}
