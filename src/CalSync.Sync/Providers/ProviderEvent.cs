using System.Collections.Immutable;
using CalSync.Calendar;

namespace CalSync.Sync.Providers;

/// <summary>What we want an event to say.</summary>
/// <param name="Summary">Title, 1 to 300 characters.</param>
/// <param name="Description">Text; null for none.</param>
/// <param name="Location">Text; null for none.</param>
/// <param name="Start">Wall time, zone and instant.</param>
/// <param name="End">After <paramref name="Start"/>.</param>
/// <param name="Attendees">The whole list to send, in a stable order.</param>
/// <param name="Mark">Our private extended properties: <c>calsyncMirror</c>, <c>calsyncSlot</c>,
/// <c>calsyncTenant</c>.</param>
/// <param name="ConferenceRequestId">Fixed per mirror generation so that asking twice makes one room; null
/// for no link.</param>
public sealed record EventContent(
    string Summary,
    string? Description,
    string? Location,
    ZonedTime Start,
    ZonedTime End,
    ImmutableArray<Attendee> Attendees,
    ImmutableSortedDictionary<string, string> Mark,
    string? ConferenceRequestId)
{
    /// <summary>
    /// True when <see cref="Attendees"/> was built from a read with
    /// <see cref="ProviderEvent.AttendeesOmitted"/>: a write of the attendees is then refused, for it would
    /// drop the guests that were not shown.
    /// </summary>
    public bool AttendeesOmitted { get; init; }
}

/// <summary>One guest.</summary>
/// <param name="Email">The address, lower case.</param>
/// <param name="ResponseStatus"><c>needsAction</c>, <c>declined</c>, <c>tentative</c> or
/// <c>accepted</c>.</param>
/// <param name="Organizer">True on the organiser's own entry.</param>
/// <param name="Self">True on the entry of the account that reads.</param>
/// <param name="Raw">The entry as the provider gave it, JSON, sent back whole so that nothing is lost; null
/// for a new guest.</param>
public sealed record Attendee(
    string Email, string ResponseStatus = "needsAction", bool Organizer = false, bool Self = false,
    string? Raw = null);

/// <summary>An event as the provider showed it.</summary>
/// <param name="Address">Where it was read.</param>
/// <param name="ETag">Opaque; sent back as If-Match.</param>
/// <param name="Status"><c>confirmed</c>, <c>tentative</c> or <c>cancelled</c> (deleted).</param>
/// <param name="ICalUid">The iCalendar UID.</param>
/// <param name="Sequence">The iCalendar SEQUENCE; never used as a version.</param>
/// <param name="Summary">Null when absent.</param>
/// <param name="Description">Null when absent.</param>
/// <param name="Location">Null when absent.</param>
/// <param name="Start">Null when the provider gave none or one that cannot be read (all-day, unknown
/// zone).</param>
/// <param name="End">As <paramref name="Start"/>.</param>
/// <param name="Attendees">In the provider's order.</param>
/// <param name="AttendeesOmitted">True when the list is truncated: it must never be written back.</param>
/// <param name="Mark">Private extended properties.</param>
/// <param name="HtmlLink">Link for a person.</param>
/// <param name="ConferenceLink">The video link once the provider made one.</param>
/// <param name="ConferenceStatus"><c>pending</c>, <c>success</c>, <c>failure</c>; null without conference
/// data.</param>
/// <param name="Json">The whole event as received.</param>
public sealed record ProviderEvent(
    EventAddress Address,
    string ETag,
    string Status,
    string? ICalUid,
    long Sequence,
    string? Summary,
    string? Description,
    string? Location,
    ZonedTime? Start,
    ZonedTime? End,
    ImmutableArray<Attendee> Attendees,
    bool AttendeesOmitted,
    ImmutableSortedDictionary<string, string> Mark,
    string? HtmlLink,
    string? ConferenceLink,
    string? ConferenceStatus,
    string Json);

/// <summary>What one read of an event gave.</summary>
public abstract record EventRead
{
    private EventRead()
    {
    }

    /// <summary>The event, possibly with status <c>cancelled</c>.</summary>
    public sealed record Found(ProviderEvent Event) : EventRead;

    /// <summary>404. Just after a write this proves nothing.</summary>
    public sealed record Missing : EventRead;

    /// <summary>The read failed; nothing may be concluded about the event.</summary>
    public sealed record Failed(ProviderFault Fault) : EventRead;
}

/// <summary>What one insert or patch gave.</summary>
public abstract record EventWrite
{
    private EventWrite()
    {
    }

    /// <summary>Accepted by the provider; not yet verified.</summary>
    public sealed record Accepted(ProviderEvent Event) : EventWrite;

    /// <summary>Not accepted, or nobody knows (<see cref="ProviderFault.OutcomeUnknown"/>).</summary>
    public sealed record Failed(ProviderFault Fault) : EventWrite;
}

/// <summary>What one delete gave.</summary>
public abstract record EventDelete
{
    private EventDelete()
    {
    }

    /// <summary>204, or 410 <c>deleted</c>: it is gone.</summary>
    public sealed record Gone : EventDelete;

    /// <summary>404: not there, or not visible.</summary>
    public sealed record Missing : EventDelete;

    /// <summary>Not accepted, or nobody knows.</summary>
    public sealed record Failed(ProviderFault Fault) : EventDelete;
}

/// <summary>What moving one event to another calendar gave.</summary>
public abstract record EventMove
{
    private EventMove()
    {
    }

    /// <summary>It is in the other calendar now, under the same id.</summary>
    public sealed record Moved : EventMove;

    /// <summary>It is not in the first calendar; perhaps it was moved before.</summary>
    public sealed record Missing : EventMove;

    /// <summary>Not accepted, or nobody knows.</summary>
    public sealed record Failed(ProviderFault Fault) : EventMove;
}

/// <summary>What one search gave. A failed or partial search is never an empty one.</summary>
public abstract record EventSearch
{
    private EventSearch()
    {
    }

    /// <summary>Every matching event, all pages read.</summary>
    public sealed record Complete(ImmutableArray<ProviderEvent> Events) : EventSearch;

    /// <summary>Nothing may be concluded.</summary>
    public sealed record Failed(ProviderFault Fault) : EventSearch;
}

/// <summary>What one listing of a calendar's changes gave.</summary>
public abstract record EventChanges
{
    private EventChanges()
    {
    }

    /// <summary>All pages were read.</summary>
    /// <param name="Events">What changed; with <paramref name="IsComplete"/> all there is.</param>
    /// <param name="IsComplete">True when it was listed without a token.</param>
    /// <param name="NextToken">Where the next listing goes on.</param>
    public sealed record Read(
        ImmutableArray<ListedEvent> Events, bool IsComplete, string NextToken) : EventChanges;

    /// <summary>The token is no longer taken: list everything.</summary>
    public sealed record TokenDead : EventChanges;

    /// <summary>Nothing may be concluded.</summary>
    public sealed record Failed(ProviderFault Fault) : EventChanges;
}

/// <summary>An event as a listing shows it: enough to see that it should be read.</summary>
/// <param name="EventId">The provider's id.</param>
/// <param name="IsCancelled">True for a tombstone, which may have nothing but its id.</param>
/// <param name="ICalUid">The iCalendar UID; null when not shown.</param>
/// <param name="MirrorId">The mirror its mark names; null without our mark.</param>
/// <param name="Start">Null as in <see cref="ProviderEvent"/>.</param>
/// <param name="End">As <paramref name="Start"/>.</param>
public sealed record ListedEvent(
    string EventId, bool IsCancelled, string? ICalUid, string? MirrorId, ZonedTime? Start, ZonedTime? End);

/// <summary>One calendar of an account.</summary>
/// <param name="RemoteId">The provider's id; the primary calendar's is the account's address.</param>
/// <param name="Summary">Its name.</param>
/// <param name="Primary">True on the one primary calendar.</param>
/// <param name="TimeZone">IANA name.</param>
/// <param name="AccessRole"><c>owner</c>, <c>writer</c>, <c>reader</c>, <c>freeBusyReader</c>.</param>
public sealed record ProviderCalendar(
    string RemoteId, string Summary, bool Primary, string TimeZone, string AccessRole);

/// <summary>What one calendar listing gave.</summary>
public abstract record CalendarSearch
{
    private CalendarSearch()
    {
    }

    /// <summary>All calendars, all pages read.</summary>
    public sealed record Complete(ImmutableArray<ProviderCalendar> Calendars) : CalendarSearch;

    /// <summary>Nothing may be concluded.</summary>
    public sealed record Failed(ProviderFault Fault) : CalendarSearch;
}
