using System.CommandLine;
using CalSync.App.Configuration;
using CalSync.Storage;

namespace CalSync.App.Commands;

/// <summary><c>calsync db</c>: the schema of the database.</summary>
internal static class DbCommand
{
    private static readonly Option<string?> Url = Words.Option<string?>(
        "--url", "URL", "PostgreSQL to look at in place of the configured one; the same as --database.");

    public static Verb Create(GlobalOptions globals, Surroundings around) =>
        new("db", "Upgrades and checks the database.", "calsync db check")
        {
            new Verb("upgrade",
                "Brings the schema to this program's version; safe from several processes at once.",
                "calsync db upgrade").Does(globals, around, UpgradeAsync),
            new Verb("check",
                "Says what is really used: server, TLS, pooler, pools, schema; exit code 3 when the schema "
                    + "is not this program's or nothing can be written.",
                "calsync db check --data /var/lib/calsync") { Url }.Does(globals, around, CheckAsync),
        };

    private static async Task<ExitCode> UpgradeAsync(Invocation call, CancellationToken cancellation)
    {
        await using var place = Workplace.OpenAnySchema(call.Settings(), call.Around);
        var done = await new Migrator(place.Database, place.Clock).UpgradeAsync(cancellation);
        call.Output.Value(
            done,
            done.From == done.To
                ? $"Nothing to do: the schema is at migration {done.To}."
                : $"Upgraded from migration {done.From} to {done.To}.");
        return ExitCode.Ok;
    }

    private static async Task<ExitCode> CheckAsync(Invocation call, CancellationToken cancellation)
    {
        var settings = call.Get(Url) is { } url ? call.Settings((Keys.DatabaseUrl, url)) : call.Settings();
        await using var place = Workplace.OpenAnySchema(settings, call.Around);
        var report = await place.Database.InspectAsync(cancellation);
        var state = await new Migrator(place.Database, place.Clock).CheckAsync(cancellation);
        var words = SchemaWords.Describe(state);
        call.Output.Value(
            new
            {
                State = state.GetType().Name,
                report.Engine,
                Words = words,
                Advice = SchemaWords.Advise(state),
                report.User,
                report.Tls,
                Pooler = report.Pooler?.ToString(),
                PoolerKnownBy = report.Pooler?.KnownBy,
                report.Pools,
                report.Writable,
                report.SessionFeatures,
            },
            [.. Lines(report), words]);
        return state is SchemaState.UpToDate && report.Writable ? ExitCode.Ok : ExitCode.Unhealthy;
    }

    private static IEnumerable<string> Lines(DatabaseReport report)
    {
        yield return report.Engine;
        if (report.Pooler is not { } pooler)
            yield break;
        yield return $"user: {report.User}";
        yield return report.Tls switch
        {
            null => "TLS: none on a Unix socket",
            { Version: null } tls => $"TLS: none (asked for: {Output.Cell(tls.Asked)})",
            var tls => $"TLS: {tls.Version} {tls.Cipher}, verified: {Output.Cell(tls.Verified)} "
                + $"(asked for: {Output.Cell(tls.Asked)})",
        };
        if (report.Tls is { Version: not null } seen)
        {
            yield return $"certificate: {seen.Certificate}, until {Output.Cell(seen.EndsAt)}";
            yield return $"trusted: {seen.Trusts}";
        }

        yield return $"pooler: {pooler} ({pooler.KnownBy})";
        if (report.Tls?.BehindPooler is { } leg)
            yield return $"from the pooler on: {leg}";
        yield return $"connections: {report.Pools.General} general, {report.Pools.Batch} for batches";
        foreach (var (feature, use) in report.SessionFeatures)
            yield return $"{feature}: {use}";
        yield return report.Writable ? "writable: yes" : "writable: no, it is a standby or set to read only";
    }
}
