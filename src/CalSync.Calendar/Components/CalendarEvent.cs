using System.Collections.Immutable;
using CalSync.Calendar.Document;
using CalSync.Calendar.Values;

namespace CalSync.Calendar.Components;

/// <summary>A VEVENT read as typed values. RFC 5545 section 3.6.1, RFC 7986.</summary>
/// <remarks>
/// A view: nothing is read before it is asked for, and what has no member here stays in the document.
/// </remarks>
/// <param name="Component">The component it reads.</param>
public readonly record struct CalendarEvent(CalendarComponent Component)
{
    /// <summary>UID, the same for a series and its overrides. Section 3.8.4.7.</summary>
    public PropertyReading<string> Uid => Component.Text("UID"u8);

    /// <summary>RECURRENCE-ID: which occurrence this overrides. Section 3.8.4.4.</summary>
    public PropertyReading<CalendarTime> RecurrenceId => Component.Time("RECURRENCE-ID"u8);

    /// <summary>
    /// RECURRENCE-ID with RANGE=THISANDFUTURE: this and all later occurrences. Section 3.2.13.
    /// </summary>
    public bool IsThisAndFuture => Component.Property("RECURRENCE-ID"u8) is { } property
        && "THISANDFUTURE".Equals(property.ParameterValue("RANGE"u8), StringComparison.OrdinalIgnoreCase);

    /// <summary>DTSTART. Section 3.8.2.4.</summary>
    public PropertyReading<CalendarTime> Start => Component.Time("DTSTART"u8);

    /// <summary>DTEND: the first moment after the event. Section 3.8.2.2.</summary>
    public PropertyReading<CalendarTime> End => Component.Time("DTEND"u8);

    /// <summary>DURATION, instead of DTEND. Section 3.8.2.5.</summary>
    public PropertyReading<CalendarDuration> Duration => Component.Duration("DURATION"u8);

    /// <summary>DTSTAMP: when this was written. Section 3.8.7.2.</summary>
    public PropertyReading<CalendarTime> Stamp => Component.Time("DTSTAMP"u8);

    /// <summary>SEQUENCE: the revision, 0 when absent. Section 3.8.7.4.</summary>
    public PropertyReading<int> Sequence => Component.Integer("SEQUENCE"u8);

    /// <summary>SUMMARY. Section 3.8.1.12.</summary>
    public PropertyReading<string> Summary => Component.Text("SUMMARY"u8);

    /// <summary>DESCRIPTION. Section 3.8.1.5.</summary>
    public PropertyReading<string> Description => Component.Text("DESCRIPTION"u8);

    /// <summary>LOCATION. Section 3.8.1.7.</summary>
    public PropertyReading<string> Location => Component.Text("LOCATION"u8);

    /// <summary>GEO. Section 3.8.1.6.</summary>
    public PropertyReading<GeoPosition> Geo =>
        Component.Property("GEO"u8) is { } property ? property.ReadGeo() : default;

    /// <summary>STATUS in upper case: TENTATIVE, CONFIRMED, CANCELLED. Section 3.8.1.11.</summary>
    public PropertyReading<string> Status => Component.Keyword("STATUS"u8);

    /// <summary>CLASS in upper case: PUBLIC, PRIVATE, CONFIDENTIAL. Section 3.8.1.3.</summary>
    public PropertyReading<string> Classification => Component.Keyword("CLASS"u8);

    /// <summary>TRANSP in upper case: OPAQUE, TRANSPARENT. Section 3.8.2.7.</summary>
    public PropertyReading<string> Transparency => Component.Keyword("TRANSP"u8);

    /// <summary>CREATED. Section 3.8.7.1.</summary>
    public PropertyReading<CalendarTime> Created => Component.Time("CREATED"u8);

    /// <summary>LAST-MODIFIED. Section 3.8.7.3.</summary>
    public PropertyReading<CalendarTime> LastModified => Component.Time("LAST-MODIFIED"u8);

    /// <summary>PRIORITY, 0 undefined, 1 highest to 9. Section 3.8.1.9.</summary>
    public PropertyReading<int> Priority => Component.Integer("PRIORITY"u8);

    /// <summary>URL. Section 3.8.4.6.</summary>
    public PropertyReading<string> Url => Component.Uri("URL"u8);

    /// <summary>COLOR, a CSS colour name. RFC 7986 section 5.9.</summary>
    public PropertyReading<string> Color => Component.Text("COLOR"u8);

    /// <summary>ORGANIZER. Section 3.8.4.3.</summary>
    public Participant? Organizer =>
        Component.Property("ORGANIZER"u8) is { } property ? new Participant(property) : null;

    /// <summary>ATTENDEE properties, in the order of the stream. Section 3.8.4.1.</summary>
    public IEnumerable<Participant> Attendees =>
        Component.PropertiesNamed("ATTENDEE").Select(property => new Participant(property));

    /// <summary>RRULE; a second one, which section 3.8.5.3 advises against, is in the document.</summary>
    public PropertyReading<Recur> RRule =>
        Component.Property("RRULE"u8) is { } property ? property.ReadRecur() : default;

    /// <summary>CATEGORIES of all such properties; what is malformed is left out. Section 3.8.1.2.</summary>
    public ImmutableArray<string> Categories => Component.Texts("CATEGORIES");

    /// <summary>CONFERENCE properties: how to join. RFC 7986 section 5.11.</summary>
    public IEnumerable<CalendarProperty> Conferences => Component.PropertiesNamed("CONFERENCE");

    /// <summary>ATTACH properties: URIs or octets. Section 3.8.1.1.</summary>
    public IEnumerable<CalendarProperty> Attachments => Component.PropertiesNamed("ATTACH");

    /// <summary>The VALARM components in it. Section 3.6.6.</summary>
    public IEnumerable<CalendarAlarm> Alarms =>
        Component.ComponentsNamed("VALARM").Select(alarm => new CalendarAlarm(alarm));
}
