using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace CalSync.Lab.Peers;

/// <summary>Stands before a server, passes every byte both ways, and notes what was asked.</summary>
public sealed partial class CountingGate : IAsyncDisposable
{
    private const int LineLengthMax = 8 * 1024;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<string> _requests = new();
    private readonly Uri _server;
    private readonly Task _accepting;

    /// <param name="server">Where requests go; plain HTTP/1.</param>
    public CountingGate(Uri server)
    {
        _server = server;
        _listener.Start();
        Address = new Uri($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/");
        _accepting = AcceptAsync();
    }

    /// <summary>Where to send requests.</summary>
    public Uri Address { get; }

    /// <summary>Method and target of every request so far.</summary>
    public IReadOnlyList<string> Requests => [.. _requests];

    /// <summary>The same resource through the gate.</summary>
    public Uri Through(Uri resource) => new(Address, resource.AbsolutePath);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _stop.Dispose();
    }

    // A body ends without a line break: the next request line goes on where it ended.
    [GeneratedRegex(
        @"((?:GET|HEAD|PUT|POST|DELETE|OPTIONS|PROPFIND|PROPPATCH|REPORT|MKCALENDAR|MKCOL|MOVE|COPY) \S+) "
        + @"HTTP/1\.[01]$")]
    private static partial Regex RequestLine { get; }

    private async Task AcceptAsync()
    {
        var open = new List<Task>();
        try
        {
            while (true)
                open.Add(CarryAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException)
        {
            await Task.WhenAll(open);
        }
    }

    private async Task CarryAsync(TcpClient client)
    {
        using var near = client;
        using var far = new TcpClient();
        try
        {
            await far.ConnectAsync(_server.Host, _server.Port, _stop.Token);
            var up = AskAsync(near.GetStream(), far);
            await far.GetStream().CopyToAsync(near.GetStream(), _stop.Token);
            near.Close();
            await up;
        }
        catch (Exception gone) when (gone is IOException or SocketException or OperationCanceledException
            or ObjectDisposedException)
        {
            // One of the two sides has gone, which ends the connection of the other.
        }
    }

    private async Task AskAsync(NetworkStream near, TcpClient far)
    {
        var chunk = new byte[16 * 1024];
        var line = new StringBuilder();
        try
        {
            while (await near.ReadAsync(chunk, _stop.Token) is > 0 and var count)
            {
                foreach (var octet in chunk.AsSpan(0, count))
                    Note(line, (char)octet);
                await far.GetStream().WriteAsync(chunk.AsMemory(0, count), _stop.Token);
            }

            far.Client.Shutdown(SocketShutdown.Send);
        }
        catch (Exception gone) when (gone is IOException or SocketException or OperationCanceledException
            or ObjectDisposedException)
        {
            // As above.
        }
    }

    private void Note(StringBuilder line, char letter)
    {
        if (letter != '\n')
        {
            if (line.Length == LineLengthMax)
                line.Remove(0, LineLengthMax / 2);
            line.Append(letter);
            return;
        }

        if (RequestLine.Match(line.ToString().TrimEnd('\r')) is { Success: true } asked)
            _requests.Enqueue(asked.Groups[1].Value);
        line.Clear();
    }
}
