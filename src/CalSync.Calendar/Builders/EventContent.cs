using System.Collections.Immutable;
using CalSync.Calendar.Document;
using CalSync.Calendar.Values;

namespace CalSync.Calendar.Builders;

/// <summary>One event as it is to be written: an event, or one occurrence of a series.</summary>
/// <remarks>RFC 5545 section 3.6.1.</remarks>
/// <param name="Uid">UID, the same for a series and its occurrences; not empty.</param>
/// <param name="Stamp">DTSTAMP: when this is written.</param>
/// <param name="Start">DTSTART. A zoned time names a zone that <see cref="CalendarZone"/> knows.</param>
public sealed record EventContent(string Uid, DateTimeOffset Stamp, CalendarTime Start)
{
    /// <summary>DTEND, of the same type as the start and after it; null writes none.</summary>
    public CalendarTime? End { get; init; }

    /// <summary>SUMMARY; null writes none.</summary>
    public string? Summary { get; init; }

    /// <summary>DESCRIPTION; null writes none.</summary>
    public string? Description { get; init; }

    /// <summary>LOCATION; null writes none.</summary>
    public string? Location { get; init; }

    /// <summary>URL; null writes none.</summary>
    public string? Url { get; init; }

    /// <summary>CONFERENCE, how to join by video (RFC 7986 section 5.11); null writes none.</summary>
    public string? Conference { get; init; }

    /// <summary>SEQUENCE: the revision, counted up by each change that matters. Default 0.</summary>
    public int Sequence { get; init; }

    /// <summary>STATUS. Default CONFIRMED; a cancellation always writes CANCELLED.</summary>
    public string Status { get; init; } = "CONFIRMED";

    /// <summary>Whether the time is busy (TRANSP). Default true.</summary>
    public bool IsBusy { get; init; } = true;

    /// <summary>ORGANIZER; null writes none.</summary>
    public PersonContent? Organizer { get; init; }

    /// <summary>ATTENDEE properties, in order.</summary>
    public ImmutableArray<PersonContent> Attendees { get; init; } = [];

    /// <summary>RRULE; null for no series.</summary>
    public Recur? RRule { get; init; }

    /// <summary>EXDATE: occurrences that do not take place, each of the same type as the start.</summary>
    public ImmutableArray<CalendarTime> ExDates { get; init; } = [];

    /// <summary>RECURRENCE-ID: the occurrence this is; null for the series or a single event.</summary>
    public CalendarTime? RecurrenceId { get; init; }

    /// <summary>Alarms that show the summary, as offsets from the start.</summary>
    public ImmutableArray<CalendarDuration> Alarms { get; init; } = [];

    /// <summary>Properties that have no member here, written after the others.</summary>
    public ImmutableArray<PropertyContent> More { get; init; } = [];

    internal IEnumerable<CalendarTime> Times =>
        ExDates.Append(Start).Concat(((CalendarTime?[])[End, RecurrenceId]).OfType<CalendarTime>());
}

/// <summary>An ORGANIZER or ATTENDEE as it is to be written. RFC 5545 sections 3.8.4.1 and 3.8.4.3.</summary>
/// <param name="Address">Who.</param>
/// <param name="CommonName">CN, the name to show; null writes none.</param>
/// <param name="ParticipationStatus">PARTSTAT of an attendee. Default NEEDS-ACTION.</param>
/// <param name="IsAnswerExpected">RSVP of an attendee. Default true.</param>
public sealed record PersonContent(
    CalAddress Address,
    string? CommonName = null,
    string ParticipationStatus = "NEEDS-ACTION",
    bool IsAnswerExpected = true)
{
    internal PropertyContent ToOrganizer() => Named(NewProperty.Address("ORGANIZER", Address));

    internal PropertyContent ToAttendee() =>
        Named(NewProperty.Address("ATTENDEE", Address))
            .With("ROLE", "REQ-PARTICIPANT")
            .With("PARTSTAT", ParticipationStatus)
            .With("RSVP", IsAnswerExpected ? "TRUE" : "FALSE");

    private PropertyContent Named(PropertyContent property) =>
        CommonName is null ? property : property.With("CN", CommonName);
}

/// <summary>What a subscribed calendar says about itself. RFC 7986 section 5.</summary>
/// <param name="Name">NAME, and X-WR-CALNAME for programs that know only that one.</param>
/// <param name="RefreshInterval">REFRESH-INTERVAL and X-PUBLISHED-TTL: how often to ask again.</param>
public sealed record FeedContent(string Name, CalendarDuration RefreshInterval)
{
    /// <summary>DESCRIPTION; null writes none.</summary>
    public string? Description { get; init; }

    /// <summary>COLOR, a CSS colour name; null writes none.</summary>
    public string? Color { get; init; }

    /// <summary>SOURCE: where it can be fetched again; null writes none.</summary>
    public string? Source { get; init; }
}
