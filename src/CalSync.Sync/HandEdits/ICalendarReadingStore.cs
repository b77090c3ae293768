using System.Collections.Immutable;
using CalSync.Calendar;
using CalSync.Sync.Mirroring;
using CalSync.Sync.Providers;

namespace CalSync.Sync.HandEdits;

/// <summary>One calendar as claimed for a reading.</summary>
public sealed record CalendarReading
{
    /// <summary>Our id of it.</summary>
    public required string CalendarId { get; init; }

    /// <summary>The provider's id of it.</summary>
    public required string RemoteId { get; init; }

    /// <summary>The account.</summary>
    public required string ConnectionId { get; init; }

    /// <summary>The provider of the account.</summary>
    public required string Provider { get; init; }

    /// <summary>Where the reading goes on; null for a complete one.</summary>
    public string? SyncToken { get; init; }

    /// <summary>Readings that failed in a row.</summary>
    public required int Failures { get; init; }

    /// <summary>Who claimed it.</summary>
    public required string LeaseOwner { get; init; }

    /// <summary>Guards what the claimant stores.</summary>
    public required long Fence { get; init; }
}

/// <summary>A mirror whose event takes place still, as a listing is compared with it.</summary>
public sealed record WatchedMirror
{
    /// <summary>The mirror.</summary>
    public required string Id { get; init; }

    /// <summary>Its event.</summary>
    public required string ProviderEventId { get; init; }

    /// <summary>The event's UID; null while never read.</summary>
    public string? ICalUid { get; init; }

    /// <summary>The stored copy of the event; null when there is none.</summary>
    public string? Observed { get; init; }
}

/// <summary>How far calendars were read back, and which events are to be looked at.</summary>
public interface ICalendarReadingStore
{
    /// <summary>Claims calendars with events of classes that are due to be read.</summary>
    /// <param name="owner">This worker.</param>
    /// <param name="countMax">At most so many, the longest due first.</param>
    /// <param name="now">UTC.</param>
    /// <param name="until">End of the leases.</param>
    /// <param name="firstAt">When a calendar that was never read is.</param>
    /// <param name="cancellation">Cancelled, a claim may stay until its lease ends.</param>
    Task<ImmutableArray<CalendarReading>> ClaimAsync(
        string owner, int countMax, DateTimeOffset now, DateTimeOffset until, DateTimeOffset firstAt,
        CancellationToken cancellation);

    /// <summary>The mirrors of a calendar whose slots are not over.</summary>
    Task<IReadOnlyList<WatchedMirror>> MirrorsAsync(
        CalendarReading reading, DateTimeOffset now, CancellationToken cancellation);

    /// <summary>Has mirrors looked at, keeps the token and gives the calendar back, in one
    /// transaction.</summary>
    /// <param name="reading">The claim; its fence guards.</param>
    /// <param name="looks">Mirrors whose events a worker is to read.</param>
    /// <param name="syncToken">Where the next reading goes on.</param>
    /// <param name="nextAt">When that is.</param>
    /// <param name="now">UTC.</param>
    /// <param name="cancellation">Cancelled, nothing is changed.</param>
    /// <returns>False when the claim was lost; nothing was changed then.</returns>
    Task<bool> RecordAsync(
        CalendarReading reading, ImmutableArray<string> looks, string? syncToken, DateTimeOffset nextAt,
        DateTimeOffset now, CancellationToken cancellation);

    /// <summary>Gives a calendar back that was not asked, because nothing in it is to come: what was read of
    /// it, and when, stays as it was.</summary>
    Task LeaveAsync(CalendarReading reading, DateTimeOffset nextAt, CancellationToken cancellation);

    /// <summary>Gives a calendar back that could not be read; the token stays.</summary>
    Task PutOffAsync(
        CalendarReading reading, string reason, DateTimeOffset nextAt, CancellationToken cancellation);
}

/// <summary>Finds the mirrors whose events a listing shows otherwise than they are known. Pure.</summary>
/// <remarks>
/// Nothing is concluded from a listing but that an event should be read itself: a tombstone, other times, an
/// event in place of one of ours, or one that a complete listing leaves out.
/// </remarks>
internal static class ListingComparison
{
    public static ImmutableArray<string> Suspects(
        IReadOnlyList<WatchedMirror> mirrors, EventChanges.Read listing)
    {
        var byEvent = mirrors.ToDictionary(mirror => mirror.ProviderEventId, StringComparer.Ordinal);
        var byId = mirrors.ToDictionary(mirror => mirror.Id, StringComparer.Ordinal);
        var byUid = mirrors.Where(mirror => mirror.ICalUid is not null)
            .ToLookup(mirror => mirror.ICalUid!, StringComparer.Ordinal);
        var found = new SortedSet<string>(StringComparer.Ordinal);
        var listed = new HashSet<string>(StringComparer.Ordinal);
        foreach (var shown in listing.Events)
        {
            listed.Add(shown.EventId);
            if (byEvent.TryGetValue(shown.EventId, out var own))
            {
                if (Differs(own, shown))
                    found.Add(own.Id);
            }
            else if (!shown.IsCancelled)
            {
                if (shown.MirrorId is { } id && byId.ContainsKey(id))
                    found.Add(id);
                found.UnionWith(byUid[shown.ICalUid ?? ""].Select(mirror => mirror.Id));
            }
        }

        if (listing.IsComplete)
        {
            found.UnionWith(mirrors.Where(mirror => !listed.Contains(mirror.ProviderEventId))
                .Select(mirror => mirror.Id));
        }

        return [.. found];
    }

    private static bool Differs(WatchedMirror mirror, ListedEvent shown) =>
        ObservedEvent.Read(mirror.Observed) is not { } known
        || shown.IsCancelled != (known.Status == "cancelled")
        || (!shown.IsCancelled && (!Same(shown.Start, known.Start) || !Same(shown.End, known.End)));

    private static bool Same(ZonedTime? one, ZonedTime? other) => one?.Instant == other?.Instant;
}
