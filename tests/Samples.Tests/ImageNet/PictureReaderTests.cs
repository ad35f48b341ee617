using Pdp.Samples.ImageNet.Data;
using SkiaSharp;

namespace Pdp.Samples.Tests.ImageNet;

public sealed class PictureReaderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Read_WhenPictureIsFlat_NormalisesEachChannel()
    {
        var pixels = Read(Photos.Flat(new SKColor(10, 128, 255)), new ResizedCentre(8, 8));

        Assert.Equal(8 * 8 * 3, pixels.Length);
        Assert.All(pixels.Chunk(3), pixel =>
        {
            Assert.Equal(((10 / 255.0) - 0.485) / 0.229, pixel[0], 1e-5);
            Assert.Equal(((128 / 255.0) - 0.456) / 0.224, pixel[1], 1e-5);
            Assert.Equal(((255 / 255.0) - 0.406) / 0.225, pixel[2], 1e-5);
        });
    }

    [Fact]
    public void Read_WhenJpegIsGrey_RepeatsItInEachChannel()
    {
        var file = Photos.Flat(new SKColor(77, 77, 77), SKEncodedImageFormat.Jpeg, SKColorType.Gray8);

        var pixels = Values(Read(file, new ResizedCentre(8, 8)));

        Assert.Equal(1, Components(file));
        Assert.All(pixels, value => Assert.Equal(77, value));
    }

    [Fact]
    public void Read_WhenJpegIsCmyk_MultipliesByBlack()
    {
        var file = CmykJpeg.Flat(255, 128, 0, 204);

        var pixels = Values(Read(file, new ResizedCentre(8, 8)));

        Assert.Equal(4, Components(file));
        Assert.All(pixels.Chunk(3), pixel => Assert.Equal([204, 102, 0], pixel));
    }

    // Of the JPEG no more than the crop is decoded, which here begins and ends where its colours are smoothed across.
    [Theory]
    [InlineData(SKEncodedImageFormat.Jpeg)]
    [InlineData(SKEncodedImageFormat.Png)]
    [InlineData(SKEncodedImageFormat.Webp)]
    public void Read_WhenCropped_EqualsPillow(SKEncodedImageFormat format)
    {
        var file = Photos.Noise(1, format, width: 120, height: 96);
        var view = new View(new Axis(32, 39, 16), new Axis(33, 30, 16));

        var pixels = Values(Read(file, new FixedView(view, 16)));

        Assert.Equal(Expected(file, picture => picture.Crop(32, 33, 39, 30).Resize(16, 16)), pixels);
    }

    [Fact]
    public void Read_WhenJpegIsMuchLarger_DecodesAtAFractionAndAgreesWithPillow()
    {
        var file = Photos.Noise(1, width: 400, height: 400, grain: 20);

        var pixels = Values(Read(file, new ResizedCentre(64, 80)));

        var expected = Expected(file, picture => picture.Resize(80, 80).Crop(8, 8, 64, 64));
        Assert.InRange(pixels.Zip(expected, (value, other) => Math.Abs(value - other)).Average(), 0.01, 1);
    }

    [Fact]
    public void Read_WhenExifTurnsThePicture_LeavesItAsItLies()
    {
        var file = Photos.Noise(1);
        byte[] exif = [.. "Exif\0\0MM\0*"u8, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0];
        byte[] turned = [.. file[..2], 0xFF, 0xE1, 0, (byte)(exif.Length + 2), .. exif, .. file[2..]];
        using var codec = SKCodec.Create(new MemoryStream(turned));

        var pixels = Read(turned, new ResizedCentre(16, 20));

        Assert.Equal(SKEncodedOrigin.RightTop, codec.EncodedOrigin);
        Assert.Equal(Read(file, new ResizedCentre(16, 20)), pixels);
    }

    // 4 pixels to 2: the triangle reaches 2 pixels to either side, weights are 3, 3, 1 of 7 and 1, 3, 3 of 7.
    // 2 pixels to 4: 1, then 3 and 1 of 4, then 1 and 3 of 4, then 1.
    [Theory]
    [InlineData(new byte[] { 10, 20, 30, 40 }, new[] { 17, 33 })]
    [InlineData(new byte[] { 0, 255 }, new[] { 0, 64, 191, 255 })]
    [InlineData(new byte[] { 9, 8, 7 }, new[] { 9, 8, 7 })]
    public void Read_WhenResized_WeighsByATriangle(byte[] columns, int[] expected)
    {
        var pixels = Values(Read(Columns(columns), new ResizedCentre(expected.Length, expected.Length)));

        Assert.Equal(expected, pixels.Chunk(3).Take(expected.Length).Select(pixel => pixel[0]));
        Assert.Equal(expected, pixels.Chunk(3).TakeLast(expected.Length).Select(pixel => pixel[2]));
    }

    [Fact]
    public void Read_WhenMirrored_RunsBackwards()
    {
        var file = Photos.Noise(1, SKEncodedImageFormat.Png);
        var view = new View(new Axis(7, 40, 16, IsMirrored: true), new Axis(3, 30, 16));

        var pixels = Values(Read(file, new FixedView(view, 16)));

        Assert.Equal(Expected(file, picture => picture.Crop(7, 3, 40, 30).Resize(16, 16).Flip()), pixels);
    }

    [Fact]
    public void Read_WhenJpegIsCutOff_IsRefusedWhereverTheCropLies()
    {
        var file = Photos.Noise(1, width: 400, height: 400);
        var top = new FixedView(new View(new Axis(0, 64, 16), new Axis(0, 64, 16)), 16);

        var fault = Assert.Throws<InvalidDataException>(() => Read(file[..(file.Length * 3 / 4)], top));

        Assert.Contains("IncompleteInput", fault.Message, StringComparison.Ordinal);
        Read(file, top);
    }

    // A thumbnail has an end marker of its own. Skipping rows that are not there would end the process.
    [Fact]
    public void Read_WhenJpegWithThumbnailIsCutOff_IsRefused()
    {
        var file = Photos.Noise(1, width: 400, height: 400);
        byte[] cut = [.. file[..2], 0xFF, 0xE1, 0, 4, 0xFF, 0xD9, .. file[2..(file.Length / 2)]];
        var bottom = new FixedView(new View(new Axis(0, 64, 16), new Axis(330, 64, 16)), 16);

        var fault = Assert.Throws<InvalidDataException>(() => Read(cut, bottom));

        Assert.Contains("IncompleteInput", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "empty")]
    [InlineData("version https://git-lfs.github.com/spec/v1", "not a readable picture")]
    public void Read_WhenFileIsNoPicture_SaysSo(string content, string expected)
    {
        var fault = Assert.Throws<InvalidDataException>(() => Read(System.Text.Encoding.UTF8.GetBytes(content), new ResizedCentre(8, 8)));

        Assert.Contains(expected, fault.Message, StringComparison.Ordinal);
    }

    // The 54 bytes of a bitmap's header alone.
    [Theory]
    [InlineData(60_000, 60_000)]
    [InlineData(10_001, 10_000)]
    public void Read_WhenTheHeaderClaimsAGiant_IsRefused(int width, int height)
    {
        var header = new byte[54];
        "BM"u8.CopyTo(header);
        header[10] = 54;
        header[14] = 40;
        BitConverter.TryWriteBytes(header.AsSpan(18), width);
        BitConverter.TryWriteBytes(header.AsSpan(22), height);
        (header[26], header[28]) = (1, 24);

        var error = Assert.Throws<InvalidDataException>(() => Read(header, new ResizedCentre(8, 8)));

        Assert.StartsWith($"is {width}×{height} pixels large", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_WhenFileIsHuge_SaysSo()
    {
        using (var file = File.Create(_folder.File("huge")))
        {
            file.SetLength(5L << 30);
        }

        using var reader = new PictureReader(new ResizedCentre(8, 8));
        var error = Assert.Throws<InvalidDataException>(() => reader.Read(_folder.File("huge"), default, new float[8 * 8 * 3]));

        Assert.StartsWith($"has {5L << 30} bytes", error.Message, StringComparison.Ordinal);
    }

    private static int[] Values(float[] pixels)
    {
        (double Mean, double Deviation)[] channels = [(0.485, 0.229), (0.456, 0.224), (0.406, 0.225)];
        return [.. pixels.Select((value, i) => (int)Math.Round(255 * ((value * channels[i % 3].Deviation) + channels[i % 3].Mean)))];
    }

    private static int Components(byte[] jpeg) => jpeg[jpeg.AsSpan().IndexOf([(byte)0xFF, (byte)0xC0]) + 9];

    private static byte[] Columns(byte[] values)
    {
        using var bitmap = new SKBitmap(values.Length, values.Length);
        bitmap.Pixels = [.. Enumerable.Repeat(values, values.Length).SelectMany(row => row).Select(
            value => new SKColor(value, value, value))];
        using var data = bitmap.Encode(SKEncodedImageFormat.Png, quality: 100);
        return data.ToArray();
    }

    private float[] Read(byte[] file, IViewer viewer)
    {
        using var reader = new PictureReader(viewer);
        var pixels = new float[viewer.Side * viewer.Side * 3];
        reader.Read(Write(file), default, pixels);
        return pixels;
    }

    private int[] Expected(byte[] file, Func<PillowResize, PillowResize> steps) =>
        [.. steps(PillowResize.Decode(Write(file))).Pixels.Select(value => (int)value)];

    private string Write(byte[] file)
    {
        var path = _folder.File("picture");
        File.WriteAllBytes(path, file);
        return path;
    }
}
