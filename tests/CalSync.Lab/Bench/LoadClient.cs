using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics;
using System.Net.Sockets;
using System.Text;

namespace CalSync.Lab.Bench;

/// <summary>A small closed-loop HTTP/1.1 load generator: each client sends, waits for the whole answer, and
/// sends again.</summary>
/// <remarks>
/// Raw sockets and prepared bytes, so that on two cores the server is measured and not the generator. The
/// same generator drives every server of one run.
/// </remarks>
internal static class LoadClient
{
    /// <summary>Drives <paramref name="clients"/> connections until <paramref name="next"/> gives null or the
    /// limit is reached.</summary>
    /// <param name="target">Host and port; the path is in the prepared requests.</param>
    /// <param name="clients">Number of keep-alive connections.</param>
    /// <param name="limit">Upper bound of the run.</param>
    /// <param name="next">The complete request for a running number, from any thread; null ends the
    /// client.</param>
    public static async Task<LoadResult> RunAsync(
        Uri target, int clients, TimeSpan limit, Func<int, byte[]?> next)
    {
        var started = Stopwatch.GetTimestamp();
        var number = -1;
        var results = await Task.WhenAll(Enumerable.Range(0, clients).Select(async _ =>
        {
            await Task.Yield();
            using var connection = new Connection(target);
            await connection.OpenAsync();
            while (Stopwatch.GetElapsedTime(started) < limit
                && next(Interlocked.Increment(ref number)) is { } request)
            {
                await connection.ExchangeAsync(request);
            }

            return connection;
        }));
        return new LoadResult(
            Stopwatch.GetElapsedTime(started),
            [.. results.SelectMany(connection => connection.Latencies).Order()],
            results.SelectMany(connection => connection.Statuses)
                .GroupBy(pair => pair.Key)
                .ToDictionary(group => group.Key, group => group.Sum(pair => pair.Value)));
    }

    /// <summary>Writes one request with a JSON body.</summary>
    public static byte[] Request(
        string method, Uri target, string path, string body, params string[] headers) =>
        Encoding.UTF8.GetBytes(
            $"{method} {path} HTTP/1.1\r\nHost: {target.Authority}\r\nContent-Type: application/json\r\n"
            + string.Concat(headers.Select(header => header + "\r\n"))
            + $"Content-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}");

    private sealed class Connection(Uri target) : IDisposable
    {
        private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        private readonly byte[] _buffer = new byte[256 * 1024];

        public List<double> Latencies { get; } = [];

        public Dictionary<int, int> Statuses { get; } = [];

        public async Task OpenAsync() => await _socket.ConnectAsync(target.Host, target.Port);

        public void Dispose() => _socket.Dispose();

        public async Task ExchangeAsync(byte[] request)
        {
            var started = Stopwatch.GetTimestamp();
            await _socket.SendAsync(request);
            var filled = 0;
            int status;
            while (!TryComplete(_buffer.AsSpan(0, filled), out status))
            {
                var read = await _socket.ReceiveAsync(_buffer.AsMemory(filled));
                if (read == 0)
                    throw new IOException("The server closed the connection in the middle of an answer.");
                filled += read;
            }

            Latencies.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            Statuses[status] = Statuses.GetValueOrDefault(status) + 1;
        }

        private static bool TryComplete(ReadOnlySpan<byte> answer, out int status)
        {
            status = 0;
            var head = answer.IndexOf("\r\n\r\n"u8);
            if (head < 0 || !Utf8Parser.TryParse(answer[9..12], out status, out _))
                return false;
            var body = answer[(head + 4)..];
            if (HeaderValue(answer[..(head + 2)], "\r\ncontent-length:"u8) is { } length)
                return body.Length >= length;
            return status == 204 || body.EndsWith("0\r\n\r\n"u8);
        }

        private static int? HeaderValue(ReadOnlySpan<byte> head, ReadOnlySpan<byte> name)
        {
            var lower = ArrayPool<byte>.Shared.Rent(head.Length);
            try
            {
                Ascii.ToLower(head, lower, out var written);
                var at = lower.AsSpan(0, written).IndexOf(name);
                if (at < 0)
                    return null;
                var value = head[(at + name.Length)..].TrimStart((byte)' ');
                return Utf8Parser.TryParse(value, out int number, out _) ? number : null;
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(lower);
            }
        }
    }
}

/// <summary>What one load run measured.</summary>
/// <param name="Elapsed">Wall time of the whole run.</param>
/// <param name="LatenciesMs">Every exchange, ascending, in milliseconds.</param>
/// <param name="Statuses">Count by HTTP status.</param>
internal sealed record LoadResult(
    TimeSpan Elapsed, IReadOnlyList<double> LatenciesMs, IReadOnlyDictionary<int, int> Statuses)
{
    /// <summary>Exchanges per second.</summary>
    public double PerSecond => LatenciesMs.Count / Elapsed.TotalSeconds;

    /// <summary>The latency below which this share of the exchanges stayed, in milliseconds.</summary>
    public double Percentile(double share) =>
        LatenciesMs.Count == 0
            ? 0
            : LatenciesMs[Math.Min(LatenciesMs.Count - 1, (int)(LatenciesMs.Count * share))];

    /// <summary>Exchanges answered with a status outside the expected ones.</summary>
    public int Other(params int[] expected) =>
        Statuses.Where(pair => !expected.Contains(pair.Key)).Sum(pair => pair.Value);
}
