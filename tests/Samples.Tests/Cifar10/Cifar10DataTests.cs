using System.Formats.Tar;
using System.IO.Compression;
using Pdp.Samples.Cifar10;
using SkiaSharp;

namespace Pdp.Samples.Tests.Cifar10;

public sealed class Cifar10DataTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    // A flat colour survives JPEG within a rounding of its colour space.
    [Theory]
    [InlineData(SKEncodedImageFormat.Png, 0)]
    [InlineData(SKEncodedImageFormat.Jpeg, 2)]
    public void Load_WhenFolderHoldsPictures_ReadsClassesInOrder(SKEncodedImageFormat format, int tolerance)
    {
        Pictures.Write(_folder.Path, format);

        var data = Cifar10Data.Load(_folder.Path);

        Assert.Equal([0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9], data.Train.Labels);
        Assert.Equal([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], data.Test.Labels);
        Assert.All(Enumerable.Range(0, data.Test.Count), label => AssertColour(
            Pictures.Colour(label), data.Test.Picture(label), tolerance));
    }

    [Fact]
    public void Load_WhenPictureHasAPattern_KeepsRowsAndColumns()
    {
        Pictures.Write(_folder.Path);
        using var bitmap = new SKBitmap(ImageSet.Side, ImageSet.Side);
        bitmap.Erase(SKColors.Black);
        bitmap.SetPixel(x: 5, y: 2, new SKColor(10, 20, 30));
        using var encoded = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        File.WriteAllBytes(_folder.File("test/airplane/0.png"), encoded.ToArray());

        var picture = Cifar10Data.Load(_folder.Path).Test.Picture(0).ToArray();

        var place = (2 * ImageSet.Side) + 5;
        Assert.Equal(
            [10, 20, 30], new[] { picture[place], picture[place + ImageSet.PlaneSize], picture[place + (2 * ImageSet.PlaneSize)] });
        Assert.Equal(60, picture.Sum(value => value));
    }

    [Fact]
    public void Load_WhenFolderIsPacked_ReadsTheSame()
    {
        Pictures.Write(_folder.File("pictures"));

        var packed = Cifar10Data.Load(Pack("pictures"));

        var unpacked = Cifar10Data.Load(_folder.File("pictures"));
        Assert.Equal(unpacked.Train.Pixels, packed.Train.Pixels);
        Assert.Equal(unpacked.Train.Labels, packed.Train.Labels);
        Assert.Equal(unpacked.Test.Pixels, packed.Test.Pixels);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Load_WhenDataIsBinary_ReadsRecords(bool isPacked)
    {
        WriteBinary("cifar-10-batches-bin/data_batch_1.bin", 3, 1);
        WriteBinary("cifar-10-batches-bin/data_batch_2.bin", 4);
        WriteBinary("cifar-10-batches-bin/data_batch_3.bin", 1);
        WriteBinary("cifar-10-batches-bin/data_batch_4.bin", 5);
        WriteBinary("cifar-10-batches-bin/data_batch_5.bin", 9);
        WriteBinary("cifar-10-batches-bin/test_batch.bin", 9);

        var data = Cifar10Data.Load(isPacked ? Pack("cifar-10-batches-bin") : _folder.Path);

        Assert.Equal([3, 1, 4, 1, 5, 9], data.Train.Labels);
        Assert.Equal([9], data.Test.Labels);
        Assert.All(data.Train.Picture(2).ToArray(), value => Assert.Equal(40, value));
    }

    [Fact]
    public void Load_WhenBinaryFileIsCutOff_NamesIt()
    {
        WriteBinaries();
        File.WriteAllBytes(_folder.File("data_batch_1.bin"), new byte[3000]);

        AssertRefused("'data_batch_1.bin' is 3000 bytes long, not a multiple of 3073");
    }

    [Fact]
    public void Load_WhenBinaryLabelIsImpossible_NamesRecord()
    {
        WriteBinaries();
        WriteBinary("data_batch_1.bin", 3, 10);

        AssertRefused("'data_batch_1.bin' has the label 10 in record 1");
    }

    [Fact]
    public void Load_WhenBinaryTestFileIsMissing_SaysWhatIsThere()
    {
        WriteBinaries();
        File.Delete(_folder.File("test_batch.bin"));

        AssertRefused("has 5 files data_batch_*.bin and 0 test_batch.bin");
    }

    [Fact]
    public void Load_WhenABinaryTrainingFileIsMissing_SaysHowManyThereAre()
    {
        WriteBinaries();
        File.Delete(_folder.File("data_batch_4.bin"));

        AssertRefused("has 4 files data_batch_*.bin and 1 test_batch.bin; five and one are expected");
    }

    [Fact]
    public void Load_WhenClassHasNoPictures_NamesIt()
    {
        Pictures.Write(_folder.Path);
        Directory.Delete(_folder.File("train/bird"), recursive: true);
        Directory.Move(_folder.File("train/frog"), _folder.File("train/toad"));

        AssertRefused("has no pictures of bird, frog and unknown classes toad in 'train'");
    }

    [Fact]
    public void Load_WhenTestFolderIsMissing_SaysWhatIsExpected()
    {
        Pictures.Write(_folder.Path);
        Directory.Delete(_folder.File("test"), recursive: true);

        AssertRefused("truck and unknown classes (none) in 'test'; train/<class>/*.jpg");
    }

    [Fact]
    public void Load_WhenPictureIsNone_NamesIt()
    {
        Pictures.Write(_folder.Path);
        File.WriteAllText(_folder.File("train/cat/1.png"), "not a picture");

        AssertRefused("Picture 'train/cat/1.png'", "is not a readable picture");
    }

    [Fact]
    public void Load_WhenPictureIsCutOff_NamesIt()
    {
        Pictures.Write(_folder.Path, SKEncodedImageFormat.Jpeg);
        var noise = Pictures.Noise(SKEncodedImageFormat.Jpeg);
        File.WriteAllBytes(_folder.File("train/cat/1.jpg"), noise[..^(noise.Length / 4)]);

        AssertRefused("Picture 'train/cat/1.jpg'", "is damaged (IncompleteInput)");
    }

    [Fact]
    public void Load_WhenPictureHasAnotherSize_SaysBoth()
    {
        Pictures.Write(_folder.Path);
        File.WriteAllBytes(_folder.File("test/dog/0.png"), Pictures.Encode(SKColors.Red, side: 28));

        AssertRefused("Picture 'test/dog/0.png'", "is 28×28 pixels where 32×32 are expected");
    }

    [Fact]
    public void Load_WhenArchiveIsCutOff_SaysSo()
    {
        Pictures.Write(_folder.File("pictures"));
        var archive = Pack("pictures");
        File.WriteAllBytes(archive, File.ReadAllBytes(archive)[..^200]);

        var error = Assert.Throws<InvalidDataException>(() => Cifar10Data.Load(archive));

        Assert.Contains($"'{archive}' is not a readable .tar.gz archive", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_WhenNothingIsThere_SaysWhereToGetIt()
    {
        var error = Assert.Throws<FileNotFoundException>(() => Cifar10Data.Load(_folder.File("absent")));

        Assert.Contains("no folder or archive", error.Message, StringComparison.Ordinal);
        Assert.Contains("--download", error.Message, StringComparison.Ordinal);
    }

    private static void AssertColour(SKColor expected, ReadOnlySpan<byte> picture, int tolerance)
    {
        var (red, green, blue) = (picture[0], picture[ImageSet.PlaneSize], picture[2 * ImageSet.PlaneSize]);
        Assert.InRange(red, expected.Red - tolerance, expected.Red + tolerance);
        Assert.InRange(green, expected.Green - tolerance, expected.Green + tolerance);
        Assert.InRange(blue, expected.Blue - tolerance, expected.Blue + tolerance);
    }

    private void AssertRefused(params string[] expected)
    {
        var error = Assert.Throws<InvalidDataException>(() => Cifar10Data.Load(_folder.Path));

        Assert.All(expected, part => Assert.Contains(part, error.Message, StringComparison.Ordinal));
    }

    private void WriteBinaries()
    {
        foreach (var name in Enumerable.Range(1, 5).Select(number => $"data_batch_{number}.bin").Append("test_batch.bin"))
        {
            WriteBinary(name, 3);
        }
    }

    private void WriteBinary(string name, params byte[] labels)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_folder.File(name))!);
        File.WriteAllBytes(_folder.File(name), [.. labels.SelectMany(Record)]);

        static IEnumerable<byte> Record(byte label) => Enumerable.Repeat((byte)(10 * label), ImageSet.PictureSize).Prepend(label);
    }

    private string Pack(string name)
    {
        var archive = _folder.File("archive.tar.gz");
        using var stream = new GZipStream(File.Create(archive), CompressionLevel.Fastest);
        TarFile.CreateFromDirectory(_folder.File(name), stream, includeBaseDirectory: true);
        return archive;
    }
}
