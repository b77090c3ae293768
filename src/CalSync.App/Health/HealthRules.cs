using System.Globalization;
using CalSync.Remotes;
using CalSync.Storage;
using CalSync.Storage.Running;
using CalSync.Sync.Providers;
using static CalSync.App.Health.HealthPart;

namespace CalSync.App.Health;

/// <summary>From what was seen to a state, its effect on people and what to do. Pure.</summary>
internal static class HealthRules
{
    /// <summary>A change that waits longer than this is late.</summary>
    public static readonly TimeSpan LagMax = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan PairLagMax = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan TokenLagMax = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan CertificateNotice = TimeSpan.FromDays(14);

    /// <summary>Where the data is.</summary>
    public static HealthPart Database(
        HealthFacts? facts, string? trouble, IReadOnlyList<PoolUse> pools, DateTimeOffset? certificate,
        DateTimeOffset now)
    {
        const string name = "database";
        if (facts is null)
            return new HealthPart(name, Down, null, trouble, Book("database-unreachable"));
        if (!facts.IsWritable)
        {
            return new HealthPart(
                name, Degraded, null, "Everything can be read and nothing changed.",
                Book("database-read-only"));
        }

        if (pools.Any(pool => pool.Waiting > 0))
        {
            return new HealthPart(
                name, Degraded, null, "Requests wait for a connection, and are refused after a while.",
                Book("pool-exhausted"));
        }

        return certificate is { } end && end - now < CertificateNotice
            ? new HealthPart(
                name, Degraded, end - CertificateNotice,
                $"Its certificate ends on {end.UtcDateTime:yyyy-MM-dd}; then nothing connects any more.",
                Book("certificate-expired"))
            : new HealthPart(name, Ok);
    }

    /// <summary>Who writes to calendars.</summary>
    public static HealthPart Worker(HealthFacts facts) => facts.WorkersAlive > 0
        ? new HealthPart("worker", Ok)
        : new HealthPart(
            "worker", Degraded, facts.WorkerSeenAt,
            "Changes are accepted; calendars are not written until a worker runs.", Book("no-worker"));

    /// <summary>Who keeps the tokens valid, and whether many died at once.</summary>
    public static HealthPart Tokens(HealthFacts facts, DateTimeOffset now)
    {
        var late = facts.Tokens.Where(tokens => now - tokens.Since > TokenLagMax).ToList();
        if (late.Count > 0)
        {
            return new HealthPart(
                "tokens", Degraded, late.Min(tokens => tokens.Since),
                $"{Count(late.Sum(tokens => tokens.Count), "token")} ended before being renewed; work of "
                    + "these accounts waits for a refresh.",
                Book("tokens-not-renewed"));
        }

        var dead = facts.Connections.Where(count => count.State == "needs_reauth").Sum(count => count.Count);
        var all = facts.Connections.Where(count => count.State != "disconnected").Sum(count => count.Count);
        return dead >= 5 && dead * 10 >= all
            ? new HealthPart(
                "tokens", Degraded, null,
                $"{Count(dead, "connection")} of {all.ToString(CultureInfo.InvariantCulture)} need their "
                    + "owner's consent; their events wait until it is given.",
                Book("token-revoked"))
            : new HealthPart("tokens", Ok);
    }

    /// <summary>How far calendars are behind.</summary>
    public static HealthPart Mirrors(HealthFacts facts, DateTimeOffset now)
    {
        var waiting = facts.Waiting.Where(waiting => waiting.IsOurs).ToList();
        if (waiting.Count == 0 || now - waiting.Min(changes => changes.OldestAt) <= LagMax)
            return new HealthPart("mirrors", Ok);
        var oldest = waiting.Min(changes => changes.OldestAt);
        return new HealthPart("mirrors", Degraded, oldest + LagMax, Scope(waiting, now), Book("sync-lag"));
    }

    /// <summary>Who runs the pairs.</summary>
    public static HealthPart Pairs(HealthFacts facts, DateTimeOffset now)
    {
        var late = facts.Pairs.Where(pairs => now - pairs.Since > PairLagMax).ToList();
        return late.Count == 0
            ? new HealthPart("pairs", Ok)
            : new HealthPart(
                "pairs", Degraded, late.Min(pairs => pairs.Since) + PairLagMax,
                $"{Count(late.Sum(pairs => pairs.Count), "pair")} should have run; edits on one side are not "
                    + "on the other.",
                Book("sync-lag"));
    }

    /// <summary>The way to Google: shut for all, or for many accounts each on its own.</summary>
    public static HealthPart Google(RemotesHealth health, HealthFacts? facts)
    {
        var held = facts?.Held.Sum(one => one.Count) ?? 0;
        var all = facts?.Connections.Where(one => one.State != "disconnected").Sum(one => one.Count) ?? 0;
        var isShut = health is not { Calendar: BreakerPhase.Closed, OAuth: BreakerPhase.Closed };
        if (!isShut && (held == 0 || held * 10 < all))
            return new HealthPart("google", Ok);
        var waiting = facts?.Waiting.Where(waiting => waiting.IsOurs).ToList() ?? [];
        var (changes, people) = (waiting.Sum(one => one.Count), waiting.Sum(one => one.People));
        return new HealthPart(
            "google", Degraded, null,
            "Google does not answer reliably; changes are queued and retried. "
                + $"{Count(changes, "change")} of {Count(people, "person", "people")} wait.",
            Book("google-outage"));
    }

    /// <summary>The way to CalDAV servers.</summary>
    public static HealthPart CalDav(int openServers) => openServers == 0
        ? new HealthPart("caldav", Ok)
        : new HealthPart(
            "caldav", Degraded, null,
            $"{Count(openServers, "server")} do not answer reliably; pairs with them run later.",
            Book("google-outage"));

    private static string Scope(List<WaitingChanges> waiting, DateTimeOffset now)
    {
        var minutes = (long)(now - waiting.Min(changes => changes.OldestAt)).TotalMinutes;
        return $"{Count(waiting.Sum(changes => changes.Count), "change")} of "
            + $"{Count(waiting.Sum(changes => changes.People), "person", "people")} are not on a calendar "
            + $"yet, the oldest for {minutes.ToString(CultureInfo.InvariantCulture)} min.";
    }

    private static string Count(long count, string one, string? many = null) => string.Create(
        CultureInfo.InvariantCulture, $"{count} {(count == 1 ? one : many ?? one + "s")}");

    private static string Book(string name) => $"docs/runbooks/{name}.md";
}
