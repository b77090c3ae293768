using System.Collections.Immutable;
using System.Globalization;
using CalSync.Calendar.Document;
using CalSync.Sync.Pairs;

namespace CalSync.Remotes.CalDav;

/// <summary>What some servers do unlike the others: the only place that knows a server by name.</summary>
/// <remarks>
/// Recognised by the calendar's URL. What can be found out by asking is not here: dead tokens, missing
/// reports, rows left out and tags that never match are met on any server, and met alike.
/// </remarks>
/// <param name="Provider">Named in the traits: <c>icloud</c> or <c>caldav</c>.</param>
internal sealed record CalDavQuirks(string Provider)
{
    /// <summary>The most resources in one multiget; null for the configured number.</summary>
    public int? BatchCountMax { get; private init; }

    /// <summary>The most writes at once; null for the configured number.</summary>
    public int? ParallelWritesMax { get; private init; }

    /// <summary>If-Match and If-None-Match are ignored, so each write is preceded by a read.</summary>
    public bool IgnoresPreconditions { get; private init; }

    /// <summary>One ETag may stand for two contents, so a change named by a delta is always read.</summary>
    public bool RepeatsETags { get; private init; }

    /// <summary>A connection ends with the answer, which does not say so: a write sent after it may be
    /// lost.</summary>
    public bool ClosesSilently { get; private init; }

    /// <summary>A sync token is the second of the last change, and means what changed after that
    /// second.</summary>
    public bool CountsSeconds { get; private init; }

    /// <summary>How an event without a length is written first.</summary>
    public ShortEventForm ShortEvents { get; private init; } = ShortEventForm.AsItStands;

    /// <summary>The token after which nothing is missed of what changes once a calendar has named
    /// one.</summary>
    public string Safe(string token) =>
        CountsSeconds && long.TryParse(token, CultureInfo.InvariantCulture, out var second) && second > 0
            ? (second - 1).ToString(CultureInfo.InvariantCulture)
            : token;

    /// <summary>The quirks of the server a calendar is on.</summary>
    public static CalDavQuirks Of(Uri calendar)
    {
        var host = calendar.IdnHost.ToLowerInvariant();
        var path = calendar.AbsolutePath;

        // iCloud: fifty hrefs a report are usual among its clients, it throttles early, and it answers 404 to
        // an event without DTEND or DURATION.
        if (host == "icloud.com" || host.EndsWith(".icloud.com", StringComparison.Ordinal))
        {
            return new("icloud")
            {
                BatchCountMax = 50,
                ParallelWritesMax = 4,
                ShortEvents = ShortEventForm.WithEnd,
            };
        }

        // SOGo 5: If-None-Match:* overwrites, If-Match creates, DELETE deletes whatever the tag; a resource
        // deleted and created again has its old tag; two writers at once get 500. The token of a calendar
        // misses what changes later in the same second; the one a delta gives does not.
        // It closes each connection, and says so only for reads.
        if (path.StartsWith("/SOGo/", StringComparison.OrdinalIgnoreCase))
        {
            return new("caldav")
            {
                IgnoresPreconditions = true,
                RepeatsETags = true,
                CountsSeconds = true,
                ClosesSilently = true,
                ParallelWritesMax = 1,
            };
        }

        // DAViCal 1.1: concurrent writers all win.
        if (path.Contains("/caldav.php/", StringComparison.OrdinalIgnoreCase))
            return new("caldav") { ParallelWritesMax = 1 };

        // Xandikos 0.2: reads each resource of a multiget from git, 14 ms apiece; its paths do not tell it,
        // so the configured batch must stay small enough for the attempt timeout. Nothing to do here.
        return new("caldav");
    }
}

/// <summary>How an event without a length is written; tried in this order until the server takes
/// one.</summary>
internal enum ShortEventForm
{
    /// <summary>As the document has it.</summary>
    AsItStands = 0,

    /// <summary>
    /// With a DTEND that says what its absence says. iCloud refuses an event with neither DTEND nor DURATION.
    /// </summary>
    WithEnd = 1,

    /// <summary>
    /// One second long, or without DTEND where it is a day. Cyrus refuses DTEND at DTSTART in every form but
    /// an all-day event without DTEND.
    /// </summary>
    WithLength = 2,
}

/// <summary>Writes events without a length in the form a server takes (RFC 5545 section 3.6.1).</summary>
internal static class ShortEvents
{
    /// <summary>Whether a document has an event the forms differ in.</summary>
    public static bool Any(CalendarDocument document)
    {
        foreach (var one in document.AllComponents)
        {
            if (one.Is("VEVENT"u8) && (HasNoEnd(one) || HasNoLength(one)))
                return true;
        }

        return false;
    }

    /// <summary>The document in one form.</summary>
    /// <param name="document">What is to be written.</param>
    /// <param name="form">Which form.</param>
    /// <param name="lost">What that form cannot say is added.</param>
    public static CalendarDocument Write(
        CalendarDocument document, ShortEventForm form, ImmutableArray<CarryLoss>.Builder lost)
    {
        if (form == ShortEventForm.AsItStands)
            return document;
        var edit = document.Edit();
        foreach (var one in document.AllComponents.Where(one => one.Is("VEVENT"u8)))
        {
            if (one.Property("DTSTART"u8) is not { } start)
                continue;
            if (form == ShortEventForm.WithEnd && HasNoEnd(one))
                edit.Add(one, End(start));
            else if (form == ShortEventForm.WithLength && HasNoLength(one))
                Lengthen(edit, one, start, lost);
        }

        return edit.Apply();
    }

    private static void Lengthen(
        DocumentEdit edit, CalendarComponent one, CalendarProperty start,
        ImmutableArray<CarryLoss>.Builder lost)
    {
        foreach (var end in one.PropertiesNamed("DTEND").Concat(one.PropertiesNamed("DURATION")))
            edit.Remove(end);
        if (IsDate(start))
            return;
        edit.Add(one, new PropertyContent("DURATION", "PT1S"));
        lost.Add(new("DTEND", "This server takes no event without a length; there it lasts one second."));
    }

    private static PropertyContent End(CalendarProperty start)
    {
        var content = start.Content;
        var isDay = DateOnly.TryParseExact(
            content.RawValue, "yyyyMMdd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day)
            && day < DateOnly.MaxValue;
        var value = isDay
            ? day.AddDays(1).ToString("yyyyMMdd", CultureInfo.InvariantCulture)
            : content.RawValue;
        return new("DTEND", value) { Parameters = content.Parameters };
    }

    private static bool HasNoEnd(CalendarComponent one) =>
        one.Property("DTEND"u8) is null && one.Property("DURATION"u8) is null;

    private static bool HasNoLength(CalendarComponent one)
    {
        if (one.Property("DTSTART"u8) is not { } start)
            return false;
        if (one.Property("DTEND"u8) is { } end)
        {
            return end.RawValue == start.RawValue
                && end.ParameterValue("TZID"u8) == start.ParameterValue("TZID"u8);
        }

        return one.Property("DURATION"u8) is { } duration
            ? !duration.RawValue.Any(c => c is >= '1' and <= '9')
            : !IsDate(start);
    }

    private static bool IsDate(CalendarProperty start) =>
        !start.RawValue.Contains('T', StringComparison.OrdinalIgnoreCase);
}
