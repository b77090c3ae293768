using CalSync.Storage.Connections;
using CalSync.Storage.Pairs;

namespace CalSync.App.Commands;

/// <summary><c>calsync report</c>: figures for whoever watches the product.</summary>
internal static class ReportCommand
{
    public static Verb Create(GlobalOptions globals, Surroundings around) =>
        new(
            "report", "Prints figures for monitoring.", "calsync report sync-health", isAboutPairs: true)
        {
            new Verb(
                "sync-health",
                "Sync tokens, complete records, deletions and conflicts of the last 24 h; exit code 1 when "
                    + "something is missing or a deletion was not proved.",
                "calsync report sync-health").DoesSync(globals, around, async (call, cancellation) =>
                {
                    await using var product = await ProductParts.OpenAsync(call, cancellation);
                    var health = await product.Pairs.HealthAsync(
                        product.Place.Clock.GetUtcNow(), cancellation);
                    call.Output.Value(health, Lines(health));
                    return health.IsHealthy ? SyncExit.Equal : SyncExit.Differences;
                }),
            MakeGrants(globals, around),
        };

    private static Verb MakeGrants(GlobalOptions globals, Surroundings around)
    {
        var days = Words.Option<int?>("--days", "DAYS", "How far back, 1 to 90. Default: 1.");
        var verb = new Verb(
            "oauth",
            "How well grants were kept: faults, refused tokens, reasons, breakers, renewals; exit code 1 "
                + "when one needs attention.",
            "calsync report oauth --days 7")
        {
            days,
        };
        return verb.DoesSync(globals, around, async (call, cancellation) =>
        {
            var window = call.Get(days) ?? 1;
            if (window is not (>= 1 and <= 90))
                throw CommandException.Usage("--days is 1 to 90.", "--days 7");
            await using var place = await call.OpenAsync(cancellation);
            var now = place.Clock.GetUtcNow();
            var report = await new GrantReportReads(place.Database).ReadAsync(
                now.AddDays(-window), now, cancellation);
            call.Output.Value(report, Lines(report));
            return report.IsHealthy ? SyncExit.Equal : SyncExit.Differences;
        });
    }

    private static IEnumerable<string> Lines(GrantReport report) =>
    [
        $"no faults of our own        {report.InternalFaults} turns of events ended in one",
        $"no failures from expiry     {report.TokensRefused} tokens refused, {report.TokensEnding} end "
            + "within five minutes now",
        $"clear reasons               {report.NotWorking} of {report.Connections} connections do not work, "
            + $"{report.WithoutReason} of them without a reason",
        $"no cascade                  {report.BreakersOpened} breakers opened, {report.BreakersOpen} open "
            + "now",
        $"renewed all the time        {report.Renewed} tokens renewed, {report.RefreshesFailed} refreshes "
            + $"failed, {report.GrantsLost} grants lost",
    ];

    private static IEnumerable<string> Lines(SyncHealth health)
    {
        var (tokens, mappings) = (health.Tokens, health.Mappings);
        yield return $"pairs      {tokens.TotalMappings}, with a token on the left {tokens.GoogleTokens}, "
            + $"on the right {tokens.IcloudTokens}";
        yield return $"events     {mappings.TotalMappings}, with a UID {mappings.WithUid}, "
            + $"with a place {mappings.WithResourceUrl}";
        if (health.Deletions.IsEmpty)
            yield return "deletions  none in 24 h";
        foreach (var row in health.Deletions)
        {
            yield return $"deletions  {row.SyncDirection}: {row.DeletionCount} in 24 h, named by a token "
                + $"{row.WithToken}, without proof {row.WithoutProof}";
        }

        if (health.Conflicts.IsEmpty)
            yield return "conflicts  none in 24 h";
        foreach (var row in health.Conflicts)
            yield return $"conflicts  {row.Rule}: {row.ConflictCount} in 24 h";
    }
}
