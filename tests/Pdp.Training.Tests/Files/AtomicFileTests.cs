using System.Runtime.Versioning;
using Pdp.Samples.Tests;

namespace Pdp.Training.Tests.Files;

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

    [Fact]
    public void Write_WhenAnotherIsWriting_FailsAndLeavesTheOtherAlone()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("report.json");

        AtomicFile.Write(path, stream =>
        {
            Assert.ThrowsAny<IOException>(() => AtomicFile.WriteText(path, "second"));
            stream.Write("first"u8);
        });

        Assert.Equal("first", File.ReadAllText(path));
        Assert.Equal([path], Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void Write_WhenTheWriterClosesTheStream_Succeeds()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("report.json");

        AtomicFile.Write(path, stream =>
        {
            using var writer = new StreamWriter(stream);
            writer.Write("text");
        });

        Assert.Equal("text", File.ReadAllText(path));
    }

    [UnixFact, UnsupportedOSPlatform("windows")]
    public void Write_OverALink_ReplacesWhatItPointsToAndKeepsItsMode()
    {
        using var folder = new TemporaryFolder();
        var (target, link) = (folder.File("target"), folder.File("link"));
        File.WriteAllText(target, "old");
        File.SetUnixFileMode(target, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.CreateSymbolicLink(link, target);

        AtomicFile.WriteText(link, "new");

        Assert.Equal("new", File.ReadAllText(target));
        Assert.NotNull(File.ResolveLinkTarget(link, returnFinalTarget: false));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(target));
    }
}
