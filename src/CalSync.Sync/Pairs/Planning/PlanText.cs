using CalSync.Sync.Journal;

namespace CalSync.Sync.Pairs.Planning;

/// <summary>A plan as JSON, for keeping and for <c>--json</c>.</summary>
public static class PlanText
{
    /// <summary>Writes steps with every field that changes; whole contents are not in it.</summary>
    public static string Write(SyncPlan plan) => JournalText.Of(new
    {
        plan.Id,
        plan.PairId,
        plan.At,
        plan.Linked,
        waiting = plan.Waiting,
        untouched = plan.Untouched.Select(each => new
        {
            each.Uid,
            each.Title,
            side = each.Side?.Word(),
            each.Why,
        }),
        steps = plan.Steps.Select(step => new
        {
            kind = step.Kind.ToString().ToLowerInvariant(),
            side = step.Side.Word(),
            step.Uid,
            step.Title,
            rule = step.Rule.ToString(),
            proof = step.Proof?.ToString(),
            changes = step.Changes.Select(change => new
            {
                component = change.Component.ToString(),
                change.Property,
                change.Member,
                change.Parameter,
                kind = change.Kind.ToString(),
                change.Before,
                change.After,
            }),
            discarded = step.Discarded.Select(conflict => new
            {
                component = conflict.Component.ToString(),
                conflict.Property,
                chosen = conflict.Chosen.Word(),
                conflict.Left,
                conflict.Right,
            }),
        }),
    });
}
