using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using CalSync.Calendar;
using CalSync.Calendar.Comparison;
using CalSync.Calendar.Components;
using CalSync.Calendar.Document;
using CalSync.Calendar.Values;

namespace CalSync.Sync.Pairs.Planning;

/// <summary>What the engine asks of one resource's content: its UID, whether it changed, who it is.</summary>
internal static class ResourceContent
{
    /// <summary>What nobody edited by hand: another DTSTAMP, PRODID or SEQUENCE is not an edit.</summary>
    public static readonly CalendarNoise Noise = CalendarNoise.OfServers.WithSequence();

    /// <summary>A calendar with nothing in it: what both began with when no base is known.</summary>
    public static readonly CalendarDocument Nothing =
        CalendarDocument.Parse("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n");

    /// <summary>Whether both say the same to a person.</summary>
    public static bool IsSame(CalendarDocument one, CalendarDocument other) =>
        ReferenceEquals(one, other)
        || one.Bytes.Span.SequenceEqual(other.Bytes.Span)
        || (one.Uids.IsEmpty == other.Uids.IsEmpty && CalendarDiff.Compare(one, other, Noise).IsEmpty);

    /// <summary>The components that are events, tasks or journal entries.</summary>
    public static IEnumerable<CalendarComponent> Entries(CalendarDocument document) => document.Entries;

    /// <summary>The one UID of all entries; null with the reason when there is not exactly one.</summary>
    public static string? Uid(CalendarDocument document, out string? problem)
    {
        var uids = document.Uids;
        problem = uids switch
        {
            [] => "It holds no event.",
            [""] => "Its event has no UID.",
            [var uid] when HasControl(uid) => "Its UID has control characters.",
            [_] => null,
            _ => $"It holds {uids.Length.ToString(CultureInfo.InvariantCulture)} different events.",
        };
        return problem is null ? uids[0] : null;
    }

    private static bool HasControl(string text)
    {
        foreach (var letter in text)
        {
            if (char.IsControl(letter))
                return true;
        }

        return false;
    }

    /// <summary>The same content under another UID.</summary>
    public static CalendarDocument WithUid(CalendarDocument document, string uid)
    {
        var edit = document.Edit();
        foreach (var entry in Entries(document))
        {
            if (entry.Text("UID"u8).Value != uid)
                edit.Set(entry, NewProperty.Text("UID", uid));
        }

        return edit.Apply();
    }

    /// <summary>A content that takes the place of another: no entry's SEQUENCE is lower than there, for
    /// programs take what has a lower one for older.</summary>
    public static CalendarDocument Following(CalendarDocument content, CalendarDocument held)
    {
        var before = CalendarDiff.Components(held);
        var edit = content.Edit();
        foreach (var (key, entry) in CalendarDiff.Components(content))
        {
            if (before.TryGetValue(key, out var last)
                && last.Integer("SEQUENCE"u8).Or(0) is var raised
                && raised > entry.Integer("SEQUENCE"u8).Or(0))
            {
                edit.Set(entry, new PropertyContent(
                    "SEQUENCE", raised.ToString(CultureInfo.InvariantCulture)));
            }
        }

        return edit.Apply();
    }

    /// <summary>The same entries, saying nothing but which they are.</summary>
    public static CalendarDocument Bare(CalendarDocument document)
    {
        var edit = document.Edit();
        foreach (var entry in Entries(document))
        {
            foreach (var property in entry.Properties)
            {
                if (!property.Is("UID"u8) && !property.Is("RECURRENCE-ID"u8))
                    edit.Remove(property);
            }

            foreach (var part in entry.Components)
                edit.Remove(part);
        }

        return edit.Apply();
    }

    /// <summary>The component that describes the series, or else the first.</summary>
    public static CalendarComponent? Master(CalendarDocument document)
    {
        CalendarComponent? first = null;
        foreach (var entry in Entries(document))
        {
            if (entry.Property("RECURRENCE-ID"u8) is null)
                return entry;
            first ??= entry;
        }

        return first;
    }

    /// <summary>What the event is called; empty when it has no name.</summary>
    public static string Title(CalendarDocument? document) =>
        document is not null && Master(document) is { } master ? master.Text("SUMMARY"u8).Value ?? "" : "";

    /// <summary>
    /// Who the event is to a person: kind, start, rule, and the letters of its title. Null when it has no
    /// start or no title, and so could be mistaken for another.
    /// </summary>
    public static string? Fingerprint(CalendarDocument document)
    {
        if (Master(document) is not { } master || !master.Time("DTSTART"u8).TryGet(out var start))
            return null;
        var title = new string([.. Title(document).Normalize(NormalizationForm.FormKC).ToLowerInvariant()
            .Where(char.IsLetterOrDigit)]);
        if (title.Length == 0)
            return null;
        var moment = Moment(start);
        var rule = master.Property("RRULE"u8) is { } property
            ? property.ReadRecur() is { State: ReadingState.Read } recur
                ? recur.Value!.ToString()
                : property.RawValue
            : "";
        return $"{master.Name} {moment} {rule} {title}";
    }

    /// <summary>A digest of what the content says, the same whatever a server adds as noise.</summary>
    public static string Digest(CalendarDocument document) =>
        Convert.ToHexStringLower(SHA256.HashData(Noise.Remove(document).Bytes.Span));

    /// <summary>When a time is, whatever zone it is told in; a time without a zone or a day as it
    /// stands.</summary>
    public static string Moment(CalendarTime time) =>
        time is CalendarTime.Zoned zoned ? ZonedMoment(zoned) : time.ToString();

    private static string ZonedMoment(CalendarTime.Zoned zoned) =>
        CalendarZone.Resolve(zoned.TzId) is ZoneResolution.Found { Zone: var zone }
            ? ZonedTime.Resolve(zoned.Local, zone) switch
            {
                WallTimeResolution.Exact exact => Moment(exact.Time),
                WallTimeResolution.Gap gap => Moment(gap.ShiftedForward),
                WallTimeResolution.Overlap overlap => Moment(overlap.Earlier),
                _ => throw new UnreachableException("Unknown resolution."),
            }
            : $"{zoned.TzId} {zoned}";

    private static string Moment(ZonedTime time) => CalendarTime.Utc.From(time.Instant).ToString();
}
