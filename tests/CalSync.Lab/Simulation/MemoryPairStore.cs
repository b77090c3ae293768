using System.Collections.Immutable;
using CalSync.Calendar.Comparison;
using CalSync.Calendar.Document;
using CalSync.Sync.Pairs;
using CalSync.Sync.Pairs.Execution;
using CalSync.Sync.Pairs.History;
using CalSync.Sync.Pairs.Planning;

namespace CalSync.Lab.Simulation;

/// <summary>
/// The ledger in memory, for simulations. Every change is one assignment, so a crash falls before or after
/// it, never within.
/// </summary>
public sealed partial class MemoryPairStore(TimeSpan? leaseLength = null) : IPairStore
{
    private readonly TimeSpan _lease = leaseLength ?? new PairOptions().Lease;
    private readonly Lock _gate = new();
    private State _state = new();

    /// <summary>Called before and after every change; may throw.</summary>
    public Action OnStep { get; set; } = () => { };

    /// <summary>Waited for inside each transaction that begins or records events.</summary>
    public Func<Task> OnTransaction { get; set; } = () => Task.CompletedTask;

    /// <summary>As a store has it whose database others write to.</summary>
    public int PartCountMax { get; init; } = 16;

    /// <summary>The most writes or changes that were kept in one transaction.</summary>
    public int LargestCount { get; private set; }

    /// <summary>All contents ever recorded: what was overwritten can be had back.</summary>
    public HashSet<string> Contents { get; } = new(StringComparer.Ordinal);

    /// <summary>A content as <see cref="Contents"/> has it: its octets under no UID of its own.</summary>
    public static string Recorded(CalendarDocument content) =>
        ResourceContent.WithUid(content, "any").ToString();

    /// <summary>Whether what is about to be overwritten can be had back.</summary>
    public bool IsRecorded(CalendarDocument content)
    {
        var any = ResourceContent.WithUid(content, "any");
        return Contents.Contains(any.ToString())
            || Contents.Any(each => ResourceContent.IsSame(CalendarDocument.Parse(each), any));
    }

    /// <summary>All writes ever begun.</summary>
    public ImmutableArray<WriteRecord> Writes => _state.Writes;

    /// <summary>Events on both sides, by UID.</summary>
    public IEnumerable<EventMapping> Mappings => _state.Mappings.Values;

    /// <summary>Fields both sides had edited.</summary>
    public ImmutableArray<MergeConflict> Conflicts => _state.Conflicts;

    /// <summary>How often a lease was renewed by itself.</summary>
    public int RenewalCount { get; private set; }

    /// <summary>How the last run ended.</summary>
    public RunEnd? LastEnd => _state.End;

    public Task AddAsync(Pair pair, DateTimeOffset now, CancellationToken cancellation)
    {
        _state = _state with { Pair = pair };
        return Task.CompletedTask;
    }

    public Task<PairLease?> AcquireAsync(
        string pairId, string runId, string actor, DateTimeOffset now, DateTimeOffset until,
        bool evenPaused, CancellationToken cancellation)
    {
        if (_state.Pair?.Id != pairId || _state.LeaseUntil > now)
            return Task.FromResult<PairLease?>(null);
        Commit(() => _state with { Fence = _state.Fence + 1, LeaseUntil = until });
        return Task.FromResult<PairLease?>(new PairLease(
            _state.Pair, runId, actor, _state.Fence, _state.Left, _state.Right, _state.FullReadAt,
            _state.IsFirst, _state.ExpectsEcho));
    }

    public async Task<bool> RenewAsync(
        PairLease lease, DateTimeOffset now, CancellationToken cancellation)
    {
        var isKept = await Commit(lease, now, state => state);
        RenewalCount++;
        return isKept;
    }

    public Task ReleaseAsync(PairLease lease, CancellationToken cancellation)
    {
        Commit(lease, null, state => state with { LeaseUntil = null });
        return Task.CompletedTask;
    }

    public Task<ImmutableArray<MappingEntry>> EntriesAsync(
        string pairId, LedgerFilter? filter, CancellationToken cancellation) =>
        Task.FromResult<ImmutableArray<MappingEntry>>(
        [
            .. _state.Mappings.Values.Where(each => filter is null || filter.Uids.Contains(each.Uid)
                    || Has(each.Left, filter.Left, filter.Uids)
                    || Has(each.Right, filter.Right, filter.Uids))
                .Select(each => new MappingEntry(
                    each.Id, each.Uid, each.Status, Entry(each.Left), Entry(each.Right))),
        ]);

    public Task<int> CountAsync(string pairId, CancellationToken cancellation) =>
        Task.FromResult(_state.Mappings.Values.Count(each => each.Status == MappingStatus.Active));

    public Task<ImmutableArray<EventMapping>> LoadAsync(
        string pairId, IReadOnlyCollection<string> mappingIds, CancellationToken cancellation) =>
        Task.FromResult<ImmutableArray<EventMapping>>(
            [.. _state.Mappings.Values.Where(each => mappingIds.Contains(each.Id))]);

    public Task<ImmutableArray<OpenWrite>> OpenWritesAsync(string pairId, CancellationToken cancellation) =>
        Task.FromResult<ImmutableArray<OpenWrite>>(
        [
            .. _state.Writes
                .Where(each => each is { State: "open", Base: not null, Kind: not null }
                    && (each.Sent is not null || each.Rule is SyncRule.Undone or SyncRule.Restored))
                .Select(ItemRun.Opened),
        ]);

    public Task<ImmutableArray<WaitingItem>> WaitingAsync(string pairId, CancellationToken cancellation) =>
        Task.FromResult<ImmutableArray<WaitingItem>>([.. _state.Waiting.Values]);

    public LedgerPart Prepare(PairLease lease, WriteRecord write) =>
        new Part([write.Before, write.Sent, write.Base], state => state with
        {
            Writes = state.Writes.Add(write with { RunId = lease.RunId }),
        });

    public LedgerPart Prepare(PairLease lease, LedgerChange change, DateTimeOffset now) =>
        new Part(
            [change.Left, change.Right, change.Mapping.Left?.Seen, change.Mapping.Right?.Seen],
            state => Recorded(state, lease, change, now));

    public async Task<bool> KeepAsync(
        PairLease lease, IReadOnlyList<LedgerPart> parts, DateTimeOffset now,
        CancellationToken cancellation)
    {
        await OnTransaction();
        LargestCount = Math.Max(LargestCount, parts.Count);
        Keep([.. parts.SelectMany(part => ((Part)part).Contents)]);
        return await Commit(
            lease, now, state => parts.Aggregate(state, (all, part) => ((Part)part).Apply(all)));
    }

    public Task<bool> VoidAsync(
        PairLease lease, IReadOnlyList<string> writeIds, DateTimeOffset now,
        CancellationToken cancellation) =>
        Commit(lease, now, state => state with
        {
            Writes =
            [
                .. state.Writes.Select(each =>
                    writeIds.Contains(each.Id) ? each with { State = "void" } : each),
            ],
        });

    public Task<bool> SetAsideAsync(
        PairLease lease, IReadOnlyList<WaitingItem> items, DateTimeOffset now,
        CancellationToken cancellation) =>
        Commit(lease, now, state => state with
        {
            Waiting = state.Waiting.SetItems(
                items.Select(item => KeyValuePair.Create(item.Key, item))),
        });

    public Task<bool> FinishAsync(
        PairLease lease, RunEnd end, DateTimeOffset now, CancellationToken cancellation) =>
        Commit(lease, now, state => state with
        {
            End = end,
            Left = end.Left ?? state.Left,
            Right = end.Right ?? state.Right,
            LeaseUntil = null,
            IsFirst = state.IsFirst && !end.IsComplete,
            ExpectsEcho = end.Written > 0 || (state.ExpectsEcho && !end.IsComplete),
            FullReadAt = end.IsFullRead ? now : state.FullReadAt,
            Waiting = state.Waiting.RemoveRange(end.Cleared),
            Writes = !end.IsComplete
                ? state.Writes
                :
                [
                    .. state.Writes.Select(each => each.State == "open"
                        && !state.Waiting.ContainsKey(ItemRun.ItemKey(each.Uid))
                            ? each with { State = "void" }
                            : each),
                ],
        });

    public Task SavePlanAsync(
        SyncPlan plan, string runId, DateTimeOffset expiresAt, CancellationToken cancellation) =>
        Task.CompletedTask;

    public Task<ImmutableArray<WriteRecord>> RunWritesAsync(
        string pairId, string runId, CancellationToken cancellation) =>
        Task.FromResult<ImmutableArray<WriteRecord>>(
            [.. _state.Writes.Where(each => each.RunId == runId)]);

    public Task<ImmutableArray<WriteRecord>> EventWritesAsync(
        string pairId, string uid, CancellationToken cancellation) =>
        Task.FromResult<ImmutableArray<WriteRecord>>([.. _state.Writes.Where(each => each.Uid == uid)]);

    private static State Recorded(State state, PairLease lease, LedgerChange change, DateTimeOffset now)
    {
        var done = change.Done.ToDictionary(each => each.Id, StringComparer.Ordinal);
        return state with
        {
            Mappings = state.Mappings.SetItem(change.Mapping.Uid, change.Mapping),
            Conflicts = state.Conflicts.AddRange(change.Conflicts),
            Versions = change.IsVersion
                ? state.Versions.Add(Version(lease, change, now))
                : state.Versions,
            Waiting = state.Waiting.Remove(ItemRun.ItemKey(change.Mapping.Uid)),
            Writes =
            [
                .. state.Writes.Select(each => done.TryGetValue(each.Id, out var end)
                    ? end with { RunId = each.RunId }
                    : Arrived(change, each) is { } arrived ? arrived
                    : each.Uid == change.Mapping.Uid && each.State == "open"
                        ? each with { State = "void" }
                        : each),
            ],
        };
    }

    private static bool Has(
        SidePlace? place, IReadOnlyCollection<string> addresses, IReadOnlyCollection<string> uids) =>
        place is not null && (addresses.Contains(place.Address.Value) || uids.Contains(place.Uid));

    private static EntryPlace? Entry(SidePlace? place) =>
        place is null ? null : new EntryPlace(place.Address, place.Version, place.Uid);

    private void Keep(ImmutableArray<CalendarDocument?> contents)
    {
        lock (_gate)
        {
            foreach (var content in contents.OfType<CalendarDocument>())
                Contents.Add(Recorded(content));
        }
    }

    /// <summary>Changes the ledger if the lease still holds, and renews it.</summary>
    private Task<bool> Commit(PairLease lease, DateTimeOffset? now, Func<State, State> change)
    {
        if (lease.Fence != _state.Fence || _state.LeaseUntil is null)
            return Task.FromResult(false);
        Commit(() => change(now is { } at ? _state with { LeaseUntil = at + _lease } : _state));
        return Task.FromResult(true);
    }

    private void Commit(Func<State> change)
    {
        OnStep();
        lock (_gate)
            _state = change();
        OnStep();
    }

    private sealed record Part(
        ImmutableArray<CalendarDocument?> Contents, Func<State, State> Apply) : LedgerPart;

    private sealed record State
    {
        public Pair? Pair { get; init; }

        public long Fence { get; init; }

        public DateTimeOffset? LeaseUntil { get; init; }

        public SyncCursor? Left { get; init; }

        public SyncCursor? Right { get; init; }

        public DateTimeOffset? FullReadAt { get; init; }

        public bool IsFirst { get; init; } = true;

        public bool ExpectsEcho { get; init; }

        public RunEnd? End { get; init; }

        public ImmutableSortedDictionary<string, EventMapping> Mappings { get; init; } =
            ImmutableSortedDictionary.Create<string, EventMapping>(StringComparer.Ordinal);

        public ImmutableSortedDictionary<string, WaitingItem> Waiting { get; init; } =
            ImmutableSortedDictionary.Create<string, WaitingItem>(StringComparer.Ordinal);

        public ImmutableArray<WriteRecord> Writes { get; init; } = [];

        public ImmutableArray<MergeConflict> Conflicts { get; init; } = [];

        public ImmutableArray<EventVersion> Versions { get; init; } = [];
    }
}
