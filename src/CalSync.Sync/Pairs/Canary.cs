using System.Collections.Immutable;
using CalSync.Calendar.Comparison;
using CalSync.Calendar.Document;
using CalSync.Calendar.Values;
using CalSync.Sync.Pairs.Planning;

namespace CalSync.Sync.Pairs;

/// <summary>
/// An event of ours in each calendar of a pair that must be seen before a deletion is carried over: where it
/// is missing, the calendar is another one, or was emptied, or is not shown. Pure.
/// </summary>
/// <remarks>Known by its UID alone, of whatever pair it is; never synced, copied or compared.</remarks>
public static class Canary
{
    /// <summary>What it is called.</summary>
    public const string Title = "CalSync marker, please keep";

    private const string UidStart = "calsync-canary-";

    /// <summary>The UID of a pair's canary on one side; the sides' differ, for some accounts hold a UID once
    /// in all their calendars.</summary>
    public static string Uid(string pairId, MergeSide side) => $"{UidStart}{pairId}-{side.Word()}";

    /// <summary>Whether an event is a canary of any pair.</summary>
    public static bool Is(CalendarDocument content) =>
        ResourceContent.Uid(content, out _)?.StartsWith(UidStart, StringComparison.Ordinal) == true;

    /// <summary>The event: a day long past, that blocks nobody and reminds of nothing.</summary>
    /// <param name="pairId">Of which pair.</param>
    /// <param name="side">On which side.</param>
    /// <param name="now">When it is made, UTC.</param>
    public static ResourceDraft Draft(string pairId, MergeSide side, DateTimeOffset now)
    {
        var uid = Uid(pairId, side);
        string[] lines =
        [
            "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//CalSync//CalSync//EN", "BEGIN:VEVENT",
            $"{NewProperty.Text("UID", uid)}", $"{NewProperty.Time("DTSTAMP", CalendarTime.Utc.From(now))}",
            "DTSTART;VALUE=DATE:20000103", "DTEND;VALUE=DATE:20000104", $"SUMMARY:{TextValue.Escape(Title)}",
            "DESCRIPTION:Where CalSync sees this event it carries deletions over. Without it they wait.",
            "TRANSP:TRANSPARENT", "END:VEVENT", "END:VCALENDAR", "",
        ];
        return new ResourceDraft(uid, CalendarDocument.Parse(string.Join("\r\n", lines)), null);
    }

    /// <summary>What was read, without canaries.</summary>
    public static ImmutableArray<RemoteResource> Without(ImmutableArray<RemoteResource> read) =>
        read.Any(each => each.Content is { } content && Is(content))
            ? [.. read.Where(each => each.Content is not { } content || !Is(content))]
            : read;

    /// <summary>Whether a listing has one.</summary>
    public static bool IsIn(ImmutableArray<RemoteResource> read, string uid) => read.Any(each =>
        each.Content is { } content && ResourceContent.Uid(content, out _) == uid);
}
