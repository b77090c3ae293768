using System.Globalization;
using System.Text.Json.Nodes;
using CalSync.Sandbox.Google;
using Microsoft.AspNetCore.Http;

namespace CalSync.Sandbox.Http;

/// <summary>One authenticated call on its way into the model.</summary>
internal sealed class GoogleCall(
    HttpContext context, AccountState user, JsonObject body, FaultEffect? effect, DateTimeOffset now)
{
    private static readonly string[] SendUpdatesWords = ["all", "externalOnly", "none"];

    public AccountState User { get; } = user;

    public JsonObject Body { get; } = body;

    public ILookup<string, string> Query { get; } = context.Request.Query
        .SelectMany(pair => pair.Value.Select(value => (pair.Key, Value: value ?? "")))
        .ToLookup(pair => pair.Key, pair => pair.Value, StringComparer.Ordinal);

    public string CalendarId => (string)context.Request.RouteValues["calendarId"]!;

    public string EventId => (string)context.Request.RouteValues["eventId"]!;

    public string? IfNoneMatch => Header("If-None-Match");

    /// <summary>Reads the write's parameters; an error when one cannot be read.</summary>
    public GoogleError? ReadWrite(out EventWrite write)
    {
        var values = new QueryValues(Query);
        var sendUpdates = values.Text("sendUpdates")
            ?? (values.Flag("sendNotifications") == true ? "all" : "none");
        var version = values.Number("conferenceDataVersion", 0) ?? 0;
        write = new EventWrite(
            User, effect?.StoreIn ?? CalendarId, context.Request.RouteValues["eventId"] as string, Body,
            Header("If-Match"), sendUpdates, version)
        {
            Swallow = effect?.Swallow == true,
            HiddenUntil = effect?.StaleSeconds is { } seconds ? now.AddSeconds(seconds) : null,
            Alteration = effect?.ChangeField is { } field ? (field.Path, field.Value) : null,
        };
        if (!SendUpdatesWords.Contains(sendUpdates))
            return GoogleError.Invalid("Invalid string value.", "sendUpdates");
        return version > 1
            ? GoogleError.Invalid(
                "Invalid value: " + version.ToString(CultureInfo.InvariantCulture), "conferenceDataVersion")
            : values.Problem;
    }

    private string? Header(string name) =>
        context.Request.Headers.TryGetValue(name, out var value) ? value.ToString() : null;
}
