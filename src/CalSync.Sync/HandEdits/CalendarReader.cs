using System.Collections.Immutable;
using System.Diagnostics;
using CalSync.Sync.Connections;
using CalSync.Sync.Mirroring;
using CalSync.Sync.Providers;

namespace CalSync.Sync.HandEdits;

/// <summary>Reads one calendar back with its sync token, and has events looked at that are not as
/// known.</summary>
/// <remarks>
/// The token moves in the transaction that makes those events due, so none is lost between. A token the
/// provider takes no more, at whichever page, ends in a complete listing. A reading that failed says nothing.
/// </remarks>
/// <param name="store">How far calendars were read.</param>
/// <param name="tokens">The only door to a provider.</param>
/// <param name="providers">The providers.</param>
/// <param name="mirrors">Told of events to look at.</param>
/// <param name="options">How often.</param>
/// <param name="connection">The token validity to ask for.</param>
/// <param name="retry">Waits between failed readings.</param>
/// <param name="ids">Names the readings.</param>
/// <param name="clock">Now.</param>
public sealed class CalendarReader(
    ICalendarReadingStore store, ConnectionTokens tokens, ProviderSet providers, MirrorSignal mirrors,
    MirrorOptions options, ConnectionOptions connection, RetryPolicy retry, IdSource ids, TimeProvider clock)
{
    private const int FailureCountMax = 8;

    /// <summary>Reads one claimed calendar.</summary>
    /// <param name="reading">The claim.</param>
    /// <param name="cancellation">Cancelled, the claim stays until its lease ends.</param>
    public async Task ReadAsync(CalendarReading reading, CancellationToken cancellation)
    {
        var watched = await store.MirrorsAsync(reading, clock.GetUtcNow(), cancellation);
        if (watched.Count == 0)
        {
            await store.LeaveAsync(reading, clock.GetUtcNow() + options.ReadEvery, cancellation);
            return;
        }

        switch (await ListAsync(reading, cancellation))
        {
            case (EventChanges.Read read, _):
                // Again: what was written while the listing was under way is known by now.
                watched = read.Events.IsEmpty && !read.IsComplete
                    ? []
                    : await store.MirrorsAsync(reading, clock.GetUtcNow(), cancellation);
                await RecordAsync(
                    reading, ListingComparison.Suspects(watched, read), read.NextToken, cancellation);
                break;
            case (EventChanges.TokenDead, _):
                await PutOffAsync(reading, nameof(ProviderReason.FullSyncRequired), null, cancellation);
                break;
            case (EventChanges.Failed { Fault: var fault }, _):
                await PutOffAsync(reading, fault.Reason.ToString(), fault.RetryAfter, cancellation);
                break;
            case (null, var reason):
                await PutOffAsync(reading, reason, null, cancellation);
                break;
            default:
                throw new UnreachableException();
        }
    }

    /// <summary>What the provider lists; without it the reason why it was not asked.</summary>
    private async Task<(EventChanges? Changes, string Reason)> ListAsync(
        CalendarReading reading, CancellationToken cancellation)
    {
        var outcome = await tokens.GetAsync(reading.ConnectionId, connection.ValidityMin, cancellation);
        var (token, isReplaced) = (reading.SyncToken, false);
        while (outcome is TokenOutcome.Fresh fresh)
        {
            var call = new ProviderCall(
                reading.ConnectionId, fresh.AccessToken, Interactive: false, ids.Next("cor"));
            var changes = await providers[reading.Provider].Calendar.ListChangesAsync(
                call, reading.RemoteId, token, cancellation);
            if (token is not null && IsRefused(changes))
            {
                // Dead, or taken for none: the calendar itself can be read, or says why not.
                token = null;
            }
            else if (changes is EventChanges.Failed { Fault.Reason: ProviderReason.CredentialsRejected }
                && !isReplaced)
            {
                isReplaced = true;
                outcome = await tokens.ReplaceAsync(reading.ConnectionId, fresh.AccessToken, cancellation);
            }
            else
            {
                return (changes, "");
            }
        }

        return (null, outcome is TokenOutcome.NeedsConsent
            ? MirrorReasons.NeedsConsent
            : MirrorReasons.TokenUnavailable);
    }

    private static bool IsRefused(EventChanges changes) => changes
        is EventChanges.TokenDead or EventChanges.Failed { Fault.Reason: ProviderReason.InvalidRequest };

    private async Task RecordAsync(
        CalendarReading reading, ImmutableArray<string> looks, string? token,
        CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        if (await store.RecordAsync(reading, looks, token, now + options.ReadEvery, now, cancellation)
            && !looks.IsEmpty)
        {
            mirrors.Due.Set();
        }
    }

    private Task PutOffAsync(
        CalendarReading reading, string reason, TimeSpan? after, CancellationToken cancellation)
    {
        var wait = retry.Delay(Math.Min(reading.Failures + 1, FailureCountMax), after);
        return store.PutOffAsync(
            reading, reason, clock.GetUtcNow() + (wait > options.ReadEvery ? wait : options.ReadEvery),
            cancellation);
    }
}
