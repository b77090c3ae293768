using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace CalSync.Remotes.Google.Mapping;

/// <summary>One event as Google gave it, with what is needed before its content is looked at.</summary>
/// <param name="Json">The whole of it.</param>
/// <param name="Id">Its id in the calendar.</param>
/// <param name="ETag">Goes back as If-Match; null when the answer has none that can.</param>
/// <param name="IsCancelled">Whether it is deleted, or a left out instance of a series.</param>
/// <param name="MasterId">The series it is an instance of; null when it is none.</param>
internal sealed record GoogleEvent(
    JsonElement Json, string Id, string? ETag, bool IsCancelled, string? MasterId)
{
    private const int ETagLengthMax = 1024;

    /// <summary>Reads the envelope; null when it has no id, so that nothing can be said of it.</summary>
    public static GoogleEvent? Read(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object)
            return null;
        var fields = new Fields(json);
        var id = fields.Text("id");
        var etag = fields.Text("etag");
        var isCancelled = fields.Text("status") == "cancelled";
        var masterId = fields.Text("recurringEventId");
        return fields.Sound && !string.IsNullOrEmpty(id)
            ? new GoogleEvent(json.Clone(), id, IsHeaderText(etag) ? etag : null, isCancelled, masterId)
            : null;
    }

    /// <summary>The UID; null when this is a tombstone or not shown to this account.</summary>
    public string? Uid => new Fields(Json).Text("iCalUID");

    /// <summary>Whether it repeats.</summary>
    public bool Recurs => Json.TryGetProperty("recurrence", out var lines)
        && lines.ValueKind == JsonValueKind.Array && lines.GetArrayLength() > 0;

    private static bool IsHeaderText(string? text) =>
        text is { Length: > 0 and <= ETagLengthMax } && text.All(c => c is > ' ' and <= '~');
}

/// <summary>One resource in Google's terms: a single event, or a series with its exceptions.</summary>
/// <param name="Master">The event or series; null when this account sees only some instances.</param>
/// <param name="Exceptions">Changed and cancelled instances, by id.</param>
internal sealed record GoogleSeries(GoogleEvent? Master, ImmutableArray<GoogleEvent> Exceptions)
{
    /// <summary>A resource from its parts, in any order.</summary>
    /// <remarks>
    /// What is left of the instances of a series that does not repeat any more is none of it.
    /// </remarks>
    public static GoogleSeries Of(GoogleEvent? master, IEnumerable<GoogleEvent> exceptions) =>
        master is { Recurs: false, IsCancelled: false }
            ? new(master, [])
            : new(master, [.. exceptions.OrderBy(each => each.Id, StringComparer.Ordinal)]);

    /// <summary>Where the resource lies: its own id, or that of the first instance we see.</summary>
    public string Id => Master?.Id ?? Exceptions[0].Id;

    /// <summary>Whether nothing of it is left.</summary>
    public bool IsGone => Master is null ? Exceptions.All(each => each.IsCancelled) : Master.IsCancelled;

    /// <summary>Whether one ETag says everything about it.</summary>
    public bool IsSingle => Master is { Recurs: false } && Exceptions.IsEmpty;

    /// <summary>
    /// The ETag of a single event; of a series the master's, a blank, and a hash of all ETags. Null when one
    /// is missing.
    /// </summary>
    public string? Version
    {
        get
        {
            if (IsSingle)
                return Master!.ETag;
            var events = Exceptions.Concat(Master is null ? [] : [Master]).ToList();
            if (events.Any(each => each.ETag is null))
                return null;
            var all = string.Join('\n', events.Select(each => $"{each.Id} {each.ETag}")
                .Order(StringComparer.Ordinal));
            var hash = SHA256.HashData(Encoding.UTF8.GetBytes(all));
            return string.Create(
                CultureInfo.InvariantCulture,
                $"{Master?.ETag ?? "-"} {Convert.ToHexStringLower(hash.AsSpan(0, 16))}");
        }
    }

    /// <summary>The ETag to send for a version of a single event; null for that of a series.</summary>
    public static string? SingleETag(string version) =>
        version.Contains(' ', StringComparison.Ordinal) ? null : version;

    /// <summary>Google's own text, for the quarantine.</summary>
    public string Raw => "[" + string.Join(
        ",\n", (Master is null ? Exceptions : Exceptions.Insert(0, Master))
            .Select(each => each.Json.GetRawText())) + "]";
}
