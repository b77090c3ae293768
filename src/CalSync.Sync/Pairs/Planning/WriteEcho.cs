using System.Collections.Immutable;
using CalSync.Calendar.Comparison;
using CalSync.Calendar.Document;
using CalSync.Calendar.Values;

namespace CalSync.Sync.Pairs.Planning;

/// <summary>What reading a side after writing to it proves about who wrote last.</summary>
public enum EchoVersion
{
    /// <summary>The write named no version, or the side's versions change by themselves.</summary>
    Unknown = 1,

    /// <summary>The version read is the one the write named: nobody wrote in between.</summary>
    Same = 2,

    /// <summary>The version read is another: somebody wrote in between.</summary>
    Other = 3,
}

/// <summary>
/// Tells what a server made of our own write from what somebody else wrote after it. Pure.
/// </summary>
/// <remarks>
/// Taking a server's damage for an edit would carry the damage to the other side; taking an edit for damage
/// would never carry it anywhere. So the version decides, and without one what differs: a server drops, cuts
/// short and rewrites what it was just sent, and adds extensions; what says something new, a person said.
/// </remarks>
internal static class WriteEcho
{
    private static readonly HashSet<string?> Times = ["DTSTART", "DTEND", "DUE", "EXDATE", "RDATE"];

    /// <summary>What the side is to be remembered as having held after the write.</summary>
    /// <param name="held">What it held before; null for a create.</param>
    /// <param name="sent">What was written.</param>
    /// <param name="got">What was read after.</param>
    /// <param name="version">What the versions say.</param>
    /// <param name="lost">What the provider said that it cannot hold: differences there are its doing, unless
    /// somebody is known to have written in between.</param>
    /// <returns>
    /// <paramref name="got"/> when all of it is the server's doing; else <paramref name="sent"/> with what
    /// the server did to it, so that the rest is an edit.
    /// </returns>
    public static CalendarDocument Seen(
        CalendarDocument? held, CalendarDocument sent, CalendarDocument got, EchoVersion version,
        ImmutableArray<CarryLoss> lost = default)
    {
        var told = lost.IsDefault || version == EchoVersion.Other ? [] : lost;
        return version == EchoVersion.Same || ResourceContent.IsSame(sent, got) ? got
            : version == EchoVersion.Unknown && IsDoneByServer(held, sent, got, told) ? got
            : Carried(held, sent, got, told);
    }

    /// <summary>Whether a side that was read shows a write whose answer was lost.</summary>
    public static bool IsApplied(CalendarDocument? held, CalendarDocument sent, CalendarDocument got)
    {
        if (held is null || ResourceContent.IsSame(sent, got))
            return true;
        if (ResourceContent.IsSame(held, got))
            return false;
        var (written, changed) = (Fields(held, sent), Fields(held, got));
        var changes = CalendarDiff.Compare(sent, got, ResourceContent.Noise);
        var isDone = DoneByServer(held, sent, got, changes, []);
        var missing = changes.ToLookup(change => (change.Component, change.Property));
        // A server drops and cuts values, but no instance: where one is missing, nothing arrived.
        return written.All(field => field.Property is not null || !missing.Contains(field))
            && (changes.All(isDone) || written.Any(HasArrived));

        // An instance that somebody made meanwhile has the key of ours, but not its content.
        bool HasArrived((ComponentKey Component, string? Property) field) => field.Property is null
            ? changes.All(change => change.Component != field.Component || isDone(change))
            : !missing.Contains(field) || (changed.Contains(field) && missing[field].All(isDone));
    }

    /// <summary>
    /// What a side would hold had its server carried all of a write: what was sent, and later edits over it.
    /// </summary>
    public static CalendarDocument Meant(
        CalendarDocument? held, CalendarDocument sent, CalendarDocument got)
    {
        var seen = Seen(held, sent, got, EchoVersion.Unknown);
        return ResourceContent.IsSame(seen, got)
            ? sent
            : CalendarMerge.Merge(
                seen, sent, got, MergePreference.Right, ResourceContent.Noise).Document;
    }

    /// <summary>Whether what is missing of a write is only what a server may have dropped of it.</summary>
    public static bool IsDropped(CalendarDocument sent, CalendarDocument got) =>
        IsDoneByServer(null, sent, got, []);

    /// <summary>What a server made of a write, for the report of what it cannot hold.</summary>
    /// <param name="sent">What was written.</param>
    /// <param name="seen">What it is remembered as having held after.</param>
    public static IEnumerable<CarryLoss> Losses(CalendarDocument sent, CalendarDocument seen) =>
        ReferenceEquals(sent, seen)
            ? []
            : CalendarDiff.Compare(sent, seen, ResourceContent.Noise).Select(change => new CarryLoss(
                Field(change)
                    + (change.Component.RecurrenceId is { Length: > 0 } id ? $" of {id}" : ""),
                change switch
                {
                    { After: null } => "The server does not keep it.",
                    { Before: null } => "The server adds it.",
                    _ => "The server keeps it otherwise than it was sent.",
                })).Distinct();

    private static bool IsDoneByServer(
        CalendarDocument? held, CalendarDocument sent, CalendarDocument got,
        ImmutableArray<CarryLoss> told)
    {
        var changes = CalendarDiff.Compare(sent, got, ResourceContent.Noise);
        return changes.All(DoneByServer(held, sent, got, changes, told));
    }

    private static Func<CalendarChange, bool> DoneByServer(
        CalendarDocument? held, CalendarDocument sent, CalendarDocument got,
        ImmutableArray<CalendarChange> changes, ImmutableArray<CarryLoss> told)
    {
        var written = held is null ? null : Fields(held, sent);
        var (before, after) = changes.Any(change => Times.Contains(change.Property))
            ? (CalendarDiff.Components(sent), CalendarDiff.Components(got))
            : (null, null);
        return change => change.Property?.StartsWith("X-", StringComparison.Ordinal) == true
            || told.Any(loss => IsNamed(change, loss))
            || (written?.Contains((change.Component, change.Property)) != false
                && (IsLess(change, changes) || IsSameMoment(change, before, after)));
    }

    /// <summary>Whether a time is told in another zone or form and is the same moment: a server that knows
    /// its own zones only says it so.</summary>
    private static bool IsSameMoment(
        CalendarChange change, IReadOnlyDictionary<ComponentKey, CalendarComponent>? before,
        IReadOnlyDictionary<ComponentKey, CalendarComponent>? after) =>
        Times.Contains(change.Property)
        && before?.GetValueOrDefault(change.Component) is { } ours
        && after?.GetValueOrDefault(change.Component) is { } theirs
        && Moments(ours, change.Property!) is { Count: > 0 } moments
        && moments.SetEquals(Moments(theirs, change.Property!));

    private static HashSet<string> Moments(CalendarComponent component, string name) =>
    [
        .. component.PropertiesNamed(name).SelectMany(property => property.ReadTimes().TryGet(out var times)
            ? times.Select(ResourceContent.Moment)
            : [property.RawValue]),
    ];

    /// <summary>What was sent, with what the server did to it and nothing that somebody wrote after
    /// it.</summary>
    private static CalendarDocument Carried(
        CalendarDocument? held, CalendarDocument sent, CalendarDocument got,
        ImmutableArray<CarryLoss> told)
    {
        var changes = CalendarDiff.Compare(sent, got, ResourceContent.Noise);
        var isDone = DoneByServer(held, sent, got, changes, told);
        var (before, after) = (CalendarDiff.Components(sent), CalendarDiff.Components(got));
        var edit = sent.Edit();
        foreach (var field in changes.GroupBy(change => (change.Component, change.Property)))
        {
            if (field.Key.Property is { } property && field.All(isDone)
                && before.TryGetValue(field.Key.Component, out var ours)
                && after.TryGetValue(field.Key.Component, out var theirs))
            {
                Replace(edit, ours, theirs, property);
            }
        }

        return edit.Apply();
    }

    private static void Replace(
        DocumentEdit edit, CalendarComponent ours, CalendarComponent theirs, string name)
    {
        foreach (var property in ours.PropertiesNamed(name))
            edit.Remove(property);
        foreach (var property in theirs.PropertiesNamed(name))
            edit.AddAsItStands(ours, property);
        foreach (var part in ours.Components.Where(part => part.Name == name))
            edit.Remove(part);
        foreach (var part in theirs.Components.Where(part => part.Name == name))
            edit.AddAsItStands(ours, part);
    }

    private static string Field(CalendarChange change) => change.Property ?? change.Component.Component;

    /// <summary>Whether a loss is about what changed; one without an occurrence is about all.</summary>
    private static bool IsNamed(CalendarChange change, CarryLoss loss)
    {
        var parts = loss.What.Split(" of ", 2);
        return parts[0] == Field(change)
            && (parts.Length == 1 || parts[1] == change.Component.RecurrenceId);
    }

    /// <summary>
    /// Whether a change says nothing that was not sent: a value is missing, or cut short, or stands where
    /// another that said as much was dropped.
    /// </summary>
    private static bool IsLess(CalendarChange change, ImmutableArray<CalendarChange> all) => change switch
    {
        { Property: null } => false,
        { After: null } => true,
        { Before: { } before } => IsWithin(change.After, before),
        _ => all.Any(other => other is { Before: { } dropped, After: null }
            && other.Component == change.Component && other.Property == change.Property
            && IsWithin(change.After, dropped)),
    };

    private static bool IsWithin(string less, string more) =>
        Letters(more).Contains(Letters(less), StringComparison.Ordinal);

    private static string Letters(string text) =>
        new([.. text.Where(char.IsLetterOrDigit).Select(char.ToUpperInvariant)]);

    private static HashSet<(ComponentKey Component, string? Property)> Fields(
        CalendarDocument before, CalendarDocument after) =>
    [
        .. CalendarDiff.Compare(before, after, ResourceContent.Noise)
            .Select(change => (change.Component, change.Property)),
    ];
}
