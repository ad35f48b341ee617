using SkiaSharp;

namespace Pdp.Samples.Tests.ImageNet;

/// <summary>
/// Pillow's bilinear resize of whole RGB pictures as its Resample.c does it, in whole numbers with 22 binary digits, and
/// torchvision's steps on top: slow, and written apart from the code under test.
/// </summary>
internal sealed record PillowResize(byte[] Pixels, int Width, int Height)
{
    private const int Precision = 22;

    public static PillowResize Decode(string path)
    {
        using var codec = SKCodec.Create(path);
        using var bitmap = new SKBitmap(new SKImageInfo(codec.Info.Width, codec.Info.Height, SKColorType.Rgba8888, SKAlphaType.Unpremul));
        Assert.Equal(SKCodecResult.Success, codec.GetPixels(bitmap.Info, bitmap.GetPixels()));
        var (pixels, width) = (bitmap.GetPixelSpan().ToArray(), bitmap.Width);
        return Make(bitmap.Width, bitmap.Height, (x, y, channel) => pixels[(((y * width) + x) * 4) + channel]);
    }

    public byte this[int x, int y, int channel] => Pixels[(((y * Width) + x) * 3) + channel];

    public PillowResize Crop(int left, int top, int width, int height) =>
        (width, height) == (Width, Height) ? this : Make(width, height, (x, y, channel) => this[left + x, top + y, channel]);

    public PillowResize Flip() => Make(Width, Height, (x, y, channel) => this[Width - 1 - x, y, channel]);

    public PillowResize Resize(int width, int height)
    {
        var columns = Weights(Width, width);
        var rows = Weights(Height, height);
        var between = Make(width, Height, (x, y, channel) => Sum(columns[x], Pixels.AsSpan((y * Width * 3) + channel), 3));
        return Make(width, height, (x, y, channel) => Sum(rows[y], between.Pixels.AsSpan((x * 3) + channel), width * 3));
    }

    private static PillowResize Make(int width, int height, Func<int, int, int, byte> value)
    {
        var pixels = new byte[width * height * 3];
        var i = 0;
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                for (var channel = 0; channel < 3; channel++)
                {
                    pixels[i++] = value(x, y, channel);
                }
            }
        }

        return new PillowResize(pixels, width, height);
    }

    private static byte Sum((int First, int[] Weights) filter, ReadOnlySpan<byte> values, int stride)
    {
        var sum = 1 << (Precision - 1);
        for (var i = 0; i < filter.Weights.Length; i++)
        {
            sum += values[(filter.First + i) * stride] * filter.Weights[i];
        }

        return (byte)Math.Clamp(sum >> Precision, 0, 255);
    }

    private static (int First, int[] Weights)[] Weights(int from, int to)
    {
        var scale = from / (double)to;
        var support = Math.Max(1, scale);
        return [.. Enumerable.Range(0, to).Select(Filter)];

        (int, int[]) Filter(int place)
        {
            var centre = (place + 0.5) * scale;
            var first = Math.Max(0, (int)(centre - support + 0.5));
            var end = Math.Min(from, (int)(centre + support + 0.5));
            var places = Enumerable.Range(first, end - first);
            double[] triangle = [.. places.Select(x => Math.Max(0, 1 - Math.Abs((x - centre + 0.5) / support)))];
            return (first, [.. triangle.Select(weight => (int)(0.5 + (weight / triangle.Sum() * (1 << Precision))))]);
        }
    }
}
