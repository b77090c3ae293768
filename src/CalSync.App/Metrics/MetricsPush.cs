using System.Net.Http.Headers;
using System.Text;
using CalSync.App.Health;
using CalSync.Sync.Mirroring;

namespace CalSync.App.Metrics;

/// <summary>Where metrics are sent, and how often.</summary>
/// <param name="Url">An OTLP receiver of HTTP, such as <c>http://127.0.0.1:4318/v1/metrics</c>.</param>
/// <param name="Interval">Pause between two sends.</param>
internal sealed record MetricsPushOptions(Uri Url, TimeSpan Interval);

/// <summary>Sends the numbers of <c>/metrics</c> to an OTLP receiver; also from processes that listen
/// nowhere.</summary>
/// <remarks>What cannot be sent is not kept: the next sends say the sums anew.</remarks>
internal sealed partial class MetricsPush(
    MetricsBoard board, HealthBoard health, MetricsPushOptions options, WorkerIdentity identity,
    HttpMessageHandler network, ILogger<MetricsPush> log, TimeProvider clock) : BackgroundService
{
    private static readonly TimeSpan SendTimeout = TimeSpan.FromSeconds(10);
    private readonly DateTimeOffset _startedAt = clock.GetUtcNow();
    private readonly HttpClient _http = new(network, disposeHandler: true) { Timeout = SendTimeout };
    private bool _failed;

    /// <summary>Sends once.</summary>
    /// <param name="cancellation">Cancelled, it may have been sent.</param>
    /// <returns>Whether the receiver took it.</returns>
    public async Task<bool> SendAsync(CancellationToken cancellation)
    {
        var look = await health.LookAsync(cancellation);
        var text = OtlpJson.Write(
            board.Read().Concat(HealthMetrics.Of(look)), identity.Id, _startedAt, clock.GetUtcNow());
        using var body = new StringContent(text, Encoding.UTF8, new MediaTypeHeaderValue("application/json"));
        using var answer = await _http.PostAsync(options.Url, body, cancellation);
        return answer.IsSuccessStatusCode;
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _http.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Interval, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
                await TrySendAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Asked to end.
        }
    }

    // Said when it begins to fail, not at every turn.
    private async Task TrySendAsync(CancellationToken stop)
    {
        var isSent = false;
        try
        {
            isSent = await SendAsync(stop);
        }
        catch (Exception fault) when (fault is HttpRequestException
            || (fault is OperationCanceledException && !stop.IsCancellationRequested))
        {
            // The same as an answer that is no success.
        }

        if (!isSent && !_failed)
            NotSent(log, options.Url.Host);
        _failed = !isSent;
    }

    [LoggerMessage(EventId = 2010, Level = LogLevel.Warning,
        Message = "Metrics cannot be sent to {Host}; it is tried again")]
    private static partial void NotSent(ILogger log, string host);
}
