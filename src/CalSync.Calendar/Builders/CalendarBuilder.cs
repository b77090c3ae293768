using System.Buffers;
using System.Collections.Immutable;
using CalSync.Calendar.Document;
using CalSync.Calendar.Values;

namespace CalSync.Calendar.Builders;

/// <summary>Writes calendars: strict, with CRLF, folded, each with the time zones it needs.</summary>
/// <remarks>RFC 5545 section 3.4, RFC 5546 section 3.2. The same input gives the same octets.</remarks>
public sealed class CalendarBuilder
{
    /// <summary>How long after its last start a series' zones are right, when nothing ends it.</summary>
    private const int ZoneYearsAhead = 10;

    private readonly string _prodId;
    private readonly ArrayBufferWriter<byte> _writer = new();

    private CalendarBuilder(string prodId) => _prodId = prodId;

    /// <summary>A stored event: a series with its overrides, or one event. RFC 4791 section 4.1.</summary>
    /// <param name="prodId">PRODID, what writes it.</param>
    /// <param name="events">All with one UID; the series before its overrides.</param>
    /// <exception cref="ArgumentException">Nothing to write, several UIDs, or a faulty event.</exception>
    public static CalendarDocument Resource(string prodId, params ImmutableArray<EventContent> events) =>
        new CalendarBuilder(prodId).Write(OneSeries(events), null, null);

    /// <summary>An invitation, or a change of one: iTIP REQUEST. RFC 5546 section 3.2.2.</summary>
    /// <param name="prodId">PRODID, what writes it.</param>
    /// <param name="events">All with one UID, each with an organizer and attendees.</param>
    /// <exception cref="ArgumentException">As above, or somebody is missing.</exception>
    public static CalendarDocument Invitation(string prodId, params ImmutableArray<EventContent> events) =>
        new CalendarBuilder(prodId).Write(WithPeople(OneSeries(events)), "REQUEST", null);

    /// <summary>A cancellation for the attendees named: iTIP CANCEL. RFC 5546 section 3.2.5.</summary>
    /// <param name="prodId">PRODID, what writes it.</param>
    /// <param name="events">All with one UID, each with people; count up SEQUENCE.</param>
    /// <exception cref="ArgumentException">As above.</exception>
    public static CalendarDocument Cancellation(string prodId, params ImmutableArray<EventContent> events)
    {
        var cancelled = WithPeople(OneSeries(events))
            .Select(content => content with { Status = "CANCELLED", Alarms = [] });
        return new CalendarBuilder(prodId).Write([.. cancelled], "CANCEL", null);
    }

    /// <summary>
    /// A calendar to subscribe to: PUBLISH. Nobody's address is in it. RFC 5546 section 3.2.1.
    /// </summary>
    /// <param name="prodId">PRODID, what writes it.</param>
    /// <param name="feed">What it says about itself.</param>
    /// <param name="events">Any number; attendees and organizers are left out.</param>
    /// <exception cref="ArgumentException">A faulty event.</exception>
    public static CalendarDocument Feed(
        string prodId, FeedContent feed, IEnumerable<EventContent> events)
    {
        var anonymous = events.Select(content => content with { Organizer = null, Attendees = [] });
        return new CalendarBuilder(prodId).Write([.. anonymous], "PUBLISH", feed);
    }

    private static ImmutableArray<EventContent> OneSeries(ImmutableArray<EventContent> events) =>
        events.Select(content => content.Uid).Distinct(StringComparer.Ordinal).Count() == 1
            ? events
            : throw new ArgumentException("All events have one UID.", nameof(events));

    private static ImmutableArray<EventContent> WithPeople(ImmutableArray<EventContent> events) =>
        events.All(content => content.Organizer is not null && content.Attendees.Length > 0)
            ? events
            : throw new ArgumentException("An organizer and attendees are needed.", nameof(events));

    private CalendarDocument Write(ImmutableArray<EventContent> events, string? method, FeedContent? feed)
    {
        Line("BEGIN:VCALENDAR");
        Add(NewProperty.Text("VERSION", "2.0"));
        Add(NewProperty.Text("PRODID", _prodId));
        Add(NewProperty.Text("CALSCALE", "GREGORIAN"));
        if (method is not null)
            Add(NewProperty.Text("METHOD", method));
        if (feed is not null)
            Describe(feed);
        AddZones(events);
        foreach (var content in events)
            AddEvent(content);
        Line("END:VCALENDAR");
        return CalendarDocument.Parse(_writer.WrittenMemory);
    }

    private void Describe(FeedContent feed)
    {
        Add(NewProperty.Text("NAME", feed.Name));
        Add(NewProperty.Text("X-WR-CALNAME", feed.Name));
        AddText("DESCRIPTION", feed.Description);
        AddText("COLOR", feed.Color);
        if (feed.Source is not null)
            Add(NewProperty.Uri("SOURCE", feed.Source).With("VALUE", "URI"));
        Add(NewProperty.Duration("REFRESH-INTERVAL", feed.RefreshInterval).With("VALUE", "DURATION"));
        Add(NewProperty.Duration("X-PUBLISHED-TTL", feed.RefreshInterval));
    }

    private void AddZones(ImmutableArray<EventContent> events)
    {
        var zoned = events.SelectMany(content => content.Times.OfType<CalendarTime.Zoned>()
                .Select(time => (Time: time, IsSeries: content.RRule is not null)))
            .GroupBy(use => use.Time.TzId, StringComparer.Ordinal)
            .OrderBy(uses => uses.Key, StringComparer.Ordinal);
        foreach (var uses in zoned)
        {
            var zone = CalendarZone.Resolve(uses.Key) is ZoneResolution.Found found
                ? found.Zone
                : throw new ArgumentException($"No zone is called {uses.Key}.", nameof(events));
            var years = uses.Any(use => use.IsSeries) ? ZoneYearsAhead : 1;
            var first = uses.Min(use => use.Time.Local);
            var last = uses.Max(use => use.Time.Local);
            var embedded = zone.ToEmbedded(
                ZonedTime.ResolveGapForwardOverlapEarlier(first.PlusDays(-1), zone).Instant,
                ZonedTime.ResolveGapForwardOverlapEarlier(last.PlusYears(years), zone).Instant);
            foreach (var line in (embedded with { TzId = uses.Key }).ToLines())
                Line(line);
        }
    }

    private void AddEvent(EventContent content)
    {
        Require(content);
        Line("BEGIN:VEVENT");
        Add(NewProperty.Text("UID", content.Uid));
        Add(NewProperty.Time("DTSTAMP", CalendarTime.Utc.From(content.Stamp)));
        Add(NewProperty.Time("DTSTART", content.Start));
        if (content.End is not null)
            Add(NewProperty.Time("DTEND", content.End));
        if (content.RecurrenceId is not null)
            Add(NewProperty.Time("RECURRENCE-ID", content.RecurrenceId));
        if (content.RRule is not null)
            Add(NewProperty.Recur("RRULE", content.RRule));
        foreach (var date in content.ExDates)
            Add(NewProperty.Time("EXDATE", date));
        Add(NewProperty.Integer("SEQUENCE", content.Sequence));
        Add(NewProperty.Text("STATUS", content.Status));
        Add(NewProperty.Text("TRANSP", content.IsBusy ? "OPAQUE" : "TRANSPARENT"));
        AddText("SUMMARY", content.Summary);
        AddText("DESCRIPTION", content.Description);
        AddText("LOCATION", content.Location);
        if (content.Url is not null)
            Add(NewProperty.Uri("URL", content.Url));
        if (content.Conference is not null)
        {
            Add(NewProperty.Uri("CONFERENCE", content.Conference).With("VALUE", "URI")
                .With("FEATURE", "VIDEO"));
        }

        if (content.Organizer is not null)
            Add(content.Organizer.ToOrganizer());
        foreach (var attendee in content.Attendees)
            Add(attendee.ToAttendee());
        foreach (var property in content.More)
            Add(property);
        foreach (var offset in content.Alarms)
            AddAlarm(content, offset);
        Line("END:VEVENT");
    }

    private void AddAlarm(EventContent content, CalendarDuration offset)
    {
        Line("BEGIN:VALARM");
        Add(NewProperty.Text("ACTION", "DISPLAY"));
        Add(NewProperty.Trigger(new AlarmTrigger.Relative(offset)));
        Add(NewProperty.Text("DESCRIPTION", content.Summary ?? content.Uid));
        Line("END:VALARM");
    }

    private static void Require(EventContent content)
    {
        if (content.Uid.Length == 0)
            throw new ArgumentException("A UID is needed.", nameof(content));
        if (content.Times.Any(time => time is CalendarTime.Date != content.Start is CalendarTime.Date))
            throw new ArgumentException("All times are dates, or none is.", nameof(content));
        if (content.End is { } end && end.GetType() == content.Start.GetType()
            && string.CompareOrdinal(end.ToString(), content.Start.ToString()) <= 0
            && (end as CalendarTime.Zoned)?.TzId == (content.Start as CalendarTime.Zoned)?.TzId)
        {
            throw new ArgumentException("The end is after the start.", nameof(content));
        }
    }

    private void AddText(string name, string? text)
    {
        if (text is not null)
            Add(NewProperty.Text(name, text));
    }

    private void Add(PropertyContent property) => ContentLineWriter.Write(_writer, property);

    private void Line(string line) => ContentLineWriter.Write(_writer, line, LineEnding.CrLf);
}
