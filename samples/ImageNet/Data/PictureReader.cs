using SkiaSharp;

namespace Pdp.Samples.ImageNet.Data;

/// <summary>Turns files into normalised pixels, one at a time; keeps its memory from one to the next until disposed.</summary>
internal sealed unsafe class PictureReader(IViewer viewer) : IDisposable
{
    // ImageNet's largest are far below; larger ones could take all memory, whatever the file's size.
    private const long LargestFile = 128 << 20;
    private const long MostPixels = 100_000_000;
    private const int LongestSide = 65_535;

    private readonly Scratch _file = new();
    private readonly RegionDecoder _decoder = new();
    private readonly TriangleFilter _horizontal = new(viewer.Side);
    private readonly TriangleFilter _vertical = new(viewer.Side);
    private readonly Resampler _resampler = new(viewer.Side);

    /// <summary>Reads a picture.</summary>
    /// <param name="path">The file.</param>
    /// <param name="random">Decides what is seen of it.</param>
    /// <param name="target">The memory for <c>side * side * 3</c> numbers: row, column, channel.</param>
    /// <exception cref="InvalidDataException">It is not a picture, or a damaged one; the message follows the file's name.</exception>
    public void Read(string path, SplitMix random, Span<float> target)
    {
        var bytes = Load(path);
        fixed (byte* first = bytes)
        {
            using var data = SKData.Create((IntPtr)first, bytes.Length);
            using var codec = SKCodec.Create(data) ?? throw new InvalidDataException("is not a readable picture");
            RequireSize(codec.Info.Width, codec.Info.Height);
            var view = viewer.Of(codec.Info.Width, codec.Info.Height, random);
            var size = SetFilters(codec, view);
            var region = SKRectI.Create(_horizontal.First, _vertical.First, _horizontal.Length, _vertical.Length);
            var pixels = _decoder.Decode(codec, size, region, HasEnd(bytes), out var rowBytes);
            _resampler.Resize(pixels, rowBytes, _horizontal, _vertical, target);
        }
    }

    public void Dispose()
    {
        _file.Dispose();
        _decoder.Dispose();
        _resampler.Dispose();
    }

    private Span<byte> Load(string path)
    {
        using var file = File.OpenHandle(path);
        var size = RandomAccess.GetLength(file);
        if (size is 0 or > LargestFile)
        {
            throw new InvalidDataException(size == 0 ? "is empty" : $"has {size} bytes, and no picture may have more than {LargestFile}");
        }

        var length = (int)size;
        var bytes = new Span<byte>(_file.OfSize(length), length);
        var read = 0;
        while (read < length && RandomAccess.Read(file, bytes[read..], read) is > 0 and var more)
        {
            read += more;
        }

        return bytes[..read];
    }

    private static void RequireSize(int width, int height)
    {
        if (width < 1 || height < 1 || width > LongestSide || height > LongestSide || (long)width * height > MostPixels)
        {
            throw new InvalidDataException(
                $"is {width}×{height} pixels large, and no picture may have more than {MostPixels}, or {LongestSide} on a side");
        }
    }

    private SKSizeI SetFilters(SKCodec codec, View view)
    {
        var fraction = codec.EncodedFormat == SKEncodedImageFormat.Jpeg ? view.Fraction() : 1;
        var scaled = view.Scaled(fraction);
        _horizontal.Set(scaled.Horizontal);
        _vertical.Set(scaled.Vertical);
        return codec.GetScaledDimensions(fraction);
    }

    /// <summary>Whether the file ends as a JPEG does; otherwise it may have been cut off.</summary>
    private static bool HasEnd(ReadOnlySpan<byte> bytes) => bytes.EndsWith([(byte)0xFF, (byte)0xD9]);
}
