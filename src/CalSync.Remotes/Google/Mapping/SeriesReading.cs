using System.Collections.Immutable;
using System.Text.Json;
using CalSync.Calendar;
using CalSync.Calendar.Document;
using CalSync.Sync.Pairs;

namespace CalSync.Remotes.Google.Mapping;

/// <summary>A resource of Google's as iCalendar.</summary>
/// <param name="Content">All components of the UID; null with a problem.</param>
/// <param name="Problem">Why it cannot be synced, for a person, with the place in the JSON; null when it
/// can.</param>
/// <param name="Lost">What iCalendar does not carry; it stays at Google, which is written field by
/// field.</param>
internal sealed record SeriesReading(
    CalendarDocument? Content, string? Problem, ImmutableArray<CarryLoss> Lost)
{
    private static readonly ImmutableHashSet<string> Carried =
    [
        "kind", "etag", "id", "status", "htmlLink", "created", "updated", "summary", "description",
        "location", "colorId", "creator", "organizer", "start", "end", "endTimeUnspecified", "recurrence",
        "recurringEventId", "originalStartTime", "transparency", "visibility", "iCalUID", "sequence",
        "attendees", "attendeesOmitted", "hangoutLink", "conferenceData", "reminders", "source",
        "attachments", "eventType", "locked", "privateCopy",
    ];

    private const string StaysAtGoogle = "It stays at Google; the other calendar does not see it.";

    /// <summary>Reads a resource. Total: what is outside Google's shape is a problem, never an
    /// exception.</summary>
    /// <param name="series">The events.</param>
    /// <param name="listZone">The zone of the listing they came in; null when it named none.</param>
    /// <param name="keepsRedundant">
    /// Keeps instances that Google holds apart although they say nothing but what the series says.
    /// </param>
    public static SeriesReading Read(
        GoogleSeries series, CalendarZone? listZone, bool keepsRedundant = false)
    {
        var faults = new List<string>();
        var master = series.Master is null
            ? null
            : EventReading.Read(series.Master, "", null, listZone, faults);
        var overrides = new List<EventLines>();
        var cancelled = new List<GoogleTime>();
        foreach (var exception in series.Exceptions)
        {
            var place = $"instance {exception.Id}: ";
            if (exception.IsCancelled)
            {
                var fields = new Fields(exception.Json, place, faults);
                if (GoogleTime.Read(fields, "originalStartTime", listZone) is { } original)
                    cancelled.Add(master is null ? original : original.SeenLike(master.Start));
            }
            else if (EventReading.Read(exception, place, master, listZone, faults) is { } lines
                && (keepsRedundant || !lines.Repeats(master)))
            {
                overrides.Add(lines);
            }
        }

        if (faults.Count > 0)
            return new SeriesReading(null, string.Join("; ", faults.Take(3)) + ".", []);
        if (master is not null)
            master = master.Without(cancelled);
        ImmutableArray<EventLines> components = [.. master is null ? [] : new[] { master }, .. overrides
            .OrderBy(each => each.Original!.Key, StringComparer.Ordinal)];
        return components.IsEmpty
            ? new SeriesReading(null, "Nothing of it is left.", [])
            : new SeriesReading(new ResourceText().Write(components), null, Losses(series));
    }

    /// <summary>The fields of Google's that are not taken over.</summary>
    private static ImmutableArray<CarryLoss> Losses(GoogleSeries series)
    {
        var lost = ImmutableArray.CreateBuilder<CarryLoss>();
        IEnumerable<GoogleEvent> events = series.Exceptions;
        if (series.Master is { } master)
            events = events.Prepend(master);
        foreach (var each in events.Where(each => !each.IsCancelled))
        {
            var suffix = each.MasterId is null ? "" : $" of {each.Id}";
            lost.AddRange(each.Json.EnumerateObject()
                .Where(property => !Carried.Contains(property.Name)
                    && property.Value.ValueKind is not (JsonValueKind.Null or JsonValueKind.False))
                .Select(property => new CarryLoss(property.Name + suffix, StaysAtGoogle)));
        }

        return lost.ToImmutable();
    }
}

/// <summary>One event of Google's, as the lines of a VEVENT.</summary>
internal sealed record EventLines
{
    public required string Uid { get; init; }

    public required GoogleTime Start { get; init; }

    public required GoogleTime End { get; init; }

    /// <summary>RECURRENCE-ID; null for a series or a single event.</summary>
    public GoogleTime? Original { get; init; }

    public RecurrenceLines Recurrence { get; init; } = RecurrenceLines.None;

    /// <summary>DTSTAMP, CREATED, LAST-MODIFIED and SEQUENCE.</summary>
    public ImmutableArray<PropertyContent> Revision { get; init; } = [];

    /// <summary>What the event says beside its times.</summary>
    public ImmutableArray<PropertyContent> Content { get; init; } = [];

    /// <summary>The properties of each VALARM.</summary>
    public ImmutableArray<ImmutableArray<PropertyContent>> Alarms { get; init; } = [];

    /// <summary>Whether an instance says only what its series says of it.</summary>
    public bool Repeats(EventLines? master) =>
        master is not null && Original is not null
        && Start.Equals(Original) && master.Start.Until(master.End) == Start.Until(End)
        && Said(this).SequenceEqual(Said(master), StringComparer.Ordinal);

    /// <summary>The same series without these instances.</summary>
    public EventLines Without(List<GoogleTime> instances) => this with
    {
        Recurrence = Recurrence with
        {
            ExDates = Recurrence.ExDates.SetItems(
                instances.Select(time => KeyValuePair.Create(time.Key, time))),
        },
    };

    private static IEnumerable<string> Said(EventLines lines) =>
        lines.Content.Concat(lines.Alarms.SelectMany(alarm => alarm)).Select(line => line.ToString());
}
