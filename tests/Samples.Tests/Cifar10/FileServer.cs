using System.Net;
using System.Net.Sockets;

namespace Pdp.Samples.Tests.Cifar10;

/// <summary>Serves one file on the loopback interface, with or without ranges, whole or breaking off.</summary>
internal sealed class FileServer : IDisposable
{
    /// <summary>Another process may take a free port before it is listened on.</summary>
    private const int Attempts = 10;

    private readonly HttpListener _listener;
    private readonly byte[] _content;
    private readonly Task _loop;

    public FileServer(byte[] content)
    {
        _content = content;
        (_listener, Address) = Listen();
        _loop = ServeAsync();
    }

    public Uri Address { get; }

    public bool KnowsRanges { get; init; } = true;

    /// <summary>After how many bytes the connection breaks.</summary>
    public int? BreaksAfter { get; set; }

    /// <summary>The Range header of each request.</summary>
    public List<string?> Ranges { get; } = [];

    public void Dispose()
    {
        _listener.Stop();
        _loop.Wait();
        _listener.Close();
    }

    private static (HttpListener Listener, Uri Address) Listen()
    {
        for (var attempt = 1; ; attempt++)
        {
            var address = new Uri($"http://127.0.0.1:{FreePort()}/data.tar.gz");
            var listener = new HttpListener();
            listener.Prefixes.Add(address.GetLeftPart(UriPartial.Authority) + "/");
            try
            {
                listener.Start();
                return (listener, address);
            }
            catch (HttpListenerException) when (attempt < Attempts)
            {
                listener.Close();
            }
        }
    }

    private static int FreePort()
    {
        using var socket = new TcpListener(IPAddress.Loopback, 0);
        socket.Start();
        return ((IPEndPoint)socket.LocalEndpoint).Port;
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                Answer(await _listener.GetContextAsync());
            }
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
        {
            // Stopped.
        }
    }

    private void Answer(HttpListenerContext context)
    {
        var range = context.Request.Headers["Range"];
        Ranges.Add(range);
        var first = KnowsRanges && range is not null ? int.Parse(range["bytes=".Length..^1], null) : 0;
        var response = context.Response;
        if (first >= _content.Length)
        {
            response.StatusCode = (int)HttpStatusCode.RequestedRangeNotSatisfiable;
            response.Close();
            return;
        }

        response.StatusCode = (int)(first > 0 ? HttpStatusCode.PartialContent : HttpStatusCode.OK);
        response.ContentLength64 = _content.Length - first;
        response.OutputStream.Write(_content, first, BreaksAfter ?? _content.Length - first);
        if (BreaksAfter is null)
        {
            response.Close();
        }
        else
        {
            response.OutputStream.Flush();
            response.Abort();
        }
    }
}
