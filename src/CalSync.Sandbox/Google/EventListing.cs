using System.Globalization;
using System.Text.Json.Nodes;
using NodaTime;

namespace CalSync.Sandbox.Google;

/// <summary>
/// Reads of events: one, a page of a full listing, a page of what changed since a sync token.
/// </summary>
internal sealed class EventListing(GoogleModel model)
{
    private static readonly Duration UpdatedMinAgeMax = Duration.FromDays(28);

    public Answer Get(
        AccountState user, string calendarId, string eventId, EventQuery query, string? ifNoneMatch)
    {
        if (model.Calendar(user, calendarId) is not { } calendar)
            return GoogleError.NotFound;
        if (calendar.Find(eventId) is { } slot)
            Provision(calendar, slot);
        var record = calendar.Find(eventId) is { } known
            ? known.SeenAt(model.Now)
            : Instances.Find(calendar, eventId);
        if (record is null)
            return GoogleError.NotFound;
        return ifNoneMatch == record.ETag
            ? new Answer(304, null, record.ETag)
            : Answer.Ok(
                EventView.Show(calendar, record, user, query.MaxAttendees, query.TimeZone), record.ETag);
    }

    public Answer List(AccountState user, string calendarId, EventQuery query)
    {
        if (model.Calendar(user, calendarId) is not { } calendar)
            return GoogleError.NotFound;
        if (query.UpdatedMin is { } updatedMin && updatedMin < NowInstant() - UpdatedMinAgeMax)
            return GoogleError.UpdatedMinTooLongAgo;
        var scope = calendar.Id + (query.SingleEvents ? "#single" : "");
        if (Start(calendar, query, scope, out var cursor) is { } refused)
            return refused;
        var page = query.SingleEvents || query.OrderBy is not null
            ? SortedPage(calendar, user, query, cursor)
            : cursor.After >= 0
                ? ChangesPage(calendar, user, query, cursor)
                : FullPage(calendar, user, query, cursor);
        return Answer.Ok(Envelope(calendar, user, query, cursor, page));
    }

    /// <summary>The instances of one series, exceptions in their places.</summary>
    public Answer ListInstances(
        AccountState user, string calendarId, string eventId, EventQuery query, string? original)
    {
        if (model.Calendar(user, calendarId) is not { } calendar
            || calendar.Find(eventId)?.SeenAt(model.Now) is not { } master)
        {
            return GoogleError.NotFound;
        }

        if (!master.Recurs)
            return GoogleError.Invalid("The event is not recurring.");
        if (Start(calendar, query, calendar.Id + "#" + eventId, out var cursor) is { } refused)
            return refused;
        var page = new Page();
        if (cursor.Position < 0)
            return Answer.Ok(Envelope(calendar, user, query, cursor, page with { Next = 0 }));
        var exceptions = calendar.ExceptionsOf(eventId)
            .Select(slot => slot.SeenAt(model.Now))
            .OfType<EventRecord>();
        var unchanged = master.IsCancelled
            ? []
            : Instances.Expand(calendar, master, query.TimeMin, query.TimeMax);
        var all = unchanged.Concat(exceptions)
            .Where(record => (!record.IsCancelled || query.ShowDeleted) && IsInRange(calendar, record, query))
            .Where(record => original is null || SameMoment(record.OriginalStart!, original))
            .OrderBy(record => EventTime.InstantOf(record.Start, calendar.TimeZone))
            .ToList();
        return Answer.Ok(Envelope(calendar, user, query, cursor, Cut(calendar, user, query, cursor, all)));
    }

    private static bool SameMoment(JsonObject originalStart, string wanted) =>
        EventTime.IsDate(originalStart)
            ? originalStart["date"]!.GetValue<string>() == wanted
            : EventTime.ParseInstant(wanted) == EventTime.InstantOf(originalStart, "UTC");

    private GoogleError? Start(CalendarState calendar, EventQuery query, string scope, out ListToken cursor)
    {
        var now = model.Now.ToUnixTimeSeconds();
        var position = model.Settings.EmptyPages ? -1 : 0;
        cursor = new ListToken("page", scope, calendar.TokenEpoch, now, -1, model.LastChange, position);
        if (query.PageToken is { } pageText)
        {
            if (ListToken.Decode(pageText) is not { Kind: "page" } page || page.Scope != scope)
                return GoogleError.Invalid("Invalid page token value.", "pageToken");
            cursor = page;
            return null;
        }

        if (query.SyncToken is not { } syncText)
            return null;
        if (ListToken.Decode(syncText) is not { Kind: "sync" } sync || sync.Scope != scope)
            return GoogleError.Invalid("Invalid sync token value.", "syncToken");
        var oldest = now - (model.Settings.SyncTokenLifetimeDays * 86_400L);
        if (sync.Epoch != calendar.TokenEpoch || sync.Seconds < oldest)
            return GoogleError.FullSyncRequired;
        cursor = cursor with { After = sync.After };
        return null;
    }

    private Page FullPage(CalendarState calendar, AccountState user, EventQuery query, ListToken cursor)
    {
        var page = new Page();
        if (cursor.Position < 0)
            return page with { Next = 0 };
        var slots = calendar.Slots;
        if (query.ICalUid is { } uid)
            slots = calendar.WithICalUid(uid);
        for (var index = (int)cursor.Position; index < slots.Count; index++)
        {
            if (page.Items.Count == query.PageSize)
                return page with { Next = index };
            Add(calendar, user, query, slots[index], page);
        }

        return page;
    }

    private Page ChangesPage(CalendarState calendar, AccountState user, EventQuery query, ListToken cursor)
    {
        var page = new Page();
        if (cursor.Position < 0)
            return page with { Next = 0 };
        var after = Math.Max(cursor.After, cursor.Position);
        var incremental = query with { ShowDeleted = true };
        foreach (var slot in calendar.ChangedBetween(after, cursor.UpTo))
        {
            if (page.Items.Count == query.PageSize)
                return page with { Next = after };
            Add(calendar, user, incremental, slot, page);
            after = slot.Change;
        }

        return page;
    }

    /// <summary>Instances or a wanted order: everything is gathered, sorted, and cut at the page.</summary>
    private Page SortedPage(CalendarState calendar, AccountState user, EventQuery query, ListToken cursor)
    {
        var page = new Page();
        if (cursor.Position < 0)
            return page with { Next = 0 };
        var deletedToo = query with { ShowDeleted = query.ShowDeleted || cursor.After >= 0 };
        var slots = cursor.After >= 0 ? calendar.ChangedBetween(cursor.After, cursor.UpTo) : calendar.Slots;
        var found = new List<EventRecord>();
        foreach (var slot in slots.ToList())
        {
            if (Seen(calendar, slot, page) is not { } record)
                continue;
            if (query.SingleEvents && record is { Recurs: true, IsCancelled: false })
                found.AddRange(Instances.Expand(calendar, record, query.TimeMin, query.TimeMax));
            else
                found.Add(record);
        }

        var sorted = found.Where(record => IsWanted(calendar, record, deletedToo));
        sorted = query.OrderBy == "updated"
            ? sorted.OrderBy(record => record.UpdatedMicros)
            : sorted.OrderBy(record => EventTime.InstantOf(record.Start, calendar.TimeZone));
        var cut = Cut(calendar, user, query, cursor, [.. sorted]);
        cut.Hidden.AddRange(page.Hidden);
        return cut;
    }

    private static Page Cut(
        CalendarState calendar, AccountState user, EventQuery query, ListToken cursor, List<EventRecord> all)
    {
        var page = new Page();
        var end = cursor.Position + query.PageSize;
        foreach (var record in all.Skip((int)cursor.Position).Take(query.PageSize))
            page.Items.Add(Shown(calendar, user, query, record));
        return end < all.Count ? page with { Next = end } : page;
    }

    private void Add(CalendarState calendar, AccountState user, EventQuery query, EventSlot slot, Page page)
    {
        if (Seen(calendar, slot, page) is { } record && IsWanted(calendar, record, query))
            page.Items.Add(Shown(calendar, user, query, record));
    }

    private EventRecord? Seen(CalendarState calendar, EventSlot slot, Page page)
    {
        Provision(calendar, slot);
        // What is not visible yet must not be skipped by the next sync token: it stays before this change.
        if (slot.IsStaleAt(model.Now))
            page.Hidden.Add(slot.Change);
        return slot.SeenAt(model.Now);
    }

    private static JsonObject Shown(
        CalendarState calendar, AccountState user, EventQuery query, EventRecord record)
    {
        var zone = query.TimeZone ?? calendar.TimeZone;
        return record.IsCancelled
            ? EventView.Tombstone(record, zone)
            : EventView.Show(calendar, record, user, query.MaxAttendees, zone);
    }

    private static bool IsWanted(CalendarState calendar, EventRecord record, EventQuery query)
    {
        var updated = Instant.FromUnixTimeTicks(record.UpdatedMicros * TimeSpan.TicksPerMicrosecond);
        if (record.IsCancelled && !ShowsCancelled(calendar, record, query, updated))
            return false;
        if (query.UpdatedMin is { } since && updated < since)
            return false;
        if (query.ICalUid is { } uid && record.ICalUid != uid)
            return false;
        return IsInRange(calendar, record, query)
            && HasProperties(record, query)
            && HasText(record, query.Text);
    }

    // Cancelled exceptions of a live series come even unasked, unless instances were asked for one by one.
    private static bool ShowsCancelled(
        CalendarState calendar, EventRecord record, EventQuery query, Instant updated) =>
        query.ShowDeleted
        || (query.UpdatedMin is { } since && updated >= since)
        || (!query.SingleEvents && record.RecurringEventId is { } master
            && calendar.Find(master)?.Current.IsCancelled == false);

    private static bool IsInRange(CalendarState calendar, EventRecord record, EventQuery query)
    {
        if (query.TimeMin is null && query.TimeMax is null)
            return true;
        if (record.Recurs)
            return Instances.Touches(calendar, record, query.TimeMin, query.TimeMax);
        var start = EventTime.InstantOf(record.Start, calendar.TimeZone);
        var end = EventTime.InstantOf(record.End, calendar.TimeZone);
        return (query.TimeMin is null || end > query.TimeMin)
            && (query.TimeMax is null || start < query.TimeMax);
    }

    private static bool HasProperties(EventRecord record, EventQuery query)
    {
        var properties = record.Fields["extendedProperties"];
        return query.PrivateProperties.All(pair => Has("private", pair))
            && query.SharedProperties.All(pair => Has("shared", pair));

        bool Has(string part, (string Key, string Value) pair) =>
            properties?[part]?[pair.Key]?.GetValue<string>() == pair.Value;
    }

    private static bool HasText(EventRecord record, string? text)
    {
        if (text is null)
            return true;
        var fields = record.Fields;
        var places = new[] { fields["summary"], fields["description"], fields["location"] }
            .Select(node => node?.GetValue<string>())
            .Concat(record.AttendeeEmails);
        return places.Any(place => place?.Contains(text, StringComparison.OrdinalIgnoreCase) == true);
    }

    private void Provision(CalendarState calendar, EventSlot slot)
    {
        if (model.Conferences.Provision(slot.Current) is not { } fields)
            return;
        var before = slot.Current;
        var after = before with { Fields = fields, UpdatedMicros = model.NextMicros() };
        model.Store(calendar, after);
        model.Copies.Spread(calendar, before, after);
    }

    private JsonObject Envelope(
        CalendarState calendar, AccountState user, EventQuery query, ListToken cursor, Page page)
    {
        var body = new JsonObject
        {
            ["kind"] = "calendar#events",
            ["etag"] = $"\"p{model.LastChange.ToString(CultureInfo.InvariantCulture)}g0\"",
            ["summary"] = calendar.Summary,
            ["description"] = calendar.Description ?? "",
            ["updated"] = EventView.Moment(calendar.UpdatedMicros),
            ["timeZone"] = query.TimeZone ?? calendar.TimeZone,
            ["accessRole"] = calendar.RoleOf(user),
            ["defaultReminders"] = new JsonArray(),
        };
        var upTo = page.Hidden.Count > 0 ? Math.Min(cursor.UpTo, page.Hidden.Min() - 1) : cursor.UpTo;
        if (page.Next is { } next)
            body["nextPageToken"] = (cursor with { Position = next, UpTo = upTo }).Encode();
        else if (IsSyncable(query))
            body["nextSyncToken"] = (cursor with { Kind = "sync", After = upTo, Position = 0 }).Encode();
        body["items"] = new JsonArray([.. page.Items]);
        return body;
    }

    // Measured: a listing in a wanted order ends without a token. Searches are views, not mirrors.
    private static bool IsSyncable(EventQuery query) => query is
    {
        OrderBy: null, Text: null, ICalUid: null, UpdatedMin: null,
        PrivateProperties.Count: 0, SharedProperties.Count: 0,
    };

    private Instant NowInstant() => Instant.FromDateTimeOffset(model.Now);

    private sealed record Page
    {
        public List<JsonObject> Items { get; } = [];

        public List<long> Hidden { get; } = [];

        public long? Next { get; init; }
    }
}
