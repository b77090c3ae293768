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
        };

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
