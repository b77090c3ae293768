using CalSync.Calendar.Comparison;
using CalSync.Sync.Pairs.Planning;

namespace CalSync.Sync.Pairs.History;

/// <summary>What taking back does on one side.</summary>
/// <param name="Act">What is done.</param>
/// <param name="Why">Why it is not done, or not all of it; null when it is.</param>
internal sealed record SidePlan(SideAct Act, string? Why = null)
{
    /// <summary>The side stays, and the ledger knows of it what it knew: what a person did there since is
    /// for the next run to carry over.</summary>
    public static SidePlan Stay(ItemFacts facts, MergeSide side, string? why = null) => new(
        Known(facts, side) is { } place ? new SideAct.Keep(place) : new SideAct.None(), why);

    /// <summary>Where the ledger has the event.</summary>
    public static SidePlace? Known(ItemFacts facts, MergeSide side) =>
        facts.Mapping is { Status: not MappingStatus.Deleted } known ? known.On(side) : null;

    /// <summary>What the side holds now; null when nothing.</summary>
    public static SidePlace? Now(ItemFacts facts, MergeSide side) => facts.On(side) switch
    {
        SideFact.Present present => present.Place,
        SideFact.Unchanged => Known(facts, side),
        _ => null,
    };
}
