using System.Diagnostics;
using CalSync.Sync.Providers;
using Microsoft.Extensions.Logging;

namespace CalSync.Sync.Connections;

/// <summary>Hands out tokens that stay valid for the work at hand. The only door to a provider
/// (R-FIX-2-A).</summary>
/// <remarks>
/// However many callers ask, one refresh runs: callers in this process share one task, and processes agree
/// through a leased, fenced row. Nobody queues behind a refresh: when it ends, all waiters have its outcome.
/// A failed or abandoned one leaves nothing behind that would stop the next. A failed one is a state of the
/// connection and a journal entry, in one transaction, then a count and a log line: all of them or none.
/// Thread-safe.
/// </remarks>
/// <param name="store">The rows.</param>
/// <param name="providers">Where to renew.</param>
/// <param name="options">Limits.</param>
/// <param name="breaker">How many failed refreshes in a row make a pause, and how long it is.</param>
/// <param name="retry">Waits between failed refreshes.</param>
/// <param name="meter">Counts refreshes.</param>
/// <param name="instance">This process's name in leases.</param>
/// <param name="log">Failed refreshes.</param>
/// <param name="clock">Now, and every wait.</param>
public sealed class ConnectionTokens(
    IConnectionStore store, ProviderSet providers, ConnectionOptions options, BreakerOptions breaker,
    RetryPolicy retry, SyncMeter meter, string instance, ILogger<ConnectionTokens> log, TimeProvider clock)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Task<TokenOutcome>> _flights = new(StringComparer.Ordinal);

    /// <summary>A token for provider work.</summary>
    /// <param name="connectionId">The connection.</param>
    /// <param name="minValidity">How long it must stay valid;
    /// <see cref="ConnectionOptions.ValidityMin"/>.</param>
    /// <param name="cancellation">Stops this caller's wait; the shared refresh goes on for the
    /// others.</param>
    public Task<TokenOutcome> GetAsync(
        string connectionId, TimeSpan minValidity, CancellationToken cancellation) =>
        GetAsync(connectionId, minValidity, null, cancellation);

    /// <summary>A token after the provider refused one with 401 although it looked valid.</summary>
    /// <param name="connectionId">The connection.</param>
    /// <param name="rejected">The refused token; another one is returned, or none.</param>
    /// <param name="cancellation">As in <see cref="GetAsync(string, TimeSpan, CancellationToken)"/>.</param>
    public Task<TokenOutcome> ReplaceAsync(
        string connectionId, string rejected, CancellationToken cancellation) =>
        GetAsync(connectionId, options.ValidityMin, rejected, cancellation);

    /// <summary>Whether a request that needs the calendar should be refused now, and with which
    /// words.</summary>
    /// <remarks>With <c>token-blocking</c> off the work is queued instead: null is returned whatever the
    /// token says.</remarks>
    /// <param name="connectionId">The connection.</param>
    /// <param name="cancellation">Stops the wait.</param>
    public async Task<TokenProblem?> ProblemAsync(string connectionId, CancellationToken cancellation)
    {
        var outcome = await GetAsync(connectionId, options.ValidityMin, cancellation);
        var now = clock.GetUtcNow();
        return outcome is TokenOutcome.Fresh || !await store.BlocksAsync(now, cancellation)
            ? null
            : TokenProblem.From(outcome, now);
    }

    /// <summary>Marks a connection whose grant turned out to lack a scope.</summary>
    /// <param name="connectionId">The connection.</param>
    /// <param name="cancellation">Cancelled, nothing is changed.</param>
    public async Task MarkScopeWithheldAsync(string connectionId, CancellationToken cancellation)
    {
        if (await store.LoadAsync(connectionId, cancellation) is { } grant)
        {
            await store.SaveConsentNeededAsync(
                connectionId, grant.TokenVersion, ConsentReason.ScopeWithheld, clock.GetUtcNow(),
                cancellation);
        }
    }

    /// <summary>Notes that a renewal failed for a reason of our own, such as a stored token that does not
    /// open.</summary>
    internal async Task NoteFaultAsync(string connectionId, string fault, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        if (await store.SaveFaultAsync(connectionId, fault, now + options.RefreshInterval, now, cancellation))
            NoteFailed(connectionId, fault);
    }

    private async Task<TokenOutcome> GetAsync(
        string connectionId, TimeSpan minValidity, string? rejected, CancellationToken cancellation)
    {
        var grant = await store.LoadAsync(connectionId, cancellation);
        return TokenRules.Decide(grant, minValidity, options.ClockSkew, rejected, clock.GetUtcNow()) switch
        {
            TokenStep.Use use => new TokenOutcome.Fresh(use.AccessToken, use.ExpiresAt),
            TokenStep.Delay delay => Later(delay),
            TokenStep.Consent { Discovered: false } consent => new TokenOutcome.NeedsConsent(consent.Reason),
            _ => await Join(connectionId, minValidity, rejected).WaitAsync(cancellation),
        };
    }

    private Task<TokenOutcome> Join(string connectionId, TimeSpan minValidity, string? rejected)
    {
        lock (_gate)
        {
            if (_flights.TryGetValue(connectionId, out var flight) && !flight.IsCompleted)
                return flight;

            // A finished flight is never joined, so however it ended it cannot stop the next one.
            return _flights[connectionId] = FlyAsync(connectionId, minValidity, rejected);
        }
    }

    private async Task<TokenOutcome> FlyAsync(string connectionId, TimeSpan minValidity, string? rejected)
    {
        await Task.Yield();
        var deadline = clock.GetUtcNow() + options.RefreshWaitMax;

        // The flight belongs to all who wait, so no single caller's token ends it; its own limit does.
        using var limit = new CancellationTokenSource(options.RefreshWaitMax + options.RefreshLease, clock);
        try
        {
            while (true)
            {
                if (await AdvanceAsync(connectionId, minValidity, rejected, limit.Token) is { } outcome)
                    return outcome;
                if (clock.GetUtcNow() >= deadline)
                    return Later(DelayReason.RefreshUnderWay);
                await Task.Delay(options.RefreshPoll, clock, limit.Token);
            }
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            return Later(DelayReason.RefreshUnderWay);
        }
    }

    /// <summary>One look at the row and what follows from it; null to look again.</summary>
    private async Task<TokenOutcome?> AdvanceAsync(
        string connectionId, TimeSpan minValidity, string? rejected, CancellationToken cancellation)
    {
        var grant = await store.LoadAsync(connectionId, cancellation);
        var now = clock.GetUtcNow();
        switch (TokenRules.Decide(grant, minValidity, options.ClockSkew, rejected, now))
        {
            case TokenStep.Use use:
                return new TokenOutcome.Fresh(use.AccessToken, use.ExpiresAt);
            case TokenStep.Delay delay:
                return Later(delay);
            case TokenStep.Consent { Discovered: false } consent:
                return new TokenOutcome.NeedsConsent(consent.Reason);
            case TokenStep.Consent consent:
                return await ConsentAsync(connectionId, grant!.TokenVersion, consent.Reason, cancellation);
            case TokenStep.Watch:
                return null;
            case TokenStep.Refresh refresh:
                var lease = await store.TryLeaseAsync(
                    grant!, instance, now, now + options.RefreshLease, cancellation);
                return lease is null
                    ? null
                    : await RefreshAsync(grant!, lease, refresh.RefreshToken, cancellation);
            default:
                throw new UnreachableException();
        }
    }

    private async Task<TokenOutcome?> RefreshAsync(
        ConnectionGrant grant, RefreshLease lease, string refreshToken, CancellationToken cancellation)
    {
        var answer = await providers[grant.Provider].OAuth.RefreshAsync(refreshToken, cancellation);
        var now = clock.GetUtcNow();
        switch (answer)
        {
            case TokenAnswer.Granted granted when TokenRules.Sane(granted.ExpiresIn):
                // A lost lease means that somebody else has renewed: look at what they stored.
                if (!await store.SaveTokensAsync(lease, granted, now, cancellation))
                    return null;
                Count("refreshed");
                return new TokenOutcome.Fresh(granted.AccessToken, now + granted.ExpiresIn);
            case TokenAnswer.Granted:
                return await FailAsync(grant, lease, DelayReason.AnswerUnusable, null, cancellation);
            case TokenAnswer.InvalidGrant when grant.PreviousRefreshToken is { } before
                && before != refreshToken:
                return await RecoverAsync(grant, lease, before, cancellation);
            case TokenAnswer.InvalidGrant:
                // The guard on the token version is the second look: when somebody stored another grant while
                // we asked with the old one, nothing is marked and theirs is used.
                return await ConsentAsync(
                    grant.Id, lease.TokenVersion, TokenRules.WhyRefused(grant, now), cancellation);
            case TokenAnswer.Failed failed:
                return await FailAsync(grant, lease, DelayReason.RefreshFailed, failed.Fault, cancellation);
            default:
                throw new UnreachableException();
        }
    }

    /// <summary>
    /// The provider refuses the refresh token: the one before it is tried once. Where tokens rotate, an
    /// answer that was lost on the way or came too late leaves the one before valid (RFC 9700 section
    /// 4.14.2).
    /// </summary>
    private async Task<TokenOutcome?> RecoverAsync(
        ConnectionGrant grant, RefreshLease lease, string before, CancellationToken cancellation)
    {
        var answer = await providers[grant.Provider].OAuth.RefreshAsync(before, cancellation);
        var now = clock.GetUtcNow();
        switch (answer)
        {
            case TokenAnswer.Granted granted when TokenRules.Sane(granted.ExpiresIn):
                var whole = granted with { RefreshToken = granted.RefreshToken ?? before };
                if (!await store.SaveTokensAsync(lease, whole, now, cancellation))
                    return null;
                Count("recovered");
                return new TokenOutcome.Fresh(granted.AccessToken, now + granted.ExpiresIn);
            case TokenAnswer.Failed failed:
                return await FailAsync(grant, lease, DelayReason.RefreshFailed, failed.Fault, cancellation);
            default:
                return await ConsentAsync(
                    grant.Id, lease.TokenVersion, TokenRules.WhyRefused(grant, now), cancellation);
        }
    }

    private async Task<TokenOutcome?> FailAsync(
        ConnectionGrant grant, RefreshLease lease, DelayReason reason, ProviderFault? fault,
        CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        var failures = grant.ConsecutiveFailures + 1;
        var isOpen = failures >= breaker.FailureCountMax;
        var pause = retry.Delay(failures, fault?.RetryAfter);
        var at = now + (isOpen && pause < breaker.OpenFor ? breaker.OpenFor : pause);
        var word = fault?.Reason.ToString() ?? reason.ToString();
        if (!await store.SaveFailureAsync(lease, word, at, isOpen, now, cancellation))
            return null;
        NoteFailed(grant.Id, word);
        return new TokenOutcome.TryLater(at, isOpen ? DelayReason.BreakerOpen : reason)
        {
            Cause = fault?.Reason,
        };
    }

    private async Task<TokenOutcome?> ConsentAsync(
        string connectionId, long tokenVersion, ConsentReason reason, CancellationToken cancellation)
    {
        if (!await store.SaveConsentNeededAsync(
            connectionId, tokenVersion, reason, clock.GetUtcNow(), cancellation))
        {
            return null;
        }

        Count("needs_consent");
        ConnectionLog.ConsentNeeded(log, connectionId, reason);
        return new TokenOutcome.NeedsConsent(reason);
    }

    private void NoteFailed(string connectionId, string reason)
    {
        Count("failed");
        ConnectionLog.RefreshFailed(log, connectionId, reason);
    }

    private TokenOutcome.TryLater Later(DelayReason reason) =>
        new(clock.GetUtcNow() + options.RefreshPoll, reason);

    private static TokenOutcome.TryLater Later(TokenStep.Delay delay) =>
        new(delay.At, delay.Reason) { Cause = delay.Cause };

    private void Count(string outcome) =>
        meter.TokenRefreshes.Add(1, new KeyValuePair<string, object?>("outcome", outcome));
}
