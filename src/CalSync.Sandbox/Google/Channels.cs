using System.Globalization;
using System.Text.Json.Nodes;
using System.Threading.Channels;

namespace CalSync.Sandbox.Google;

/// <summary>Push channels: who wants to be told of what, until when. Callers hold the model's lock.</summary>
internal sealed class Channels(GoogleModel model)
{
    private const int IdLengthMax = 64;
    private const int TokenLengthMax = 256;
    private static readonly TimeSpan DefaultLife = TimeSpan.FromDays(7);
    private static readonly TimeSpan LongestLife = TimeSpan.FromDays(30);

    private readonly Dictionary<string, Watch> _watches = new(StringComparer.Ordinal);
    private readonly Channel<ChannelMessage> _messages = Channel.CreateUnbounded<ChannelMessage>();

    /// <summary>Messages to deliver, in the order of the changes.</summary>
    public ChannelReader<ChannelMessage> Messages => _messages.Reader;

    /// <summary>Opens a channel on a calendar's events, or on the account's calendar list.</summary>
    public Answer Open(AccountState user, CalendarState? calendar, string path, JsonObject body)
    {
        if (Check(body) is { } invalid)
            return invalid;
        var id = body["id"]!.GetValue<string>();
        var now = model.Now;
        if (_watches.TryGetValue(id, out var existing) && existing.ExpiresAt > now)
            return new GoogleError(400, "channelIdNotUnique", $"Channel id {id} not unique");
        // Measured: a channel without a wish lives exactly seven days.
        var expiresAt = Expiration(body) is { } wish ? Earlier(wish, now + LongestLife) : now + DefaultLife;
        var resource = calendar?.Id ?? "list:" + user.Email;
        var watch = new Watch(
            id, Ids.ToBase32Hex(resource), $"https://www.googleapis.com/calendar/v3{path}?alt=json",
            body["token"]?.GetValue<string>(
                ), new Uri(body["address"]!.GetValue<string>()), expiresAt, user, calendar);
        _watches[id] = watch;
        Send(watch, "sync");
        var shown = new JsonObject
        {
            ["kind"] = "api#channel",
            ["id"] = id,
            ["resourceId"] = watch.ResourceId,
            ["resourceUri"] = watch.ResourceUri,
            ["expiration"] = expiresAt.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture),
        };
        if (watch.Token is not null)
            shown["token"] = watch.Token;
        return Answer.Ok(shown);
    }

    /// <summary>Closes a channel; both its id and its resource id are needed, and the same user.</summary>
    public Answer Stop(AccountState user, JsonObject body)
    {
        var id = (body["id"] as JsonValue)?.ToString();
        var resourceId = (body["resourceId"] as JsonValue)?.ToString();
        if (id is null || resourceId is null)
            return GoogleError.Required("id and resourceId are needed.");
        if (!_watches.TryGetValue(id, out var watch) || watch.ResourceId != resourceId
            || !ReferenceEquals(watch.User, user))
        {
            return new GoogleError(404, "notFound", $"Channel '{id}' not found for project");
        }

        _watches.Remove(id);
        return Answer.NoContent;
    }

    /// <summary>Something changed: every open channel on it gets a message without content.</summary>
    public void Tell(CalendarState? calendar, AccountState? account)
    {
        var now = model.Now;
        foreach (var watch in _watches.Values)
        {
            var isMeant = calendar is not null ? watch.Calendar == calendar : watch.Calendar is null
                && watch.User == account;
            if (isMeant && watch.ExpiresAt > now)
                Send(watch, "exists");
        }
    }

    private void Send(Watch watch, string state)
    {
        var headers = new Dictionary<string, string>
        {
            ["X-Goog-Channel-ID"] = watch.Id,
            ["X-Goog-Message-Number"] = (++watch.MessageCount).ToString(CultureInfo.InvariantCulture),
            ["X-Goog-Resource-ID"] = watch.ResourceId,
            ["X-Goog-Resource-State"] = state,
            ["X-Goog-Resource-URI"] = watch.ResourceUri,
            ["X-Goog-Channel-Expiration"] = watch.ExpiresAt.ToString("R", CultureInfo.InvariantCulture),
        };
        if (watch.Token is not null)
            headers["X-Goog-Channel-Token"] = watch.Token;
        _messages.Writer.TryWrite(
            new ChannelMessage(watch.Address, headers, watch.User.Email, watch.Calendar?.Id));
    }

    private static GoogleError? Check(JsonObject body)
    {
        foreach (var name in new[] { "id", "type", "address", "token" })
        {
            if (body[name] is { } value && value.GetValueKind() != System.Text.Json.JsonValueKind.String)
                return GoogleError.Invalid($"Invalid value for: {name}");
        }

        if (body["id"]?.GetValue<string>() is not { Length: > 0 } id)
            return GoogleError.Required("entity.id");
        if (id.Length > IdLengthMax || !id.All(
            letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '+' or '/' or '='))
        {
            return GoogleError.Invalid("Invalid channel id.");
        }

        if (body["type"]?.GetValue<string>() is not ("web_hook" or "webhook"))
            return GoogleError.Invalid("Unknown channel type.");
        if (body["token"]?.GetValue<string>().Length > TokenLengthMax)
            return GoogleError.Invalid("Channel token is too long.");
        // The real service asks for https with a public certificate; here only this machine may be called.
        return Uri.TryCreate(body["address"]?.GetValue<string>(), UriKind.Absolute, out var address)
            && address.Scheme is "http" or "https" && address.IsLoopback
                ? null
                : new GoogleError(
                    401, "push.webhookUrlUnauthorized", "Unauthorized WebHook callback channel");
    }

    private static DateTimeOffset? Expiration(JsonObject body) =>
        long.TryParse(
            body["expiration"]?.ToString(
                ), NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds)
        && milliseconds < 253_402_300_799_000
            ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds)
            : null;

    private static DateTimeOffset Earlier(DateTimeOffset left, DateTimeOffset right) =>
        left < right ? left : right;

    private sealed class Watch(
        string id, string resourceId, string resourceUri, string? token, Uri address,
            DateTimeOffset expiresAt,
        AccountState user, CalendarState? calendar)
    {
        public string Id { get; } = id;

        public string ResourceId { get; } = resourceId;

        public string ResourceUri { get; } = resourceUri;

        public string? Token { get; } = token;

        public Uri Address { get; } = address;

        public DateTimeOffset ExpiresAt { get; } = expiresAt;

        public AccountState User { get; } = user;

        public CalendarState? Calendar { get; } = calendar;

        public long MessageCount { get; set; }
    }
}

/// <summary>One push message: headers only.</summary>
internal sealed record ChannelMessage(
    Uri Address, IReadOnlyDictionary<string, string> Headers, string User, string? CalendarId);
