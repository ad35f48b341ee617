using Pdp.Samples.Cifar10;
using SkiaSharp;

namespace Pdp.Samples.Tests.Cifar10;

/// <summary>Makes tiny picture folders: each class of one colour, so that what was read shows where it came from.</summary>
internal static class Pictures
{
    public static SKColor Colour(int label) => new((byte)(20 * label), (byte)(255 - (20 * label)), 100);

    public static byte[] Encode(SKColor colour, SKEncodedImageFormat format = SKEncodedImageFormat.Png, int side = ImageSet.Side)
    {
        using var bitmap = new SKBitmap(side, side);
        bitmap.Erase(colour);
        return Encode(bitmap, format);
    }

    /// <summary>A picture whose file is mostly pixels, not header.</summary>
    public static byte[] Noise(SKEncodedImageFormat format)
    {
        var random = new Random(1);
        using var bitmap = new SKBitmap(ImageSet.Side, ImageSet.Side);
        bitmap.Pixels = [.. Enumerable.Range(0, ImageSet.PlaneSize).Select(_ => new SKColor((uint)random.Next() | 0xFF000000))];
        return Encode(bitmap, format);
    }

    /// <summary>Writes two training pictures and one test picture of each class.</summary>
    public static void Write(string folder, SKEncodedImageFormat format = SKEncodedImageFormat.Png)
    {
        var extension = format == SKEncodedImageFormat.Png ? "png" : "jpg";
        foreach (var (label, name) in Cifar10Classes.Names.Index())
        {
            var picture = Encode(Colour(label), format);
            foreach (var place in new[] { $"train/{name}/0", $"train/{name}/1", $"test/{name}/0" })
            {
                var path = Path.Combine(folder, $"{place}.{extension}");
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                File.WriteAllBytes(path, picture);
            }
        }
    }

    private static byte[] Encode(SKBitmap bitmap, SKEncodedImageFormat format)
    {
        using var data = bitmap.Encode(format, quality: 95);
        return data.ToArray();
    }
}
