using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using SkiaSharp;

namespace Pdp.Samples.Cifar10;

/// <summary>Decodes <c>train/&lt;class&gt;/*</c> and <c>test/&lt;class&gt;/*</c>; files are taken in the order of their names.</summary>
internal static class PictureFiles
{
    public static Cifar10Data Read(IReadOnlyList<DataFile> files, string source)
    {
        var train = Labelled(files, "train", source);
        var test = Labelled(files, "test", source);
        return new Cifar10Data(Decode(train, source), Decode(test, source));
    }

    private static (DataFile File, byte Label)[] Labelled(IReadOnlyList<DataFile> files, string part, string source)
    {
        var folders = files.Where(file => Folder(file, fromEnd: 3) == part)
            .OrderBy(file => file.Name, StringComparer.Ordinal)
            .ToLookup(file => Folder(file, fromEnd: 2), StringComparer.Ordinal);
        var missing = Cifar10Classes.Names.Where(name => !folders.Contains(name)).ToArray();
        var unknown = folders.Select(folder => folder.Key!).Except(Cifar10Classes.Names).ToArray();
        if (missing.Length + unknown.Length > 0)
        {
            throw new InvalidDataException(
                $"'{source}' has no pictures of {List(missing)} and unknown classes {List(unknown)} in '{part}'; "
                + $"train/<class>/*.jpg and test/<class>/*.jpg are expected for the ten classes. {Cifar10Download.Hint}");
        }

        return [.. Cifar10Classes.Names.SelectMany((name, label) => folders[name].Select(file => (file, (byte)label)))];
    }

    private static string? Folder(DataFile file, int fromEnd) =>
        file.Name.Split('/') is var names && names.Length >= fromEnd ? names[^fromEnd] : null;

    private static string List(string[] names) => names.Length > 0 ? string.Join(", ", names) : "(none)";

    private static ImageSet Decode((DataFile File, byte Label)[] pictures, string source)
    {
        var pixels = new byte[pictures.Length * ImageSet.PictureSize];
        try
        {
            Parallel.For(0, pictures.Length, i =>
                Decode(pictures[i].File, source, pixels.AsSpan(i * ImageSet.PictureSize, ImageSet.PictureSize)));
        }
        catch (AggregateException e)
        {
            ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);
        }

        return new ImageSet(pixels, [.. pictures.Select(picture => picture.Label)]);
    }

    private static void Decode(DataFile file, string source, Span<byte> planes)
    {
        using var codec = SKCodec.Create(new MemoryStream(file.Read()));
        if (codec is null)
        {
            throw Fault("is not a readable picture");
        }

        if (codec.Info is not { Width: ImageSet.Side, Height: ImageSet.Side })
        {
            throw Fault($"is {codec.Info.Width}×{codec.Info.Height} pixels where {ImageSet.Side}×{ImageSet.Side} are expected");
        }

        using var bitmap = new SKBitmap(new SKImageInfo(ImageSet.Side, ImageSet.Side, SKColorType.Rgba8888, SKAlphaType.Unpremul));
        var result = codec.GetPixels(bitmap.Info, bitmap.GetPixels());
        if (result != SKCodecResult.Success)
        {
            throw Fault($"is damaged ({result})");
        }

        Split(MemoryMarshal.Cast<byte, uint>(bitmap.GetPixelSpan()), planes);

        InvalidDataException Fault(string what) =>
            new($"Picture '{file.Name}' of '{source}' {what}; replace it or fetch the data again.");
    }

    private static void Split(ReadOnlySpan<uint> rgba, Span<byte> planes)
    {
        for (var i = 0; i < ImageSet.PlaneSize; i++)
        {
            planes[i] = (byte)rgba[i];
            planes[i + ImageSet.PlaneSize] = (byte)(rgba[i] >> 8);
            planes[i + (2 * ImageSet.PlaneSize)] = (byte)(rgba[i] >> 16);
        }
    }
}
