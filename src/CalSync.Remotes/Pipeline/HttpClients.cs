namespace CalSync.Remotes.Pipeline;

/// <summary>Makes the HTTP clients: no redirects, no cookies, no timeout beside the pipeline's.</summary>
internal static class HttpClients
{
    private static readonly TimeSpan SocketLifetime = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan PingAfter = TimeSpan.FromSeconds(5);

#pragma warning disable CA2000 // The client disposes of its handler, and that of those it holds.
    /// <param name="options">How many sockets.</param>
    /// <param name="endpoint">A loopback endpoint is reached without the machine's proxy.</param>
    public static HttpClient Create(PipelineOptions options, Uri endpoint) =>
        Of(Handler(options, endpoint, SocketLifetime));

    /// <summary>For servers nothing is known of, which may speak HTTP/1.0.</summary>
    /// <param name="options">How many sockets.</param>
    /// <param name="endpoint">A loopback endpoint is reached without the machine's proxy.</param>
    public static HttpClient CreateForAny(PipelineOptions options, Uri endpoint) =>
        Of(new KeepAliveHandler(
            Handler(options, endpoint, TimeSpan.Zero), Handler(options, endpoint, SocketLifetime)));

#pragma warning restore CA2000

    private static HttpClient Of(HttpMessageHandler handler) =>
        new(handler, disposeHandler: true) { Timeout = Timeout.InfiniteTimeSpan };

    /// <param name="options">How many sockets.</param>
    /// <param name="endpoint">Decides on the proxy.</param>
    /// <param name="lifetime">How long a socket is used; zero for one request.</param>
    private static SocketsHttpHandler Handler(PipelineOptions options, Uri endpoint, TimeSpan lifetime) =>
        new()
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = !endpoint.IsLoopback,
            AutomaticDecompression = System.Net.DecompressionMethods.GZip,
            MaxConnectionsPerServer = options.ConnectionCountMax,

            // Names are looked up again now and then; a drained rest would keep a hostile socket alive.
            PooledConnectionLifetime = lifetime,
            MaxResponseDrainSize = 0,

            // Over HTTP/2 a timeout resets the stream only: a dead connection is found and left by pings.
            EnableMultipleHttp2Connections = true,
            KeepAlivePingDelay = PingAfter,
            KeepAlivePingTimeout = PingAfter,
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
        };

    /// <summary>Uses a socket again only for a server that is known to keep it open.</summary>
    /// <remarks>
    /// The handler takes an answer of HTTP/1.0 for one that leaves the socket open. The server closes it at a
    /// moment when the next write may be on its way, and nobody knows then whether that write arrived.
    /// </remarks>
    /// <param name="once">Takes a new socket for each request.</param>
    /// <param name="again">Keeps sockets.</param>
    private sealed class KeepAliveHandler(HttpMessageHandler once, HttpMessageHandler again)
        : HttpMessageHandler
    {
        private readonly HttpMessageInvoker _once = new(once);
        private readonly HttpMessageInvoker _again = new(again);
        private volatile bool _keeps;

        protected override async Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var mayKeep = _keeps && request.Headers.ConnectionClose != true;
            var response = await (mayKeep ? _again : _once).SendAsync(request, cancellationToken);
            _keeps = response.Version > System.Net.HttpVersion.Version10
                || response.Headers.Connection.Contains("keep-alive", StringComparer.OrdinalIgnoreCase);
            return response;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                _once.Dispose();
                _again.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
