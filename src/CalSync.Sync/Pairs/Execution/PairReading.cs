using System.Collections.Immutable;
using CalSync.Calendar.Comparison;
using CalSync.Sync.Pairs.Planning;
using CalSync.Sync.Providers;

namespace CalSync.Sync.Pairs.Execution;

/// <summary>What both sides' reads gave, or why one gave nothing.</summary>
internal abstract record PairRead
{
    private PairRead()
    {
    }

    /// <summary>Both were read.</summary>
    /// <param name="Left">The left.</param>
    /// <param name="Right">The right.</param>
    /// <param name="Looked">Keys of what waits and was read again by itself.</param>
    /// <param name="Unknown">UIDs that could not be read again: nothing may be decided about them.</param>
    public sealed record Done(
        ChangeSet Left, ChangeSet Right, ImmutableHashSet<string> Looked, ImmutableHashSet<string> Unknown)
        : PairRead
    {
        /// <summary>The sides whose read has the pair's canary; it is in neither of the reads.</summary>
        public ImmutableHashSet<MergeSide> Canaries { get; init; } = [];

        /// <summary>One side.</summary>
        public ChangeSet On(MergeSide side) => side == MergeSide.Left ? Left : Right;

        /// <summary>How both were read, without what: once there is a plan, the rest of it is not held on
        /// to.</summary>
        public Done WithoutContents() => this with
        {
            Left = Left with { Upserts = [] },
            Right = Right with { Upserts = [] },
        };
    }

    /// <summary>One side could not be read: nothing may be concluded from either.</summary>
    public sealed record Failed(MergeSide Side, ProviderFault Fault) : PairRead;
}

/// <summary>Reads both sides of a pair, and again what waits.</summary>
internal sealed class PairReading(
    IPairStore store, IReadOnlyDictionary<MergeSide, IRemoteCalendar> remotes, PairLease lease)
{
    private static readonly MergeSide[] Sides = [MergeSide.Left, MergeSide.Right];
    private ImmutableArray<MappingEntry>? _entries;

    /// <summary>Reads.</summary>
    /// <param name="isFull">Everything, although the cursors work.</param>
    /// <param name="waiting">What waits.</param>
    /// <param name="isRetry">Read all of it again, not only what is due or touched.</param>
    /// <param name="now">UTC.</param>
    /// <param name="cancellation">Nothing is changed by a read.</param>
    public async Task<PairRead> ReadAsync(
        bool isFull, ImmutableArray<WaitingItem> waiting, bool isRetry, DateTimeOffset now,
        CancellationToken cancellation)
    {
        if (isFull || lease.ExpectsEcho
            || Sides.Any(side => lease.Cursor(side)?.Kind != CursorKind.SyncToken))
        {
            await EntriesAsync(cancellation);
        }

        var reads = await Task.WhenAll(
            Sides.Select(side => ReadSideAsync(side, isFull, cancellation)));
        for (var index = 0; index < reads.Length; index++)
        {
            if (Fault(reads[index]) is { } fault)
                return new PairRead.Failed(Sides[index], fault);
        }

        var sets = reads.Select(read => ((ChangeRead.Done)read).Changes).ToArray();
        var canaries = Sides.Where((side, index) =>
            Canary.IsIn(sets[index].Upserts, Canary.Uid(lease.Pair.Id, side))).ToImmutableHashSet();
        for (var index = 0; index < sets.Length; index++)
            sets[index] = sets[index] with { Upserts = Canary.Without(sets[index].Upserts) };
        var read = await LookAsync(sets[0], sets[1], waiting, isRetry, now, cancellation);
        return read is PairRead.Done done ? done with { Canaries = canaries } : read;
    }

    /// <summary>The events of the ledger that the reads may be about.</summary>
    public async Task<ImmutableArray<MappingEntry>> EntriesAsync(
        ChangeSet left, ChangeSet right, CancellationToken cancellation)
    {
        if (left.Certificate is Certificate.Complete || right.Certificate is Certificate.Complete)
            return await EntriesAsync(cancellation);
        if (_entries is { } all)
            return all;
        string[] Addresses(ChangeSet set) =>
            [.. set.Upserts.Select(each => each.Address.Value), .. set.Tombstones.Select(each => each.Value)];
        var uids = left.Upserts.Concat(right.Upserts)
            .Select(each => each.Content is { } content ? ResourceContent.Uid(content, out _) : null)
            .OfType<string>().Distinct().ToArray();
        var filter = new LedgerFilter(Addresses(left), Addresses(right), uids);
        return filter is { Left.Count: 0, Right.Count: 0, Uids.Count: 0 }
            ? []
            : await store.EntriesAsync(lease.Pair.Id, filter, cancellation);
    }

    private async Task<ImmutableArray<MappingEntry>> EntriesAsync(CancellationToken cancellation) =>
        _entries ??= await store.EntriesAsync(lease.Pair.Id, null, cancellation);

    private async Task<ChangeRead> ReadSideAsync(
        MergeSide side, bool isFull, CancellationToken cancellation)
    {
        var cursor = isFull ? null : lease.Cursor(side);
        var read = await remotes[side].ReadChangesAsync(cursor, Known(side), cancellation);
        if (read is not ChangeRead.CursorInvalid || cursor is null)
            return read;
        await EntriesAsync(cancellation);
        return await remotes[side].ReadChangesAsync(null, Known(side), cancellation);
    }

    private Dictionary<ResourceAddress, string> Known(MergeSide side)
    {
        var known = new Dictionary<ResourceAddress, string>();
        foreach (var entry in _entries ?? [])
        {
            if (entry.On(side) is { Version: { } version } place && entry.Status != MappingStatus.Deleted)
                known[place.Address] = version;
        }

        return known;
    }

    private static ProviderFault? Fault(ChangeRead read) => read switch
    {
        ChangeRead.Done => null,
        ChangeRead.CalendarGone gone => gone.Fault,
        ChangeRead.Failed failed => failed.Fault,
        ChangeRead.CursorInvalid invalid => new ProviderFault(
            ProviderReason.OutsideProtocol, null, null,
            $"The calendar refuses a complete listing as a cursor: {invalid.Why}"),
        _ => throw new System.Diagnostics.UnreachableException("Unknown kind of read."),
    };

    /// <summary>
    /// What waits was passed by the cursors: when it is due, or touched on any side, both sides are read
    /// where it lies.
    /// </summary>
    private async Task<PairRead> LookAsync(
        ChangeSet left, ChangeSet right, ImmutableArray<WaitingItem> waiting, bool isRetry,
        DateTimeOffset now, CancellationToken cancellation)
    {
        if (waiting.IsEmpty)
            return new PairRead.Done(left, right, [], []);
        var touched = new Touched(left, right);
        var sets = new Dictionary<MergeSide, ChangeSet>
        {
            [MergeSide.Left] = left,
            [MergeSide.Right] = right,
        };
        var (looked, unknown) = (
            ImmutableHashSet.CreateBuilder<string>(), ImmutableHashSet.CreateBuilder<string>());
        var due = waiting.Where(item => isRetry || !item.IsSettled || item.NextAttemptAt <= now
            || touched.IsBy(item)).ToList();
        var entries = await EntriesAsync(due, cancellation);
        var read = new Dictionary<(MergeSide, ResourceAddress), bool>();
        foreach (var item in due)
        {
            looked.Add(item.Key);
            foreach (var side in Sides)
            {
                // No cursor has passed what is not settled: the read itself tells, and cannot be behind it.
                if (!item.IsSettled && sets[side].Certificate is not Certificate.Partial)
                    continue;
                // It may have been moved before it was set aside, which the ledger does not know.
                var known = entries.GetValueOrDefault(item.Uid ?? "")?.On(side)?.Address;
                foreach (var address in new[] { item.On(side), known }.OfType<ResourceAddress>().Distinct())
                {
                    if (touched.Has(side, address))
                        continue;
                    if (!read.TryGetValue((side, address), out var isRead))
                    {
                        isRead = await ReadAgainAsync(sets, side, address, cancellation);
                        read.Add((side, address), isRead);
                    }

                    if (isRead)
                        continue;
                    looked.Remove(item.Key);
                    if (item.Uid is { } uid)
                        unknown.Add(uid);
                }
            }
        }

        return new PairRead.Done(
            sets[MergeSide.Left], sets[MergeSide.Right], looked.ToImmutable(), unknown.ToImmutable());
    }

    private async Task<Dictionary<string, MappingEntry>> EntriesAsync(
        List<WaitingItem> items, CancellationToken cancellation)
    {
        var uids = items.Where(item => item.IsSettled).Select(item => item.Uid).OfType<string>().ToArray();
        var entries = uids.Length == 0
            ? []
            : _entries ?? await store.EntriesAsync(
                lease.Pair.Id, new LedgerFilter([], [], uids), cancellation);
        return entries.ToDictionary(entry => entry.Uid, StringComparer.Ordinal);
    }

    /// <summary>Adds what lies at an address to what was read; false when nothing is known of it.</summary>
    private async Task<bool> ReadAgainAsync(
        Dictionary<MergeSide, ChangeSet> sets, MergeSide side, ResourceAddress address,
        CancellationToken cancellation)
    {
        switch (await remotes[side].ReadAsync(address, cancellation))
        {
            case ResourceRead.Found found:
                sets[side] = sets[side] with { Upserts = sets[side].Upserts.Add(found.Resource) };
                return true;
            case ResourceRead.Gone:
                sets[side] = sets[side] with { Tombstones = sets[side].Tombstones.Add(address) };
                return true;
            default:
                return false;
        }
    }

    /// <summary>What the reads name.</summary>
    private sealed class Touched(ChangeSet left, ChangeSet right)
    {
        private readonly HashSet<ResourceAddress> _left = Addresses(left);
        private readonly HashSet<ResourceAddress> _right = Addresses(right);
        private readonly HashSet<string> _uids =
        [
            .. left.Upserts.Concat(right.Upserts)
                .Select(each => each.Content is { } content ? ResourceContent.Uid(content, out _) : null)
                .OfType<string>(),
        ];

        public bool Has(MergeSide side, ResourceAddress address) =>
            (side == MergeSide.Left ? _left : _right).Contains(address);

        /// <summary>
        /// Whether an event that waits is named, or, when it waits for its counterpart, anything new is.
        /// </summary>
        public bool IsBy(WaitingItem item) =>
            (item.Left is { } here && _left.Contains(here))
            || (item.Right is { } there && _right.Contains(there))
            || (item.Uid is { } uid && _uids.Contains(uid))
            || (item.Trouble.Kind is TroubleKind.Ambiguous or TroubleKind.DuplicateUid
                && _left.Count + _right.Count > 0);

        private static HashSet<ResourceAddress> Addresses(ChangeSet set) =>
        [
            .. set.Upserts.Where(each => each.Content is not null || each.Problem is not null)
                .Select(each => each.Address),
            .. set.Tombstones,
        ];
    }
}
