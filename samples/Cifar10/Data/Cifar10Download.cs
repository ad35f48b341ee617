using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;

namespace Pdp.Samples.Cifar10;

/// <summary>
/// Fetches the official archive: into a <c>.part</c> file that a later try continues, renamed once its checksum is right.
/// </summary>
internal sealed record Cifar10Download
{
    public const string Hint = $"The official archive is at {Official} (md5 {OfficialMd5}); --download fetches it.";

    private const string Official = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz";
    private const string OfficialMd5 = "c32a1d4ab5d03f1284b67883e8d87530";
    private const int BufferSize = 1 << 16;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    public Uri Address { get; init; } = new(Official);

    public string Md5 { get; init; } = OfficialMd5;

    /// <summary>The folder that downloads go to unless told otherwise.</summary>
    public static string DefaultFolder =>
        Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache", "pdp");

    /// <summary>Fetches the archive unless it is there already, and returns its path.</summary>
    /// <exception cref="InvalidDataException">What was fetched is not the archive; it has been deleted.</exception>
    /// <exception cref="IOException">The connection broke; another call continues where it broke off.</exception>
    public async Task<string> FetchAsync(string folder)
    {
        var path = Path.Combine(folder, Path.GetFileName(Address.LocalPath));
        if (File.Exists(path))
        {
            return path;
        }

        Directory.CreateDirectory(folder);
        var part = path + ".part";
        try
        {
            await FetchPartAsync(part);
        }
        catch (Exception e) when (e is IOException or HttpRequestException or OperationCanceledException)
        {
            throw new IOException($"Fetching {Address} stopped: {e.Message} Run again to continue from '{part}'.", e);
        }

        Verify(part);
        File.Move(part, path);
        return path;
    }

    private async Task FetchPartAsync(string part)
    {
        using var file = new FileStream(part, FileMode.OpenOrCreate, FileAccess.Write, FileShare.None);
        using var client = new HttpClient { Timeout = Patience };
        using var request = new HttpRequestMessage(HttpMethod.Get, Address);
        request.Headers.Range = file.Length > 0 ? new RangeHeaderValue(file.Length, null) : null;
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        if (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            // Nothing is left to fetch; the checksum tells whether the file is right.
            return;
        }

        response.EnsureSuccessStatusCode();

        // A server that doesn't support ranges answers 200 with the whole file.
        file.SetLength(response.StatusCode == HttpStatusCode.PartialContent ? file.Length : 0);
        file.Seek(0, SeekOrigin.End);
        await CopyAsync(response.Content, file);
    }

    private static async Task CopyAsync(HttpContent content, FileStream file)
    {
        var total = file.Length + (content.Headers.ContentLength ?? 0);
        using var progress = new ConsoleProgress("download", total);
        using var source = await content.ReadAsStreamAsync();
        using var patience = new CancellationTokenSource();
        var buffer = new byte[BufferSize];
        int count;
        do
        {
            patience.CancelAfter(Patience);
            count = await source.ReadAsync(buffer, patience.Token);
            await file.WriteAsync(buffer.AsMemory(0, count));
            progress.Report(file.Length, $"{file.Length >> 20} of {total >> 20} MiB");
        }
        while (count > 0);
    }

    private void Verify(string part)
    {
        string actual;
        using (var stream = File.OpenRead(part))
        {
            // The checksum guards against damage, not against malice: MD5 is what the data's authors publish.
#pragma warning disable CA5351
            actual = Convert.ToHexStringLower(MD5.HashData(stream));
#pragma warning restore CA5351
        }

        if (actual != Md5)
        {
            File.Delete(part);
            throw new InvalidDataException(
                $"The file from {Address} has the checksum {actual}, not {Md5}; it has been deleted. Try again.");
        }
    }
}
