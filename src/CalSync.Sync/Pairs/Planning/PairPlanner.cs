using System.Collections.Immutable;
using CalSync.Calendar.Comparison;
using CalSync.Calendar.Document;
using CalSync.Sync.Pairs.History;

namespace CalSync.Sync.Pairs.Planning;

/// <summary>A write of ours whose end the ledger does not know: a crash or a lost answer.</summary>
/// <param name="Uid">The common UID.</param>
/// <param name="Side">Which side was written to.</param>
/// <param name="Held">What it held before; null for a create.</param>
/// <param name="Sent">What was written; null for a deletion, which is known only of an undo.</param>
/// <param name="Base">What the other side said in full: its edits are what was written.</param>
/// <param name="Other">The other side's place when it was decided; null when it had none.</param>
public sealed record OpenWrite(
    string Uid, MergeSide Side, CalendarDocument? Held, CalendarDocument? Sent, CalendarDocument Base,
    SidePlace? Other)
{
    /// <summary>The record of the write.</summary>
    public string Id { get; init; } = "";

    /// <summary>Which rule decided.</summary>
    public SyncRule Rule { get; init; }

    /// <summary>The UID the event has on the side written to; null when that was not recorded.</summary>
    public string? UidThere { get; init; }

    /// <summary>Whether it took something back: then it was wanted on this side only.</summary>
    public bool IsTakeBack => Rule is SyncRule.Undone or SyncRule.Restored;
}

/// <summary>All that one run is planned on.</summary>
/// <param name="Policy">The pair's policy.</param>
/// <param name="Left">The left side's read, matched with the ledger.</param>
/// <param name="Right">The right side's.</param>
/// <param name="Mappings">Every event of the ledger that a read is about, with its content.</param>
/// <param name="OpenWrites">Writes the ledger does not know the end of.</param>
internal sealed record PlanInputs(
    ConflictPolicy Policy, ChangeMatch Left, ChangeMatch Right,
    IReadOnlyDictionary<string, EventMapping> Mappings, ImmutableArray<OpenWrite> OpenWrites)
{
    /// <summary>Whether both reads were certified, so that what is new may be copied and what is gone
    /// deleted.</summary>
    public bool IsCertified { get; init; } = true;

    /// <summary>The side that shows only busy; null when both show all.</summary>
    public MergeSide? Busy { get; init; }

    /// <summary>Choices of a person, by UID.</summary>
    public IReadOnlyDictionary<string, MergeSide> Choices { get; init; } =
        ImmutableDictionary<string, MergeSide>.Empty;
}

/// <summary>Makes the plan of a run. Pure: the same inputs give the same plan.</summary>
internal static class PairPlanner
{
    /// <summary>Events from which on several threads are worth their start.</summary>
    private const int ParallelCountMin = 512;

    private static readonly SideFact Nowhere = new SideFact.Nothing();

    /// <summary>Plans every event the reads are about, in the order of UIDs.</summary>
    public static ImmutableArray<ItemPlan> Plan(PlanInputs inputs, out ImmutableArray<SideTrouble> troubles)
    {
        var found = new List<SideTrouble>([.. inputs.Left.Troubles, .. inputs.Right.Troubles]);
        var facts = Known(inputs).ToList();
        if (inputs.IsCertified)
            facts.AddRange(New(inputs, found));
        troubles = [.. found];
        ItemPlan Decide(ItemFacts each)
        {
            var known = each.Busy == inputs.Busy ? each : each with { Busy = inputs.Busy };
            if (!inputs.OpenWrites.IsEmpty)
                known = WithOpenWrites(known, inputs.OpenWrites);
            return ItemDecision.Decide(
                inputs.Choices.TryGetValue(known.Uid, out var choice)
                    ? known with { Choice = choice }
                    : known,
                inputs.Policy);
        }

        // Each is decided for itself.
        var decided = facts.Count < ParallelCountMin
            ? facts.Select(Decide)
            : facts.AsParallel().AsOrdered().Select(Decide);
        var plans = decided.OrderBy(plan => plan.Uid, StringComparer.Ordinal);
        return [.. inputs.IsCertified ? plans : plans.Where(IsSafeUncertified)];
    }

    /// <summary>Takes writes into account that the ledger does not know the end of.</summary>
    internal static ItemFacts WithOpenWrites(ItemFacts facts, IEnumerable<OpenWrite> writes)
    {
        foreach (var write in writes.Where(write => write.Uid == facts.Uid
            && facts.Arrived.All(arrived => arrived.Write != write)))
        {
            if (write.IsTakeBack || write.Sent is not { } sent)
            {
                facts = write.IsTakeBack ? TakeBackEcho.WithOpen(facts, write) : facts;
                continue;
            }

            // Made anew because it seemed to be gone: the ledger knows what it was before.
            var held = write.Held ?? facts.Mapping?.On(write.Side)?.Seen;
            if (facts.On(write.Side) is SideFact.Present now
                && WriteEcho.IsApplied(held, sent, now.Place.Seen))
            {
                var seen = WriteEcho.Seen(write.Held, sent, now.Place.Seen, EchoVersion.Unknown);
                facts = WithArrived(
                    facts, new ArrivedWrite(write, now.Place with { Seen = seen }), now.Place,
                    WriteEcho.Meant(write.Held, sent, now.Place.Seen));
            }
        }

        return facts;
    }

    /// <summary>Takes a write into account that has arrived.</summary>
    /// <param name="facts">What is known.</param>
    /// <param name="arrived">The write, and what the side held after it.</param>
    /// <param name="now">What the side holds.</param>
    /// <param name="meant">What it would hold had it carried all of the write.</param>
    internal static ItemFacts WithArrived(
        ItemFacts facts, ArrivedWrite arrived, SidePlace now, CalendarDocument meant)
    {
        var write = arrived.Write;
        var known = facts.Mapping is { Status: not MappingStatus.Deleted } ? facts.Mapping : null;
        if (write.Other is null || (known is null && facts.On(write.Side.Other()) is not SideFact.Present))
        {
            // A copy of ours whose event was deleted before the ledger knew of either: it is known what of.
            return facts.With(write.Side, new SideFact.Present(
                now,
                write.Side == facts.Busy && write.Sent is { } sent && BusyView.CopyOf(sent) is not null
                    && facts.On(write.Side.Other()) is not SideFact.Present
                    ? BusyView.Carry(sent, meant, write.Base)
                    : meant));
        }

        var before = facts.Arrived.LastOrDefault();
        return facts.With(write.Side, new SideFact.Present(now)) with
        {
            IsUnrecorded = true,
            Arrived = facts.Arrived.Add(arrived),
            Mapping = before is not null && AreOneDecision(facts.Busy, before.Write, write)
                ? Agreed(facts, before, arrived)
                : Arrived(facts, known, arrived),
        };
    }

    /// <summary>
    /// The other side's edits have arrived on the side written to: what that side said is the base from now
    /// on, and what this side was seen to hold has them too. Its own edits stay edits.
    /// </summary>
    private static EventMapping Arrived(ItemFacts facts, EventMapping? known, ArrivedWrite arrived)
    {
        var (write, place) = (arrived.Write, arrived.Place!);
        if (write.Held is not null)
        {
            var seen = known?.On(write.Side)?.Seen ?? ResourceContent.Bare(write.Held);
            place = place with
            {
                // What was put back into a copy is no edit of the other side's, where the copy was edited
                // too.
                Seen = facts.Busy == write.Side && BusyView.IsCopy(known?.Base, write.Held, place.Seen)
                    ? BusyView.Carry(write.Held, place.Seen, seen)
                    : CalendarMerge.Merge(
                        write.Held, seen, place.Seen, MergePreference.Right, ResourceContent.Noise).Document,
            };
        }

        return Mapping(facts, write.Base).With(write.Side, place).With(write.Side.Other(), write.Other);
    }

    /// <summary>Whether both writes were decided at once: the second knew nothing of the first.</summary>
    private static bool AreOneDecision(MergeSide? busy, OpenWrite first, OpenWrite second) =>
        !first.IsTakeBack && first.Side != second.Side && first.Held is { } held && second.Held is not null
        && (busy == first.Side
            ? ResourceContent.IsSame(BusyView.Of(held), BusyView.Of(second.Other!.Seen))
            : ResourceContent.IsSame(held, second.Other!.Seen));

    /// <summary>Both writes of one decision have arrived: both sides have said the same.</summary>
    private static EventMapping Agreed(ItemFacts facts, ArrivedWrite first, ArrivedWrite second) =>
        Mapping(
            facts,
            facts.Busy == second.Write.Side
                ? BusyView.Carry(second.Write.Held!, second.Write.Sent!, first.Write.Base)
                : CalendarMerge.Merge(
                    second.Write.Held!, first.Write.Base, second.Write.Sent!, MergePreference.Right,
                    ResourceContent.Noise).Document)
            .With(first.Write.Side, first.Place).With(second.Write.Side, second.Place);

    private static EventMapping Mapping(ItemFacts facts, CalendarDocument agreed) =>
        new(facts.Mapping?.Id ?? "", facts.Uid, MappingStatus.Active, agreed, null, null);

    private static IEnumerable<ItemFacts> Known(PlanInputs inputs)
    {
        var ids = inputs.Left.Known.Keys.Union(inputs.Right.Known.Keys, StringComparer.Ordinal)
            .Where(id => !inputs.Left.Blocked.Contains(id) && !inputs.Right.Blocked.Contains(id));
        foreach (var id in ids)
        {
            var mapping = inputs.Mappings[id];
            SideFact On(MergeSide side, ChangeMatch match) =>
                match.Known.TryGetValue(id, out var fact) ? fact
                : mapping.Status != MappingStatus.Deleted && mapping.On(side) is not null
                    ? new SideFact.Unchanged()
                    : new SideFact.Nothing();
            yield return new ItemFacts(
                mapping.Uid, mapping, On(MergeSide.Left, inputs.Left), On(MergeSide.Right, inputs.Right));
        }
    }

    /// <summary>Events new to the ledger: linked by UID, then by content, else copied.</summary>
    private static IEnumerable<ItemFacts> New(PlanInputs inputs, List<SideTrouble> troubles)
    {
        var (left, right) = (inputs.Left.New, inputs.Right.New);
        var alone = new Dictionary<MergeSide, List<SidePlace>>
        {
            [MergeSide.Left] = [.. left.Values.Where(place => !right.ContainsKey(place.Uid))],
            [MergeSide.Right] = [.. right.Values.Where(place => !left.ContainsKey(place.Uid))],
        };
        foreach (var place in left.Values)
        {
            if (right.TryGetValue(place.Uid, out var other))
            {
                yield return new ItemFacts(
                    place.Uid, null, new SideFact.Present(place), new SideFact.Present(Shared(other, place)))
                { LinkedBy = SyncRule.LinkedByUid };
            }
        }

        foreach (var copy in Copies(inputs, alone))
            yield return copy;

        // Where one side has nothing alone there is nothing to find on it.
        if (alone.Values.Any(places => places.Count == 0))
        {
            foreach (var (side, places) in alone)
            {
                foreach (var place in places)
                    yield return Alone(side, place);
            }

            yield break;
        }

        var groups = alone.SelectMany(side => side.Value.Select(place => (
                Side: side.Key, Place: place,
                Print: ResourceContent.Fingerprint(place.Seen) ?? $"{side.Key.Word()} {place.Uid}")))
            .GroupBy(each => each.Print, StringComparer.Ordinal);
        foreach (var group in groups)
        {
            var ours = group.Where(each => each.Side == MergeSide.Left).Select(each => each.Place).ToList();
            var theirs = group.Where(each => each.Side == MergeSide.Right).Select(each => each.Place)
                .ToList();
            switch (ours, theirs)
            {
                case ([var one], [var other]):
                    yield return new ItemFacts(
                        one.Uid, null, new SideFact.Present(one),
                        new SideFact.Present(other with
                        {
                            Seen = ResourceContent.WithUid(other.Seen, one.Uid),
                        }))
                    { LinkedBy = SyncRule.LinkedByContent };
                    break;
                case ({ Count: > 0 }, { Count: > 0 }):
                    troubles.AddRange(group.Select(each => Ambiguous(each.Side, each.Place, ours, theirs)));
                    break;
                default:
                    foreach (var (side, place, _) in group)
                        yield return Alone(side, place);
                    break;
            }
        }
    }

    private static ItemFacts Alone(MergeSide side, SidePlace place) =>
        new ItemFacts(place.Uid, null, Nowhere, Nowhere).With(side, new SideFact.Present(place));

    /// <summary>A place with the other's content when that is the same: one is kept in memory and told
    /// apart.</summary>
    private static SidePlace Shared(SidePlace place, SidePlace other) =>
        place.Seen.Bytes.Span.SequenceEqual(other.Seen.Bytes.Span)
            ? place with { Seen = other.Seen }
            : place;

    /// <summary>
    /// Copies on the side that shows only busy whose UID nobody knows: those of an event whose counterpart
    /// the ledger has lost are linked by their mark, those a person made of a copy become events. They are
    /// taken out of what is alone.
    /// </summary>
    private static IEnumerable<ItemFacts> Copies(
        PlanInputs inputs, Dictionary<MergeSide, List<SidePlace>> alone)
    {
        if (inputs.Busy is not { } side)
            yield break;
        var (mine, full) = (alone[side], alone[side.Other()]);
        foreach (var place in mine.Where(each => BusyView.CopyOf(each.Seen) is not null).ToList())
        {
            mine.Remove(place);
            var uid = BusyView.CopyOf(place.Seen)!;
            var there = full.Find(each => each.Uid == uid);
            if (there is not null)
                full.Remove(there);
            var source = inputs.Mappings.Values.FirstOrDefault(each => each.Uid == uid)?.Base
                ?? (side == MergeSide.Left ? inputs.Right : inputs.Left).New.GetValueOrDefault(uid)?.Seen;
            var copy = there is null ? place
                : place with { Seen = ResourceContent.WithUid(place.Seen, uid) };
            var fact = source is null || there is not null
                ? new SideFact.Present(copy)
                : new SideFact.Present(copy, BusyView.Dressed(source, copy.Seen));
            yield return new ItemFacts(
                there?.Uid ?? place.Uid, null, new SideFact.Nothing(), new SideFact.Nothing())
            { LinkedBy = there is null ? null : SyncRule.LinkedByUid }
                .With(side, fact)
                .With(side.Other(), there is null ? new SideFact.Nothing() : new SideFact.Present(there));
        }
    }

    private static SideTrouble Ambiguous(
        MergeSide side, SidePlace place, List<SidePlace> left, List<SidePlace> right) => new(
        side, place.Address, place.Uid, null,
        new Trouble(
            TroubleKind.Ambiguous,
            FormattableString.Invariant(
                $"\"{ResourceContent.Title(place.Seen)}\" is {left.Count} times on the left and ")
            + FormattableString.Invariant(
                $"{right.Count} times on the right at this time, with other UIDs: a person must say ")
            + "which belong together."));

    /// <summary>After a read that is not complete only edits of linked events are carried over.</summary>
    private static bool IsSafeUncertified(ItemPlan plan) =>
        plan.Left is SideAct.Keep or SideAct.Update && plan.Right is SideAct.Keep or SideAct.Update;
}
