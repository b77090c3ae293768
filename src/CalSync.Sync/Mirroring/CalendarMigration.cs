using System.Collections.Immutable;
using System.Diagnostics;
using CalSync.Sync.Connections;
using CalSync.Sync.Providers;

namespace CalSync.Sync.Mirroring;

/// <summary>Moves the events still to come from one calendar of an account to another.</summary>
/// <remarks>
/// The provider moves each event, so its id, its guests with their answers and its links stay. Where a run
/// stops, the next one goes on: an event that was moved and not recorded is found in the other calendar.
/// Moved events are read back by the mirror worker, as after every write.
/// </remarks>
/// <param name="store">Which events there are.</param>
/// <param name="tokens">The only door to a provider.</param>
/// <param name="providers">The providers.</param>
/// <param name="options">The token validity to ask for.</param>
/// <param name="mirrors">Told of events to be read back.</param>
/// <param name="clock">Now, and every wait.</param>
public sealed class CalendarMigration(
    IMigrationStore store, ConnectionTokens tokens, ProviderSet providers, ConnectionOptions options,
    MirrorSignal mirrors, TimeProvider clock)
{
    // Longer than the calls for one event can take.
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(1);

    // Events a worker holds are met again in the next round.
    private static readonly TimeSpan Round = TimeSpan.FromMilliseconds(500);
    private const int RoundCountMax = 10;

    /// <summary>Moves what is still to come and can be moved now.</summary>
    /// <param name="route">From where to where.</param>
    /// <param name="owner">Names the run in leases and in the journal.</param>
    /// <param name="correlationId">Recorded with calls and entries.</param>
    /// <param name="cancellation">Cancelled between two events, nothing is lost; the next run goes
    /// on.</param>
    public async Task<MigrationReport> RunAsync(
        MigrationRoute route, string owner, string correlationId, CancellationToken cancellation)
    {
        var run = new Run(route, owner, correlationId);
        for (var round = 0; round < RoundCountMax && run.StoppedBy is null; round++)
        {
            if (round > 0)
                await Task.Delay(Round, clock, cancellation);
            await TakeRoundAsync(run, cancellation);
            if (await store.LeftAsync(route, clock.GetUtcNow(), cancellation) <= run.Failed.Count)
                break;
        }

        if (run.MovedCount > 0)
            mirrors.Due.Set();
        return new MigrationReport(
            run.MovedCount, await store.LeftAsync(route, clock.GetUtcNow(), cancellation), run.StoppedBy,
            [.. run.Failed.Select(pair => new MigrationFailure(pair.Key, pair.Value))]);
    }

    private async Task TakeRoundAsync(Run run, CancellationToken cancellation)
    {
        string? after = null;
        while (run.StoppedBy is null)
        {
            var now = clock.GetUtcNow();
            if (await store.TakeAsync(run.Route, after, run.Owner, now, now + Lease, cancellation)
                is not { } item)
            {
                return;
            }

            after = item.MirrorId;
            await MoveAsync(run, item, cancellation);
        }
    }

    private async Task MoveAsync(Run run, MigrationItem item, CancellationToken cancellation)
    {
        var problem = item.WasWritten ? await MoveAtProviderAsync(run, item, cancellation) : null;
        if (problem is null)
        {
            // Not cancellable: the event is there, and only this says so.
            run.MovedCount += await store.SaveAsync(
                run.Route, item, run.Owner, run.CorrelationId, clock.GetUtcNow(), CancellationToken.None)
                ? 1
                : 0;
            run.Failed.Remove(item.EventId);
            return;
        }

        await store.ReleaseAsync(item, CancellationToken.None);
        run.Failed[item.EventId] = problem;
    }

    /// <summary>Null when the event is in the other calendar now; else why not.</summary>
    private async Task<string?> MoveAtProviderAsync(
        Run run, MigrationItem item, CancellationToken cancellation)
    {
        if (await OpenAsync(run, null, cancellation) is not { } call)
            return run.StoppedBy;
        var calendar = providers[run.Route.Provider].Calendar;
        var from = new EventAddress(run.Route.FromRemoteId, item.EventId);
        var moved = await calendar.MoveAsync(call, from, run.Route.ToRemoteId, Notify.None, cancellation);
        if (moved is EventMove.Failed { Fault.Reason: ProviderReason.CredentialsRejected })
        {
            if (await OpenAsync(run, call.AccessToken, cancellation) is not { } renewed)
                return run.StoppedBy;
            call = renewed;
            moved = await calendar.MoveAsync(call, from, run.Route.ToRemoteId, Notify.None, cancellation);
        }

        switch (moved)
        {
            case EventMove.Moved:
                return null;
            case EventMove.Failed { Fault: { OutcomeUnknown: false } fault }:
                // What concerns this event alone does not keep the others.
                if (fault.RetryHelps)
                    run.StoppedBy = fault.Reason.ToString();
                return fault.Reason.ToString();
            case EventMove.Failed or EventMove.Missing:
                // An earlier run, or this one, may have moved it without knowing.
                if (await IsThereAsync(run, item, call, cancellation))
                    return null;
                if (moved is not EventMove.Failed lost)
                    return "not_there";
                run.StoppedBy = lost.Fault.Reason.ToString();
                return run.StoppedBy;
            default:
                throw new UnreachableException($"Unknown outcome {moved.GetType().Name}.");
        }
    }

    private async Task<bool> IsThereAsync(
        Run run, MigrationItem item, ProviderCall call, CancellationToken cancellation) =>
        await providers[run.Route.Provider].Calendar.GetAsync(
            call, new EventAddress(run.Route.ToRemoteId, item.EventId), cancellation) is EventRead.Found found
        && found.Event.Status != "cancelled"
        && found.Event.Mark.GetValueOrDefault(EventIdentity.MirrorKey) == item.MirrorId;

    private async Task<ProviderCall?> OpenAsync(Run run, string? rejected, CancellationToken cancellation)
    {
        var outcome = rejected is null
            ? await tokens.GetAsync(run.Route.ConnectionId, options.ValidityMin, cancellation)
            : await tokens.ReplaceAsync(run.Route.ConnectionId, rejected, cancellation);
        if (outcome is TokenOutcome.Fresh fresh)
        {
            return new ProviderCall(
                run.Route.ConnectionId, fresh.AccessToken, Interactive: false, run.CorrelationId);
        }

        run.StoppedBy = outcome is TokenOutcome.NeedsConsent
            ? MirrorReasons.NeedsConsent
            : MirrorReasons.TokenUnavailable;
        return null;
    }

    private sealed class Run(MigrationRoute route, string owner, string correlationId)
    {
        public MigrationRoute Route => route;

        public string Owner => owner;

        public string CorrelationId => correlationId;

        public Dictionary<string, string> Failed { get; } = new(StringComparer.Ordinal);

        public int MovedCount { get; set; }

        public string? StoppedBy { get; set; }
    }
}

/// <summary>From where to where, both calendars of one connection.</summary>
public sealed record MigrationRoute
{
    /// <summary>The connection of both.</summary>
    public required string ConnectionId { get; init; }

    /// <summary>Its owner.</summary>
    public required string UserId { get; init; }

    /// <summary>Its provider.</summary>
    public required string Provider { get; init; }

    /// <summary>Our id of the calendar that is left.</summary>
    public required string FromId { get; init; }

    /// <summary>The provider's id of it.</summary>
    public required string FromRemoteId { get; init; }

    /// <summary>Our id of the calendar that is gone to.</summary>
    public required string ToId { get; init; }

    /// <summary>The provider's id of it.</summary>
    public required string ToRemoteId { get; init; }
}

/// <summary>An event taken for moving; nobody else writes it meanwhile.</summary>
/// <param name="MirrorId">Its mirror.</param>
/// <param name="EventId">Its id at the provider, in both calendars.</param>
/// <param name="Fence">Raised by taking it: who lost it changes nothing.</param>
/// <param name="WasWritten">False when the provider never had it: then there is nothing to move.</param>
public sealed record MigrationItem(string MirrorId, string EventId, long Fence, bool WasWritten);

/// <summary>An event that could not be moved.</summary>
/// <param name="EventId">Its id at the provider.</param>
/// <param name="Reason">A provider's reason by name, or one of <see cref="MirrorReasons"/>.</param>
public sealed record MigrationFailure(string EventId, string Reason);

/// <summary>What a run did.</summary>
/// <param name="MovedCount">Events that are in the other calendar now.</param>
/// <param name="LeftCount">Events still to come that are still in the first one.</param>
/// <param name="StoppedBy">Why it did not go on; null when it went through.</param>
/// <param name="Failed">Events that were tried and not moved.</param>
public sealed record MigrationReport(
    int MovedCount, int LeftCount, string? StoppedBy, ImmutableArray<MigrationFailure> Failed);

/// <summary>Which events are to be moved from one calendar to another, and which have been.</summary>
public interface IMigrationStore
{
    /// <summary>The way between two calendars.</summary>
    /// <returns>Null when one does not exist, or they belong to two connections.</returns>
    Task<MigrationRoute?> RouteAsync(string fromId, string toId, CancellationToken cancellation);

    /// <summary>How many events still to come are in the first calendar.</summary>
    Task<int> LeftAsync(MigrationRoute route, DateTimeOffset now, CancellationToken cancellation);

    /// <summary>Takes the next event that nobody works on.</summary>
    /// <param name="route">From where.</param>
    /// <param name="after">Only mirrors after this one; null from the first.</param>
    /// <param name="owner">Who takes it.</param>
    /// <param name="now">UTC.</param>
    /// <param name="until">When it is given up for lost.</param>
    /// <param name="cancellation">Cancelled, it may stay taken until then.</param>
    /// <returns>Null when there is none.</returns>
    Task<MigrationItem?> TakeAsync(
        MigrationRoute route, string? after, string owner, DateTimeOffset now, DateTimeOffset until,
        CancellationToken cancellation);

    /// <summary>Records that an event is in the other calendar, and has it read back there.</summary>
    /// <returns>False when it was taken away meanwhile; nothing was changed then.</returns>
    Task<bool> SaveAsync(
        MigrationRoute route, MigrationItem item, string actor, string correlationId, DateTimeOffset now,
        CancellationToken cancellation);

    /// <summary>Gives an event back that was not moved.</summary>
    Task ReleaseAsync(MigrationItem item, CancellationToken cancellation);
}
