using System.Buffers;
using System.Text;
using CalSync.Calendar;
using CalSync.Calendar.Components;
using CalSync.Calendar.Document;
using CalSync.Calendar.Values;

namespace CalSync.Lab.Bench;

/// <summary>What one rule gave: instances, and the sum of their Unix seconds.</summary>
internal readonly record struct RuleSum(long Count, long Sum);

/// <summary>The work that is measured, done by the product's own library.</summary>
internal static class CalendarWork
{
    private static readonly DateTimeOffset From = new(2023, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Finds lines and components; gives the number of events.</summary>
    public static long Parse(IReadOnlyList<byte[]> resources)
    {
        var events = 0L;
        foreach (var octets in resources)
        {
            foreach (var calendar in CalendarDocument.Parse(octets).Components)
            {
                foreach (var component in calendar.Components)
                    events += component.Is("VEVENT"u8) ? 1 : 0;
            }
        }

        return events;
    }

    /// <summary>Reads what an enrolment looks at in every event; gives the number of events.</summary>
    /// <exception cref="InvalidOperationException">A value that must be there was not read.</exception>
    public static long ParseTyped(IReadOnlyList<byte[]> resources)
    {
        var (events, seen) = (0L, 0L);
        foreach (var octets in resources)
        {
            foreach (var calendar in CalendarDocument.Parse(octets).Components)
            {
                foreach (var component in calendar.Components)
                {
                    if (!component.Is("VEVENT"u8))
                        continue;
                    seen += Read(new CalendarEvent(component));
                    events++;
                }
            }
        }

        return seen > 0 ? events : throw new InvalidOperationException("Nothing was read.");
    }

    /// <summary>Reads and writes; gives how many came out octet for octet.</summary>
    public static long ParseWrite(IReadOnlyList<byte[]> resources)
    {
        var identical = 0L;
        var writer = new ArrayBufferWriter<byte>(1 << 16);
        foreach (var octets in resources)
        {
            writer.ResetWrittenCount();
            CalendarDocument.Parse(octets).WriteTo(writer);
            identical += writer.WrittenSpan.SequenceEqual(octets) ? 1 : 0;
        }

        return identical;
    }

    /// <summary>Reads, gives every event another SUMMARY, and writes; gives how many changed.</summary>
    public static long ParseEditWrite(IReadOnlyList<byte[]> resources)
    {
        var changed = 0L;
        var writer = new ArrayBufferWriter<byte>(1 << 16);
        var summary = new PropertyContent("SUMMARY", "Moved to the large room");
        foreach (var octets in resources)
        {
            writer.ResetWrittenCount();
            var document = CalendarDocument.Parse(octets);
            var edit = document.Edit();
            foreach (var calendar in document.Components)
            {
                foreach (var component in calendar.Components)
                {
                    if (component.Is("VEVENT"u8))
                        edit.Set(component, summary);
                }
            }

            edit.Apply().WriteTo(writer);
            changed += writer.WrittenSpan.SequenceEqual(octets) ? 0 : 1;
        }

        return changed;
    }

    /// <summary>From the text of a resource to every instance: its moment and its wall time.</summary>
    public static RuleSum Expand(CalendarRule rule)
    {
        var component = Event(CalendarDocument.Parse(rule.Octets));
        var lines = new List<string>();
        foreach (var property in component.Properties)
        {
            if (property.Is("RRULE"u8) || property.Is("EXDATE"u8) || property.Is("RDATE"u8))
                lines.Add(Encoding.UTF8.GetString(property.Bytes.Span).TrimEnd('\r', '\n'));
        }

        var parsed = RecurrenceSet.Parse(lines, Start(component));
        if (parsed is not RecurrenceSetParse.Parsed { Set: var set })
            throw new InvalidOperationException($"{rule.Id}: {parsed}");
        var cursor = set.OpenCursor(From);
        var (count, sum, days) = (0L, 0L, 0L);
        while (cursor.MoveNext() && cursor.UnixSeconds < rule.EndUnixSeconds)
        {
            count++;
            sum += cursor.UnixSeconds;
            days += cursor.Local.Day;
        }

        return days >= count ? new RuleSum(count, sum) : throw new InvalidOperationException(rule.Id);
    }

    /// <summary>The same with overrides, ends and zones of the resource, an object an occurrence.</summary>
    public static RuleSum ExpandResource(CalendarRule rule)
    {
        var expansion = CalendarExpansion.Read(CalendarDocument.Parse(rule.Octets), CalendarZone.Utc);
        var (count, sum) = (0L, 0L);
        foreach (var step in expansion.Occurrences(From, rule.End))
        {
            if (step is not ExpansionStep.Found { Value: var occurrence })
                continue;
            count++;
            sum += occurrence.Start.InstantIn(CalendarZone.Utc).ToUnixTimeSeconds();
        }

        return new RuleSum(count, sum);
    }

    private static long Read(CalendarEvent it)
    {
        if (it.Uid.Value is not { } uid || it.Summary.Value is not { } summary
            || it.Start.Value is not { } start || it.End.Value is not { } end)
        {
            throw new InvalidOperationException("An event was not read.");
        }

        long seen = uid.Length + summary.Length + start.Day.Day + end.Day.Day;
        var rule = it.RRule;
        if (rule.State != ReadingState.Absent)
            seen += rule.Value is { } recur ? (long)recur.Frequency : throw Unread("RRULE");
        foreach (var attendee in it.Attendees)
            seen += attendee.Address.Value is { } who ? who.Uri.Length : throw Unread("ATTENDEE");
        return seen;
    }

    private static InvalidOperationException Unread(string name) => new($"{name} was not read.");

    private static CalendarComponent Event(CalendarDocument document)
    {
        foreach (var calendar in document.Components)
        {
            foreach (var component in calendar.Components)
            {
                if (component.Is("VEVENT"u8))
                    return component;
            }
        }

        throw new InvalidOperationException("No event.");
    }

    private static RecurrenceStart Start(CalendarComponent component) =>
        new CalendarEvent(component).Start.Value switch
        {
            CalendarTime.Date day => new RecurrenceStart.AllDay(day.Value),
            CalendarTime.Utc utc => new RecurrenceStart.Timed(utc.Time, CalendarZone.Utc),
            CalendarTime.Zoned zoned when CalendarZone.Resolve(zoned.TzId) is ZoneResolution.Found found =>
                new RecurrenceStart.Timed(zoned.Local, found.Zone),
            var other => throw new InvalidOperationException($"No start: {other}"),
        };
}
