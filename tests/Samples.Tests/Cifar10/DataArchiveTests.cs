using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using Pdp.Samples.Cifar10;

namespace Pdp.Samples.Tests.Cifar10;

public sealed class DataArchiveTests : IDisposable
{
    private const int Block = 512;
    private const int SizeAt = 124;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("", "is empty")]
    [InlineData("just some notes", "is not a .tar.gz archive of pictures")]
    [InlineData("PK\u0003\u0004", "is a zip archive: unpack it and give the folder")]
    public void Read_OfAnotherFile_SaysWhatItIsAndWhatIsWanted(string content, string expected)
    {
        File.WriteAllText(_folder.File("data"), content);

        AssertRefused("data", expected, "--data needs a folder or .tar.gz of pictures");
    }

    [Fact]
    public void Read_OfATarThatIsNotCompressed_SaysSo()
    {
        File.WriteAllBytes(_folder.File("data"), Tar(Picture("train/cat/1.png", "x")));

        AssertRefused("data", "is a tar archive that is not compressed");
    }

    // 95 bytes that claim 2⁶³ − 1, 8 GiB, 100 MiB and, for a picture, 2 MiB.
    [Theory]
    [InlineData("a_batch.bin", long.MaxValue)]
    [InlineData("a_batch.bin", 8L << 30)]
    [InlineData("a_batch.bin", 100L << 20)]
    [InlineData("train/cat/1.png", 2L << 20)]
    public void Read_WhenAnEntryClaimsMoreThanAnyFileHas_TakesNoMemoryForIt(string name, long claimed)
    {
        var tar = Tar(Picture(name, "x"));
        Claim(tar, claimed);
        var before = GC.GetAllocatedBytesForCurrentThread();

        AssertDamaged(tar, $"'{name}' has {claimed} bytes");

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 << 20);
    }

    [Fact]
    public void Read_WhenAnEntryClaimsMoreThanIsThere_TakesMemoryOnlyForThat()
    {
        var tar = Tar(Picture("a_batch.bin", "x"));
        Claim(tar, 60 << 20);
        var before = GC.GetAllocatedBytesForCurrentThread();

        AssertDamaged(tar);

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 << 20);
    }

    [Theory]
    [InlineData("../../etc/cat/1.png")]
    [InlineData("train/../../1.png")]
    [InlineData("/etc/cat/1.png")]
    public void Read_WhenANameLeadsOut_RefusesIt(string name) => AssertDamaged(Tar(Picture(name, "x")), $"'{name}' leads out of it");

    [Theory]
    [InlineData(TarEntryType.SymbolicLink)]
    [InlineData(TarEntryType.HardLink)]
    public void Read_WhenAPictureIsALink_RefusesIt(TarEntryType type) =>
        AssertDamaged(
            Tar(new PaxTarEntry(type, "train/cat/1.png") { LinkName = "/etc/passwd" }), $"'train/cat/1.png' is a {type}, not a file");

    [Fact]
    public void Read_WhenANameComesTwice_RefusesIt() =>
        AssertDamaged(Tar(Picture("train/cat/1.png", "x"), Picture("train/cat/1.png", "y")), "holds 'train/cat/1.png' twice");

    [Fact]
    public void Read_OfFilesAndFolders_TakesTheFilesThatAreData()
    {
        var tar = Tar(
            new PaxTarEntry(TarEntryType.Directory, "train/cat.png"), Picture(
                "./train/cat/1.png", "x"), Picture("train/cat/._2.png", "x"), Picture("README", "x"), Picture("train/cat/3.JPG", ""));

        var files = DataArchive.Read(Write(tar));

        Assert.Equal([("./train/cat/1.png", 1), ("train/cat/3.JPG", 0)], files.Select(file => (file.Name, file.Read().Length)));
    }

    [Fact]
    public void Read_OfAFolderWithAHugePicture_RefusesIt()
    {
        Directory.CreateDirectory(_folder.File("data/train/cat"));
        using (var file = File.Create(_folder.File("data/train/cat/1.png")))
        {
            file.SetLength(3L << 30);
        }

        AssertRefused("data", $"1.png' has {3L << 30} bytes");
    }

    [Fact]
    public void Read_OfAFolderWithLinksToItself_TakesEachPictureOnce()
    {
        Pictures.Write(_folder.File("data"));
        Directory.CreateSymbolicLink(_folder.File("data/train/again"), _folder.File("data"));
        Directory.CreateSymbolicLink(_folder.File("data/train/more"), _folder.File("data"));

        Assert.Equal(20, Cifar10Data.Load(_folder.File("data")).Train.Count);
    }

    // Damage anywhere is an error that says so, or goes unnoticed where nothing depends on it.
    [Fact]
    public void Read_OfDamagedArchives_SaysThatTheyAreDamaged()
    {
        var (random, refused) = (new Random(12), 0);
        var whole = Tar(Picture("train/cat/1.png", "abc"), Picture($"train/dog/{new string('n', 200)}.png", "def"), Picture(
            "a_batch.bin", new string('x', 700)));
        for (var trial = 0; trial < 300; trial++)
        {
            var tar = whole[..(trial % 3 == 0 ? random.Next(whole.Length) : whole.Length)];
            for (var i = 0; i < random.Next(6) && tar.Length > 0; i++)
            {
                tar[random.Next(tar.Length)] = (byte)random.Next(256);
            }

            Mend(tar);
            refused += ReadsOrIsRefused(tar) ? 0 : 1;
        }

        Assert.InRange(refused, 1, 299);
    }

    private static PaxTarEntry Picture(string name, string content) =>
        new(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(Encoding.ASCII.GetBytes(content)) };

    private static byte[] Tar(params TarEntry[] entries)
    {
        using var stream = new MemoryStream();
        using (var writer = new TarWriter(stream, TarEntryFormat.Ustar, leaveOpen: true))
        {
            foreach (var entry in entries)
            {
                writer.WriteEntry(entry);
            }
        }

        return stream.ToArray();
    }

    // The size of the last header, in tar's binary form for what octal digits can't say.
    private static void Claim(byte[] tar, long size)
    {
        var header = Enumerable.Range(0, tar.Length / Block)
            .Last(block => Encoding.ASCII.GetString(tar, (block * Block) + 257, 5) == "ustar") * Block;
        var field = tar.AsSpan(header + SizeAt, 12);
        field.Clear();
        field[0] = 0x80;
        System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(field[4..], size);
        Mend(tar);
    }

    // Puts the checksums right, so that what is behind them is met.
    private static void Mend(byte[] tar)
    {
        for (var start = 0; start + Block <= tar.Length; start += Block)
        {
            var header = tar.AsSpan(start, Block);
            if (!header.Slice(257, 5).SequenceEqual("ustar"u8))
            {
                continue;
            }

            header.Slice(148, 8).Fill((byte)' ');
            var sum = 0;
            foreach (var value in header)
            {
                sum += value;
            }

            Encoding.ASCII.GetBytes($"{Convert.ToString(sum, 8).PadLeft(6, '0')}\0 ").CopyTo(header[148..]);
        }
    }

    private string Write(byte[] tar)
    {
        using var stream = new GZipStream(File.Create(_folder.File("archive.tar.gz")), CompressionLevel.Fastest);
        stream.Write(tar);
        return _folder.File("archive.tar.gz");
    }

    private bool ReadsOrIsRefused(byte[] tar)
    {
        try
        {
            Assert.All(DataArchive.Read(Write(tar)), file => Assert.True(file.Read().Length <= tar.Length));
            return true;
        }
        catch (InvalidDataException e)
        {
            Assert.Contains("it is damaged", e.Message, StringComparison.Ordinal);
            return false;
        }
    }

    private void AssertDamaged(byte[] tar, params string[] expected)
    {
        var error = Assert.Throws<InvalidDataException>(() => DataArchive.Read(Write(tar)));

        Assert.All([.. expected, "it is damaged: fetch it again"], part => Assert.Contains(part, error.Message, StringComparison.Ordinal));
    }

    private void AssertRefused(string name, params string[] expected)
    {
        var error = Assert.Throws<InvalidDataException>(() => Cifar10Data.Load(_folder.File(name)));

        Assert.All([.. expected, name], part => Assert.Contains(part, error.Message, StringComparison.Ordinal));
    }
}
