using SkiaSharp;

namespace Pdp.Samples.Tests.ImageNet;

/// <summary>Makes pictures, and folders of them.</summary>
internal static class Photos
{
    public const int Width = 60;
    public const int Height = 48;

    /// <summary>Smoothed noise, which leaves a JPEG something to lose; each number gives another.</summary>
    public static byte[] Noise(
        int number, SKEncodedImageFormat format = SKEncodedImageFormat.Jpeg, int width = Width, int height = Height, int grain = 4)
    {
        var random = new Random(number);
        using var small = new SKBitmap(width / grain, height / grain);
        small.Pixels = [.. Enumerable.Range(0, small.Width * small.Height).Select(_ => new SKColor((uint)random.Next() | 0xFF000000))];
        using var bitmap = small.Resize(new SKSizeI(width, height), new SKSamplingOptions(SKFilterMode.Linear, SKMipmapMode.Linear));
        return Encode(bitmap, format);
    }

    /// <summary>A picture of one colour.</summary>
    public static byte[] Flat(
        SKColor colour, SKEncodedImageFormat format = SKEncodedImageFormat.Png, SKColorType type = SKColorType.Rgba8888)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(Width, Height, type, SKAlphaType.Opaque));
        bitmap.Erase(colour);
        return Encode(bitmap, format);
    }

    /// <summary>Writes pictures of classes 'a', 'b' and so on into a folder and returns it.</summary>
    public static string Folder(string path, int classes = 3, int each = 4)
    {
        for (var i = 0; i < classes * each; i++)
        {
            var folder = Path.Combine(path, $"{(char)('a' + (i / each))}");
            Directory.CreateDirectory(folder);
            File.WriteAllBytes(Path.Combine(folder, $"{i % each}.jpg"), Noise(i));
        }

        return path;
    }

    private static byte[] Encode(SKBitmap bitmap, SKEncodedImageFormat format)
    {
        using var data = bitmap.Encode(format, quality: 95);
        return data.ToArray();
    }
}
