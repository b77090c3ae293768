using System.Globalization;
using System.Text;
using System.Text.Json;
using CalSync.App.Api.Authentication;
using CalSync.Storage.Classes;

namespace CalSync.App.Api.Streaming;

/// <summary>The open streams of this process: who has how many, and what they send.</summary>
internal sealed class EventStreams(
    ChangeReads changes, JournalPulse pulse, BearerTokens tokens, IHostApplicationLifetime life,
    ApiOptions options, TimeProvider clock)
{
    private const int PageCount = 200;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _open = new(StringComparer.Ordinal);
    private int _openCount;

    /// <summary>Takes a place for one stream; dispose to give it back.</summary>
    /// <returns>Null when the person, or the process, has as many as allowed.</returns>
    public IDisposable? Enter(string userId)
    {
        lock (_gate)
        {
            var own = _open.GetValueOrDefault(userId);
            if (own >= options.StreamsPerUserMax || _openCount >= options.StreamCountMax)
                return null;
            _open[userId] = own + 1;
            _openCount++;
            return new Place(this, userId);
        }
    }

    /// <summary>
    /// Sends what concerns the caller, in commit order, until the client, the token or the process goes.
    /// </summary>
    /// <param name="context">The request; nothing of its answer was sent.</param>
    /// <param name="who">The caller.</param>
    /// <param name="after">The last entry the client has; null to begin with what comes from now on.</param>
    public async Task SendAsync(HttpContext context, Caller who, long? after)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(
            context.RequestAborted, life.ApplicationStopping);
        try
        {
            await SendAsync(context, who, after, end.Token);
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // The client left, or the process stops; the client resumes with the last id it has.
        }
    }

    private async Task SendAsync(HttpContext context, Caller who, long? after, CancellationToken cancellation)
    {
        var window = await changes.ReadAsync(who.Actor, after ?? long.MaxValue, PageCount, cancellation);
        // A client that is ahead knew another journal, such as the one before a backup was restored.
        var knowsAnother = after > window.Head;
        var seq = knowsAnother || after is null ? window.Head : after.Value;
        var response = context.Response;
        await response.WriteAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"retry: {(int)options.StreamRetry.TotalMilliseconds}\nid: {seq}\n"
                + $"event: {(knowsAnother ? "reset" : "ready")}\ndata: {{\"seq\":{seq}}}\n\n"),
            cancellation);
        await response.Body.FlushAsync(cancellation);
        var nextBeat = clock.GetUtcNow() + options.StreamHeartbeat;
        while (true)
        {
            window = await changes.ReadAsync(who.Actor, seq, PageCount, cancellation);
            seq = window.Next;
            if (window.Items.Count > 0)
                await response.WriteAsync(Text(who, window.Items), cancellation);
            var now = clock.GetUtcNow();
            if (now >= nextBeat)
            {
                if (!await IsStillAsync(context, who, now, cancellation))
                    return;
                // The id alone moves the client on, past what concerned others (WHATWG HTML 9.2.6).
                await response.WriteAsync(
                    string.Create(CultureInfo.InvariantCulture, $": still here\nid: {seq}\n\n"),
                    cancellation);
                nextBeat = now + options.StreamHeartbeat;
            }

            await response.Body.FlushAsync(cancellation);
            if (!window.More)
                await pulse.WaitPastAsync(seq, nextBeat, cancellation);
        }
    }

    private static string Text(Caller who, IReadOnlyList<ConcerningEntry> entries)
    {
        var text = new StringBuilder();
        foreach (var entry in entries)
        {
            // Serialised JSON has no line ends, so one data line holds it.
            var json = JsonSerializer.Serialize(ChangeView.For(who, entry), ApiJson.Default.ChangeView);
            text.Append(CultureInfo.InvariantCulture, $"id: {entry.Seq}\ndata: {json}\n\n");
        }

        return text.ToString();
    }

    /// <summary>Whether the token still speaks for the same person in the same role.</summary>
    private async Task<bool> IsStillAsync(
        HttpContext context, Caller who, DateTimeOffset now, CancellationToken cancellation) =>
        await tokens.AuthenticateAsync(context.Request.Headers.Authorization, now, cancellation)
            is BearerOutcome.Known { Caller: var caller } && caller == who;

    private void Leave(string userId)
    {
        lock (_gate)
        {
            _openCount--;
            if (--_open[userId] == 0)
                _open.Remove(userId);
        }
    }

    private sealed class Place(EventStreams streams, string userId) : IDisposable
    {
        public void Dispose() => streams.Leave(userId);
    }
}
