using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using CalSync.Calendar.Comparison;
using CalSync.Calendar.Components;
using CalSync.Calendar.Document;
using CalSync.Calendar.Values;

namespace CalSync.Sync.Pairs.Planning;

/// <summary>
/// What a side that shows only busy is given of an event, and what its edits mean for the full one. Pure.
/// </summary>
/// <remarks>
/// A copy on that side says when, and nothing else: it is built anew from a list of what may be said, so what
/// nobody has thought of is not said. It carries a mark with the UID of the full event, by which it is known
/// for a copy even when the ledger is lost. What somebody made on that side has no mark and keeps its text
/// there: it is theirs. Between the sides go times only, and from there to the full side also the text of
/// what was made there.
/// </remarks>
internal static class BusyView
{
    /// <summary>What a copy is called.</summary>
    public const string Title = "Busy";

    private const string Mark = BusyMark.Property;

    private static readonly ImmutableHashSet<string> Said =
    [
        "UID", "RECURRENCE-ID", "DTSTAMP", "DTSTART", "DTEND", "DUE", "DURATION", "RRULE", "RDATE", "EXDATE",
        "EXRULE", "STATUS", "TRANSP", "SEQUENCE", "CREATED", "LAST-MODIFIED",
    ];

    private static readonly ImmutableHashSet<string> SaidOfZones =
        ["TZID", "DTSTART", "RRULE", "RDATE", "TZOFFSETFROM", "TZOFFSETTO"];

    private static readonly ImmutableHashSet<string> Words =
    [
        "OPAQUE", "TRANSPARENT", "CONFIRMED", "TENTATIVE", "CANCELLED", "NEEDS-ACTION", "COMPLETED",
        "IN-PROCESS", "DRAFT", "FINAL",
    ];

    private static readonly ImmutableHashSet<string> SaidParameters = ["TZID", "VALUE", "RANGE"];

    // Put back where a person changed them: by these a reader knows what it is. What else somebody adds to a
    // copy, an alarm of their own above all, stays there.
    private static readonly ImmutableArray<string> PutBackNames =
        ["SUMMARY", "DESCRIPTION", "X-ALT-DESC", "LOCATION"];

    /// <summary>An event as the side that shows only busy is given it; the view of a view is the
    /// same.</summary>
    public static CalendarDocument Of(CalendarDocument full)
    {
        var writer = new ArrayBufferWriter<byte>();
        Line(writer, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//CalSync//CalSync//EN\r\n");
        foreach (var zone in full.Components.SelectMany(root => root.Components)
            .Where(each => each.Is("VTIMEZONE"u8)))
        {
            Write(writer, zone, SaidOfZones);
        }

        foreach (var entry in ResourceContent.Entries(full))
            Write(writer, entry, Said);
        Line(writer, "END:VCALENDAR\r\n");
        return CalendarDocument.Parse(writer.WrittenMemory);
    }

    /// <summary>The UID of the full event a copy is of; null for what is no copy.</summary>
    public static string? CopyOf(CalendarDocument content)
    {
        foreach (var entry in ResourceContent.Entries(content))
        {
            if (entry.Text("X-CALSYNC-BUSY"u8).Value is { Length: > 0 } uid)
                return uid;
        }

        return null;
    }

    /// <summary>Whether a side holds a copy, also when a server or a program has dropped its mark.</summary>
    /// <param name="agreed">The full content; null when it is not known.</param>
    /// <param name="seen">What the side was seen to hold.</param>
    /// <param name="now">What it holds.</param>
    public static bool IsCopy(CalendarDocument? agreed, CalendarDocument seen, CalendarDocument now) =>
        CopyOf(now) is not null || CopyOf(seen) is not null
        || (ResourceContent.Title(seen) == Title && agreed is not null
            && ResourceContent.Title(agreed) is { Length: > 0 } title && title != Title);

    /// <summary>
    /// Lays what changed from one content to another, of what may be said, over a third that keeps its text.
    /// </summary>
    /// <remarks>An occurrence that is new gets the text of its series, as the third has it.</remarks>
    public static CalendarDocument Carry(
        CalendarDocument before, CalendarDocument after, CalendarDocument onto)
    {
        var (was, now) = (Of(before), Of(after));
        return ResourceContent.IsSame(was, now)
            ? onto
            : CalendarMerge.Merge(
                was, onto, WithText(was, now, onto), MergePreference.Right, ResourceContent.Noise).Document;
    }

    /// <summary>
    /// What the busy side says in full where nobody knows what was agreed on: the full side's text, with the
    /// times of the busy side; and what the busy side has more to say when that is no copy.
    /// </summary>
    public static CalendarDocument Linked(CalendarDocument full, CalendarDocument busy) => Carry(
        full, busy,
        CopyOf(busy) is not null
            ? full
            : CalendarMerge.Merge(
                ResourceContent.Nothing, full, busy, MergePreference.Left, ResourceContent.Noise).Document);

    /// <summary>
    /// A full event in the place of a copy that a person made of a copy, as by going on with a series from an
    /// occurrence on: the copy's times and UID with the text of the event it names.
    /// </summary>
    public static CalendarDocument Dressed(CalendarDocument source, CalendarDocument copy)
    {
        var edit = ResourceContent.Nothing.Edit();
        var home = ResourceContent.Nothing.Components.First();
        var view = Of(copy);
        foreach (var part in view.Components.First().Components)
        {
            edit.AddAsItStands(
                home,
                !part.Is("VTIMEZONE"u8) && ResourceContent.Master(source) is { } master
                    ? Dressed(master, part)
                    : part);
        }

        return edit.Apply();
    }

    /// <summary>What a copy is to say again where a person wrote words into it.</summary>
    /// <param name="seen">What it was last seen to hold; nothing when that is not known.</param>
    /// <param name="now">What it holds.</param>
    /// <param name="putBack">The properties that are put back.</param>
    /// <returns><paramref name="now"/> itself when nobody did.</returns>
    public static CalendarDocument Restored(
        CalendarDocument seen, CalendarDocument now, out ImmutableArray<string> putBack)
    {
        putBack = [];
        if (ResourceContent.IsSame(seen, now))
            return now;
        var clean = ResourceContent.Entries(seen).Any() ? Carry(seen, now, seen) : Of(now);
        var (wanted, held) = (CalendarDiff.Components(clean), CalendarDiff.Components(now));
        var names = CalendarDiff.Compare(now, clean, ResourceContent.Noise)
            .Where(change => change.Property is { } name && (PutBackNames.Contains(name)
                || (name == Mark && change.Before is null)))
            .Select(change => (change.Component, Property: change.Property!)).Distinct().ToList();
        if (names.Count == 0)
            return now;
        var edit = now.Edit();
        foreach (var (key, name) in names)
        {
            foreach (var property in held[key].PropertiesNamed(name))
                edit.Remove(property);
            foreach (var property in wanted[key].PropertiesNamed(name))
                edit.AddAsItStands(held[key], property);
        }

        putBack = [.. names.Select(each => each.Property).Where(name => name != Mark).Distinct()];
        return edit.Apply();
    }

    /// <summary>The view, in which what is new has the text that the content it goes to has for it.</summary>
    private static CalendarDocument WithText(
        CalendarDocument was, CalendarDocument now, CalendarDocument onto)
    {
        var (before, held) = (CalendarDiff.Components(was), CalendarDiff.Components(onto));
        var edit = now.Edit();
        foreach (var (key, part) in CalendarDiff.Components(now))
        {
            if (before.ContainsKey(key) || key.Component is "VCALENDAR" or "")
                continue;
            var source = held.TryGetValue(key, out var same) ? same : ResourceContent.Master(onto);
            if (source is not { } dress || part.Parent is not { } home)
                continue;
            edit.Remove(part);
            edit.AddAsItStands(home, Dressed(dress, part));
        }

        return edit.Apply();
    }

    /// <summary>The text and all else of one component with what may be said of another.</summary>
    private static CalendarComponent Dressed(CalendarComponent text, CalendarComponent times)
    {
        var holder = ResourceContent.Nothing.Edit()
            .AddAsItStands(ResourceContent.Nothing.Components.First(), text).Apply();
        var entry = ResourceContent.Entries(holder).First();
        var edit = holder.Edit();
        foreach (var property in entry.Properties)
        {
            if (Said.Contains(property.Name))
                edit.Remove(property);
        }

        foreach (var property in times.Properties)
        {
            if (Said.Contains(property.Name))
                edit.AddAsItStands(entry, property);
        }

        return ResourceContent.Entries(edit.Apply()).First();
    }

    private static void Write(
        ArrayBufferWriter<byte> writer, CalendarComponent component, ImmutableHashSet<string> said)
    {
        Line(writer, $"BEGIN:{component.Name}\r\n");
        foreach (var property in component.Properties)
        {
            if (said.Contains(property.Name) && (property.Name is not ("STATUS" or "TRANSP")
                || Words.Contains(property.RawValue.ToUpperInvariant())))
            {
                ContentLineWriter.Write(writer, property.Content with
                {
                    Parameters = [.. property.Content.Parameters.Where(each =>
                        SaidParameters.Contains(each.Name.ToUpperInvariant()))],
                });
            }
        }

        if (component.Is("VTIMEZONE"u8))
        {
            foreach (var part in component.Components)
                Write(writer, part, SaidOfZones);
        }
        else if (said == Said)
        {
            ContentLineWriter.Write(writer, NewProperty.Text("SUMMARY", Title));
            ContentLineWriter.Write(writer, NewProperty.Text(Mark, component.Text("UID"u8).Value ?? ""));
        }

        Line(writer, $"END:{component.Name}\r\n");
    }

    private static void Line(ArrayBufferWriter<byte> writer, string text) =>
        writer.Write(Encoding.UTF8.GetBytes(text));
}
