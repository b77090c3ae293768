using CalSync.Remotes;
using CalSync.Storage;
using CalSync.Storage.Running;

namespace CalSync.App.Api;

/// <summary>The state of the whole, in one word and its parts.</summary>
/// <param name="Status"><c>ok</c>, <c>degraded</c> (works, with delays) or <c>down</c>.</param>
/// <param name="At">When this was looked at, UTC.</param>
/// <param name="Parts">What was looked at.</param>
internal sealed record HealthView(string Status, DateTimeOffset At, IReadOnlyList<HealthPart> Parts);

/// <summary>One dependency.</summary>
/// <param name="Name">Which.</param>
/// <param name="Status">As in <see cref="HealthView"/>.</param>
/// <param name="Effect">What it means for people; null when it is ok.</param>
internal sealed record HealthPart(string Name, string Status, string? Effect);

/// <summary>Health, for machines that restart or route. Nothing here needs a token or names
/// anybody.</summary>
internal static class HealthApi
{
    private static readonly TimeSpan WorkerSilentAfter = TimeSpan.FromMinutes(1);

    /// <summary>Adds the routes.</summary>
    public static void MapHealth(this IEndpointRouteBuilder api)
    {
        api.MapGet("/health/live", Live).Open().Gives<HealthView>(200)
            .Says(
                "getLiveness", "Is the process alive", "Looks at nothing else; a failure means: restart me.");
        api.MapGet("/health/ready", ReadyAsync).Open().Gives<HealthView>(200).Gives<HealthView>(503)
            .Says(
                "getReadiness", "Can requests be served", "503 while the database is away or not upgraded.");
        api.MapGet("/health", HealthAsync).Open().Gives<HealthView>(200).Gives<HealthView>(503)
            .Says("getHealth", "How is everything", "Each dependency with what its state means for people.");
    }

    private static Answer Live(RequestScope scope) => Tell(scope, []);

    private static async Task<Answer> ReadyAsync(
        RequestScope scope, Migrator migrator, CancellationToken cancellation) =>
        Tell(scope, [await DatabaseAsync(migrator, cancellation)]);

    private static async Task<Answer> HealthAsync(
        RequestScope scope, Migrator migrator, WorkerStore workers, GoogleRemotes remotes,
        CancellationToken cancellation)
    {
        var database = await DatabaseAsync(migrator, cancellation);
        if (database.Status == "down")
            return Tell(scope, [database]);
        var seen = (await workers.ListAsync(cancellation))
            .Any(worker => scope.Now - worker.SeenAt < WorkerSilentAfter);
        var provider = remotes.Health();
        return Tell(scope, [
            database,
            seen
                ? new HealthPart("worker", "ok", null)
                : new HealthPart(
                    "worker", "degraded",
                    "Changes are accepted; calendars are not written until a worker runs."),
            provider.Calendar == Sync.Providers.BreakerPhase.Closed
                && provider.OAuth == Sync.Providers.BreakerPhase.Closed
                ? new HealthPart("google", "ok", null)
                : new HealthPart(
                    "google", "degraded", "Google does not answer reliably; changes are queued and retried."),
        ]);
    }

    private static async Task<HealthPart> DatabaseAsync(Migrator migrator, CancellationToken cancellation)
    {
        try
        {
            var schema = await migrator.CheckAsync(cancellation);
            return schema is SchemaState.UpToDate
                ? new HealthPart("database", "ok", null)
                : new HealthPart("database", "down", "The schema is not the one this version needs.");
        }
        catch (StorageException)
        {
            return new HealthPart("database", "down", "Nothing can be read or changed.");
        }
    }

    private static Answer Tell(RequestScope scope, IReadOnlyList<HealthPart> parts)
    {
        var status = parts.Any(part => part.Status == "down") ? "down"
            : parts.Any(part => part.Status == "degraded") ? "degraded" : "ok";
        return Answer.Json(
            status == "down" ? 503 : 200, new HealthView(status, scope.Now, parts),
            ApiJson.Default.HealthView);
    }
}
