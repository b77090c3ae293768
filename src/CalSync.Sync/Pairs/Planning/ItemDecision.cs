using System.Collections.Immutable;
using CalSync.Calendar.Comparison;
using CalSync.Calendar.Components;
using CalSync.Calendar.Document;
using CalSync.Calendar.Values;

namespace CalSync.Sync.Pairs.Planning;

/// <summary>Decides one event. Pure: the same facts always give the same plan.</summary>
/// <remarks>
/// A side's edit is what changed since it was last seen, laid over the base: so what the side cannot carry
/// stays. Both sides' full contents are then merged field by field against the base, and each side is
/// written only what its own content lacks of the result.
/// </remarks>
public static class ItemDecision
{
    /// <summary>Decides.</summary>
    /// <param name="facts">What is known.</param>
    /// <param name="policy">Who wins where both sides changed the same field.</param>
    public static ItemPlan Decide(ItemFacts facts, ConflictPolicy policy) =>
        WithPutBack(DecideItem(facts, policy));

    private static ItemPlan DecideItem(ItemFacts facts, ConflictPolicy policy) => facts.Mapping switch
    {
        null or { Status: MappingStatus.Deleted } => DecideNew(facts, policy),
        { Status: MappingStatus.Orphaned } orphan => DecideOrphan(facts, orphan, policy),
        { } known => (facts.Left, facts.Right) switch
        {
            (SideFact.Gone, SideFact.Gone) => Plan(
                facts, SyncRule.DeletedOnBoth, known.Base, new SideAct.None(), new SideAct.None()) with
            { Status = MappingStatus.Deleted },
            (SideFact.Gone gone, _) => DecideGone(facts, known, MergeSide.Left, gone.Proof),
            (_, SideFact.Gone gone) => DecideGone(facts, known, MergeSide.Right, gone.Proof),
            _ => DecideBoth(facts, known, policy),
        },
    };

    /// <summary>An event the ledger does not know, or knows as deleted.</summary>
    private static ItemPlan DecideNew(ItemFacts facts, ConflictPolicy policy)
    {
        switch (facts.Left, facts.Right)
        {
            case (SideFact.Present left, SideFact.Present right):
                var begun = new EventMapping(
                    facts.Mapping?.Id ?? "", facts.Uid, MappingStatus.Active, ResourceContent.Nothing,
                    left.Place with { Seen = ResourceContent.Nothing },
                    right.Place with { Seen = ResourceContent.Nothing });
                var linked = DecideBoth(facts, begun, policy);
                return linked.Conflicts.IsEmpty
                    ? linked with { Rule = facts.LinkedBy ?? SyncRule.LinkedByUid }
                    : linked;
            case (SideFact.Present left, _):
                return Copied(facts, MergeSide.Left, left);
            case (_, SideFact.Present right):
                return Copied(facts, MergeSide.Right, right);
            default:
                return Plan(
                    facts, SyncRule.Equal, facts.Mapping?.Base, new SideAct.None(), new SideAct.None()) with
                {
                    Status = MappingStatus.Deleted,
                };
        }
    }

    /// <summary>An event on one side goes to the other.</summary>
    private static ItemPlan Copied(ItemFacts facts, MergeSide side, SideFact.Present now)
    {
        var full = facts.Busy != side || BusyView.CopyOf(now.Meant) is null ? now.Meant
            : facts.Mapping?.Base is { } agreed && ResourceContent.Entries(agreed).Any()
                ? BusyView.Carry(agreed, now.Meant, agreed)
                : null;
        // A copy without its event says nothing that could be copied.
        SideAct there = full is null ? new SideAct.None() : Create(facts, side.Other(), full);
        SideAct here = new SideAct.Keep(now.Place);
        if (facts.Busy == side && full is not null)
            here = Written(now.Place, Shown(facts.Mapping, side, now.Place, out _));
        return Plan(
            facts, full is null ? SyncRule.Equal : SyncRule.CopiedNew, full ?? facts.Mapping?.Base,
            side == MergeSide.Left ? here : there, side == MergeSide.Left ? there : here) with
        {
            Status = full is null ? MappingStatus.Orphaned : MappingStatus.Active,
        };
    }

    private static SideAct.Create Create(ItemFacts facts, MergeSide side, CalendarDocument full) =>
        new(facts.Busy == side ? BusyView.Of(full) : full, facts.Uid);

    /// <summary>An event on one side only, because a person wanted it so.</summary>
    private static ItemPlan DecideOrphan(ItemFacts facts, EventMapping orphan, ConflictPolicy policy)
    {
        var side = orphan.Left is null ? MergeSide.Right : MergeSide.Left;
        var other = facts.On(side.Other());
        return (orphan.On(side), facts.On(side)) switch
        {
            (null, _) => DecideNew(facts, policy),
            (_, SideFact.Gone) when other is not SideFact.Present => Plan(
                facts, SyncRule.DeletedOnBoth, orphan.Base, new SideAct.None(), new SideAct.None()) with
            { Status = MappingStatus.Deleted },
            ({ } place, SideFact.Present now) when !ResourceContent.IsSame(place.Seen, now.Place.Seen) =>
                DecideNew(facts, policy),
            ({ } place, _) when other is SideFact.Present => DecideNew(
                facts.On(side) is SideFact.Unchanged ? facts.With(side, new SideFact.Present(place)) : facts,
                policy),
            ({ } place, var fact) => Plan(
                facts, SyncRule.Equal, orphan.Base,
                side == MergeSide.Left ? Kept(place, fact) : new SideAct.None(),
                side == MergeSide.Right ? Kept(place, fact) : new SideAct.None()) with
            { Status = MappingStatus.Orphaned },
        };
    }

    private static ItemPlan DecideGone(
        ItemFacts facts, EventMapping known, MergeSide side, DeletionProof proof)
    {
        var other = side.Other();
        var (full, place, isEdited) = Full(known, facts, other);
        SideAct here, there;
        if (place is null || full is null)
            (here, there) = (new SideAct.None(), new SideAct.None());
        else if (isEdited)
            (here, there) = (Create(facts, side, full), Act(facts, known, other, full, place, full));
        else
            (here, there) = (new SideAct.None(), new SideAct.Delete(place, proof));
        return Plan(
            facts, isEdited ? SyncRule.EditBeatsDelete : SyncRule.Deleted, full ?? known.Base,
            side == MergeSide.Left ? here : there, side == MergeSide.Left ? there : here) with
        {
            Status = isEdited ? MappingStatus.Active : MappingStatus.Deleted,
        };
    }

    private static ItemPlan DecideBoth(ItemFacts facts, EventMapping known, ConflictPolicy policy)
    {
        var agreed = known.Base ?? ResourceContent.Nothing;
        var (leftFull, left, isLeftEdited) = Full(known, facts, MergeSide.Left);
        var (rightFull, right, isRightEdited) = Full(known, facts, MergeSide.Right);
        if (left is null || right is null || leftFull is null || rightFull is null)
        {
            // The ledger is missing a place that nobody told about: nothing may be concluded from that.
            return Plan(facts, SyncRule.Equal, known.Base, Stay(left), Stay(right)) with
            { Status = known.Status };
        }

        if (!isLeftEdited && !isRightEdited)
        {
            var (stays, follows) = (
                Act(facts, known, MergeSide.Left, agreed, left, agreed),
                Act(facts, known, MergeSide.Right, agreed, right, agreed));
            return Plan(
                facts, stays.IsWrite || follows.IsWrite ? SyncRule.PutBack : SyncRule.Equal, known.Base,
                stays, follows);
        }

        (MergeSide Side, SyncRule Rule)? found = null;
        (MergeSide Side, SyncRule Rule) Decided() => found ??= facts.Choice is { } choice
            ? (choice, SyncRule.Chosen)
            : Winner(known, facts, policy);
        var merged = CalendarMerge.Merge(
            agreed, leftFull, rightFull,
            (ours, theirs) => ours is null ? MergeSide.Right
                : theirs is null ? MergeSide.Left
                : Decided().Side,
            ResourceContent.Noise);
        var isAsked = !merged.Conflicts.IsEmpty && facts.Choice is null && policy == ConflictPolicy.Ask;
        return Plan(
            facts,
            !merged.Conflicts.IsEmpty ? Decided().Rule
                : !isLeftEdited || !isRightEdited ? SyncRule.Edited
                : ResourceContent.IsSame(leftFull, rightFull) ? SyncRule.SameEdit
                : SyncRule.MergedEdits,
            merged.Document,
            Act(facts, known, MergeSide.Left, leftFull, left, merged.Document),
            Act(facts, known, MergeSide.Right, rightFull, right, merged.Document)) with
        {
            LeftFull = leftFull,
            RightFull = rightFull,
            Conflicts = merged.Conflicts,
            Trouble = isAsked
                ? new Trouble(TroubleKind.Conflict, "Both sides changed "
                    + string.Join(", ", merged.Conflicts.Select(each => each.Property ?? "an occurrence")
                        .Distinct()) + "; the pair asks a person who wins.")
                : null,
        };
    }

    /// <summary>What one side says in full, where it lies, and whether it was edited.</summary>
    private static (CalendarDocument? Full, SidePlace? Place, bool IsEdited) Full(
        EventMapping known, ItemFacts facts, MergeSide side)
    {
        var agreed = known.Base ?? ResourceContent.Nothing;
        var place = known.On(side);
        if (facts.On(side) is not SideFact.Present now)
            return (place is null ? null : agreed, place, false);
        var seen = place?.Seen ?? ResourceContent.Nothing;
        if (facts.Busy == side && !ResourceContent.Entries(seen).Any()
            && facts.On(side.Other()) is SideFact.Present there)
        {
            return (BusyView.Linked(there.Meant, now.Meant), now.Place, true);
        }

        var isCopy = facts.Busy == side && BusyView.IsCopy(known.Base, seen, now.Meant);
        if (isCopy
            ? ResourceContent.IsSame(BusyView.Of(seen), BusyView.Of(now.Meant))
            : ResourceContent.IsSame(seen, now.Meant))
        {
            // What was seen stays the same object, so that a read of nothing new is nothing to record.
            return ResourceContent.IsSame(seen, now.Place.Seen) && place is not null
                ? (agreed, now.Place with { Seen = seen }, false)
                : (agreed, now.Place, false);
        }

        var full = isCopy
            ? BusyView.Carry(seen, now.Meant, agreed)
            : CalendarMerge.Merge(
                seen, agreed, now.Meant, MergePreference.Right, ResourceContent.Noise).Document;
        return (full, now.Place, true);
    }

    /// <summary>What a side must be written so that it says what was agreed.</summary>
    private static SideAct Act(
        ItemFacts facts, EventMapping known, MergeSide side, CalendarDocument full, SidePlace place,
        CalendarDocument agreed)
    {
        if (ResourceContent.IsSame(full, agreed) && facts.Busy != side)
            return new SideAct.Keep(place);
        var content = facts.Busy == side
            ? BusyView.Carry(full, agreed, Shown(known, side, place, out _))
            : CalendarMerge.Merge(
                full, place.Seen, agreed, MergePreference.Right, ResourceContent.Noise).Document;
        return Written(place, content);
    }

    private static SideAct Written(SidePlace place, CalendarDocument content) =>
        ResourceContent.IsSame(place.Seen, content)
            ? new SideAct.Keep(place)
            : new SideAct.Update(place, content);

    /// <summary>What the side that shows only busy holds, without words that were written into a
    /// copy.</summary>
    private static CalendarDocument Shown(
        EventMapping? known, MergeSide side, SidePlace now, out ImmutableArray<string> putBack)
    {
        var seen = known?.On(side)?.Seen ?? ResourceContent.Nothing;
        putBack = [];
        return BusyView.IsCopy(known?.Base, seen, now.Seen)
            ? BusyView.Restored(seen, now.Seen, out putBack)
            : now.Seen;
    }

    /// <summary>The plan, saying which words it puts back.</summary>
    private static ItemPlan WithPutBack(ItemPlan plan)
    {
        if (plan.Facts.Busy is not { } side || plan.Facts.On(side) is not SideFact.Present now
            || plan.On(side) is not SideAct.Update)
        {
            return plan;
        }

        var shown = Shown(plan.Facts.Mapping, side, now.Place, out var putBack);
        return putBack.IsEmpty ? plan : plan with
        {
            Unworded = shown,
            NotCarried =
            [
                .. putBack.Select(name => new CarryLoss(
                    name,
                    "This side shows only busy: what was written there is put back, not carried over.")),
            ],
        };
    }

    private static (MergeSide Side, SyncRule Rule) Winner(
        EventMapping known, ItemFacts facts, ConflictPolicy policy)
    {
        if (policy is ConflictPolicy.Left or ConflictPolicy.Right)
        {
            return (policy == ConflictPolicy.Left ? MergeSide.Left : MergeSide.Right, SyncRule.Chosen);
        }

        var (left, right) = (Revision(known, facts, MergeSide.Left), Revision(known, facts, MergeSide.Right));
        if (left.Raised != right.Raised)
            return (left.Raised > right.Raised ? MergeSide.Left : MergeSide.Right, SyncRule.HigherSequence);
        if (left.Modified is { } ours && right.Modified is { } theirs && ours != theirs)
            return (ours > theirs ? MergeSide.Left : MergeSide.Right, SyncRule.LaterModified);
        return (MergeSide.Left, SyncRule.LeftByDefault);
    }

    /// <summary>
    /// How far a side raised SEQUENCE since it was seen, for servers raise it by rules of their own, and when
    /// it says it was modified.
    /// </summary>
    private static (int Raised, DateTimeOffset? Modified) Revision(
        EventMapping known, ItemFacts facts, MergeSide side)
    {
        if (facts.On(side) is not SideFact.Present now)
            return (0, null);
        var raised = ResourceContent.Entries(now.Place.Seen)
            .Sum(entry => entry.Integer("SEQUENCE"u8).Or(0))
            - (known.On(side) is { } place
                ? ResourceContent.Entries(place.Seen).Sum(entry => entry.Integer("SEQUENCE"u8).Or(0))
                : 0);
        var modified = ResourceContent.Entries(now.Place.Seen)
            .Select(entry => (entry.Time("LAST-MODIFIED"u8).Value as CalendarTime.Utc)?.Moment).Max();
        return (raised, modified);
    }

    private static SideAct.Keep Kept(SidePlace place, SideFact fact) =>
        new SideAct.Keep(fact is SideFact.Present now ? now.Place : place);

    private static SideAct Stay(SidePlace? place) =>
        place is null ? new SideAct.None() : new SideAct.Keep(place);

    private static ItemPlan Plan(
        ItemFacts facts, SyncRule rule, CalendarDocument? agreed, SideAct left, SideAct right) =>
        new(facts, rule, agreed, left, right, []);
}
