using System.Collections.Immutable;
using CalSync.Calendar.Document;
using CalSync.Calendar.Values;

namespace CalSync.Calendar.Components;

/// <summary>A VCALENDAR read as typed values. RFC 5545 sections 3.4 and 3.7, RFC 7986 section 5.</summary>
/// <param name="Component">The component it reads.</param>
public readonly record struct CalendarObject(CalendarComponent Component)
{
    /// <summary>PRODID: what wrote it. Section 3.7.3.</summary>
    public PropertyReading<string> ProdId => Component.Text("PRODID"u8);

    /// <summary>VERSION, "2.0". Section 3.7.4.</summary>
    public PropertyReading<string> Version => Component.Text("VERSION"u8);

    /// <summary>METHOD in upper case; absent in a stored resource. Section 3.7.2.</summary>
    public PropertyReading<string> Method => Component.Keyword("METHOD"u8);

    /// <summary>CALSCALE in upper case; absent means GREGORIAN. Section 3.7.1.</summary>
    public PropertyReading<string> Scale => Component.Keyword("CALSCALE"u8);

    /// <summary>NAME. RFC 7986 section 5.1.</summary>
    public PropertyReading<string> Name => Component.Text("NAME"u8);

    /// <summary>REFRESH-INTERVAL: how often to ask again. RFC 7986 section 5.7.</summary>
    public PropertyReading<CalendarDuration> RefreshInterval => Component.Duration("REFRESH-INTERVAL"u8);

    /// <summary>SOURCE: where the calendar can be fetched again. RFC 7986 section 5.8.</summary>
    public PropertyReading<string> Source => Component.Uri("SOURCE"u8);

    /// <summary>The VEVENT components in it.</summary>
    public IEnumerable<CalendarEvent> Events =>
        Component.ComponentsNamed("VEVENT").Select(component => new CalendarEvent(component));

    /// <summary>The VTODO components in it.</summary>
    public IEnumerable<CalendarTask> Tasks =>
        Component.ComponentsNamed("VTODO").Select(component => new CalendarTask(component));

    /// <summary>The VJOURNAL components in it.</summary>
    public IEnumerable<CalendarJournal> Journals =>
        Component.ComponentsNamed("VJOURNAL").Select(component => new CalendarJournal(component));

    /// <summary>The VFREEBUSY components in it.</summary>
    public IEnumerable<CalendarFreeBusy> FreeBusy =>
        Component.ComponentsNamed("VFREEBUSY").Select(component => new CalendarFreeBusy(component));

    /// <summary>The VTIMEZONE components in it.</summary>
    public IEnumerable<CalendarTimeZone> TimeZones =>
        Component.ComponentsNamed("VTIMEZONE").Select(component => new CalendarTimeZone(component));
}

/// <summary>A VTODO read as typed values. RFC 5545 section 3.6.2.</summary>
/// <param name="Component">The component it reads.</param>
public readonly record struct CalendarTask(CalendarComponent Component)
{
    /// <summary>UID. Section 3.8.4.7.</summary>
    public PropertyReading<string> Uid => Component.Text("UID"u8);

    /// <summary>SUMMARY. Section 3.8.1.12.</summary>
    public PropertyReading<string> Summary => Component.Text("SUMMARY"u8);

    /// <summary>DTSTART. Section 3.8.2.4.</summary>
    public PropertyReading<CalendarTime> Start => Component.Time("DTSTART"u8);

    /// <summary>DUE: when it must be done. Section 3.8.2.3.</summary>
    public PropertyReading<CalendarTime> Due => Component.Time("DUE"u8);

    /// <summary>DURATION, instead of DUE. Section 3.8.2.5.</summary>
    public PropertyReading<CalendarDuration> Duration => Component.Duration("DURATION"u8);

    /// <summary>COMPLETED: when it was done. Section 3.8.2.1.</summary>
    public PropertyReading<CalendarTime> Completed => Component.Time("COMPLETED"u8);

    /// <summary>PERCENT-COMPLETE, 0 to 100. Section 3.8.1.8.</summary>
    public PropertyReading<int> PercentComplete => Component.Integer("PERCENT-COMPLETE"u8);

    /// <summary>STATUS: NEEDS-ACTION, COMPLETED, IN-PROCESS, CANCELLED. Section 3.8.1.11.</summary>
    public PropertyReading<string> Status => Component.Keyword("STATUS"u8);

    /// <summary>PRIORITY, 0 undefined, 1 highest to 9. Section 3.8.1.9.</summary>
    public PropertyReading<int> Priority => Component.Integer("PRIORITY"u8);

    /// <summary>The VALARM components in it. Section 3.6.6.</summary>
    public IEnumerable<CalendarAlarm> Alarms =>
        Component.ComponentsNamed("VALARM").Select(alarm => new CalendarAlarm(alarm));
}

/// <summary>A VJOURNAL read as typed values. RFC 5545 section 3.6.3.</summary>
/// <param name="Component">The component it reads.</param>
public readonly record struct CalendarJournal(CalendarComponent Component)
{
    /// <summary>UID. Section 3.8.4.7.</summary>
    public PropertyReading<string> Uid => Component.Text("UID"u8);

    /// <summary>SUMMARY. Section 3.8.1.12.</summary>
    public PropertyReading<string> Summary => Component.Text("SUMMARY"u8);

    /// <summary>DTSTART: the day it is about. Section 3.8.2.4.</summary>
    public PropertyReading<CalendarTime> Start => Component.Time("DTSTART"u8);

    /// <summary>STATUS: DRAFT, FINAL, CANCELLED. Section 3.8.1.11.</summary>
    public PropertyReading<string> Status => Component.Keyword("STATUS"u8);

    /// <summary>DESCRIPTION properties: a journal may have several. Section 3.8.1.5.</summary>
    public IEnumerable<PropertyReading<string>> Descriptions =>
        Component.PropertiesNamed("DESCRIPTION").Select(property => property.ReadText());
}

/// <summary>A VFREEBUSY read as typed values. RFC 5545 section 3.6.4.</summary>
/// <param name="Component">The component it reads.</param>
public readonly record struct CalendarFreeBusy(CalendarComponent Component)
{
    /// <summary>UID. Section 3.8.4.7.</summary>
    public PropertyReading<string> Uid => Component.Text("UID"u8);

    /// <summary>DTSTART: the first moment it speaks of. Section 3.8.2.4.</summary>
    public PropertyReading<CalendarTime> Start => Component.Time("DTSTART"u8);

    /// <summary>DTEND: the first moment after. Section 3.8.2.2.</summary>
    public PropertyReading<CalendarTime> End => Component.Time("DTEND"u8);

    /// <summary>
    /// FREEBUSY properties: their FBTYPE in upper case, absent meaning BUSY, and their periods.
    /// </summary>
    public IEnumerable<(string Type, PropertyReading<ImmutableArray<CalendarPeriod>> Periods)> Periods =>
        Component.PropertiesNamed("FREEBUSY").Select(property => (
            property.ParameterValue("FBTYPE"u8)?.ToUpperInvariant() ?? "BUSY", property.ReadPeriods()));
}

/// <summary>A VTIMEZONE read as typed values. RFC 5545 section 3.6.5.</summary>
/// <param name="Component">The component it reads.</param>
public readonly record struct CalendarTimeZone(CalendarComponent Component)
{
    /// <summary>TZID: the name other properties use. Section 3.8.3.1.</summary>
    public PropertyReading<string> TzId => Component.Text("TZID"u8);

    /// <summary>STANDARD and DAYLIGHT parts, in the order of the stream.</summary>
    public IEnumerable<ZoneObservance> Observances => Component.Components
        .Where(part => part.Is("STANDARD"u8) || part.Is("DAYLIGHT"u8))
        .Select(part => new ZoneObservance(part));
}

/// <summary>A STANDARD or DAYLIGHT part of a VTIMEZONE. RFC 5545 section 3.6.5.</summary>
/// <param name="Component">The component it reads.</param>
public readonly record struct ZoneObservance(CalendarComponent Component)
{
    /// <summary>Whether it is DAYLIGHT.</summary>
    public bool IsDaylight => Component.Is("DAYLIGHT"u8);

    /// <summary>
    /// DTSTART: the wall time of the first onset, in the offset before it. Section 3.8.2.4.
    /// </summary>
    public PropertyReading<CalendarTime> Start => Component.Time("DTSTART"u8);

    /// <summary>TZOFFSETFROM: the offset before an onset. Section 3.8.3.3.</summary>
    public PropertyReading<UtcOffset> OffsetFrom =>
        Component.Property("TZOFFSETFROM"u8) is { } property ? property.ReadOffset() : default;

    /// <summary>TZOFFSETTO: the offset after an onset. Section 3.8.3.4.</summary>
    public PropertyReading<UtcOffset> OffsetTo =>
        Component.Property("TZOFFSETTO"u8) is { } property ? property.ReadOffset() : default;

    /// <summary>TZNAME: what people call it; null when absent. Section 3.8.3.2.</summary>
    public string? ZoneName => Component.Text("TZNAME"u8).Value;

    /// <summary>RRULE of the onsets. Section 3.8.5.3.</summary>
    public PropertyReading<Recur> RRule =>
        Component.Property("RRULE"u8) is { } property ? property.ReadRecur() : default;
}
