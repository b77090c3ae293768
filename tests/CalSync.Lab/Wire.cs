using System.Net;
using System.Net.Sockets;

namespace CalSync.Lab;

/// <summary>A loopback TCP connection to a server that can be cut and mended at will.</summary>
public sealed class Wire : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly HashSet<TcpClient> _ends = [];
    private readonly List<Task> _carried = [];
    private readonly int _port;
    private readonly Task _accepting;
    private bool _isCut;

    /// <summary>Lays it.</summary>
    /// <param name="port">Of the server on 127.0.0.1.</param>
    public Wire(int port)
    {
        _port = port;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>The same address through the wire.</summary>
    /// <param name="url">With the server's port in it.</param>
    public string Through(string url) =>
        new UriBuilder(url) { Port = ((IPEndPoint)_listener.LocalEndpoint).Port }.Uri.AbsoluteUri;

    /// <summary>Resets every connection, and every new one until it is mended.</summary>
    public void Cut()
    {
        lock (_gate)
        {
            _isCut = true;
            foreach (var end in _ends)
                Reset(end);
            _ends.Clear();
        }
    }

    /// <summary>Lets new connections through again.</summary>
    public void Mend()
    {
        lock (_gate)
            _isCut = false;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_stop.IsCancellationRequested)
            return;
        await _stop.CancelAsync();
        await _accepting;
        _listener.Stop();
        Cut();
        await Task.WhenAll(_carried);
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _carried.Add(CarryAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
        }
        catch (Exception stopped) when (stopped is OperationCanceledException or SocketException)
        {
            // The test is over.
        }
    }

    private async Task CarryAsync(TcpClient near)
    {
        using var owned = near;
        using var far = new TcpClient();
        try
        {
            await far.ConnectAsync(IPAddress.Loopback, _port, _stop.Token);
            if (!Keep(near, far))
                return;
            near.NoDelay = far.NoDelay = true;
            var there = near.GetStream().CopyToAsync(far.GetStream(), _stop.Token);
            var back = far.GetStream().CopyToAsync(near.GetStream(), _stop.Token);
            await Task.WhenAny(there, back);
            Release(near, far);
            await Task.WhenAll(there, back);
        }
        catch (Exception gone) when (gone is IOException or SocketException or InvalidOperationException
            or OperationCanceledException)
        {
            // One side went away, the wire was cut, or the test is over.
        }
        finally
        {
            Release(near, far);
        }
    }

    /// <summary>Closes both ends; under the gate, so that what is reset is still open.</summary>
    private void Release(TcpClient near, TcpClient far)
    {
        lock (_gate)
        {
            _ends.Remove(near);
            _ends.Remove(far);
            near.Close();
            far.Close();
        }
    }

    private bool Keep(TcpClient near, TcpClient far)
    {
        lock (_gate)
        {
            if (_isCut)
            {
                Reset(near);
                return false;
            }

            _ends.Add(near);
            _ends.Add(far);
            return true;
        }
    }

    private static void Reset(TcpClient end)
    {
        end.LingerState = new LingerOption(true, 0);
        end.Close();
    }
}
