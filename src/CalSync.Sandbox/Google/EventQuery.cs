using System.Globalization;
using NodaTime;

namespace CalSync.Sandbox.Google;

/// <summary>The parameters of events.list, checked.</summary>
internal sealed record EventQuery
{
    private static readonly string[] ForbiddenWithSyncToken =
    [
        "iCalUID", "orderBy", "privateExtendedProperty", "q", "sharedExtendedProperty", "timeMin", "timeMax",
        "updatedMin",
    ];

    public string? SyncToken { get; init; }

    public string? PageToken { get; init; }

    public int PageSize { get; init; }

    public Instant? TimeMin { get; init; }

    public Instant? TimeMax { get; init; }

    public Instant? UpdatedMin { get; init; }

    public bool ShowDeleted { get; init; }

    public bool SingleEvents { get; init; }

    public bool ShowHiddenInvitations { get; init; }

    public string? ICalUid { get; init; }

    public string? OrderBy { get; init; }

    public string? Text { get; init; }

    public int? MaxAttendees { get; init; }

    public string? TimeZone { get; init; }

    public IReadOnlyList<(string Key, string Value)> PrivateProperties { get; init; } = [];

    public IReadOnlyList<(string Key, string Value)> SharedProperties { get; init; } = [];

    /// <summary>Reads the query string of events.list or events.instances.</summary>
    public static GoogleError? Read(ILookup<string, string> query, out EventQuery read)
    {
        var values = new QueryValues(query);
        read = new EventQuery
        {
            SyncToken = values.Text("syncToken"),
            PageToken = values.Text("pageToken"),
            PageSize = Math.Min(values.Number("maxResults", 1) ?? 250, 2500),
            TimeMin = values.Moment("timeMin"),
            TimeMax = values.Moment("timeMax"),
            UpdatedMin = values.Moment("updatedMin"),
            ShowDeleted = values.Flag("showDeleted") ?? false,
            SingleEvents = values.Flag("singleEvents") ?? false,
            ShowHiddenInvitations = values.Flag("showHiddenInvitations") ?? false,
            ICalUid = values.Text("iCalUID"),
            OrderBy = values.Text("orderBy"),
            Text = values.Text("q"),
            MaxAttendees = values.Number("maxAttendees", 1),
            TimeZone = values.Text("timeZone"),
            PrivateProperties = values.Pairs("privateExtendedProperty"),
            SharedProperties = values.Pairs("sharedExtendedProperty"),
        };
        return values.Problem ?? Check(read, query);
    }

    private static GoogleError? Check(EventQuery read, ILookup<string, string> query)
    {
        if (read.SyncToken is not null)
        {
            if (ForbiddenWithSyncToken.FirstOrDefault(query.Contains) is { } forbidden)
                return GoogleError.Invalid("Sync token cannot be used with this parameter.", forbidden);
            if (query["showDeleted"].Any(value => value == "false"))
                return GoogleError.Invalid("Sync token cannot be used with this parameter.", "showDeleted");
        }

        if (read.OrderBy is not null and not ("startTime" or "updated"))
            return GoogleError.Invalid("Invalid string value.", "orderBy");
        if (read.OrderBy == "startTime" && !read.SingleEvents)
        {
            return GoogleError.Invalid(
                "The requested ordering is not available for the particular query.", "orderBy");
        }

        if (read.TimeZone is not null && EventTime.Zone(read.TimeZone) is null)
            return GoogleError.Invalid("Invalid time zone.", "timeZone");
        return read.TimeMin is { } min && read.TimeMax is { } max && min >= max
            ? GoogleError.TimeRangeEmpty
            : null;
    }
}

/// <summary>Typed reading of query parameters; remembers the first that could not be read.</summary>
internal sealed class QueryValues(ILookup<string, string> query)
{
    public GoogleError? Problem { get; private set; }

    public string? Text(string name) => query[name].FirstOrDefault();

    public int? Number(string name, int least)
    {
        if (Text(name) is not { } text)
            return null;
        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            && number >= least)
        {
            return number;
        }

        Problem ??= GoogleError.Invalid("Invalid integer value: '" + text + "'.", name);
        return null;
    }

    public bool? Flag(string name)
    {
        if (Text(name) is not { } text)
            return null;
        if (text is "true" or "false")
            return text == "true";
        Problem ??= GoogleError.Invalid("Invalid boolean value: '" + text + "'.", name);
        return null;
    }

    public Instant? Moment(string name)
    {
        if (Text(name) is not { } text)
            return null;
        if (EventTime.ParseInstant(text) is { } instant)
            return instant;
        Problem ??= new GoogleError(
            400, "badRequest", "Bad Request", LocationType: "parameter", Location: name);
        return null;
    }

    public IReadOnlyList<(string Key, string Value)> Pairs(string name)
    {
        var pairs = new List<(string, string)>();
        foreach (var text in query[name])
        {
            var equals = text.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0)
                pairs.Add((text[..equals], text[(equals + 1)..]));
            else
                Problem ??= GoogleError.Invalid("Invalid value for: " + name, name);
        }

        return pairs;
    }
}
