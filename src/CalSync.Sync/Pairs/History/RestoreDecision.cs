using CalSync.Calendar.Comparison;
using CalSync.Sync.Pairs.Planning;

namespace CalSync.Sync.Pairs.History;

/// <summary>Decides how one side gets back what it held at a moment. Pure.</summary>
internal static class RestoreDecision
{
    /// <summary>Decides.</summary>
    /// <param name="facts">What is known.</param>
    /// <param name="side">The side.</param>
    /// <param name="then">What it held then.</param>
    public static SidePlan Decide(ItemFacts facts, MergeSide side, SideTakeBack.ToThen then)
    {
        var now = SidePlan.Now(facts, side);
        return (then.Content, now) switch
        {
            (null, null) => new SidePlan(new SideAct.None()),
            (null, _) => SidePlan.Stay(
                facts, side, "It was not there then; a restore deletes nothing, so it stays."),
            ({ } content, null) => new SidePlan(new SideAct.Create(content, then.Uid ?? facts.Uid)),
            ({ } content, { } held) when ResourceContent.IsSame(content, held.Seen) =>
                SidePlan.Known(facts, side) is { } known && ResourceContent.IsSame(known.Seen, held.Seen)
                    ? new SidePlan(new SideAct.Keep(known))
                    : new SidePlan(new SideAct.Keep(held)),
            ({ } content, { } held) => new SidePlan(
                new SideAct.Update(held, ResourceContent.Following(content, held.Seen))),
        };
    }
}
