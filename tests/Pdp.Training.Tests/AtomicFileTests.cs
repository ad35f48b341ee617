using Pdp.Samples.Tests;

namespace Pdp.Training.Tests;

public sealed class AtomicFileTests
{
    [Fact]
    public void Write_WhenFolderIsNew_MakesItAndLeavesOnlyTheFile()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("new/report.json");

        AtomicFile.WriteText(path, "text");

        Assert.Equal("text", File.ReadAllText(path));
        Assert.Equal([path], Directory.GetFiles(folder.File("new")));
    }

    [Fact]
    public void Write_WhenWritingFails_LeavesTheOldFileAndNothingElse()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("report.json");
        AtomicFile.WriteText(path, "old");

        Assert.Throws<IOException>(() => AtomicFile.Write(path, stream =>
        {
            stream.WriteByte(1);
            throw new IOException("disk full");
        }));

        Assert.Equal("old", File.ReadAllText(path));
        Assert.Equal([path], Directory.GetFiles(folder.Path));
    }
}
