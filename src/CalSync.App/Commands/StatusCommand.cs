using CalSync.App.Pairs;
using CalSync.Storage.Pairs;
using CalSync.Sync.Connections;

namespace CalSync.App.Commands;

/// <summary><c>calsync status</c>: how every pair stands and what a person can do.</summary>
internal static class StatusCommand
{
    private static readonly Column<PairStatus>[] Columns =
    [
        new("PAIR", row => row.Name),
        new("STATE", row => row.State),
        new("EVENTS", row => row.Events),
        new("WAITING", row => row.Waiting),
        new("LAST RUN", row => row.LastRunAt),
        new("NEXT", row => row.NextRunAt),
        new("DO", row => row.Advice),
    ];

    /// <summary>How a pair stands.</summary>
    /// <param name="Name">The pair.</param>
    /// <param name="State"><c>equal</c>, <c>new</c>, <c>paused</c>, <c>running</c>, <c>cut_off</c>,
    /// <c>partly</c>, <c>held</c>, <c>needs_consent</c> or <c>failed</c>.</param>
    /// <param name="Events">Events on both sides.</param>
    /// <param name="Waiting">Events that wait.</param>
    /// <param name="LastRunAt">When the last run began.</param>
    /// <param name="NextRunAt">When the worker runs it next.</param>
    /// <param name="Advice">What to do; null when nothing is to be done.</param>
    /// <param name="Exit">What the exit code says of it.</param>
    internal sealed record PairStatus(
        string Name, string State, int Events, int Waiting, DateTimeOffset? LastRunAt,
        DateTimeOffset? NextRunAt, string? Advice, SyncExit Exit);

    public static Verb Create(GlobalOptions globals, Surroundings around) =>
        new Verb(
            "status", "Says how every pair stands and what to do; asks no provider.", "calsync status",
            isAboutPairs: true).DoesSync(globals, around, async (call, cancellation) =>
            {
                await using var product = await ProductParts.OpenAsync(call, cancellation);
                var rows = await ReadAsync(
                    product.Pairs, product.Connections, product.Place.Clock.GetUtcNow(), cancellation);
                call.Output.Table(rows, PairWords.None, Columns);
                return SyncExits.Worst(rows.Select(row => row.Exit));
            });

    /// <summary>How every pair stands.</summary>
    public static async Task<List<PairStatus>> ReadAsync(
        PairDirectory pairs, IConnectionStore connections, DateTimeOffset now,
        CancellationToken cancellation)
    {
        var places = (await connections.PlacesAsync(cancellation)).ToDictionary(
            place => place.Id, StringComparer.Ordinal);
        return [.. (await pairs.ListAsync(cancellation)).Select(pair => Of(pair, places, now))];
    }

    private static PairStatus Of(
        PairListing pair, Dictionary<string, CalendarPlace> places, DateTimeOffset now)
    {
        var name = PairRunner.Quoted(pair.Name);
        var dead = new[] { pair.GoogleCalendar, pair.IcloudCalendar }
            .Select(id => places.GetValueOrDefault(id))
            .FirstOrDefault(place => place is { NeedsOwner: true });
        var isHeld = pair.LeaseUntil > now;
        var (state, advice, exit) = pair switch
        {
            { Enabled: false } => ("paused", $"calsync pairs resume {name}", SyncExit.Equal),
            _ when dead is not null => (
                "needs_consent", PairCalendars.ConnectAgain(dead), SyncExit.NeedsConsent),
            { LastRunEndedAt: null, LastRunId: not null } when isHeld => (
                "running", null,
                pair.LastOutcome is "Equal" or "Synced" ? SyncExit.Equal : SyncExit.Differences),
            { LastRunEndedAt: null, LastRunId: not null } => (
                "cut_off", $"calsync sync {name}", SyncExit.Differences),
            { LastOutcome: null } => ("new", $"calsync sync {name} --dry-run", SyncExit.Differences),
            { LastOutcome: "Held" } => ("held", $"calsync sync {name} --dry-run", SyncExit.Held),
            { LastOutcome: "NeedsConsent" } => (
                "needs_consent", "calsync connections list", SyncExit.NeedsConsent),
            { LastOutcome: "Failed" or "LeaseLost" } => ("failed", $"calsync sync {name}", SyncExit.Failed),
            { Waiting: > 0 } or { LastOutcome: "Partly" } => (
                "partly", "calsync quarantine list", SyncExit.Differences),
            { LastOutcome: "Planned" or "PlanMoved", FirstSyncedAt: null } => (
                "new", $"calsync sync {name}", SyncExit.Differences),
            _ => ("equal", (string?)null, SyncExit.Equal),
        };
        return new PairStatus(
            pair.Name, state, pair.Events, pair.Waiting, pair.LastRunAt, pair.NextRunAt, advice, exit);
    }
}
