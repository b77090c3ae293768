using CalSync.Calendar.Comparison;
using CalSync.Calendar.Document;
using CalSync.Sync.Pairs;
using CalSync.Sync.Pairs.Planning;

namespace CalSync.Lab.Simulation;

/// <content>What must be true where one side shows only busy.</content>
internal sealed partial class PairPromises
{
    /// <summary>What begins every word said on the side that shows all.</summary>
    public const string Full = "secret-";

    /// <summary>What begins every word said on the side that shows only busy.</summary>
    public const string Busy = "open-";

    /// <summary>No word of the full side is ever on the side that shows only busy.</summary>
    public void RequireUnsaid(MergeSide side)
    {
        if (busy != side)
            return;
        foreach (var content in calendars[side].Events.Values)
        {
            Require(
                !content.ToString().Contains(Full, StringComparison.Ordinal),
                $"The {side} side shows only busy and says:\n{content}");
        }
    }

    /// <summary>Copies that arrived after their run had given them up, of events that were deleted
    /// meanwhile: left alone, for they could be another pair's.</summary>
    private int Stray(MergeSide side) => busy != side
        ? 0
        : store.Mappings.Count(each => each.Status == MappingStatus.Orphaned
            && (each.Base is null || !ResourceContent.Entries(each.Base).Any())
            && each.On(side) is { } place && BusyView.CopyOf(place.Seen) == each.Uid
            && calendars[side.Other()].Events.Values.All(
                held => ResourceContent.Uid(held, out _) != each.Uid));

    private static bool IsText(string field) =>
        field is "SUMMARY" or "LOCATION" or "DESCRIPTION" or "CONTACT"
        || field.StartsWith("over:", StringComparison.Ordinal);

    private CalendarDocument Shown(EventMapping mapping, MergeSide side) =>
        busy is null ? Content(mapping, side) : BusyView.Of(Content(mapping, side));

    /// <summary>A copy is called busy, and an original on the full side never is.</summary>
    private void CheckCopy(EventMapping mapping)
    {
        if (busy is not { } side)
            return;
        RequireUnsaid(side);
        var (copy, full) = (Content(mapping, side), Content(mapping, side.Other()));
        Require(
            ResourceContent.Entries(full).All(each => each.Property("SUMMARY"u8)?.RawValue != BusyView.Title),
            $"{mapping.Uid} on the {side.Other()} side is called busy.");
        Require(
            BusyView.CopyOf(full) is null, $"{mapping.Uid} on the {side.Other()} side is marked as a copy.");
        Require(
            BusyView.CopyOf(copy) is null || ResourceContent.Title(copy) == BusyView.Title,
            $"{mapping.Uid} is a copy on the {side} side and is called {ResourceContent.Title(copy)}.");
        Require(
            BusyView.CopyOf(copy) is not null || IsBornAt(side, mapping),
            $"{mapping.Uid} on the {side} side is no copy.");
    }

    private static bool IsBornAt(MergeSide side, EventMapping mapping) =>
        mapping.Uid.StartsWith(side.ToString()[0]) || mapping.Uid.Contains("own", StringComparison.Ordinal)
        || mapping.Uid.StartsWith("same", StringComparison.Ordinal);

    /// <summary>The full side says what was last said there; what was said on the other side gets there only
    /// of events that were made there.</summary>
    private string? CheckText(EventMapping mapping, MergeSide side, string field, bool isDeleted)
    {
        var there = side.Other();
        var value = SimulatedPerson.Value(Content(mapping, there), field);
        var isBorn = IsBornAt(side, mapping);
        Require(
            isBorn || value?.Contains(Busy, StringComparison.Ordinal) != true,
            $"{mapping.Uid} {field} on the {there} side says what was said on the {side} side: {value}");
        var (full, other) = (people[there].Edits, people[side].Edits);
        var allowed = new List<string?>();
        if (full.TryGetValue((mapping.On(there)!.Uid, field), out var said))
            allowed.Add(said);
        else
            allowed.Add(_agreed.GetValueOrDefault(mapping.Uid)?.GetValueOrDefault(field));
        if (isBorn && other.TryGetValue((mapping.On(side)!.Uid, field), out said))
            allowed.Add(said);
        // An occurrence that was moved on one side has the title of its series on the other.
        Require(
            isDeleted || IsMaybeUnlinked(mapping) || field.StartsWith("over:", StringComparison.Ordinal)
                || allowed.Any(each => Kept(there, field, each) == value)
                || (field == "CONTACT" && calendars[there].Habits.IsLossy),
            $"{mapping.Uid} {field} on the {there} side is '{value}', of '{string.Join("', '", allowed)}'.");
        return value;
    }
}
