using CalSync.Calendar.Document;

namespace CalSync.Sync.Pairs;

/// <summary>
/// One calendar of one connection, on any provider: the only thing the sync engine knows of a provider.
/// </summary>
/// <remarks>
/// Content is iCalendar on every provider: one document with all components of one UID, the master and its
/// overrides. Every expected failure is a value. One call is bounded by the pipeline's timeouts; reads may
/// be repeated by the pipeline, writes never are: the caller reads back before it writes again. No call ever
/// makes the provider mail anyone.
/// </remarks>
public interface IRemoteCalendar
{
    /// <summary>What this calendar is and what its provider can carry.</summary>
    RemoteTraits Traits { get; }

    /// <summary>Reads what changed since a cursor, or everything.</summary>
    /// <param name="since">The cursor of an earlier read of this calendar; null for a complete
    /// listing.</param>
    /// <param name="known">
    /// Versions we hold, by address: a listing leaves the content of a resource unread when its version is
    /// the same.
    /// </param>
    /// <param name="cancellation">Nothing is changed by a read.</param>
    Task<ChangeRead> ReadChangesAsync(
        SyncCursor? since, IReadOnlyDictionary<ResourceAddress, string> known,
        CancellationToken cancellation);

    /// <summary>Reads one resource where it lies; the proof that it is there, or gone.</summary>
    Task<ResourceRead> ReadAsync(ResourceAddress address, CancellationToken cancellation);

    /// <summary>Reads several resources where they lie, in as few requests as the provider needs.</summary>
    /// <returns>What <see cref="ReadAsync"/> gives for each, in their order.</returns>
    async Task<IReadOnlyList<ResourceRead>> ReadManyAsync(
        IReadOnlyList<ResourceAddress> addresses, CancellationToken cancellation)
    {
        var reads = new List<ResourceRead>(addresses.Count);
        foreach (var address in addresses)
            reads.Add(await ReadAsync(address, cancellation));
        return reads;
    }

    /// <summary>Reads which versions several resources have, where the provider tells that without their
    /// contents.</summary>
    /// <returns>One for each, in their order; null where none was told, which says nothing.</returns>
    Task<IReadOnlyList<string?>> ReadVersionsAsync(
        IReadOnlyList<ResourceAddress> addresses, CancellationToken cancellation) =>
        Task.FromResult<IReadOnlyList<string?>>(new string?[addresses.Count]);

    /// <summary>Finds the resource that carries a UID: after a lost answer, or when a create says it
    /// exists.</summary>
    Task<ResourceRead> FindAsync(string uid, CancellationToken cancellation);

    /// <summary>Creates a resource; the same UID always gets the same address, so a repeated create finds
    /// itself.</summary>
    Task<ResourceWrite> CreateAsync(ResourceDraft draft, CancellationToken cancellation);

    /// <summary>Changes a resource that still has the version the change was decided on.</summary>
    /// <param name="address">Which resource.</param>
    /// <param name="version">The version read; null when the provider gave none, and then the content is
    /// read and compared before the write.</param>
    /// <param name="draft">The new content, and what the calendar holds now.</param>
    /// <param name="cancellation">A cancelled write may have been stored.</param>
    Task<ResourceWrite> UpdateAsync(
        ResourceAddress address, string? version, ResourceDraft draft, CancellationToken cancellation);

    /// <summary>Deletes a resource that still has the version the deletion was decided on.</summary>
    Task<ResourceDelete> DeleteAsync(
        ResourceAddress address, string? version, CancellationToken cancellation);
}

/// <summary>Where a resource lies in its calendar.</summary>
/// <param name="Value">A CalDAV href (absolute path, as the server gave it) or a Google event id.</param>
public readonly record struct ResourceAddress(string Value)
{
    /// <inheritdoc/>
    public override string ToString() => Value;
}

/// <summary>Where a later read may go on.</summary>
/// <param name="Token">Google's <c>nextSyncToken</c>, a DAV <c>sync-token</c>, or a <c>getctag</c>; never
/// shortened.</param>
/// <param name="Kind">What the token promises.</param>
public sealed record SyncCursor(string Token, CursorKind Kind);

/// <summary>What a cursor can be used for. A closed list, stored by name.</summary>
public enum CursorKind
{
    /// <summary>A delta with explicit tombstones (Google sync token, RFC 6578).</summary>
    SyncToken = 1,

    /// <summary>Only whether anything changed at all (ctag); a change means a complete listing.</summary>
    Tag = 2,
}

/// <summary>What a calendar is and what its provider can carry.</summary>
/// <param name="Provider"><c>google</c>, <c>icloud</c> or <c>caldav</c>.</param>
/// <param name="IsReadOnly">True when writes are refused before they are sent.</param>
/// <param name="ParallelWritesMax">How many writes may be under way at once, 1 or more.</param>
public sealed record RemoteTraits(
    string Provider, bool IsReadOnly, int ParallelWritesMax);

/// <summary>New content for a resource.</summary>
/// <param name="Uid">The UID all components share.</param>
/// <param name="Content">The document as it should be; properties the provider cannot carry included.</param>
/// <param name="Held">What the calendar holds now, as last read; null for a create. A provider that is
/// written field by field sends only what differs.</param>
public sealed record ResourceDraft(string Uid, CalendarDocument Content, CalendarDocument? Held);
