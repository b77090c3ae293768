using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace CalSync.Lab;

/// <summary>One request as the server saw it.</summary>
/// <param name="Number">From 1, over all sockets.</param>
/// <param name="Socket">Which socket it came on, from 1.</param>
/// <param name="Method">HTTP method.</param>
/// <param name="Target">Path and query as sent.</param>
/// <param name="Headers">By name, any letter case.</param>
/// <param name="Body">As sent.</param>
public sealed record ScriptedRequest(
    int Number, int Socket, string Method, string Target, IReadOnlyDictionary<string, string> Headers,
    string Body);

/// <summary>What the server does with one request.</summary>
public abstract record ScriptedAnswer
{
    private ScriptedAnswer()
    {
    }

    /// <summary>A well-formed answer.</summary>
    /// <param name="Status">HTTP status.</param>
    /// <param name="Body">UTF-8 text; empty for none.</param>
    /// <param name="Headers">Further header lines, such as <c>Retry-After: 7</c>.</param>
    public sealed record Send(int Status, string Body = "", params string[] Headers) : ScriptedAnswer;

    /// <summary>These bytes, then the socket is closed.</summary>
    public sealed record Garbage(byte[] Bytes) : ScriptedAnswer;

    /// <summary>The socket is closed politely without a byte.</summary>
    public sealed record Close : ScriptedAnswer;

    /// <summary>The socket is reset.</summary>
    public sealed record Reset : ScriptedAnswer;

    /// <summary>
    /// No answer until the client goes away, which <see cref="ScriptedServer.Abandoned"/> counts.
    /// </summary>
    /// <param name="First">Sent before the silence; null for nothing.</param>
    public sealed record Silence(byte[]? First = null) : ScriptedAnswer;
}

/// <summary>A loopback HTTP/1.1 server that does exactly what a test says, byte by byte.</summary>
public sealed class ScriptedServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Func<ScriptedRequest, ScriptedAnswer> _script;
    private readonly ConcurrentQueue<ScriptedRequest> _requests = new();
    private readonly SemaphoreSlim _abandoned = new(0);
    private readonly SemaphoreSlim _received = new(0);
    private readonly List<Task> _sockets = [];
    private readonly Task _accepting;
    private int _requestCount;
    private int _socketCount;

    /// <summary>Starts listening on a free port.</summary>
    /// <param name="script">Decides on each request; may be called from several sockets at once.</param>
    public ScriptedServer(Func<ScriptedRequest, ScriptedAnswer> script)
    {
        _script = script;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>Where it listens, without a trailing slash.</summary>
    public string Address =>
        string.Create(
            CultureInfo.InvariantCulture, $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    /// <summary>What was received, in order.</summary>
    public IReadOnlyList<ScriptedRequest> Requests => [.. _requests];

    /// <summary>Waits until a client has gone away from an unanswered request.</summary>
    /// <returns>False after <paramref name="limit"/>.</returns>
    public Task<bool> Abandoned(TimeSpan limit) => _abandoned.WaitAsync(limit);

    /// <summary>Waits for the next request to have arrived.</summary>
    /// <returns>False after <paramref name="limit"/>.</returns>
    public Task<bool> Received(TimeSpan limit) => _received.WaitAsync(limit);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_stop.IsCancellationRequested)
            return;
        await _stop.CancelAsync();
        // Stopped only once the loop has left it: a stopped listener answers the next accept with a fault.
        await _accepting;
        _listener.Stop();
        await Task.WhenAll(_sockets);
        _abandoned.Dispose();
        _received.Dispose();
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                _sockets.Add(ServeAsync(client, ++_socketCount));
            }
        }
        catch (Exception stopped) when (stopped is OperationCanceledException or SocketException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(TcpClient client, int socket)
    {
        using var owned = client;
        try
        {
            await using var stream = client.GetStream();
            while (await ReadAsync(stream, socket) is { } request)
            {
                _requests.Enqueue(request);
                _received.Release();
                if (!await AnswerAsync(client, stream, _script(request)))
                    return;
            }
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException or SocketException)
        {
            // The client went away, or the test is over.
        }
    }

    /// <returns>Whether the socket stays open.</returns>
    private async Task<bool> AnswerAsync(TcpClient client, NetworkStream stream, ScriptedAnswer answer)
    {
        switch (answer)
        {
            case ScriptedAnswer.Send send:
                await stream.WriteAsync(Encode(send), _stop.Token);
                return true;
            case ScriptedAnswer.Garbage garbage:
                await stream.WriteAsync(garbage.Bytes, _stop.Token);
                return false;
            case ScriptedAnswer.Close:
                return false;
            case ScriptedAnswer.Reset:
                client.LingerState = new LingerOption(true, 0);
                return false;
            case ScriptedAnswer.Silence silence:
                await stream.WriteAsync(silence.First ?? [], _stop.Token);
                await WaitForGoodbyeAsync(stream);
                return false;
            default:
                throw new System.Diagnostics.UnreachableException("Unknown answer.");
        }
    }

    private async Task WaitForGoodbyeAsync(NetworkStream stream)
    {
        try
        {
            while (await stream.ReadAsync(new byte[256], _stop.Token) > 0)
            {
                // Whatever else the client sends changes nothing.
            }
        }
        catch (IOException)
        {
            // A reset is a goodbye too.
        }

        _abandoned.Release();
    }

    private static byte[] Encode(ScriptedAnswer.Send send)
    {
        var body = Encoding.UTF8.GetBytes(send.Body);
        var head = new StringBuilder();
        head.Append(CultureInfo.InvariantCulture, $"HTTP/1.1 {send.Status} Scripted\r\n");
        foreach (var line in send.Headers)
            head.Append(line).Append("\r\n");
        if (send.Status != 204)
            head.Append(CultureInfo.InvariantCulture, $"Content-Length: {body.Length}\r\n");
        head.Append("\r\n");
        return [.. Encoding.ASCII.GetBytes(head.ToString()), .. body];
    }

    private async Task<ScriptedRequest?> ReadAsync(NetworkStream stream, int socket)
    {
        var head = new List<byte>();
        var one = new byte[1];
        while (!EndsHead(head))
        {
            if (await stream.ReadAsync(one, _stop.Token) == 0)
                return null;
            head.Add(one[0]);
        }

        var lines = Encoding.ASCII.GetString([.. head]).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        var start = lines[0].Split(' ');
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var line in lines.Skip(1))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            headers[line[..colon]] = line[(colon + 1)..].Trim();
        }

        var length = int.Parse(
            headers.GetValueOrDefault("Content-Length", "0"), CultureInfo.InvariantCulture);
        var body = new byte[length];
        await stream.ReadExactlyAsync(body, _stop.Token);
        var number = Interlocked.Increment(ref _requestCount);
        return new(number, socket, start[0], start[1], headers, Encoding.UTF8.GetString(body));
    }

    private static bool EndsHead(List<byte> head) =>
        head.Count >= 4 && head[^4] == '\r' && head[^3] == '\n' && head[^2] == '\r' && head[^1] == '\n';
}
