using System.Net;
using System.Net.Sockets;

namespace CalSync.Lab.Running;

/// <summary>Stands before a server and loses its first answers.</summary>
/// <remarks>Requests arrive whole; when an answer begins, the connection ends without it.</remarks>
public sealed class LossyGate : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Uri _server;
    private readonly Task _accepting;
    private int _losses;
    private int _lost;

    /// <param name="server">Where requests go.</param>
    /// <param name="losses">How many answers are lost; later ones pass.</param>
    public LossyGate(Uri server, int losses)
    {
        (_server, _losses) = (server, losses);
        _listener.Start();
        Address = new Uri($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");
        _accepting = AcceptAsync();
    }

    /// <summary>Where to send requests.</summary>
    public Uri Address { get; }

    /// <summary>How many answers were lost so far.</summary>
    public int LostCount => Volatile.Read(ref _lost);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var open = new List<Task>();
        try
        {
            while (true)
                open.Add(CarryAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
        }
        catch (OperationCanceledException)
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
            var up = near.GetStream().CopyToAsync(far.GetStream(), _stop.Token);
            var answer = new byte[16 * 1024];
            // The first byte of an answer says that the request was done.
            var count = await far.GetStream().ReadAsync(answer, _stop.Token);
            if (count > 0 && Interlocked.Decrement(ref _losses) >= 0)
            {
                Interlocked.Increment(ref _lost);
                return;
            }

            await near.GetStream().WriteAsync(answer.AsMemory(0, count), _stop.Token);
            await Task.WhenAny(up, far.GetStream().CopyToAsync(near.GetStream(), _stop.Token));
        }
        catch (Exception fault) when (fault is IOException or SocketException or OperationCanceledException)
        {
            // One of the two sides has gone, which ends the connection of the other.
        }
    }
}
