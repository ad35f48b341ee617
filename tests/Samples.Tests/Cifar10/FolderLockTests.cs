
namespace Pdp.Samples.Tests.Cifar10;

public sealed class FolderLockTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Take_WhileAnotherHasIt_NamesTheFolder()
    {
        using var first = FolderLock.Take(_folder.File("out"));

        var error = Assert.Throws<IOException>(() => FolderLock.Take(_folder.File("out")));

        Assert.Contains($"Another process is working in '{_folder.File("out")}'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Take_AfterTheOtherHasEnded_Succeeds()
    {
        FolderLock.Take(_folder.File("out")).Dispose();

        using var second = FolderLock.TryTake(_folder.File("out"));

        Assert.NotNull(second);
    }

    [Fact]
    public void TryTake_WhereAFileIs_ThrowsInsteadOfWaitingForIt()
    {
        File.WriteAllText(_folder.File("out"), "");

        Assert.Throws<IOException>(() => FolderLock.TryTake(_folder.File("out")));
    }
}
