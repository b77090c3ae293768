namespace CalSync.Remotes.Pipeline;

/// <summary>Makes the HTTP clients: no redirects, no cookies, no timeout beside the pipeline's.</summary>
internal static class HttpClients
{
    private static readonly TimeSpan SocketLifetime = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan PingAfter = TimeSpan.FromSeconds(5);

    /// <param name="options">How many sockets.</param>
    /// <param name="endpoint">A loopback endpoint is reached without the machine's proxy.</param>
    public static HttpClient Create(PipelineOptions options, Uri endpoint)
    {
        SocketsHttpHandler? handler = null;
        try
        {
            handler = new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                UseCookies = false,
                UseProxy = !endpoint.IsLoopback,
                AutomaticDecompression = System.Net.DecompressionMethods.GZip,
                MaxConnectionsPerServer = options.ConnectionCountMax,

                // Names are looked up again now and then; a drained rest would keep a hostile socket alive.
                PooledConnectionLifetime = SocketLifetime,
                MaxResponseDrainSize = 0,

                // Over HTTP/2 a timeout resets the stream only: a dead connection is found and left by pings.
                EnableMultipleHttp2Connections = true,
                KeepAlivePingDelay = PingAfter,
                KeepAlivePingTimeout = PingAfter,
                KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            };
            var client = new HttpClient(handler, disposeHandler: true) { Timeout = Timeout.InfiniteTimeSpan };
            handler = null;
            return client;
        }
        finally
        {
            handler?.Dispose();
        }
    }
}
