using System.Collections.Immutable;
using CalSync.Calendar.Document;
using CalSync.Sync.Providers;

namespace CalSync.Sync.Pairs;

/// <summary>How a read of a calendar ended. A failed read is never an empty one.</summary>
public abstract record ChangeRead
{
    private ChangeRead()
    {
    }

    /// <summary>The read succeeded; its certificate says what may be concluded.</summary>
    public sealed record Done(ChangeSet Changes) : ChangeRead;

    /// <summary>The cursor is dead; read again without one. Absence proves nothing about the time
    /// between.</summary>
    /// <param name="Why">One safe sentence for the journal.</param>
    public sealed record CursorInvalid(string Why) : ChangeRead;

    /// <summary>The calendar itself is gone or not visible any more. Nothing may be deleted because of
    /// it.</summary>
    public sealed record CalendarGone(ProviderFault Fault) : ChangeRead;

    /// <summary>The read failed; nothing may be concluded.</summary>
    public sealed record Failed(ProviderFault Fault) : ChangeRead;
}

/// <summary>What one read of a calendar returned.</summary>
/// <param name="Upserts">Resources present, each once; with a delta only those that changed.</param>
/// <param name="Tombstones">Addresses the provider named as deleted.</param>
/// <param name="Next">Where the next read goes on; null when the provider gives nothing to go on
/// from.</param>
/// <param name="Certificate">How complete the read was.</param>
public sealed record ChangeSet(
    ImmutableArray<RemoteResource> Upserts, ImmutableArray<ResourceAddress> Tombstones, SyncCursor? Next,
    Certificate Certificate);

/// <summary>Proof of how complete a read was: what its absences mean.</summary>
public abstract record Certificate
{
    private Certificate()
    {
    }

    /// <summary>A delta from a token: what is absent is unchanged; only tombstones delete.</summary>
    public sealed record Delta : Certificate;

    /// <summary>A listing with every page read to its end: what is absent was not there, to be confirmed by
    /// a direct read before anything is deleted.</summary>
    /// <param name="Pages">How many pages the listing had.</param>
    public sealed record Complete(int Pages) : Certificate;

    /// <summary>Some of it is missing: what is absent means nothing, and no cursor may advance.</summary>
    /// <param name="Why">One safe sentence for the journal.</param>
    public sealed record Partial(string Why) : Certificate;
}

/// <summary>One resource as a calendar holds it.</summary>
/// <param name="Address">Where it lies.</param>
/// <param name="Version">Its ETag, or for Google the ETags of its events; null when the provider gives none
/// that can be trusted. Compared for equality only.</param>
/// <param name="Content">What it holds; null when its version is the one the caller knows.</param>
/// <param name="Raw">The provider's own text, kept for the quarantine; null when the content says it
/// all.</param>
/// <param name="Problem">Why the content cannot be synced, in words for a person; null when it
/// can.</param>
public sealed record RemoteResource(
    ResourceAddress Address, string? Version, CalendarDocument? Content, string? Raw = null,
    string? Problem = null);

/// <summary>How a direct read ended.</summary>
public abstract record ResourceRead
{
    private ResourceRead()
    {
    }

    /// <summary>It is there.</summary>
    public sealed record Found(RemoteResource Resource) : ResourceRead;

    /// <summary>The provider says by itself that there is nothing: the only proof of a deletion by
    /// absence.</summary>
    public sealed record Gone : ResourceRead;

    /// <summary>Nothing is known.</summary>
    public sealed record Failed(ProviderFault Fault) : ResourceRead;
}

/// <summary>How a write ended.</summary>
public abstract record ResourceWrite
{
    private ResourceWrite()
    {
    }

    /// <summary>Stored.</summary>
    /// <param name="Address">Where it lies.</param>
    /// <param name="Version">The version the answer named; a hint: it may be that of something the provider
    /// made of the content.</param>
    /// <param name="Lost">What this provider cannot carry, as property names with the reason; empty when all
    /// was sent.</param>
    public sealed record Stored(
        ResourceAddress Address, string? Version, ImmutableArray<CarryLoss> Lost) : ResourceWrite
    {
        /// <summary>Whether the provider was sent the content of the draft octet for octet.</summary>
        public bool IsAsGiven { get; init; }
    }

    /// <summary>Someone else wrote first (412); read again and decide again.</summary>
    public sealed record Changed : ResourceWrite;

    /// <summary>A create found the UID or address taken; find it and decide again.</summary>
    /// <param name="Address">Where the other one lies, when the provider names it.</param>
    public sealed record Exists(ResourceAddress? Address) : ResourceWrite;

    /// <summary>An update found nothing there.</summary>
    public sealed record Gone : ResourceWrite;

    /// <summary>The provider refuses this content for good: quarantine the item.</summary>
    public sealed record Refused(ProviderFault Fault) : ResourceWrite;

    /// <summary>It failed; <see cref="ProviderFault.OutcomeUnknown"/> says whether it may have been
    /// stored.</summary>
    public sealed record Failed(ProviderFault Fault) : ResourceWrite;
}

/// <summary>Something one provider cannot hold; the other side and the base keep it.</summary>
/// <param name="What">The property, with its component when it is not the master.</param>
/// <param name="Why">One sentence for a person.</param>
public sealed record CarryLoss(string What, string Why);

/// <summary>How a deletion ended.</summary>
public abstract record ResourceDelete
{
    private ResourceDelete()
    {
    }

    /// <summary>Deleted by this call.</summary>
    public sealed record Deleted : ResourceDelete;

    /// <summary>It was not there any more.</summary>
    public sealed record AlreadyGone : ResourceDelete;

    /// <summary>Someone changed it first (412): an edit beats a deletion; decide again.</summary>
    public sealed record Changed : ResourceDelete;

    /// <summary>It failed; <see cref="ProviderFault.OutcomeUnknown"/> says whether it may have been
    /// done.</summary>
    public sealed record Failed(ProviderFault Fault) : ResourceDelete;
}
