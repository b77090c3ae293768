using System.Text.Json;
using System.Text.Json.Nodes;

namespace CalSync.Sandbox.Google;

/// <summary>
/// calendars.* and calendarList.*: the calendars themselves and each account's list of them.
/// </summary>
internal sealed class CalendarWrites(GoogleModel model)
{
    private static readonly string[] Texts = ["summary", "description", "location", "timeZone"];

    public Answer Get(AccountState user, string id) =>
        model.Calendar(user, id) is { } calendar ? Shown(calendar) : GoogleError.NotFound;

    public Answer Insert(AccountState user, JsonObject body)
    {
        if (Check(body) is { } invalid)
            return invalid;
        if (body["summary"]?.GetValue<string>() is not { Length: > 0 } summary)
            return GoogleError.Required("Missing title.");
        // Measured: without a time zone a new calendar is in UTC.
        var zone = body["timeZone"]?.GetValue<string>() ?? "UTC";
        var calendar = model.AddCalendar(
            model.Ids.NextBase32Hex() + "@group.calendar.google.com", summary, zone, user);
        calendar.Description = body["description"]?.GetValue<string>();
        calendar.Location = body["location"]?.GetValue<string>();
        return Shown(calendar);
    }

    public Answer Patch(AccountState user, string id, JsonObject body)
    {
        if (model.Calendar(user, id) is not { } calendar)
            return GoogleError.NotFound;
        if (calendar.RoleOf(user) != "owner")
        {
            return new GoogleError(
                403, "requiredAccessLevel", "You need to have owner access to this calendar.", "calendar");
        }

        if (Check(body) is { } invalid)
            return invalid;
        calendar.Summary = body["summary"]?.GetValue<string>() ?? calendar.Summary;
        calendar.TimeZone = body["timeZone"]?.GetValue<string>() ?? calendar.TimeZone;
        if (body.ContainsKey("description"))
            calendar.Description = body["description"]?.GetValue<string>();
        if (body.ContainsKey("location"))
            calendar.Location = body["location"]?.GetValue<string>();
        calendar.UpdatedMicros = model.NextMicros();
        return Shown(calendar);
    }

    public Answer Delete(AccountState user, string id)
    {
        if (model.Calendar(user, id) is not { } calendar)
            return GoogleError.NotFound;
        if (calendar.RoleOf(user) != "owner")
        {
            return new GoogleError(
                403, "requiredAccessLevel", "You need to have owner access to this calendar.", "calendar");
        }

        if (calendar.IsPrimary)
        {
            return new GoogleError(
                403, "cannotDeletePrimaryCalendar", "Cannot delete primary calendar.", "calendar");
        }

        Remove(calendar);
        return Answer.NoContent;
    }

    /// <summary>Takes a calendar away from everyone; each list keeps a tombstone.</summary>
    public void Remove(CalendarState calendar)
    {
        foreach (var account in calendar.Roles.Keys.Select(model.Account).ToList())
            model.SetAccess(calendar, account!, null);
        calendar.Deleted = true;
        model.Channels.Tell(calendar, null);
    }

    public Answer GetEntry(AccountState user, string id)
    {
        if (model.Calendar(user, id) is not { } calendar
            || !user.CalendarList.TryGetValue(calendar.Id, out var entry))
        {
            return GoogleError.NotFound;
        }

        return Answer.Ok(Entry(user, entry), ETag(entry));
    }

    public Answer ListEntries(AccountState user, ILookup<string, string> query)
    {
        var values = new QueryValues(query);
        var pageSize = Math.Min(values.Number("maxResults", 1) ?? 100, 250);
        var showDeleted = values.Flag("showDeleted");
        var showHidden = values.Flag("showHidden");
        var role = values.Text("minAccessRole");
        if (values.Problem is { } problem)
            return problem;
        if (role is not null and not ("freeBusyReader" or "reader" or "writer" or "owner"))
            return GoogleError.Invalid("Invalid string value.", "minAccessRole");
        var syncText = values.Text("syncToken");
        if (syncText is not null && (role is not null || showDeleted == false || showHidden == false
            || query.Contains("showOwnOrganizationOnly")))
        {
            return GoogleError.Invalid("Sync token cannot be used with this parameter.", "syncToken");
        }

        if (StartList(user, syncText, values.Text("pageToken"), out var cursor) is { } refused)
            return refused;
        var isIncremental = cursor.After >= 0;
        var entries = user.CalendarList.Values
            .Where(entry => entry.Change > Math.Max(cursor.After, cursor.Position)
                && entry.Change <= cursor.UpTo)
            .Where(entry => !entry.Deleted || isIncremental || showDeleted == true)
            .Where(entry => entry.Deleted || role is null || Rank(entry.Calendar.RoleOf(user)) >= Rank(role))
            .OrderBy(entry => entry.Change)
            .ToList();
        var page = entries.Take(pageSize).ToList();
        var body = new JsonObject
        {
            ["kind"] = "calendar#calendarList",
            ["etag"] = $"\"p{cursor.UpTo}g0\"",
        };
        if (page.Count < entries.Count)
        {
            body["nextPageToken"] = (cursor with { Position = page[^1].Change }).Encode();
        }
        else
        {
            body["nextSyncToken"] =
                (cursor with { Kind = "sync", After = cursor.UpTo, Position = 0 }).Encode();
        }

        body["items"] = new JsonArray([.. page.Select(entry => Entry(user, entry))]);
        return Answer.Ok(body);
    }

    private GoogleError? StartList(
        AccountState user, string? syncText, string? pageText, out ListToken cursor)
    {
        var now = model.Now.ToUnixTimeSeconds();
        cursor = new ListToken("page", user.Email, user.ListTokenEpoch, now, -1, model.LastChange, 0);
        if (pageText is not null)
        {
            if (ListToken.Decode(pageText) is not { Kind: "page" } page || page.Scope != user.Email)
                return GoogleError.Invalid("Invalid page token value.", "pageToken");
            cursor = page;
            return null;
        }

        if (syncText is null)
            return null;
        if (ListToken.Decode(syncText) is not { Kind: "sync" } sync || sync.Scope != user.Email)
            return GoogleError.Invalid("Invalid sync token value.", "syncToken");
        if (sync.Epoch != user.ListTokenEpoch
            || sync.Seconds < now - (model.Settings.SyncTokenLifetimeDays * 86_400L))
        {
            return GoogleError.FullSyncRequired;
        }

        cursor = cursor with { After = sync.After };
        return null;
    }

    private static GoogleError? Check(JsonObject body)
    {
        foreach (var name in Texts)
        {
            if (body[name] is { } value && value.GetValueKind() != JsonValueKind.String)
                return GoogleError.Invalid($"Invalid value for: {name}");
        }

        return body["timeZone"]?.GetValue<string>() is { } zone && EventTime.Zone(zone) is null
            ? GoogleError.Invalid("Invalid time zone.")
            : null;
    }

    private static Answer Shown(CalendarState calendar)
    {
        var shown = new JsonObject
        {
            ["kind"] = "calendar#calendar",
            ["etag"] = calendar.ETag,
            ["id"] = calendar.Id,
            ["summary"] = calendar.Summary,
        };
        if (calendar.Description is not null)
            shown["description"] = calendar.Description;
        if (calendar.Location is not null)
            shown["location"] = calendar.Location;
        shown["timeZone"] = calendar.TimeZone;
        shown["conferenceProperties"] = ConferenceProperties();
        if (!calendar.IsPrimary)
            shown["dataOwner"] = calendar.Owner.Email;
        return Answer.Ok(shown, calendar.ETag);
    }

    private static JsonObject Entry(AccountState user, CalendarListEntry entry)
    {
        var calendar = entry.Calendar;
        var shown = new JsonObject
        {
            ["kind"] = "calendar#calendarListEntry",
            ["etag"] = ETag(entry),
            ["id"] = calendar.Id,
        };
        if (entry.Deleted)
        {
            shown["defaultReminders"] = new JsonArray();
            shown["deleted"] = true;
            return shown;
        }

        shown["summary"] = calendar.Summary;
        if (calendar.Description is not null)
            shown["description"] = calendar.Description;
        shown["timeZone"] = calendar.TimeZone;
        shown["colorId"] = "14";
        shown["backgroundColor"] = "#9fe1e7";
        shown["foregroundColor"] = "#000000";
        shown["selected"] = true;
        shown["accessRole"] = calendar.RoleOf(user);
        shown["defaultReminders"] = new JsonArray();
        if (ReferenceEquals(user.Primary, calendar))
            shown["primary"] = true;
        else
            shown["dataOwner"] = calendar.Owner.Email;
        shown["conferenceProperties"] = ConferenceProperties();
        return shown;
    }

    private static JsonObject ConferenceProperties() =>
        new() { ["allowedConferenceSolutionTypes"] = new JsonArray("hangoutsMeet") };

    private static string ETag(CalendarListEntry entry) => $"\"{entry.UpdatedMicros}\"";

    private static int Rank(string? role) => role switch
    {
        "owner" => 4,
        "writer" => 3,
        "reader" => 2,
        "freeBusyReader" => 1,
        _ => 0,
    };
}
