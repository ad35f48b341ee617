using Pdp.Samples.ImageNet.Data;

namespace Pdp.Samples.Tests.ImageNet;

public sealed class ImageNetDataTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Open_WhenNamesAreOutOfOrder_NumbersThemOrdinally()
    {
        Write("train/n2/b.jpg", "train/n2/a.PNG", "train/n10/c.JPEG", "train/N3/d.webp", "train/n2/B.bmp");
        Write("val/n2/x.jpg", "val/n10/x.jpg", "val/N3/x.jpg");

        var data = Open();

        Assert.Equal(["N3", "n10", "n2"], data.Train.Classes);
        Assert.Equal(data.Train.Classes, data.Validation.Classes);
        Assert.Equal([0, 1, 2, 2, 2], Enumerable.Range(0, data.Train.Count).Select(data.Train.ClassOf));
        Assert.Equal(["d.webp", "c.JPEG", "B.bmp", "a.PNG", "b.jpg"], Names(data.Train));
        Assert.True(File.Exists(data.Train.PathOf(1)));
        Assert.Equal(3, data.Validation.Count);
    }

    [Fact]
    public void Open_WhenLimited_TakesTheFirstOfEachClass()
    {
        Write("train/a/3.jpg", "train/a/1.jpg", "train/a/2.jpg", "train/b/1.jpg", "val/a/1.jpg", "val/b/1.jpg");

        var data = ImageNetData.Open(_folder.Path, limit: 2);

        Assert.Equal(["1.jpg", "2.jpg", "1.jpg"], Names(data.Train));
        Assert.Throws<ArgumentOutOfRangeException>("limit", () => ImageNetData.Open(_folder.Path, limit: 0));
    }

    [Fact]
    public void Open_WhenAFolderIsMissing_SaysWhichAndWhatIsDue()
    {
        Write("train/a/1.jpg");

        var fault = Assert.Throws<DirectoryNotFoundException>(Open);

        Assert.Contains($"'{_folder.File("val")}'", fault.Message, StringComparison.Ordinal);
        Assert.Contains("val/<class>/*", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_WhenThereAreNoClasses_SaysSo()
    {
        Directory.CreateDirectory(_folder.File("train"));

        AssertFault("There are no class folders", "unpack");
    }

    [Fact]
    public void Open_WhenAClassIsEmpty_NamesIt()
    {
        Write("train/a/1.jpg");
        Directory.CreateDirectory(_folder.File("train/b"));

        AssertFault("b' is empty", "unpack");
    }

    [Fact]
    public void Open_WhenPicturesLieOutsideOfClasses_SaysWhereTheyBelong()
    {
        Write("train/a/1.jpg", "val/a/1.jpg", "val/ILSVRC2012_val_00000001.JPEG");

        AssertFault("'ILSVRC2012_val_00000001.JPEG'", "the folder of its class");
    }

    [Theory]
    [InlineData("train/a/notes.txt")]
    [InlineData("train/a/more/2.jpg")]
    public void Open_WhenSomethingIsNoPicture_NamesIt(string other)
    {
        Write("train/a/1.jpg", "val/a/1.jpg", other);

        AssertFault($"'{other.Split('/')[2]}'", "is not a picture");
    }

    [Fact]
    public void Open_WhenClassesDiffer_NamesThem()
    {
        Write("train/a/1.jpg", "train/b/1.jpg", "val/a/1.jpg", "val/c/1.jpg", "val/d/1.jpg");

        AssertFault("only 'train' has b", "only 'val' has c, d");
    }

    private static IEnumerable<string?> Names(ImageFolder folder) =>
        Enumerable.Range(0, folder.Count).Select(folder.PathOf).Select(Path.GetFileName);

    private ImageNetData Open() => ImageNetData.Open(_folder.Path);

    private void AssertFault(params string[] parts)
    {
        var fault = Assert.Throws<InvalidDataException>(Open);

        Assert.All(parts, part => Assert.Contains(part, fault.Message, StringComparison.Ordinal));
    }

    private void Write(params string[] names)
    {
        foreach (var name in names)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_folder.File(name))!);
            File.WriteAllBytes(_folder.File(name), []);
        }
    }
}
