using System.Collections.Immutable;
using CalSync.Remotes;
using CalSync.Remotes.CalDav;
using CalSync.Storage;
using CalSync.Storage.Running;

namespace CalSync.App.Health;

/// <summary>Everything the product depends on, at one moment.</summary>
/// <param name="At">When, UTC.</param>
/// <param name="IsUp">The database answers and has this program's schema.</param>
/// <param name="Facts">How work stands; null when the database is down.</param>
/// <param name="Pools">The connections to the database.</param>
/// <param name="CertificateEndsAt">When its certificate ends; null without TLS.</param>
/// <param name="Parts">Each dependency with what its state means.</param>
internal sealed record HealthLook(
    DateTimeOffset At, bool IsUp, HealthFacts? Facts, IReadOnlyList<PoolUse> Pools,
    DateTimeOffset? CertificateEndsAt, ImmutableArray<HealthPart> Parts)
{
    /// <summary>The worst of the parts.</summary>
    public string Status => Parts.Any(part => part.Status == HealthPart.Down) ? HealthPart.Down
        : Parts.Any(part => part.Status == HealthPart.Degraded) ? HealthPart.Degraded : HealthPart.Ok;
}

/// <summary>One dependency.</summary>
/// <param name="Name">Which.</param>
/// <param name="Status"><c>ok</c>, <c>degraded</c> (works, with delays) or <c>down</c>.</param>
/// <param name="Since">Since when it has this state, as far as this process or the rows know, UTC.</param>
/// <param name="Effect">What it means for people; null when it is ok.</param>
/// <param name="Runbook">What to do, a document of the repository; null when it is ok.</param>
internal sealed record HealthPart(
    string Name, string Status, DateTimeOffset? Since = null, string? Effect = null, string? Runbook = null)
{
    public const string Ok = "ok";
    public const string Degraded = "degraded";
    public const string Down = "down";
}

/// <summary>Looks at everything, not too often, and remembers since when each is as it is.</summary>
internal sealed class HealthBoard(
    Database database, Migrator migrator, HealthReads reads, GoogleRemotes google, CalDavRemotes dav,
    TimeProvider clock) : IDisposable
{
    // Whoever asks more often gets the same answer: asking must not be a load.
    private static readonly TimeSpan FreshFor = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly Dictionary<string, (string Status, DateTimeOffset Since)> _since =
        new(StringComparer.Ordinal);

    private HealthLook? _last;

    /// <summary>Looks, unless somebody has just done so.</summary>
    /// <param name="cancellation">Cancelling leaves the last look.</param>
    public async Task<HealthLook> LookAsync(CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation);
        try
        {
            var now = clock.GetUtcNow();
            if (_last is { } last && (now - last.At).Duration() < FreshFor)
                return last;
            return _last = await LookAtAllAsync(now, cancellation);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Whether requests can be served now; not remembered.</summary>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    public async Task<bool> IsReadyAsync(CancellationToken cancellation)
    {
        try
        {
            return await migrator.CheckAsync(cancellation) is SchemaState.UpToDate;
        }
        catch (StorageException)
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _turn.Dispose();

    private async Task<HealthLook> LookAtAllAsync(DateTimeOffset now, CancellationToken cancellation)
    {
        var (facts, trouble) = await ReadAsync(now, cancellation);
        var certificate = database.CertificateEndsAt;
        var found = new List<HealthPart>
        {
            HealthRules.Database(facts, trouble, database.PoolUse, certificate, now),
        };
        if (facts is not null)
        {
            found.Add(HealthRules.Worker(facts));
            found.Add(HealthRules.Tokens(facts, now));
            found.Add(HealthRules.Mirrors(facts, now));
            found.Add(HealthRules.Pairs(facts, now));
        }

        found.Add(HealthRules.Google(google.Health(), facts));
        found.Add(HealthRules.CalDav(dav.OpenServers()));
        return new HealthLook(
            now, facts is not null, facts, database.PoolUse, certificate,
            [.. found.Select(part => part with { Since = part.Since ?? SinceWhen(part, now) })]);
    }

    private async Task<(HealthFacts? Facts, string? Trouble)> ReadAsync(
        DateTimeOffset now, CancellationToken cancellation)
    {
        try
        {
            return await migrator.CheckAsync(cancellation) is SchemaState.UpToDate
                ? (await reads.ReadAsync(now, cancellation), null)
                : (null, "The schema is not the one this version needs.");
        }
        catch (StorageException)
        {
            return (null, "Nothing can be read or changed.");
        }
    }

    private DateTimeOffset SinceWhen(HealthPart part, DateTimeOffset now)
    {
        if (!_since.TryGetValue(part.Name, out var before) || before.Status != part.Status)
            _since[part.Name] = before = (part.Status, now);
        return before.Since;
    }
}
