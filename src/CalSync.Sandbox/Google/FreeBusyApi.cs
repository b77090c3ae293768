using System.Text.Json.Nodes;
using CalSync.Sandbox.Http;
using Microsoft.AspNetCore.Routing;
using NodaTime;

namespace CalSync.Sandbox.Google;

/// <summary>freebusy.query: when calendars are taken, without saying by what.</summary>
internal static class FreeBusyApi
{
    private const int CalendarCountMax = 50;

    public static void Map(IEndpointRouteBuilder routes, Gateway gateway, SandboxState state) =>
        gateway.Map(
            routes, "POST", "/calendar/v3/freeBusy", new Operation("freebusy.query", Scopes.FreeBusy),
            call => Query(state.Model, call));

    private static Answer Query(GoogleModel model, GoogleCall call)
    {
        if (Moment(call.Body, "timeMin") is not { } from || Moment(call.Body, "timeMax") is not { } until)
            return GoogleError.Required("timeMin and timeMax are needed.");
        if (from >= until)
            return GoogleError.TimeRangeEmpty;
        var wanted = call.Body["items"] as JsonArray ?? [];
        var ids = new List<string>();
        foreach (var item in wanted)
        {
            if (item is not JsonObject entry || entry["id"] is not JsonValue id
                || !id.TryGetValue<string>(out var text))
            {
                return GoogleError.Invalid("Invalid value for: items");
            }

            ids.Add(text);
        }

        if (ids.Count > CalendarCountMax)
        {
            return new GoogleError(
                400, "tooManyCalendarsRequested", "Too many calendars requested.", "calendar");
        }

        var calendars = new JsonObject();
        foreach (var id in ids.Distinct())
            calendars[id] = Busy(model.Calendar(call.User, id), from, until);
        return Answer.Ok(new JsonObject
        {
            ["kind"] = "calendar#freeBusy",
            ["timeMin"] = Text(from),
            ["timeMax"] = Text(until),
            ["calendars"] = calendars,
        });
    }

    private static JsonObject Busy(CalendarState? calendar, Instant from, Instant until)
    {
        if (calendar is null)
        {
            var error = new JsonObject { ["domain"] = "global", ["reason"] = "notFound" };
            return new JsonObject { ["errors"] = new JsonArray(error), ["busy"] = new JsonArray() };
        }

        var taken = calendar.Slots
            .Select(slot => slot.Current)
            .Where(record => !record.IsCancelled && record.Fields["transparency"] is null)
            .SelectMany(record => record.Recurs ? Instances.Expand(calendar, record, from, until) : [record])
            .Select(record => (
                Start: Instant.Max(EventTime.InstantOf(record.Start, calendar.TimeZone), from),
                End: Instant.Min(EventTime.InstantOf(record.End, calendar.TimeZone), until)))
            .Where(span => span.Start < span.End)
            .OrderBy(span => span.Start);
        return new JsonObject { ["busy"] = new JsonArray([.. Merged(taken).Select(Show)]) };
    }

    private static List<(Instant Start, Instant End)> Merged(IEnumerable<(Instant Start, Instant End)> spans)
    {
        var merged = new List<(Instant Start, Instant End)>();
        foreach (var span in spans)
        {
            if (merged.Count > 0 && merged[^1].End >= span.Start)
                merged[^1] = (merged[^1].Start, Instant.Max(merged[^1].End, span.End));
            else
                merged.Add(span);
        }

        return merged;
    }

    private static JsonObject Show((Instant Start, Instant End) span) =>
        new() { ["start"] = Text(span.Start), ["end"] = Text(span.End) };

    private static string Text(Instant instant) => NodaTime.Text.InstantPattern.General.Format(instant);

    private static Instant? Moment(JsonObject body, string name) =>
        body[name] is JsonValue value && value.TryGetValue<string>(
            out var text) ? EventTime.ParseInstant(text) : null;
}
