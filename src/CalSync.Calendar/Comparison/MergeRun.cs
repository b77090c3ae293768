using System.Collections.Immutable;
using CalSync.Calendar.Components;
using CalSync.Calendar.Document;

namespace CalSync.Calendar.Comparison;

/// <summary>One merge: the document of one side, changed by what the other side changed.</summary>
/// <param name="atBase">What both began with.</param>
/// <param name="ours">The side whose octets the result begins with.</param>
/// <param name="theirs">The other side.</param>
/// <param name="ourSide">Which side ours is for the caller.</param>
/// <param name="isTheirsPreferred">Who wins a conflict in a component.</param>
internal sealed class MergeRun(
    CalendarSide atBase, CalendarSide ours, CalendarSide theirs, MergeSide ourSide,
    Func<ComponentKey, bool> isTheirsPreferred)
{
    private readonly DocumentEdit _edit = ours.Document.Edit();
    private readonly ImmutableArray<MergeConflict>.Builder _conflicts =
        ImmutableArray.CreateBuilder<MergeConflict>();

    /// <summary>Merges.</summary>
    public MergeResult Merge()
    {
        var keys = atBase.Components.Keys.Union(ours.Components.Keys).Union(theirs.Components.Keys);
        foreach (var key in keys.Order())
        {
            switch (ours.Statements(key), theirs.Statements(key))
            {
                case ({ } mine, { } other):
                    MergeComponent(key, mine, other);
                    break;
                case ({ } mine, null) when IsTaken(key, mine, isDeletedByTheirs: true):
                    _edit.Remove(ours.Components[key]);
                    break;
                case (null, { } other) when IsTaken(key, other, isDeletedByTheirs: false):
                    Add(theirs.Components[key]);
                    break;
                default:
                    break;
            }
        }

        return new MergeResult(WithZones(_edit.Apply()), _conflicts.ToImmutable());
    }

    /// <summary>A conflict, told from the caller's sides.</summary>
    /// <param name="conflict">Left is ours, right theirs; what was chosen is told after.</param>
    /// <param name="isTheirs">Whether theirs is taken.</param>
    public void Report(MergeConflict conflict, bool isTheirs)
    {
        var isSwapped = ourSide == MergeSide.Right;
        _conflicts.Add(conflict with
        {
            Left = isSwapped ? conflict.Right : conflict.Left,
            Right = isSwapped ? conflict.Left : conflict.Right,
            Chosen = isTheirs == isSwapped ? MergeSide.Left : MergeSide.Right,
        });
    }

    private void MergeComponent(ComponentKey key, List<Statement> mine, List<Statement> other)
    {
        var component = ours.Components[key];
        new ComponentMerge(
            this, _edit, key, component,
            StatementTable.Align(atBase.Statements(key), mine, other), isTheirsPreferred(key)).Merge();
        CalendarMerge.RaiseRevisions(_edit, component, theirs.Components[key]);
    }

    /// <summary>
    /// Whether what theirs did to a component that one side does not have is taken. A calendar itself is
    /// neither added nor removed.
    /// </summary>
    private bool IsTaken(ComponentKey key, List<Statement> present, bool isDeletedByTheirs)
    {
        if (key.Component == "VCALENDAR")
            return false;
        if (atBase.Statements(key) is not { } before)
            return !isDeletedByTheirs;
        var sides = StatementTable.Align(before, present);
        var isEdited = sides[0].Entries.Keys.Union(sides[1].Entries.Keys)
            .Any(each => sides[0].Said(each)?.Meaning.Text != sides[1].Said(each)?.Meaning.Text);
        if (!isEdited)
            return isDeletedByTheirs;
        var isTheirs = isTheirsPreferred(key);
        var label = isDeletedByTheirs ? ours.Label(key) : theirs.Label(key);
        Report(
            new MergeConflict(
                key, null, null, null, atBase.Label(key), isDeletedByTheirs ? label : null,
                isDeletedByTheirs ? null : label, default),
            isTheirs);
        return isTheirs;
    }

    /// <summary>
    /// Adds to the calendar that holds the rest of the series, or else to the first; to a fragment without a
    /// calendar as it is.
    /// </summary>
    private void Add(CalendarComponent component)
    {
        var uid = component.Text("UID"u8).Value;
        var calendars = ours.Document.Components.Where(root => root.Is("VCALENDAR"u8)).ToList();
        if (calendars.Count == 0)
        {
            _edit.AddAsItStands(component);
            return;
        }

        var home = calendars.FirstOrDefault(
            calendar => calendar.Components.Any(each => each.Text("UID"u8).Value == uid), calendars[0]);
        _edit.AddAsItStands(home, component);
    }

    /// <summary>Brings along the VTIMEZONEs of zones that only theirs has used so far.</summary>
    private CalendarDocument WithZones(CalendarDocument merged)
    {
        var used = UsedZones(merged);
        used.ExceptWith(UsedZones(ours.Document));
        used.ExceptWith(Zones(merged).Select(Name));
        var home = merged.Components.FirstOrDefault(root => root.Is("VCALENDAR"u8));
        if (used.Count == 0 || home.Document is null)
            return merged;
        var edit = merged.Edit();
        foreach (var zone in Zones(theirs.Document).Where(zone => used.Remove(Name(zone))))
            edit.AddAsItStands(home, zone);
        return edit.Apply();
    }

    private static string Name(CalendarComponent zone) => zone.Text("TZID"u8).Value ?? "";

    private static IEnumerable<CalendarComponent> Zones(CalendarDocument document) =>
        document.AllComponents.Where(component => component.Is("VTIMEZONE"u8));

    private static HashSet<string> UsedZones(CalendarDocument document) =>
    [
        .. document.AllComponents.SelectMany(component => component.Properties)
            .Select(property => property.ParameterValue("TZID"u8))
            .OfType<string>(),
    ];
}
