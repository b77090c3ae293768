using System.Collections.Immutable;
using CalSync.Calendar.Comparison;
using CalSync.Sync.Pairs.Planning;

namespace CalSync.Sync.Pairs.History;

/// <summary>All that taking back is planned on.</summary>
/// <param name="Items">What is to be taken back.</param>
/// <param name="Left">The left side's read, matched with the ledger.</param>
/// <param name="Right">The right side's.</param>
/// <param name="Mappings">The ledger's records of the events, by UID.</param>
/// <param name="OpenWrites">Writes the ledger does not know the end of.</param>
/// <param name="Waiting">Keys of what waits for something.</param>
/// <param name="Unknown">UIDs that could not be read.</param>
internal sealed record TakeBackInputs(
    ImmutableArray<ItemTakeBack> Items, ChangeMatch Left, ChangeMatch Right,
    IReadOnlyDictionary<string, EventMapping> Mappings, ImmutableArray<OpenWrite> OpenWrites,
    IReadOnlySet<string> Waiting, IReadOnlySet<string> Unknown)
{
    /// <summary>The side that shows only busy; null when both show all.</summary>
    public MergeSide? Busy { get; init; }
}

/// <summary>Makes the plan of a run that takes back. Pure: the same inputs give the same plan.</summary>
internal static class TakeBackPlanning
{
    /// <summary>Plans every event that is named and no other, in the order of UIDs.</summary>
    /// <param name="inputs">What it is planned on.</param>
    /// <param name="untouched">What stays as it is, and why.</param>
    public static ImmutableArray<ItemPlan> Plan(
        TakeBackInputs inputs, out ImmutableArray<Untouched> untouched)
    {
        var (plans, stays) = (new List<ItemPlan>(), new List<Untouched>());
        foreach (var item in inputs.Items.OrderBy(each => each.Uid, StringComparer.Ordinal))
        {
            if (!inputs.Mappings.TryGetValue(item.Uid, out var mapping))
            {
                stays.Add(new Untouched(item.Uid, "", null, "The ledger does not know it any more."));
            }
            else if (Blocked(inputs, item, mapping) is { } why)
            {
                stays.Add(new Untouched(item.Uid, ResourceContent.Title(mapping.Base), null, why));
            }
            else
            {
                var facts = new ItemFacts(
                    mapping.Uid, mapping, Fact(mapping, MergeSide.Left, inputs.Left),
                    Fact(mapping, MergeSide.Right, inputs.Right))
                { Busy = inputs.Busy };
                var plan = TakeBackDecision.Decide(
                    PairPlanner.WithOpenWrites(facts, inputs.OpenWrites), item);
                plans.Add(plan);
                stays.AddRange(plan.Untouched);
            }
        }

        untouched = [.. stays];
        return [.. plans.Where(plan => plan.IsNews)];
    }

    // What waits may hold edits that no cursor will show again: recording anything would lose them.
    private static string? Blocked(TakeBackInputs inputs, ItemTakeBack item, EventMapping mapping) =>
        inputs.Waiting.Contains("uid:" + item.Uid)
            ? "It waits for something else, which must be settled first: calsync quarantine list"
        : inputs.Left.Blocked.Contains(mapping.Id) || inputs.Right.Blocked.Contains(mapping.Id)
            ? "What a side holds now cannot be read as an event."
        : inputs.Unknown.Contains(item.Uid) ? "It could not be read." : null;

    private static SideFact Fact(EventMapping mapping, MergeSide side, ChangeMatch match) =>
        match.Known.TryGetValue(mapping.Id, out var fact) ? fact
            : mapping.Status != MappingStatus.Deleted && mapping.On(side) is not null
                ? new SideFact.Unchanged()
                : new SideFact.Nothing();
}
