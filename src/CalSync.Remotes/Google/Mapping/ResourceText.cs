using System.Buffers;
using System.Collections.Immutable;
using CalSync.Calendar;
using CalSync.Calendar.Document;
using CalSync.Calendar.Values;
using NodaTime;

namespace CalSync.Remotes.Google.Mapping;

/// <summary>Writes components as one calendar resource: the same lines give the same octets.</summary>
internal sealed class ResourceText
{
    /// <summary>How long after its last start a series' zones are right, when nothing ends it.</summary>
    private const int ZoneYearsAhead = 10;

    private readonly ArrayBufferWriter<byte> _writer = new();

    public CalendarDocument Write(ImmutableArray<EventLines> components)
    {
        Line("BEGIN", "VCALENDAR");
        Line("VERSION", "2.0");
        Line("PRODID", "-//CalSync//CalSync//EN");
        WriteZones(components);
        foreach (var component in components)
            WriteEvent(component);
        Line("END", "VCALENDAR");
        return CalendarDocument.Parse(_writer.WrittenMemory);
    }

    private void WriteEvent(EventLines lines)
    {
        var isSeries = !lines.Recurrence.Rules.IsEmpty;
        Line("BEGIN", "VEVENT");
        Add(NewProperty.Text("UID", lines.Uid));
        foreach (var property in lines.Revision)
            Add(property);
        Add(NewProperty.Time("DTSTART", lines.Start.ToCalendar(isSeries)));

        // RFC 5545 section 3.8.2.2: DTEND is later than DTSTART; without one an event has no length.
        if (lines.End.Key != lines.Start.Key)
            Add(NewProperty.Time("DTEND", lines.End.ToCalendar(isSeries)));
        if (lines.Original is not null)
            Add(NewProperty.Time("RECURRENCE-ID", lines.Original.ToCalendar(isSeries: true)));
        foreach (var rule in lines.Recurrence.Rules)
            Add(CalendarDocument.Parse(rule).StrayProperties.First().Content);
        foreach (var time in lines.Recurrence.ExDates.Values)
            Add(RecurrenceLines.ExDate(time));
        foreach (var property in lines.Content)
            Add(property);
        foreach (var alarm in lines.Alarms)
        {
            Line("BEGIN", "VALARM");
            foreach (var property in alarm)
                Add(property);
            Line("END", "VALARM");
        }

        Line("END", "VEVENT");
    }

    private void WriteZones(ImmutableArray<EventLines> components)
    {
        var hasSeries = components.Any(lines => !lines.Recurrence.Rules.IsEmpty);
        var uses = components.SelectMany(Times)
            .Where(time => time.At.Zone != CalendarZone.Utc)
            .GroupBy(time => time.At.Zone.Id, StringComparer.Ordinal)
            .OrderBy(zone => zone.Key, StringComparer.Ordinal);
        foreach (var times in uses)
        {
            var last = times.Max(time => time.At.Local).PlusYears(hasSeries ? ZoneYearsAhead : 1);
            var (first, end) = (Limited(times.Min(time => time.At.Local).PlusDays(-1)), Limited(last));
            var zone = times.First().At.Zone;
            var embedded = zone.ToEmbedded(
                GoogleTime.OnWall(first, zone).Instant, GoogleTime.OnWall(end, zone).Instant);
            foreach (var line in embedded.ToLines())
            {
                var colon = line.IndexOf(':', StringComparison.Ordinal);
                Line(line[..colon], line[(colon + 1)..]);
            }
        }
    }

    private static IEnumerable<GoogleTime.Timed> Times(EventLines lines) =>
        lines.Recurrence.ExDates.Values.Append(lines.Start).Append(lines.End)
            .Append(lines.Original ?? lines.Start)
            .OfType<GoogleTime.Timed>();

    private static LocalDateTime Limited(LocalDateTime time)
    {
        var (least, most) = (new LocalDateTime(3, 1, 1, 0, 0), new LocalDateTime(9996, 1, 1, 0, 0));
        return time < least ? least : time > most ? most : time;
    }

    private void Line(string name, string value) => Add(new PropertyContent(name, value));

    private void Add(PropertyContent property) => ContentLineWriter.Write(_writer, property);
}
