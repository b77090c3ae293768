using System.Collections.Immutable;
using CalSync.Calendar.Document;
using CalSync.Calendar.Values;

namespace CalSync.Calendar.Comparison;

/// <summary>Who wins where both sides changed the same thing. Numbers are stored: append only.</summary>
public enum MergePreference
{
    /// <summary>The left side.</summary>
    Left = 0,

    /// <summary>The right side.</summary>
    Right = 1,

    /// <summary>
    /// Per component the side with the larger SEQUENCE, then the later LAST-MODIFIED, then the left. What was
    /// edited wins over its deletion: losing an edit is worse than seeing a deleted event come back.
    /// </summary>
    Newest = 2,
}

/// <summary>One of two sides.</summary>
public enum MergeSide
{
    /// <summary>The left side.</summary>
    Left = 0,

    /// <summary>The right side.</summary>
    Right = 1,
}

/// <summary>Something that both sides changed, and not to the same.</summary>
/// <param name="Component">Where.</param>
/// <param name="Property">
/// Upper case, several with commas where start and end go together; null for a component that one side
/// deleted and the other edited.
/// </param>
/// <param name="Member">Which of several, as <see cref="CalendarChange.Member"/>; null for none.</param>
/// <param name="Parameter">The parameter, upper case; null when the value is in conflict.</param>
/// <param name="Base">What it was, for a person; null for nothing.</param>
/// <param name="Left">What it is on the left; null for nothing, which is a deletion.</param>
/// <param name="Right">What it is on the right; null for nothing, which is a deletion.</param>
/// <param name="Chosen">Whose the merged document has.</param>
public sealed record MergeConflict(
    ComponentKey Component,
    string? Property,
    string? Member,
    string? Parameter,
    string? Base,
    string? Left,
    string? Right,
    MergeSide Chosen);

/// <summary>One document out of two.</summary>
/// <param name="Document">
/// The octets of one side, in which only the lines are rewritten that the other side changed.
/// </param>
/// <param name="Conflicts">In the order of components; empty when the edits do not touch each other.</param>
public sealed record MergeResult(CalendarDocument Document, ImmutableArray<MergeConflict> Conflicts);

/// <summary>Merges the changes that two sides made to one calendar.</summary>
/// <remarks>
/// Compared is by meaning, as <see cref="CalendarDiff"/> does. Members of sets merge one by one, as do the
/// parameters of a property whose value is the same on all sides. Start and end of a component are one
/// thing: from two edits of them one is taken whole, so that no event ends before it begins. SEQUENCE,
/// DTSTAMP and LAST-MODIFIED are never in conflict: the larger stays. Noise, and lines outside every
/// component, are kept as the side has them whose octets the merged document begins with.
/// </remarks>
public static class CalendarMerge
{
    private static readonly ImmutableArray<string> Revisions = ["SEQUENCE", "DTSTAMP", "LAST-MODIFIED"];

    /// <summary>Merges two sides.</summary>
    /// <param name="base">What both began with.</param>
    /// <param name="left">One side.</param>
    /// <param name="right">The other side.</param>
    /// <param name="preference">Who wins a conflict.</param>
    /// <param name="noise">What is not merged; null takes <see cref="CalendarNoise.OfServers"/>.</param>
    /// <returns>
    /// The right side itself when the left means what the base means, and the left side itself when the
    /// right does or both mean the same. Never throws on what the calendars hold.
    /// </returns>
    public static MergeResult Merge(
        CalendarDocument @base, CalendarDocument left, CalendarDocument right,
        MergePreference preference, CalendarNoise? noise = null) =>
        Merge(
            @base, left, right,
            (ours, theirs) => preference switch
            {
                MergePreference.Left => MergeSide.Left,
                MergePreference.Right => MergeSide.Right,
                MergePreference.Newest => IsRightNewer(ours, theirs) ? MergeSide.Right : MergeSide.Left,
            },
            noise);

    /// <summary>Merges two sides, the caller deciding each component's conflicts.</summary>
    /// <param name="base">What both began with.</param>
    /// <param name="left">One side.</param>
    /// <param name="right">The other side.</param>
    /// <param name="prefer">
    /// Who wins conflicts in a component, given as the left and the right side have it; null for the side
    /// that deleted it.
    /// </param>
    /// <param name="noise">What is not merged; null takes <see cref="CalendarNoise.OfServers"/>.</param>
    /// <inheritdoc cref="Merge(CalendarDocument, CalendarDocument, CalendarDocument, MergePreference,
    /// CalendarNoise?)" path="/returns"/>
    public static MergeResult Merge(
        CalendarDocument @base, CalendarDocument left, CalendarDocument right,
        Func<CalendarComponent?, CalendarComponent?, MergeSide> prefer, CalendarNoise? noise = null)
    {
        // What is the same octet for octet need not be understood.
        if (AreSameOctets(left, right) || AreSameOctets(@base, right))
            return new MergeResult(left, []);
        if (AreSameOctets(@base, left))
            return new MergeResult(right, []);
        var (atBase, atLeft, atRight) = Sides(CalendarNoise.None);
        if (CalendarDiff.Compare(atBase, atRight).IsEmpty || CalendarDiff.Compare(atLeft, atRight).IsEmpty)
            return new MergeResult(left, []);
        if (CalendarDiff.Compare(atBase, atLeft).IsEmpty)
            return new MergeResult(right, []);
        noise ??= CalendarNoise.OfServers;
        (atBase, atLeft, atRight) = Sides(noise with { Properties = noise.Properties.Union(Revisions) });
        var fromRight = CalendarDiff.Compare(atBase, atLeft).IsEmpty
            || (!HasCalendar(left) && HasCalendar(right));
        bool IsRightPreferred(ComponentKey key) => prefer(
            atLeft.Components.TryGetValue(key, out var ours) ? ours : null,
            atRight.Components.TryGetValue(key, out var theirs) ? theirs : null) == MergeSide.Right;
        return fromRight
            ? new MergeRun(atBase, atRight, atLeft, MergeSide.Right, key => !IsRightPreferred(key)).Merge()
            : new MergeRun(atBase, atLeft, atRight, MergeSide.Left, IsRightPreferred).Merge();

        (CalendarSide Base, CalendarSide Left, CalendarSide Right) Sides(CalendarNoise unseen) =>
            (new(@base, unseen), new(left, unseen), new(right, unseen));
    }

    private static bool AreSameOctets(CalendarDocument one, CalendarDocument other) =>
        one.Bytes.Span.SequenceEqual(other.Bytes.Span);

    /// <summary>Makes SEQUENCE, DTSTAMP and LAST-MODIFIED the larger of both sides.</summary>
    internal static void RaiseRevisions(DocumentEdit edit, CalendarComponent ours, CalendarComponent theirs)
    {
        foreach (var name in Revisions)
        {
            if (theirs.PropertiesNamed(name).FirstOrDefault() is not { Document: not null } property)
                continue;
            var mine = ours.PropertiesNamed(name).FirstOrDefault();
            if (mine.Document is null && Rank(property) > 0)
                edit.AddAsItStands(ours, property);
            else if (mine.Document is not null && Rank(property) > Rank(mine))
                edit.Replace(mine, property.Content);
        }
    }

    private static bool HasCalendar(CalendarDocument document) =>
        document.Components.Any(component => component.Is("VCALENDAR"u8));

    private static bool IsRightNewer(CalendarComponent? left, CalendarComponent? right) =>
        left is null || (right is not null && Revision(right.Value).CompareTo(Revision(left.Value)) > 0);

    private static (long Sequence, long LastModified) Revision(CalendarComponent component) => (
        component.Property("SEQUENCE"u8) is { } sequence ? Rank(sequence) : 0,
        component.Property("LAST-MODIFIED"u8) is { } modified ? Rank(modified) : 0);

    /// <summary>Larger is later; 0 for what cannot be read.</summary>
    private static long Rank(CalendarProperty property) =>
        property.Is("SEQUENCE"u8) ? property.ReadInteger().Or(0)
        : property.ReadTime().Value is CalendarTime.Utc time ? time.Moment.UtcTicks
        : 0;
}
