using System.Collections.Immutable;
using CalSync.Calendar.Comparison;
using CalSync.Calendar.Document;
using CalSync.Sync.Pairs.History;
using CalSync.Sync.Pairs.Planning;
using CalSync.Sync.Providers;

namespace CalSync.Sync.Pairs.Execution;

/// <summary>How one event ended in a run.</summary>
internal enum ItemEnd
{
    /// <summary>Recorded.</summary>
    Done = 1,

    /// <summary>It waits durably; cursors may pass it.</summary>
    SetAside = 2,

    /// <summary>The next run does it.</summary>
    Deferred = 3,
}

/// <summary>
/// Does what was decided about one event: writes, looks what became of it, decides again when a side turns
/// out otherwise, and records the end in one transaction.
/// </summary>
internal sealed class ItemRun(RunScope scope, ItemPlan plan)
{
    private static readonly MergeSide[] Sides = [MergeSide.Left, MergeSide.Right];
    private readonly List<WriteRecord> _done = [];
    private readonly List<OpenWrite> _maybe = [];
    private readonly BegunWrites _open = new();
    private (MergeSide Side, ProviderFault? Fault)? _faced;
    private ImmutableArray<MergeConflict> _conflicts = plan.Conflicts;
    private CalendarDocument? _left = Found(plan, MergeSide.Left);
    private CalendarDocument? _right = Found(plan, MergeSide.Right);
    private readonly ItemFacts _first = plan.Facts;
    private ItemPlan _plan = plan;

    /// <summary>The writes the plan asks for, to be recorded before the first is made.</summary>
    public IEnumerable<WriteRecord> Begin()
    {
        foreach (var side in Sides)
        {
            if (!_plan.On(side).IsWrite)
                continue;
            var write = NewWrite(side);
            _open.Add(write);
            yield return write;
        }
    }

    /// <inheritdoc cref="BegunWrites.UntriedIds"/>
    public IEnumerable<string> UntriedIds => _open.UntriedIds;

    /// <summary>Does it.</summary>
    public async Task<ItemEnd> RunAsync(CancellationToken cancellation)
    {
        for (var round = 0; round < scope.Options.DecisionCountMax; round++)
        {
            if (scope.IsStopped)
                return ItemEnd.Deferred;
            if (_plan.Trouble is { } trouble)
                return await SetAsideAsync(trouble, cancellation);
            if (round > 0 && !await BeginAgainAsync(cancellation))
                return ItemEnd.Deferred;
            switch (await RoundAsync(cancellation))
            {
                case { } end:
                    return end;
                default:
                    DecideAgain();
                    break;
            }
        }

        // What fails each time it is tried would else be tried in every run, and hold up the cursors.
        return _plan.IsWrite && _faced is var (side, fault)
            ? await FailAsync(side, fault ?? Unsteady(side), cancellation)
            : ItemEnd.Deferred;
    }

    /// <summary>Records what needs no write.</summary>
    public LedgerChange Change()
    {
        var result = Result();
        return new LedgerChange(result, _plan.Rule, [.. _done], _conflicts, _left, _right)
        {
            Arrived =
            [
                .. _plan.Facts.Arrived.Where(arrived => arrived.Write.Id.Length > 0
                    && _done.All(done => done.Id != arrived.Write.Id)),
            ],
            IsVersion = _done.Count > 0 || _first is { IsUnrecorded: true } or { Mapping: null }
                || _first.Mapping.Status != result.Status
                || IsOther(_first.Mapping.Left, result.Left?.Seen) || IsOther(_first.Mapping.Left, _left)
                || IsOther(_first.Mapping.Right, result.Right?.Seen)
                || IsOther(_first.Mapping.Right, _right),
        };
    }

    private static bool IsOther(SidePlace? known, CalendarDocument? content) =>
        known is null || content is null
            ? known is not null || content is not null
            : !ResourceContent.IsSame(known.Seen, content);

    private void DecideAgain()
    {
        if (_plan.TakeBack is { } wanted)
        {
            var before = _plan.Untouched;
            _plan = TakeBackDecision.Decide(_plan.Facts, wanted);
            scope.Leave(_plan.Untouched.Except(before));
            return;
        }

        _plan = ItemDecision.Decide(_plan.Facts, scope.Lease.Pair.Policy);
        if (!_plan.Conflicts.IsEmpty)
            _conflicts = _plan.Conflicts;
    }

    /// <summary>One try of the plan; null when a side turned out otherwise and the facts say so.</summary>
    private async Task<ItemEnd?> RoundAsync(CancellationToken cancellation)
    {
        foreach (var side in Sides)
        {
            if (_plan.NeedsProof
                && _plan.Facts.On(side) is SideFact.Gone { Proof: DeletionProof.AbsentFromListing }
                && await ConfirmAsync(side, cancellation) is var confirmed && confirmed != ItemEnd.Done)
            {
                return confirmed;
            }
        }

        foreach (var side in Sides)
        {
            var act = _plan.On(side);
            if (!act.IsWrite)
                continue;
            var write = _open.Try(side);
            switch (await scope.Sides[side].WriteAsync(act, write, cancellation))
            {
                case SideEnd.Done done:
                    Finish(side, done);
                    break;
                case SideEnd.Otherwise otherwise:
                    _faced = (side, otherwise.Lost);
                    await FaceAsync(side, write, otherwise, cancellation);
                    return null;
                case SideEnd.Refused refused:
                    return await RefuseAsync(side, write, refused.Fault, cancellation);
                case SideEnd.Failed failed:
                    if (!failed.IsOpen)
                        await VoidAsync(side, cancellation);
                    return await FailAsync(side, failed.Fault, cancellation);
            }
        }

        return await scope.RecordAsync(Change(), cancellation) ? ItemEnd.Done : ItemEnd.Deferred;
    }

    private void Finish(MergeSide side, SideEnd.Done done)
    {
        _open.Close(side);
        _done.Add(done.Write with { State = "done" });
        scope.CountWrite(done.Write);
        var isTakeBack = _plan.TakeBack is not null;
        var place = isTakeBack && done.Place is not null
            ? TakeBackEcho.Remembered(_plan.Facts, Opened(done.Write), done.Place)
            : done.Place;
        SideAct after = place is null ? new SideAct.None() : new SideAct.Keep(place);
        _plan = side == MergeSide.Left ? _plan with { Left = after } : _plan with { Right = after };
        if (isTakeBack)
        {
            _plan = _plan with
            {
                Facts = TakeBackEcho.WithDone(_plan.Facts, Opened(done.Write), done.Place),
            };
        }
        else if (done.Place is not null)
        {
            // Should the other side turn out otherwise, these are not edits of this one.
            _plan = _plan with
            {
                Facts = PairPlanner.WithArrived(
                    _plan.Facts, new ArrivedWrite(Opened(done.Write), done.Place), done.Place,
                    done.Write.Sent!),
            };
        }
    }

    /// <summary>A listing did not have it: only a direct read proves that it is gone.</summary>
    private async Task<ItemEnd> ConfirmAsync(MergeSide side, CancellationToken cancellation)
    {
        var place = _plan.Facts.Mapping!.On(side)!;
        var (fact, fault) = await scope.Sides[side].ReadAsync(
            place.Address, place.Uid, _plan.Uid, cancellation);
        // A listing that misses an event may also miss that it was moved.
        if (fact is SideFact.Gone)
            (fact, fault) = await scope.Sides[side].FindAsync(place.Uid, _plan.Uid, cancellation);
        if (fault is not null)
            return await FailAsync(side, fault, cancellation);
        if (fact is SideFact.Gone)
            return ItemEnd.Done;
        // One of the two reads is behind, and nothing says which: the next run reads both again.
        await VoidAllAsync(cancellation);
        return await FailAsync(side, Unsure(side), cancellation);
    }

    private static ProviderFault Unsteady(MergeSide side) => new(
        ProviderReason.Conflict, null, null,
        $"The {side.Word()} is otherwise each time it is written to; another program may be writing it.");

    private static ProviderFault Unsure(MergeSide side) => new(
        ProviderReason.OutsideProtocol, null, null,
        $"The {side.Word()} gives the event when asked for it, but does not list it.");

    private async Task FaceAsync(
        MergeSide side, WriteRecord write, SideEnd.Otherwise otherwise, CancellationToken cancellation)
    {
        // Where a create was lost and nothing is found, all is as it was.
        var facts = Known(otherwise.Fact is SideFact.Nothing
            ? _plan.Facts
            : _plan.Facts.With(side, otherwise.Fact));
        if (otherwise is { MayBeOurs: true, Fact: SideFact.Present now }
            && WriteEcho.IsApplied(write.Before, write.Sent ?? now.Place.Seen, now.Place.Seen)
            && write.Sent is not null)
        {
            facts = PairPlanner.WithOpenWrites(facts, [Opened(write)]);
            _open.Close(side);
            var seen = WriteEcho.Seen(write.Before, write.Sent, now.Place.Seen, EchoVersion.Unknown);
            var done = write with
            {
                State = "done",
                Address = now.Place.Address,
                After = now.Place.Seen,
                Lost = [.. write.Lost.Union(WriteEcho.Losses(write.Sent, seen))],
            };
            _done.Add(done);
            scope.CountWrite(done);
        }
        else if (_plan.TakeBack is null
            ? otherwise.MayBeOurs && write.Sent is not null
            : otherwise.MayBeOurs || otherwise.Fact is SideFact.Nothing)
        {
            // What was read may be behind: should the write show later, it is known as ours.
            _open.Close(side);
            _maybe.Add(Opened(write));
        }
        else
        {
            await VoidAsync(side, cancellation);
        }

        Remember(side, otherwise.Fact);
        _plan = _plan with { Facts = facts };
        await VoidAllAsync(cancellation);
    }

    private ItemFacts Known(ItemFacts facts) =>
        PairPlanner.WithOpenWrites(facts, scope.OpenWrites.Concat(_maybe));

    private void Remember(MergeSide side, SideFact fact)
    {
        var found = (fact as SideFact.Present)?.Place.Seen;
        if (side == MergeSide.Left)
            _left = found;
        else
            _right = found;
    }

    private async Task<ItemEnd> RefuseAsync(
        MergeSide side, WriteRecord write, ProviderFault fault, CancellationToken cancellation)
    {
        await VoidAsync(side, cancellation);
        if (_plan.TakeBack is not null)
            return Leave(side, $"The {side.Word()} refuses it: {fault.Message}");
        return await SetAsideAsync(
            new Trouble(
                TroubleKind.Refused, $"The {side.Word()} refuses it: {fault.Message}",
                write.Sent?.ToString()),
            cancellation);
    }

    private async Task<ItemEnd> SetAsideAsync(Trouble trouble, CancellationToken cancellation)
    {
        await VoidAllAsync(cancellation);
        var isKept = await scope.Store.SetAsideAsync(
            scope.Lease, [Waiting(trouble, 0, null, isSettled: true)], scope.Clock.GetUtcNow(), cancellation);
        scope.IsLeaseLost |= !isKept;
        return isKept ? ItemEnd.SetAside : ItemEnd.Deferred;
    }

    /// <summary>It failed now; after several runs it waits apart, so that it does not hold up the
    /// rest.</summary>
    private async Task<ItemEnd> FailAsync(
        MergeSide side, ProviderFault fault, CancellationToken cancellation)
    {
        scope.CountFailure(side, fault);
        if (RunScope.IsOfSide(fault.Reason))
            return ItemEnd.Deferred;
        if (_plan.TakeBack is not null)
            return Leave(side, $"Writing to the {side.Word()} failed: {fault.Message}");
        var before = scope.Waiting.GetValueOrDefault(ItemKey(_plan.Uid));
        var attempts = (before?.Trouble.Kind == TroubleKind.Failing ? before.Attempts : 0) + 1;
        // A cursor has passed what was settled before.
        var isSettled = attempts >= scope.Options.FailedRunCountMax || before?.IsSettled == true;
        var now = scope.Clock.GetUtcNow();
        var wait = TimeSpan.FromHours(Math.Min(24, Math.Pow(2, Math.Min(attempts, 10) - 1)));
        var isKept = await scope.Store.SetAsideAsync(
            scope.Lease,
            [
                Waiting(
                    new Trouble(TroubleKind.Failing, $"Writing to the {side.Word()} fails: {fault.Message}"),
                    attempts, isSettled ? now + wait : null, isSettled),
            ],
            now, cancellation);
        scope.IsLeaseLost |= !isKept;
        return isSettled && isKept ? ItemEnd.SetAside : ItemEnd.Deferred;
    }

    /// <summary>What is taken back waits for nobody: who asked is told, and may ask again.</summary>
    private ItemEnd Leave(MergeSide side, string why)
    {
        scope.Leave(new Untouched(_plan.Uid, ResourceContent.Title(_plan.Base), side, why));
        return ItemEnd.Deferred;
    }

    private WaitingItem Waiting(
        Trouble trouble, int attempts, DateTimeOffset? nextAttemptAt, bool isSettled) => new(
        ItemKey(_plan.Uid), _plan.Uid, Address(MergeSide.Left), Address(MergeSide.Right), trouble, attempts,
        nextAttemptAt, isSettled);

    /// <summary>The key under which an event with a UID waits.</summary>
    public static string ItemKey(string uid) => "uid:" + uid;

    private ResourceAddress? Address(MergeSide side) =>
        _plan.Facts.On(side) is SideFact.Present now ? now.Place.Address
            : _plan.Facts.Mapping?.On(side)?.Address;

    private async Task<bool> BeginAgainAsync(CancellationToken cancellation)
    {
        var writes = Begin().ToList();
        return writes.Count == 0 || await scope.BeginAsync(writes, cancellation);
    }

    private async Task VoidAllAsync(CancellationToken cancellation)
    {
        while (_open.First is { } write)
            await VoidAsync(write.Side, cancellation);
    }

    private async Task VoidAsync(MergeSide side, CancellationToken cancellation)
    {
        if (_open.Close(side) is not { } write)
            return;
        scope.IsLeaseLost |= !await scope.Store.VoidAsync(
            scope.Lease, [write.Id], scope.Clock.GetUtcNow(), cancellation);
    }

    private EventMapping Result() => new(
        _plan.Facts.Mapping is { Id.Length: > 0 } known ? known.Id : scope.Ids.Next("map"),
        _plan.Uid, _plan.Status, _plan.Base, (_plan.Left as SideAct.Keep)?.Place,
        (_plan.Right as SideAct.Keep)?.Place);

    private WriteRecord NewWrite(MergeSide side)
    {
        var act = _plan.On(side);
        var (kind, before, sent, proof) = act switch
        {
            SideAct.Create create => (StepKind.Create, (CalendarDocument?)null, create.Content, null),
            SideAct.Update update => (StepKind.Update, update.Held.Seen, update.Content, null),
            SideAct.Delete delete => (
                StepKind.Delete, delete.Held.Seen, (CalendarDocument?)null, (DeletionProof?)delete.Proof),
            _ => throw new ArgumentException("Nothing is to be written.", nameof(side)),
        };
        return new WriteRecord(
            scope.Ids.Next("wrt"), _plan.Uid,
            ResourceContent.Title(_plan.Named(side, sent ?? before)), kind, side, _plan.Rule,
            scope.Clock.GetUtcNow())
        {
            RunId = scope.Lease.RunId,
            UidThere = (act as SideAct.Create)?.Uid ?? (act as SideAct.Update)?.Held.Uid
                ?? (act as SideAct.Delete)?.Held.Uid,
            Proof = proof,
            IsTokenUsed = scope.IsToken[side.Other()],
            Lost = _plan.Facts.Busy == side ? _plan.NotCarried : [],
            Before = before,
            Sent = sent,
            Base = (side == MergeSide.Left ? _plan.RightFull : _plan.LeftFull) ?? _plan.Base,
            Other = _plan.On(side.Other()) switch
            {
                SideAct.Keep keep => keep.Place,
                // Should the run be cut off here, the next one has to put words back that it sees as new.
                SideAct.Update update => update.Held with
                {
                    Seen = _plan.Facts.Busy == side.Other() && _plan.Unworded is { } shown
                        ? shown
                        : update.Held.Seen,
                },
                _ => null,
            },
            Address = (act as SideAct.Update)?.Held.Address ?? (act as SideAct.Delete)?.Held.Address,
        };
    }

    /// <summary>The same write as one whose end is not known.</summary>
    public static OpenWrite Opened(WriteRecord write) => new(
        write.Uid, write.Side, write.Before, write.Sent, write.Base!, write.Other)
    {
        Id = write.Id,
        Rule = write.Rule,
        UidThere = write.UidThere,
    };

    /// <summary>What a side held when it was decided; where a write of an earlier run has arrived, what it
    /// held before that. Null for nothing.</summary>
    private static CalendarDocument? Found(ItemPlan plan, MergeSide side) =>
        plan.Facts.Arrived.FirstOrDefault(each => each.Write.Side == side) is { } arrived
            ? arrived.Write.Held
            : plan.Facts.On(side) switch
            {
                SideFact.Present now => now.Place.Seen,
                SideFact.Unchanged => plan.Facts.Mapping?.On(side)?.Seen,
                _ => null,
            };
}
