using SkiaSharp;

namespace Pdp.Samples.ImageNet.Data;

/// <summary>Decodes as much of a picture as is needed; the memory is reused for the next picture.</summary>
internal sealed unsafe class RegionDecoder : IDisposable
{
    // A JPEG has one colour for two columns, and it is smoothed with the neighbouring ones if these are decoded as well.
    private const int Margin = 2;

    private readonly Scratch _pixels = new();

    /// <summary>Decodes to RGBA.</summary>
    /// <param name="codec">The picture.</param>
    /// <param name="size">Its size at the fraction to decode it at.</param>
    /// <param name="region">What is needed.</param>
    /// <param name="isWhole">
    /// Whether the end of the file is there. If it is not, all is decoded, to see what else is missing; libjpeg-turbo crashes the
    /// process when it skips rows that are not there.
    /// </param>
    /// <param name="rowBytes">From one row to the next.</param>
    /// <returns>The first pixel of the region, valid until the next call.</returns>
    /// <exception cref="InvalidDataException">The picture is damaged.</exception>
    public byte* Decode(SKCodec codec, SKSizeI size, SKRectI region, bool isWhole, out int rowBytes) =>
        isWhole && codec.EncodedFormat == SKEncodedImageFormat.Jpeg
            ? Part(codec, Rgba(size), region, out rowBytes)
            : All(codec, Rgba(size), region, out rowBytes);

    public void Dispose() => _pixels.Dispose();

    // Without a colour space, colours stay what they are in the file.
    private static SKImageInfo Rgba(SKSizeI size) => new(size.Width, size.Height, SKColorType.Rgba8888, SKAlphaType.Unpremul);

    private byte* Part(SKCodec codec, SKImageInfo info, SKRectI region, out int rowBytes)
    {
        var (left, right) = (Math.Max(0, region.Left - Margin), Math.Min(info.Width, region.Right + Margin));
        rowBytes = (right - left) * info.BytesPerPixel;
        var pixels = _pixels.OfSize((long)rowBytes * region.Height);
        Check(codec.StartScanlineDecode(info, new SKCodecOptions(new SKRectI(left, 0, right, info.Height))));
        if (!codec.SkipScanlines(region.Top) || codec.GetScanlines((IntPtr)pixels, region.Height, rowBytes) != region.Height)
        {
            Check(SKCodecResult.IncompleteInput);
        }

        return pixels + ((region.Left - left) * info.BytesPerPixel);
    }

    private byte* All(SKCodec codec, SKImageInfo info, SKRectI region, out int rowBytes)
    {
        rowBytes = info.RowBytes;
        var pixels = _pixels.OfSize(info.BytesSize64);
        Check(codec.GetPixels(info, (IntPtr)pixels));
        return pixels + ((long)region.Top * rowBytes) + (region.Left * info.BytesPerPixel);
    }

    private static void Check(SKCodecResult result)
    {
        if (result != SKCodecResult.Success)
        {
            throw new InvalidDataException($"is damaged ({result})");
        }
    }
}
