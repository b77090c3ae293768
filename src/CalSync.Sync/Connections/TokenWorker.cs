using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;

namespace CalSync.Sync.Connections;

/// <summary>
/// Renews tokens ahead of need, so that no work waits for a refresh and a dead grant is found before it is
/// missed (R-OAUTH-5, R-OAUTH-6).
/// </summary>
/// <remarks>
/// Any number of processes may run one: refreshes go through <see cref="ConnectionTokens"/>, and who comes
/// second finds a fresh token. One connection that cannot be renewed delays no other.
/// </remarks>
/// <param name="store">The rows.</param>
/// <param name="tokens">Renews.</param>
/// <param name="providers">Connections of others are left to processes that know them.</param>
/// <param name="options">Interval, threshold, concurrency.</param>
/// <param name="random">Spreads the refreshes of one turn.</param>
/// <param name="log">Faults.</param>
/// <param name="clock">Now, and every wait.</param>
[SuppressMessage("Design", "CA1031", Justification = "The worker loop is where a fault of one turn ends.")]
public sealed class TokenWorker(
    IConnectionStore store, ConnectionTokens tokens, ProviderSet providers, ConnectionOptions options,
    Random random, ILogger<TokenWorker> log, TimeProvider clock)
{
    private const int PageCount = 1_000;

    /// <summary>Takes a turn at once and then one every <see cref="ConnectionOptions.RefreshInterval"/>,
    /// until stopped.</summary>
    /// <param name="stop">Stops it; a refresh that was cut off is made again when its lease ends.</param>
    public async Task RunAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(options.RefreshInterval, clock);
        try
        {
            do
            {
                try
                {
                    await TurnAsync(stop);
                }
                catch (Exception fault) when (fault is not OperationCanceledException
                    || !stop.IsCancellationRequested)
                {
                    ConnectionLog.TurnFailed(log, fault);
                }
            }
            while (await timer.WaitForNextTickAsync(stop));
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Asked to end.
        }
    }

    /// <summary>Renews every token that ends within the threshold, spread over a part of the interval, and
    /// tells owners whose grant itself ends soon.</summary>
    /// <param name="cancellation">Cancelled, what was not begun stays due.</param>
    /// <returns>How many are fresh now.</returns>
    public async Task<int> TurnAsync(CancellationToken cancellation)
    {
        var (now, fresh) = (clock.GetUtcNow(), 0);
        await RenewAsync(
            options.ProactiveThreshold, now, options.RefreshInterval / 2,
            renewal => fresh += renewal.IsFresh ? 1 : 0, cancellation);

        // After renewing: the answers to it name the ends.
        await store.TellEndingGrantsAsync(now + ConnectionHealth.GrantWarning, now, cancellation);
        return fresh;
    }

    /// <summary>Renews what ends within a time at once, without spreading it, for somebody who
    /// waits.</summary>
    /// <param name="within">From now; <see cref="ConnectionOptions.ProactiveThreshold"/> is what a turn
    /// takes.</param>
    /// <param name="cancellation">Cancelled, what was not begun stays due.</param>
    public async Task<ImmutableArray<TokenRenewal>> RenewNowAsync(
        TimeSpan within, CancellationToken cancellation)
    {
        var renewals = ImmutableArray.CreateBuilder<TokenRenewal>();
        await RenewAsync(within, clock.GetUtcNow(), TimeSpan.Zero, renewals.Add, cancellation);
        return renewals.ToImmutable();
    }

    // Page after page, so that memory is bounded by the page and not by how many tokens are due; each page
    // has its share of the time that the refreshes are spread over.
    private async Task RenewAsync(
        TimeSpan within, DateTimeOffset now, TimeSpan spread, Action<TokenRenewal> tell,
        CancellationToken cancellation)
    {
        var due = new DueTokens(providers.Names, now + within + options.ClockSkew, now);
        var pages = spread == TimeSpan.Zero
            ? 1
            : Math.Max(1, (await store.ExpiringCountAsync(due, cancellation) + PageCount - 1) / PageCount);
        using var places = new SemaphoreSlim(options.RefreshConcurrency);
        ExpiringToken? last = null;
        while (true)
        {
            var page = await store.ExpiringAsync(due, last, PageCount, cancellation);
            var began = clock.GetUtcNow();
            var renewals = await Task.WhenAll(page.Select(token => RenewAsync(
                token.ConnectionId, within, Pause(token, began, spread / pages), places, cancellation)));
            foreach (var renewal in renewals)
                tell(renewal);
            if (page.Length < PageCount)
                return;
            last = page[^1];
        }
    }

    // Tokens given out together end together; the pause keeps them apart, and none below its least validity.
    internal TimeSpan Pause(ExpiringToken token, DateTimeOffset now, TimeSpan spread)
    {
        var spare = token.ExpiresAt - now - options.ValidityMin - options.ClockSkew;
        var longest = spare < spread ? spare : spread;
        return longest > TimeSpan.Zero ? longest * random.NextDouble() : TimeSpan.Zero;
    }

    private async Task<TokenRenewal> RenewAsync(
        string connectionId, TimeSpan within, TimeSpan pause, SemaphoreSlim places,
        CancellationToken cancellation)
    {
        await Task.Delay(pause, clock, cancellation);
        await places.WaitAsync(cancellation);
        try
        {
            var outcome = await tokens.GetAsync(connectionId, within, cancellation);
            return new TokenRenewal(connectionId, outcome is TokenOutcome.Fresh);
        }
        catch (Exception fault) when (!cancellation.IsCancellationRequested)
        {
            await tokens.NoteFaultAsync(connectionId, fault.GetType().Name, cancellation);
            return new TokenRenewal(connectionId, IsFresh: false);
        }
        finally
        {
            places.Release();
        }
    }
}

/// <summary>What became of one token that was to be renewed.</summary>
/// <param name="ConnectionId">Whose.</param>
/// <param name="IsFresh">False when it was not renewed; the connection says why.</param>
public sealed record TokenRenewal(string ConnectionId, bool IsFresh);
