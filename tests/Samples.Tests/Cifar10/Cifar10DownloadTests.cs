using System.Security.Cryptography;
using Pdp.Samples.Cifar10;

namespace Pdp.Samples.Tests.Cifar10;

public sealed class Cifar10DownloadTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly byte[] _content = new byte[300_000];

    public Cifar10DownloadTests() => new Random(1).NextBytes(_content);

    private string Archive => _folder.File("data.tar.gz");

    private string Part => Archive + ".part";

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Fetch_WhenNothingIsThere_FetchesAll()
    {
        using var server = new FileServer(_content);

        var path = await Download(server).FetchAsync(_folder.Path);

        Assert.Equal(Archive, path);
        Assert.Equal(_content, File.ReadAllBytes(path));
        Assert.Equal([Archive], Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public async Task Fetch_WhenArchiveIsThere_AsksNobody()
    {
        using var server = new FileServer(_content);
        File.WriteAllText(Archive, "here already");

        await Download(server).FetchAsync(_folder.Path);

        Assert.Empty(server.Ranges);
    }

    [Fact]
    public async Task Fetch_WhenConnectionBroke_GoesOnWhereItDid()
    {
        using var server = new FileServer(_content) { BreaksAfter = 200_000 };
        var error = await Assert.ThrowsAsync<IOException>(() => Download(server).FetchAsync(_folder.Path));
        var fetched = new FileInfo(Part).Length;
        server.BreaksAfter = null;

        await Download(server).FetchAsync(_folder.Path);

        Assert.Contains($"Run again to continue from '{Part}'", error.Message, StringComparison.Ordinal);
        Assert.InRange(fetched, 1, 200_000);
        Assert.Equal([null, $"bytes={fetched}-"], server.Ranges);
        Assert.Equal(_content, File.ReadAllBytes(Archive));
    }

    [Fact]
    public async Task Fetch_WhenServerKnowsNoRanges_StartsOver()
    {
        using var server = new FileServer(_content) { KnowsRanges = false };
        File.WriteAllBytes(Part, _content[..1000]);

        await Download(server).FetchAsync(_folder.Path);

        Assert.Equal(["bytes=1000-"], server.Ranges);
        Assert.Equal(_content, File.ReadAllBytes(Archive));
    }

    [Fact]
    public async Task Fetch_WhenPartIsComplete_OnlyVerifiesIt()
    {
        using var server = new FileServer(_content);
        File.WriteAllBytes(Part, _content);

        await Download(server).FetchAsync(_folder.Path);

        Assert.Equal([Archive], Directory.GetFiles(_folder.Path));
        Assert.Equal([$"bytes={_content.Length}-"], server.Ranges);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1000)]
    [InlineData(300_001)]
    public async Task Fetch_WhenChecksumIsWrong_LeavesNothing(int already)
    {
        using var server = new FileServer(_content);
        File.WriteAllBytes(Part, new byte[already]);
        var download = Download(server) with { Md5 = already > 0 ? Md5() : "00" };

        var error = await Assert.ThrowsAsync<InvalidDataException>(() => download.FetchAsync(_folder.Path));

        Assert.Contains("it has been deleted", error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public async Task Fetch_WhenNobodyAnswers_SaysHowToGoOn()
    {
        Uri address;
        using (var server = new FileServer(_content))
        {
            address = server.Address;
        }

        var error = await Assert.ThrowsAsync<IOException>(() => new Cifar10Download { Address = address }.FetchAsync(_folder.Path));

        Assert.Contains($"Fetching {address} stopped", error.Message, StringComparison.Ordinal);
    }

    private Cifar10Download Download(FileServer server) => new() { Address = server.Address, Md5 = Md5() };

#pragma warning disable CA5351 // The checksum that the data's authors publish is MD5.
    private string Md5() => Convert.ToHexStringLower(MD5.HashData(_content));
#pragma warning restore CA5351
}
