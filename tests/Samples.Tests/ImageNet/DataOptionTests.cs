using Pdp.Samples.ImageNet;
using Pdp.Training;

namespace Pdp.Samples.Tests.ImageNet;

public sealed class DataOptionTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("synthetic:abc")]
    [InlineData("synthetic:0")]
    [InlineData("synthetic:-5")]
    [InlineData("synthetic:")]
    [InlineData("synthetic")]
    [InlineData("synthetic:99999999999")]
    [InlineData("synthetic:1:2")]
    [InlineData("syntetic:64")]
    public void Open_OfDrawnPicturesWithoutACount_SaysHowItIsWritten(string data)
    {
        var error = Assert.Throws<ArgumentException>(() => DataOption.Open(new Settings { Data = data }, SingleRank.Instance, _ => { }));

        Assert.Equal(
            $"--data {data}: for drawn pictures write synthetic:COUNT with a whole number of at least 1, such as synthetic:1024.",
            error.Message);
    }

    [Fact]
    public void Open_OfDrawnPictures_HasAQuarterMoreToMeasureWith()
    {
        var (training, validation) = DataOption.Open(new Settings { Data = "synthetic:64" }, SingleRank.Instance, _ => { });

        Assert.Equal((64, 16), (training.Pictures, validation.Pictures));
    }

    [Fact]
    public void Open_OfAFile_SaysThatAFolderIsWanted()
    {
        File.WriteAllText(_folder.File("notes.txt"), "no pictures");

        var error = Assert.Throws<ArgumentException>(
            () => DataOption.Open(new Settings { Data = _folder.File("notes.txt") }, SingleRank.Instance, _ => { }));

        Assert.Contains("--data needs the folder", error.Message, StringComparison.Ordinal);
        Assert.Contains("notes.txt' is a file", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_OfAFolderThatIsNotThere_NamesItAndTheOption()
    {
        var error = Assert.Throws<DirectoryNotFoundException>(
            () => DataOption.Open(new Settings { Data = _folder.File("none") }, SingleRank.Instance, _ => { }));

        Assert.StartsWith($"There is no folder '{_folder.File("none")}': --data needs", error.Message, StringComparison.Ordinal);
    }
}
