using System.Collections.Immutable;
using CalSync.Calendar.Comparison;
using CalSync.Sync.Journal;
using CalSync.Sync.Pairs.History;
using CalSync.Sync.Pairs.Planning;
using CalSync.Sync.Providers;

namespace CalSync.Sync.Pairs.Execution;

/// <summary>One run of a pair: reads both sides, plans, brakes, writes, records.</summary>
/// <remarks>
/// May be cut off anywhere: what is recorded stands, what was begun is found again by its record, and cursors
/// move only in the transaction that ends the run, when everything read was applied or set aside durably.
/// </remarks>
/// <param name="store">The ledger.</param>
/// <param name="options">The limits.</param>
/// <param name="clock">Dates what is recorded.</param>
/// <param name="ids">Names runs, writes and events.</param>
public sealed partial class PairSync(IPairStore store, PairOptions options, TimeProvider clock, IdSource ids)
{
    /// <summary>Renewals in the time of one lease: one may be late.</summary>
    private const int RenewalCount = 4;

    /// <summary>Runs a pair once.</summary>
    /// <param name="pairId">Which.</param>
    /// <param name="left">Its left calendar.</param>
    /// <param name="right">Its right calendar.</param>
    /// <param name="request">What is asked.</param>
    /// <param name="cancellation">What was written stays written and recorded; the next run goes on.</param>
    public async Task<RunReport> RunAsync(
        string pairId, IRemoteCalendar left, IRemoteCalendar right, RunRequest request,
        CancellationToken cancellation)
    {
        var (runId, now) = (ids.Next("run"), clock.GetUtcNow());
        var lease = await store.AcquireAsync(
            pairId, runId, request.Actor, now, now + options.Lease, request.TakeBack is not null,
            cancellation);
        if (lease is null)
            return Report(runId, RunOutcome.Busy, request);
        using var timer = new PeriodicTimer(options.Lease / RenewalCount, clock);
        var renewing = RenewAsync(lease, timer, cancellation);
        try
        {
            return await RunAsync(
                lease,
                new Dictionary<MergeSide, IRemoteCalendar>
                {
                    [MergeSide.Left] = left,
                    [MergeSide.Right] = right,
                },
                request, cancellation);
        }
        catch (OperationCanceledException)
        {
            // The next run need not wait for the lease to end; the one that is cancelled has stopped.
            await store.ReleaseAsync(lease, CancellationToken.None);
            throw;
        }
        finally
        {
            timer.Dispose();
            await renewing;
        }
    }

    /// <summary>Holds the pair while a run reads or waits for a provider, of which the ledger sees nothing;
    /// until the timer is disposed of, which costs a short run no exception.</summary>
    private async Task RenewAsync(PairLease lease, PeriodicTimer timer, CancellationToken cancellation)
    {
        try
        {
            while (await timer.WaitForNextTickAsync(CancellationToken.None))
            {
                // A lease that was lost is found out by the next change of the ledger.
                if (!await store.RenewAsync(lease, clock.GetUtcNow(), cancellation))
                    return;
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // The run is cancelled, and says so itself.
        }
    }

    private async Task<RunReport> RunAsync(
        PairLease lease, Dictionary<MergeSide, IRemoteCalendar> remotes, RunRequest request,
        CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        var pairId = lease.Pair.Id;
        var waiting = await store.WaitingAsync(pairId, cancellation);
        var isFull = request.IsFullRead || (request.TakeBack is null && (lease.FullReadAt is null
            || lease.FullReadAt + options.FullReadEvery <= now));
        request.Progress?.Report(new RunProgress(0, null));
        var reading = new PairReading(store, remotes, lease);
        var read = await reading.ReadAsync(isFull, waiting, request.IsRetry, now, cancellation);
        if (read is PairRead.Done && request.TakeBack is not null)
            read = Complete((PairRead.Done)read);
        if (read is not PairRead.Done done)
        {
            var failed = (PairRead.Failed)read;
            var unread = Report(lease.RunId, RunOutcome.Failed, request);
            return await EndAsync(
                lease, FailedReport(lease, failed.Side, failed.Fault, unread), null, [], cancellation);
        }

        var work = request.TakeBack is { } takeBack
            ? await TakeBackAsync(lease, reading, done, takeBack, waiting, cancellation)
            : await PlanAsync(lease, reading, done, request, cancellation);
        read = done = done.WithoutContents();
        var plan = SyncPlan.Of(pairId, now, work.Items, work.Troubles) with { Untouched = work.Untouched };
        var report = Report(lease.RunId, RunOutcome.Equal, request) with
        {
            Plan = plan,
            Untouched = work.Untouched,
            Linked = plan.Linked,
            IsFullRead = done.Left.Certificate is Certificate.Complete
                || done.Right.Certificate is Certificate.Complete,
        };
        if (request.IsDryRun)
        {
            await store.SavePlanAsync(plan, lease.RunId, now + options.PlanKept, cancellation);
            return await EndAsync(
                lease, report with { Outcome = RunOutcome.Planned }, null, [], cancellation);
        }

        if (request.PlanId is { } approved && approved != plan.Id)
        {
            return await EndAsync(
                lease, report with { Outcome = RunOutcome.PlanMoved }, null, [], cancellation);
        }

        if (request.PlanId is null
            && await JudgeAsync(lease, remotes, done, plan, request, cancellation) is { } verdict)
        {
            await store.SavePlanAsync(plan, lease.RunId, now + options.PlanKept, cancellation);
            return await EndAsync(
                lease, report with { Outcome = RunOutcome.Held, Verdict = verdict }, null, [], cancellation);
        }

        return await ExecuteAsync(
            lease, remotes, work, done, waiting, report, request.Progress, cancellation);
    }

    private async Task<BrakeVerdict?> JudgeAsync(
        PairLease lease, Dictionary<MergeSide, IRemoteCalendar> remotes, PairRead.Done read, SyncPlan plan,
        RunRequest request, CancellationToken cancellation)
    {
        if (plan.Steps.All(step => step.Kind == StepKind.Update))
            return null;
        var events = await store.CountAsync(lease.Pair.Id, cancellation);
        // What is taken back rests on what a run did, not on what a side does not show.
        var unseen = request.TakeBack is null
            ? await UnseenAsync(lease, remotes, read, plan, cancellation)
            : [];
        return Brake.Judge(
            plan, lease.Pair.Name, events, lease.IsFirst, options, request.Deletions, request.Command,
            unseen);
    }

    private async Task<Work> PlanAsync(
        PairLease lease, PairReading reading, PairRead.Done read, RunRequest request,
        CancellationToken cancellation)
    {
        var opened = await store.OpenWritesAsync(lease.Pair.Id, cancellation);
        var entries = await EntriesAsync(lease, reading, read, opened, cancellation);
        var left = new ChangeMatch(MergeSide.Left, entries, read.Left, opened);
        var right = new ChangeMatch(MergeSide.Right, entries, read.Right, opened);
        var ids = left.Known.Keys.Union(right.Known.Keys, StringComparer.Ordinal)
            .Union(await SourcesAsync(lease, left, right, cancellation), StringComparer.Ordinal).ToArray();
        var mappings = ids.Length == 0 ? [] : await store.LoadAsync(lease.Pair.Id, ids, cancellation);
        var items = PairPlanner.Plan(
            new PlanInputs(
                lease.Pair.Policy, left, right,
                mappings.ToDictionary(mapping => mapping.Id, StringComparer.Ordinal), opened)
            {
                IsCertified = read.Left.Certificate is not Certificate.Partial
                    && read.Right.Certificate is not Certificate.Partial,
                Busy = lease.Pair.Busy,
                Choices = request.Choices,
            },
            out var troubles);
        return new Work(
            [
                .. items.Where(item => (item.IsNews || item.Trouble is not null)
                    && !read.Unknown.Contains(item.Uid)),
            ],
            troubles, opened);
    }

    /// <summary>The events of which a person made copies out of the copies of a side that shows only
    /// busy.</summary>
    private async Task<IEnumerable<string>> SourcesAsync(
        PairLease lease, ChangeMatch left, ChangeMatch right, CancellationToken cancellation)
    {
        var places = lease.Pair.Busy is not { } side ? []
            : (side == MergeSide.Left ? left : right).New.Values;
        var uids = places.Select(place => BusyView.CopyOf(place.Seen)).OfType<string>().Distinct().ToArray();
        return uids.Length == 0
            ? []
            : (await store.EntriesAsync(lease.Pair.Id, new LedgerFilter([], [], uids), cancellation))
                .Select(entry => entry.Id);
    }

    private async Task<RunReport> ExecuteAsync(
        PairLease lease, Dictionary<MergeSide, IRemoteCalendar> remotes, Work work, PairRead.Done read,
        ImmutableArray<WaitingItem> waiting, RunReport report, IProgress<RunProgress>? progress,
        CancellationToken cancellation)
    {
        foreach (var (side, remote) in remotes)
        {
            if (remote.Traits.IsReadOnly && work.Items.Any(item => item.On(side).IsWrite))
            {
                var fault = new ProviderFault(
                    ProviderReason.NotWritable, null, null, $"The {side.Word()} calendar is read-only.");
                return await EndAsync(
                    lease, FailedReport(lease, side, fault, report), null, [], cancellation);
            }
        }

        using var leftGate = Gate(remotes[MergeSide.Left]);
        using var rightGate = Gate(remotes[MergeSide.Right]);
        using var scope = new RunScope
        {
            Store = store,
            Lease = lease,
            Options = options,
            Clock = clock,
            Ids = ids,
            OpenWrites = work.OpenWrites,
            Waiting = waiting.ToDictionary(item => item.Key, StringComparer.Ordinal),
            IsToken = new Dictionary<MergeSide, bool>
            {
                [MergeSide.Left] = read.Left.Certificate is Certificate.Delta,
                [MergeSide.Right] = read.Right.Certificate is Certificate.Delta,
            },
            Sides = new Dictionary<MergeSide, SideWriting>
            {
                [MergeSide.Left] = new(
                    remotes[MergeSide.Left], MergeSide.Left, leftGate, options.ProvenWriteCountMin),
                [MergeSide.Right] = new(
                    remotes[MergeSide.Right], MergeSide.Right, rightGate, options.ProvenWriteCountMin),
            },
        };
        var ends = await RunItemsAsync(scope, work, progress, cancellation);
        return await ConcludeAsync(scope, work, read, ends, report, cancellation);
    }

    private static SemaphoreSlim Gate(IRemoteCalendar remote) =>
        new(Math.Max(1, remote.Traits.ParallelWritesMax));

    private async Task<RunReport> ConcludeAsync(
        RunScope scope, Work work, PairRead.Done read, Dictionary<string, ItemEnd> ends, RunReport report,
        CancellationToken cancellation)
    {
        var loud = work.Items.Where(item => item.IsLoud).ToList();
        var deferred = loud.Count(item => ends.GetValueOrDefault(item.Uid, ItemEnd.Deferred)
            == ItemEnd.Deferred) + read.Unknown.Count;
        report = report with
        {
            Created = scope.Written(StepKind.Create),
            Updated = scope.Written(StepKind.Update),
            Deleted = scope.Written(StepKind.Delete),
            Deferred = deferred,
            Waiting = ends.Values.Count(end => end == ItemEnd.SetAside) + work.Troubles.Length,
            Conflicts = work.Items.Sum(item => item.Conflicts.Length),
            Untouched = [.. report.Untouched.Concat(scope.Untouched).Distinct()],
            Losses = scope.Losses,
        };
        var (stopSide, stop) = scope.StopFault is { } fault ? (scope.StopSide, fault) : Unread(read);
        report = report with
        {
            Outcome = scope.IsLeaseLost ? RunOutcome.LeaseLost
                : stop is not null ? FailedReport(scope.Lease, stopSide, stop).Outcome
                : report.Deferred + report.Waiting + report.Untouched.Length > 0 ? RunOutcome.Partly
                : report.Written > 0 ? RunOutcome.Synced
                : RunOutcome.Equal,
            Fault = stop,
            FaultSide = stop is null ? null : stopSide,
        };
        if (scope.IsLeaseLost)
            return report;
        var isSure = Unread(read).Fault is null;
        var waits = work.Troubles.Select(trouble => Waiting(trouble).Key)
            .Concat(ends.Where(end => end.Value != ItemEnd.Done).Select(end => ItemRun.ItemKey(end.Key)))
            .ToHashSet(StringComparer.Ordinal);
        var cleared = read.Looked.Where(key => !waits.Contains(key)).ToArray();
        // What was read beside what is taken back is for the next run: the cursors stay.
        var isComplete = isSure && deferred == 0 && !scope.IsStopped && report.TakeBack is null;
        return await EndAsync(
            scope.Lease, report, isComplete ? read : null, report.TakeBack is null ? cleared : [],
            cancellation);
    }

    private async Task<RunReport> EndAsync(
        PairLease lease, RunReport report, PairRead.Done? complete, string[] cleared,
        CancellationToken cancellation)
    {
        var isFullRead = complete is { Left.Certificate: Certificate.Complete }
            && complete.Right.Certificate is Certificate.Complete;
        var detail = JournalText.Of(new
        {
            report.Created,
            report.Updated,
            report.Deleted,
            report.Linked,
            report.Waiting,
            report.Deferred,
            report.Conflicts,
            takeBack = report.TakeBack?.Words,
            untouched = report.TakeBack is null ? (int?)null : report.Untouched.Length,
            losses = report.Losses.Length,
            plan = report.Outcome is RunOutcome.Planned or RunOutcome.Held
                ? report.Plan?.Id
                : report.ApprovedPlanId,
            side = report.FaultSide?.Word(),
            fault = report.Fault?.Message,
        });
        var end = new RunEnd(
            report.Outcome.ToString(), complete?.Left.Next, complete?.Right.Next, complete is not null,
            isFullRead, report.Written, cleared, detail);
        return await store.FinishAsync(lease, end, clock.GetUtcNow(), cancellation)
            ? report
            : report with { Outcome = RunOutcome.LeaseLost };
    }

    /// <summary>A side that was not read whole: whatever was done, nobody knows that both are
    /// equal.</summary>
    private static (MergeSide Side, ProviderFault? Fault) Unread(PairRead.Done read) =>
        (read.Left.Certificate, read.Right.Certificate) switch
        {
            (Certificate.Partial left, _) => (MergeSide.Left, Half(left)),
            (_, Certificate.Partial right) => (MergeSide.Right, Half(right)),
            _ => (MergeSide.Left, null),
        };

    private static ProviderFault Half(Certificate.Partial partial) => new(
        ProviderReason.OutsideProtocol, null, null, $"It was not read whole: {partial.Why}");

    private static RunReport Report(string runId, RunOutcome outcome, RunRequest request) =>
        new(runId, outcome)
        {
            ApprovedPlanId = request.PlanId,
            TakeBack = request.TakeBack,
            Command = request.Command,
        };

    private static RunReport FailedReport(
        PairLease lease, MergeSide side, ProviderFault fault, RunReport? report = null) =>
        (report ?? new RunReport(lease.RunId, RunOutcome.Failed)) with
        {
            Outcome = fault.Reason is ProviderReason.CredentialsRejected or ProviderReason.InsufficientScope
                ? RunOutcome.NeedsConsent
                : RunOutcome.Failed,
            Fault = fault,
            FaultSide = side,
        };

    private static WaitingItem Waiting(SideTrouble trouble) => new(
        $"{trouble.Side.Word()}:{trouble.Address}", trouble.Uid,
        trouble.Side == MergeSide.Left ? trouble.Address : null,
        trouble.Side == MergeSide.Right ? trouble.Address : null,
        trouble.Trouble, 0, null, IsSettled: true);

    /// <summary>What a run has to do.</summary>
    private sealed record Work(
        ImmutableArray<ItemPlan> Items, ImmutableArray<SideTrouble> Troubles,
        ImmutableArray<OpenWrite> OpenWrites)
    {
        public ImmutableArray<Untouched> Untouched { get; init; } = [];
    }
}
