using System.Collections.Immutable;
using System.Text.Json.Nodes;
using CalSync.Calendar;
using CalSync.Calendar.Components;
using CalSync.Calendar.Document;
using CalSync.Calendar.Values;

namespace CalSync.Remotes.Google.Mapping;

/// <summary>What making a draft of a document gave.</summary>
/// <param name="Draft">What would be written; null with a problem.</param>
/// <param name="Problem">Why Google cannot hold it, one sentence for a person; null when it can.</param>
internal readonly record struct DraftReading(GoogleDraft? Draft, string? Problem);

/// <summary>Makes a draft for Google of an iCalendar resource. Pure and total.</summary>
/// <remarks>
/// What cannot be said at Google at all is a problem, above all a cancelled event, which for Google is a
/// deleted one, and RANGE=THISANDFUTURE, which for Google is another series with another UID.
/// </remarks>
internal sealed class DraftWriting
{
    private readonly MappingNotes _notes = new();
    private readonly ZoneFinder _zones;
    private string? _problem;

    private DraftWriting(CalendarZone calendarZone) => _zones = new ZoneFinder(calendarZone, _notes);

    /// <summary>Makes a draft.</summary>
    /// <param name="uid">The UID of the resource; components of others are left out.</param>
    /// <param name="content">The resource.</param>
    /// <param name="calendarZone">The zone for times without one: the calendar's own.</param>
    public static DraftReading Write(string uid, CalendarDocument content, CalendarZone calendarZone)
    {
        var writing = new DraftWriting(calendarZone);
        var draft = writing.Write(uid, content);
        return writing._problem is null ? new(draft, null) : new(null, writing._problem);
    }

    private GoogleDraft? Write(string uid, CalendarDocument content)
    {
        var events = content.AllComponents
            .Where(each => each.Is("VEVENT"u8) && each.Text("UID"u8).Value == uid).ToList();
        var series = events.Where(each => each.Property("RECURRENCE-ID"u8) is null).ToList();
        if (events.Count == 0)
            return Refuse("Google holds events only, and this is none.");
        if (series.Count > 1)
            return Refuse("Two components say that they are the series.");
        DraftEvent? master = null;
        var recurrence = RecurrenceLines.None;
        if (series is [var only])
        {
            master = Event(only, null);
            if (master is null)
                return null;
            recurrence = RecurrenceLines.Read(only.Properties, master.Start, _zones, out var fault);
            if (fault is { } wrong)
                return Refuse($"{wrong.Name} cannot be read.");
        }

        var instances = Instances(events.Except(series), master, ref recurrence);
        var first = series.Count > 0 ? series[0] : events[0];
        return _problem is null
            ? new GoogleDraft(
                uid, master, instances, recurrence,
                master?.Fields["attendees"] is null ? null : GoogleGuests.WriteOrganizer(first),
                Math.Max(0, first.Property("SEQUENCE"u8)?.ReadInteger().Or(0) ?? 0), _notes)
            : null;
    }

    private ImmutableSortedDictionary<string, DraftEvent> Instances(
        IEnumerable<CalendarComponent> overrides, DraftEvent? master, ref RecurrenceLines recurrence)
    {
        var instances = ImmutableSortedDictionary.CreateBuilder<string, DraftEvent>(StringComparer.Ordinal);
        var exDates = recurrence.ExDates;
        foreach (var component in overrides)
        {
            var property = component.Property("RECURRENCE-ID"u8)!.Value;
            if (new CalendarEvent(component).IsThisAndFuture)
            {
                Refuse("It changes a series from one occurrence on, which Google keeps as another series.");
                break;
            }

            if (!property.ReadTime().TryGet(out var time)
                || Original(time, property, master) is not { } original)
            {
                Refuse("RECURRENCE-ID cannot be read.");
                break;
            }

            if (new CalendarEvent(component).Status.Value == "CANCELLED")
            {
                _notes.Add("VEVENT", "A cancelled occurrence is one that Google leaves out.");
                exDates = exDates.SetItem(original.Key, original);
            }
            else if (Event(component, original) is { } lines)
            {
                instances[original.Key] = lines;

                // Google cannot both change an instance and leave it out: what is there is there.
                exDates = exDates.Remove(original.Key);
            }
        }

        recurrence = recurrence with { ExDates = exDates };
        return instances.ToImmutable();
    }

    private GoogleTime? Original(CalendarTime time, CalendarProperty property, DraftEvent? master) =>
        master is null
            ? _zones.Of(time, property)
            : RecurrenceLines.Instance(time, property, master.Start, _zones);

    private DraftEvent? Event(CalendarComponent component, GoogleTime? original)
    {
        var view = new CalendarEvent(component);
        if (component.Property("DTSTART"u8) is not { } property || !view.Start.TryGet(out var time))
            return RefuseEvent("DTSTART is missing or cannot be read.");
        if (_zones.Of(time, property) is not { } start)
            return RefuseEvent($"No time zone is called {property.ParameterValue("TZID"u8)}.");
        if (End(component, start) is not { } end)
            return RefuseEvent("DTEND or DURATION cannot be read, or the event ends before it begins.");
        if (view.Status.Value == "CANCELLED" && original is null)
            return RefuseEvent("It is cancelled, and Google keeps cancelled events only as deleted ones.");
        var fields = new JsonObject
        {
            ["start"] = start.ToJson(),
            ["end"] = end.ToJson(),
            ["status"] = view.Status.Value == "TENTATIVE" ? "tentative" : "confirmed",
            ["reminders"] = GoogleReminders.Write(component, _notes),
        };
        Set(fields, "summary", view.Summary.Value);
        Set(fields, "description", Description(component));
        Set(fields, "location", view.Location.Value);
        if (view.Transparency.Value == "TRANSPARENT")
            fields["transparency"] = "transparent";
        if (view.Classification.Value is "PRIVATE" or "CONFIDENTIAL")
            fields["visibility"] = view.Classification.Value.ToLowerInvariant();
        if (view.Color.Value is { } color)
            Set(fields, "colorId", GoogleColors.Id(color));
        if (Link(view.Url.Value) is { } url)
            fields["source"] = new JsonObject { ["url"] = url, ["title"] = url };
        if (component.Text("X-CALSYNC-BUSY"u8).Value is { Length: > 0 } copied)
            fields["extendedProperties"] = GoogleMark.Write(copied);
        if (GoogleGuests.Write(component, _notes) is { } guests)
            fields["attendees"] = guests;
        return new DraftEvent(start, end, original, fields);
    }

    /// <summary>
    /// DTEND, or DTSTART and DURATION, or as section 3.6.1 has it without either; null when it is malformed.
    /// </summary>
    private GoogleTime? End(CalendarComponent component, GoogleTime start)
    {
        var view = new CalendarEvent(component);
        var leastLength = new CalendarDuration(start is GoogleTime.AllDay ? 1 : 0, 0);
        GoogleTime? end;
        if (component.Property("DTEND"u8) is { } property)
            end = view.End.TryGet(out var time) ? _zones.Of(time, property) : null;
        else if (component.Property("DURATION"u8) is not null)
            end = view.Duration.TryGet(out var length) ? start.Plus(length) : null;
        else
            end = start.Plus(leastLength);
        if (end is null || start.Until(end) is not { IsNegative: false } lasts)
            return null;

        // A day that is over when it begins (DTEND as DTSTART) is a common slip for one day.
        return start is GoogleTime.AllDay && lasts.Days == 0 ? start.Plus(leastLength) : end;
    }

    /// <summary>The HTML that Google gave, unless the text was edited since.</summary>
    private static string? Description(CalendarComponent component)
    {
        var text = component.Text("DESCRIPTION"u8).Value;
        var html = component.Text("X-ALT-DESC"u8).Value;
        return html is not null && HtmlText.IsHtml(html) && Same(HtmlText.ToText(html), text ?? "")
            ? html
            : text;
    }

    private static bool Same(string left, string right) => string.Equals(
        left.ReplaceLineEndings("\n").TrimEnd(), right.ReplaceLineEndings("\n").TrimEnd(),
        StringComparison.Ordinal);

    private static string? Link(string? url) =>
        Uri.TryCreate(url, UriKind.Absolute, out var link) && link.Scheme is "http" or "https" ? url : null;

    private static void Set(JsonObject fields, string name, string? text)
    {
        if (!string.IsNullOrEmpty(text))
            fields[name] = text;
    }

    private GoogleDraft? Refuse(string problem)
    {
        _problem ??= problem;
        return null;
    }

    private DraftEvent? RefuseEvent(string problem)
    {
        _problem ??= problem;
        return null;
    }
}
