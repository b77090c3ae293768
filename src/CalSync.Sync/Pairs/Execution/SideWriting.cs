using CalSync.Calendar.Comparison;
using CalSync.Calendar.Document;
using CalSync.Sync.Pairs.Planning;
using CalSync.Sync.Providers;

namespace CalSync.Sync.Pairs.Execution;

/// <summary>How one write to one side ended.</summary>
internal abstract record SideEnd
{
    private SideEnd()
    {
    }

    /// <summary>Done; the place is null after a deletion.</summary>
    public sealed record Done(SidePlace? Place, WriteRecord Write) : SideEnd;

    /// <summary>Not as decided: the side is otherwise than thought.</summary>
    /// <param name="Fact">What it is.</param>
    /// <param name="MayBeOurs">True when our own write may be what is there.</param>
    /// <param name="Lost">What came instead of the write's answer; null when the side answered that it is
    /// otherwise.</param>
    public sealed record Otherwise(SideFact Fact, bool MayBeOurs, ProviderFault? Lost = null) : SideEnd;

    /// <summary>Refused for good.</summary>
    public sealed record Refused(ProviderFault Fault) : SideEnd;

    /// <summary>Not known or not possible now.</summary>
    /// <param name="Fault">Why.</param>
    /// <param name="IsOpen">True when it may have been done.</param>
    public sealed record Failed(ProviderFault Fault, bool IsOpen) : SideEnd;
}

/// <summary>Writes to one side and reads back what became of it.</summary>
internal sealed class SideWriting
{
    private const int ReadBackCountMax = 64;

    private readonly IRemoteCalendar _calendar;
    private readonly MergeSide _side;
    private readonly SemaphoreSlim _gate;
    private readonly WriteTrust _trust;
    private readonly Gathering<StoredWrite, ResourceRead> _readBacks;
    private int _unanswered;

    /// <param name="calendar">The side.</param>
    /// <param name="side">Which.</param>
    /// <param name="gate">Bounds how many writes are under way.</param>
    /// <param name="provenCountMin">Writes read back whole before a version may stand for a content.</param>
    public SideWriting(
        IRemoteCalendar calendar, MergeSide side, SemaphoreSlim gate, int provenCountMin)
    {
        (_calendar, _side, _gate, _trust) = (calendar, side, gate, new(provenCountMin));
        _readBacks = new(ReadBackManyAsync, () => ReadBackCountMax, () => Volatile.Read(ref _unanswered) > 0);
    }

    /// <summary>Makes one write.</summary>
    /// <param name="act">What is to be done.</param>
    /// <param name="write">As it was begun.</param>
    /// <param name="cancellation">A cancelled write may have been done; it stays open in the ledger.</param>
    public async Task<SideEnd> WriteAsync(SideAct act, WriteRecord write, CancellationToken cancellation)
    {
        try
        {
            return act switch
            {
                SideAct.Create create => await CreateAsync(create, write, cancellation),
                SideAct.Update update => await UpdateAsync(update, write, cancellation),
                SideAct.Delete delete => await DeleteAsync(delete, write, cancellation),
                _ => throw new ArgumentException("Nothing is to be written.", nameof(act)),
            };
        }
        finally
        {
            // Those who have their answer wait for the others'; one that failed asks for no read-back.
            _readBacks.GoWhenDue(cancellation);
        }
    }

    /// <summary>Sends a write that is read back when its answer is there.</summary>
    private async Task<ResourceWrite> SendAsync(
        Func<Task<ResourceWrite>> sendAsync, CancellationToken cancellation)
    {
        Interlocked.Increment(ref _unanswered);
        try
        {
            return await InTurnAsync(sendAsync, cancellation);
        }
        finally
        {
            Interlocked.Decrement(ref _unanswered);
        }
    }

    /// <summary>Asks the provider when it is this call's turn.</summary>
    private async Task<T> InTurnAsync<T>(Func<Task<T>> askAsync, CancellationToken cancellation)
    {
        await _gate.WaitAsync(cancellation);
        try
        {
            return await askAsync();
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Reads one event where it lies; gone when another one lies there.</summary>
    /// <param name="address">Where.</param>
    /// <param name="uidThere">Its UID on this side; null to take whatever lies there for it.</param>
    /// <param name="uid">The common UID its content is given.</param>
    /// <param name="cancellation">Nothing is changed by a read.</param>
    public async Task<(SideFact? Fact, ProviderFault? Fault)> ReadAsync(
        ResourceAddress address, string? uidThere, string uid, CancellationToken cancellation) =>
        Fact(
            await InTurnAsync(() => _calendar.ReadAsync(address, cancellation), cancellation), uidThere, uid);

    /// <summary>Finds one event wherever it lies.</summary>
    /// <param name="uidThere">Its UID on this side.</param>
    /// <param name="uid">The common UID its content is given.</param>
    /// <param name="cancellation">Nothing is changed by a read.</param>
    public async Task<(SideFact? Fact, ProviderFault? Fault)> FindAsync(
        string uidThere, string uid, CancellationToken cancellation) =>
        Fact(await InTurnAsync(() => _calendar.FindAsync(uidThere, cancellation), cancellation), null, uid);

    private async Task<SideEnd> CreateAsync(
        SideAct.Create act, WriteRecord write, CancellationToken cancellation)
    {
        var content = OnSide(act.Content, act.Uid);
        var draft = new ResourceDraft(act.Uid, content, null);
        var answer = await SendAsync(() => _calendar.CreateAsync(draft, cancellation), cancellation);
        switch (answer)
        {
            case ResourceWrite.Stored stored:
                return await ReadBackAsync(stored, content, act.Uid, null, write, cancellation);
            case ResourceWrite.Refused refused:
                return new SideEnd.Refused(refused.Fault);
            case ResourceWrite.Failed { Fault.OutcomeUnknown: false } failed:
                return new SideEnd.Failed(failed.Fault, IsOpen: false);
            default:
                var lost = (answer as ResourceWrite.Failed)?.Fault;
                var isUnknown = lost is not null;
                var (fact, fault) = await FindAsync(act.Uid, write.Uid, cancellation);
                return fact switch
                {
                    SideFact.Present => new SideEnd.Otherwise(fact, isUnknown, lost),
                    SideFact.Gone when isUnknown => new SideEnd.Otherwise(
                        new SideFact.Nothing(), MayBeOurs: false, lost),
                    null => new SideEnd.Failed(fault!, isUnknown),
                    _ => new SideEnd.Failed(Taken, IsOpen: false),
                };
        }
    }

    private async Task<SideEnd> UpdateAsync(
        SideAct.Update act, WriteRecord write, CancellationToken cancellation)
    {
        var held = OnSide(act.Held.Seen, act.Held.Uid);
        var draft = new ResourceDraft(act.Held.Uid, OnSide(act.Content, act.Held.Uid), held);
        var answer = await SendAsync(
            () => _calendar.UpdateAsync(act.Held.Address, act.Held.Version, draft, cancellation),
            cancellation);
        switch (answer)
        {
            case ResourceWrite.Stored stored:
                return await ReadBackAsync(
                    stored, draft.Content, act.Held.Uid, act.Held.Seen, write, cancellation);
            case ResourceWrite.Refused refused:
                return new SideEnd.Refused(refused.Fault);
            case ResourceWrite.Failed { Fault.OutcomeUnknown: false } failed:
                return new SideEnd.Failed(failed.Fault, IsOpen: false);
            default:
                var lost = (answer as ResourceWrite.Failed)?.Fault;
                var end = await LookAsync(act.Held, write.Uid, lost, cancellation);
                // Neither what was there nor what was sent: our write and what the server made of it, or a
                // read so far behind that it shows what was there earlier still. The next listing tells.
                return lost is not null
                    && end is SideEnd.Otherwise { Fact: SideFact.Present { Place: var now } }
                    && !ResourceContent.IsSame(write.Sent!, now.Seen)
                    && !ResourceContent.IsSame(act.Held.Seen, now.Seen)
                        ? new SideEnd.Failed(lost, IsOpen: true)
                        : end;
        }
    }

    private async Task<SideEnd> DeleteAsync(
        SideAct.Delete act, WriteRecord write, CancellationToken cancellation)
    {
        if (act.Held.Version is null)
        {
            // Nothing but its content tells whether it is still what was decided on.
            var now = await LookAsync(act.Held, write.Uid, null, cancellation);
            if (now is SideEnd.Failed || (now is SideEnd.Otherwise { Fact: SideFact.Present present }
                && !ResourceContent.IsSame(present.Place.Seen, act.Held.Seen)))
            {
                return now;
            }
        }

        var answer = await InTurnAsync(
            () => _calendar.DeleteAsync(act.Held.Address, act.Held.Version, cancellation), cancellation);
        switch (answer)
        {
            case ResourceDelete.Deleted or ResourceDelete.AlreadyGone:
                return Deleted();
            case ResourceDelete.Failed { Fault.OutcomeUnknown: false } failed:
                return failed.Fault.RetryHelps
                    ? new SideEnd.Failed(failed.Fault, IsOpen: false)
                    : new SideEnd.Refused(failed.Fault);
            default:
                var end = await LookAsync(
                    act.Held, write.Uid, (answer as ResourceDelete.Failed)?.Fault, cancellation);
                return end is SideEnd.Otherwise { Fact: SideFact.Gone } ? Deleted() : end;
        }

        SideEnd.Done Deleted() => new(null, write with { Address = act.Held.Address });
    }

    /// <summary>Reads the side again: it is otherwise than thought, or the answer was lost.</summary>
    private async Task<SideEnd> LookAsync(
        SidePlace held, string uid, ProviderFault? lost, CancellationToken cancellation)
    {
        var (fact, fault) = await ReadAsync(held.Address, held.Uid, uid, cancellation);
        return fact is null
            ? new SideEnd.Failed(fault!, lost is not null)
            : new SideEnd.Otherwise(fact, lost is not null, lost);
    }

    /// <summary>
    /// Looks what became of writes: whether their versions are still there, where that says all; else what
    /// lies there.
    /// </summary>
    private async Task<IReadOnlyList<ResourceRead>> ReadBackManyAsync(
        IReadOnlyList<StoredWrite> writes, CancellationToken cancellation)
    {
        var reads = new ResourceRead[writes.Count];
        var all = Enumerable.Range(0, reads.Length).ToArray();
        var covered = all.Where(index => _trust.Covers(writes[index])).ToArray();
        if (covered.Length > 0)
        {
            var versions = await _calendar.ReadVersionsAsync(
                [.. covered.Select(index => writes[index].Address)], cancellation);
            foreach (var (index, version) in covered.Zip(versions))
            {
                if (version == writes[index].Version)
                {
                    reads[index] = new ResourceRead.Found(
                        new RemoteResource(writes[index].Address, version, writes[index].Sent));
                }
            }
        }

        var rest = all.Where(index => reads[index] is null).ToArray();
        if (rest.Length == 0)
            return reads;
        var whole = await _calendar.ReadManyAsync(
            [.. rest.Select(index => writes[index].Address)], cancellation);
        foreach (var (index, read) in rest.Zip(whole))
        {
            _trust.Learn(writes[index], read);
            reads[index] = read;
        }

        return reads;
    }

    private async Task<SideEnd> ReadBackAsync(
        ResourceWrite.Stored stored, CalendarDocument given, string uidThere, CalendarDocument? held,
        WriteRecord write, CancellationToken cancellation)
    {
        var sent = write.Sent!;
        var blind = new SidePlace(stored.Address, stored.Version, uidThere, sent);
        SideEnd.Done Done(SidePlace place) => new(
            place,
            write with
            {
                Address = stored.Address,
                Lost = [.. write.Lost.Union(stored.Lost).Union(WriteEcho.Losses(sent, place.Seen))],
                After = place.Seen,
            });
        // A provider may give what is created another UID.
        var expected = held is null ? null : uidThere;
        var (fact, fault) = Fact(
            await _readBacks.AskAsync(
                new StoredWrite(stored.Address, stored.Version, stored.IsAsGiven ? given : null),
                cancellation),
            expected, write.Uid);
        if (fault is null && !IsShown(fact, held, sent))
            (fact, fault) = await ReadAsync(stored.Address, expected, write.Uid, cancellation);
        switch (fact)
        {
            case null:
                return new SideEnd.Failed(fault!, IsOpen: true);
            case SideFact.Present { Place: var got }
                when IsShown(fact, held, sent) || WriteEcho.IsDropped(sent, got.Seen):
                if (await JudgeAsync(stored, held, sent, got, write.Uid, cancellation) is not { } echo)
                    return new SideEnd.Failed(Behind, IsOpen: true);
                // Read just after the write: what is missing is the server's doing, though it held it before.
                var seen = WriteEcho.Seen(
                    echo == EchoVersion.Unknown ? null : held, sent, got.Seen, echo, stored.Lost);
                // What somebody else wrote meanwhile is left for the next read, under a version not ours.
                return Done((ResourceContent.IsSame(seen, got.Seen) ? got : blind) with { Seen = seen });
            default:
                // The read is behind, the write was dropped, or somebody deleted it: the next run tells.
                return new SideEnd.Failed(Behind, IsOpen: true);
        }
    }

    /// <summary>Whether a read shows that the write has arrived, whatever became of it.</summary>
    private static bool IsShown(SideFact? fact, CalendarDocument? held, CalendarDocument sent) =>
        fact is SideFact.Present { Place.Seen: var got } && (held is null
            || ResourceContent.IsSame(sent, got) || !ResourceContent.IsSame(held, got));

    /// <summary>What the versions say; null when a second look failed, or is behind the first.</summary>
    private async Task<EchoVersion?> JudgeAsync(
        ResourceWrite.Stored stored, CalendarDocument? held, CalendarDocument sent, SidePlace got,
        string uid, CancellationToken cancellation)
    {
        if (stored.Version is null || got.Version is null)
            return EchoVersion.Unknown;
        if (stored.Version == got.Version || ResourceContent.IsSame(sent, got.Seen))
            return EchoVersion.Same;
        var (again, _) = await ReadAsync(stored.Address, null, uid, cancellation);
        if (again is not SideFact.Present { Place: var second })
            return null;
        if (ResourceContent.IsSame(second.Seen, got.Seen))
            return second.Version == got.Version ? EchoVersion.Other : EchoVersion.Unknown;
        return held is not null && ResourceContent.IsSame(second.Seen, held) ? null : EchoVersion.Other;
    }

    private (SideFact? Fact, ProviderFault? Fault) Fact(ResourceRead read, string? uidThere, string uid)
    {
        switch (read)
        {
            case ResourceRead.Gone:
                return (new SideFact.Gone(DeletionProof.ReadGone), null);
            case ResourceRead.Failed failed:
                return (null, failed.Fault);
            case ResourceRead.Found { Resource: { Content: { } content } found }
                when ResourceContent.Uid(content, out _) is { } there:
                if (uidThere is not null && there != uidThere && there != uid)
                    return (new SideFact.Gone(DeletionProof.ReadGone), null);
                return (new SideFact.Present(new SidePlace(
                    found.Address, found.Version, there,
                    there == uid ? content : ResourceContent.WithUid(content, uid))), null);
            default:
                return (null, new ProviderFault(
                    ProviderReason.OutsideProtocol, null, null,
                    $"What the {_side.Word()} holds cannot be read as an event."));
        }
    }

    private static CalendarDocument OnSide(CalendarDocument content, string uid) =>
        ResourceContent.Uid(content, out _) == uid ? content : ResourceContent.WithUid(content, uid);

    private ProviderFault Behind => new(
        ProviderReason.Conflict, null, null,
        $"The {_side.Word()} does not show what was written to it.");

    private ProviderFault Taken => new(
        ProviderReason.Conflict, null, null,
        $"The {_side.Word()} says that the event exists and does not find it.");
}
