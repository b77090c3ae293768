using System.Diagnostics;
using CalSync.Calendar.Comparison;
using CalSync.Calendar.Document;
using CalSync.Sync.Pairs.Planning;

namespace CalSync.Sync.Pairs.History;

/// <summary>Decides how one event is taken back. Pure: the same facts always give the same plan.</summary>
internal static class TakeBackDecision
{
    private static readonly MergeSide[] Sides = [MergeSide.Left, MergeSide.Right];

    /// <summary>Decides.</summary>
    /// <param name="facts">What is known; the ledger knows the event.</param>
    /// <param name="wanted">What is to be taken back.</param>
    /// <remarks>
    /// What both agreed on stays after an undo of an ordinary run: a side that then says less is remembered
    /// as saying so, and is written again only when somebody edits the other one.
    /// </remarks>
    public static ItemPlan Decide(ItemFacts facts, ItemTakeBack wanted)
    {
        var plans = Sides.ToDictionary(side => side, side => wanted.On(side) switch
        {
            null => SidePlan.Stay(facts, side),
            SideTakeBack.Write write => UndoDecision.Decide(facts, side, write),
            SideTakeBack.ToThen then => RestoreDecision.Decide(facts, side, then),
            _ => throw new UnreachableException("Unknown kind of taking back."),
        });
        var (left, right) = (plans[MergeSide.Left], plans[MergeSide.Right]);
        var known = facts.Mapping?.Base;
        var isAllThen = wanted is { Left: not null, Right: not null }
            && left.Why is null && right.Why is null;
        var agreed = Agreed(known, wanted.Base, isAllThen);
        var title = ResourceContent.Title(known ?? agreed);
        return new ItemPlan(facts, wanted.Rule, agreed, left.Act, right.Act, [])
        {
            TakeBack = wanted,
            Status = Status(IsThere(left.Act), IsThere(right.Act)),
            Untouched =
            [
                .. Sides.Where(side => plans[side].Why is not null)
                    .Select(side => new Untouched(facts.Uid, title, side, plans[side].Why!)),
            ],
        };
    }

    /// <summary>What both sides agree on then: as it was after a restore; and as it was before one that is
    /// undone, under everything later.</summary>
    private static CalendarDocument Agreed(CalendarDocument? known, SideTakeBack? wanted, bool isAllThen)
    {
        var agreed = wanted switch
        {
            SideTakeBack.ToThen { Content: { } content } when isAllThen || known is null => content,
            SideTakeBack.Write { Found: { } found, Written: { } written } when known is not null =>
                CalendarMerge.Merge(
                    written, known, found, MergePreference.Left, ResourceContent.Noise).Document,
            _ => known ?? ResourceContent.Nothing,
        };
        return known is not null && ResourceContent.IsSame(known, agreed) ? known : agreed;
    }

    /// <summary>How an event stands that is on these sides.</summary>
    public static MappingStatus Status(bool isLeft, bool isRight) => (isLeft, isRight) switch
    {
        (true, true) => MappingStatus.Active,
        (false, false) => MappingStatus.Deleted,
        _ => MappingStatus.Orphaned,
    };

    private static bool IsThere(SideAct act) => act is SideAct.Keep or SideAct.Create or SideAct.Update;
}
