using CalSync.Storage.Secrets;

namespace CalSync.App.Commands;

/// <summary><c>calsync keys</c>: the keys that tokens and passwords are stored under.</summary>
internal static class KeysCommand
{
    private static readonly Column<KeyRow>[] Columns =
    [
        new("KEY", row => row.Id),
        new("USE", row => row.Use),
        new("SECRETS", row => row.Secrets),
    ];

    public static Verb Create(GlobalOptions globals, Surroundings around) =>
        new("keys", "Changes the key that tokens and passwords are sealed with.", "calsync keys rotate")
        {
            new Verb(
                "list", "Lists the keys, and how many secrets each has sealed.", "calsync keys list")
                .Does(globals, around, ListAsync),
            new Verb(
                "rotate",
                "Makes a new key and seals every secret again with it, while the product runs.",
                "calsync keys rotate").Does(globals, around, RotateAsync),
            new Verb(
                "reseal",
                "Seals every secret again with the current key: after a key was put first by hand.",
                "calsync keys reseal").Does(globals, around, ResealAsync),
            new Verb(
                "retire", "Takes keys out of the key file that seal nothing any more.",
                "calsync keys retire").Does(globals, around, RetireAsync),
        };

    private static async Task<ExitCode> ListAsync(Invocation call, CancellationToken cancellation)
    {
        await using var place = await call.OpenAsync(cancellation);
        var ring = Ring(place);
        var counts = await new Resealing(place.Database, ring, place.Clock).CountAsync(cancellation);
        var missing = counts.Keys.Keys.Except(ring.Ids).ToList();
        call.Output.Table(
            [
                .. ring.Ids.Select(id => new KeyRow(
                    id, id == ring.CurrentId ? "seals and opens" : "opens", counts.Of(id))),
                .. missing.Select(id => new KeyRow(
                    id, "missing: its secrets cannot be opened", counts.Of(id))),
            ],
            "", Columns);
        return missing.Count == 0 ? ExitCode.Ok : ExitCode.Unhealthy;
    }

    private static async Task<ExitCode> RotateAsync(Invocation call, CancellationToken cancellation)
    {
        await using var place = await call.OpenAsync(cancellation);
        var ring = Ring(place);
        if (!ring.IsFile)
        {
            throw new CommandException(
                ExitCode.Failed, "The keys are in the environment, which this program cannot change.",
                "CALSYNC_ENCRYPTION_KEY",
                "Put a new key before the old one, separated by a comma; restart every process; then "
                    + "calsync keys reseal");
        }

        var old = ring.CurrentId;
        try
        {
            ring.AddKey();
        }
        catch (IOException fault)
        {
            throw new CommandException(
                ExitCode.Failed, "The key file cannot be changed.", fault.Message,
                "Look whether another rotation runs, then try again.");
        }

        var count = await SealAsync(place, ring, cancellation);
        call.Output.Value(
            new { Key = ring.CurrentId, Before = old, Resealed = count },
            $"Key {ring.CurrentId} seals from now on; {count} secrets were sealed again with it.",
            $"Keep a copy of {ring.Source} where your backups of the database are not.",
            "Next: calsync keys retire, when no backup needs the old key any more");
        return ExitCode.Ok;
    }

    private static async Task<ExitCode> ResealAsync(Invocation call, CancellationToken cancellation)
    {
        await using var place = await call.OpenAsync(cancellation);
        var ring = Ring(place);
        var count = await SealAsync(place, ring, cancellation);
        call.Output.Value(
            new { Key = ring.CurrentId, Resealed = count },
            $"{count} secrets were sealed again with key {ring.CurrentId}.");
        return ExitCode.Ok;
    }

    private static async Task<ExitCode> RetireAsync(Invocation call, CancellationToken cancellation)
    {
        await using var place = await call.OpenAsync(cancellation);
        var ring = Ring(place);
        if (!ring.IsFile)
        {
            throw new CommandException(
                ExitCode.Failed, "The keys are in the environment, which this program cannot change.",
                "CALSYNC_ENCRYPTION_KEY", "calsync keys list tells which of them seal nothing.");
        }

        var counts = await new Resealing(place.Database, ring, place.Clock).CountAsync(cancellation);
        var unused = ring.Ids.Where(id => id != ring.CurrentId && counts.Of(id) == 0).ToList();
        if (unused.Count > 0)
            ring.RemoveKeys(unused);
        var used = ring.Ids.Skip(1).ToList();
        call.Output.Value(
            new { Retired = unused, Kept = ring.Ids },
            unused.Count == 0 ? "No key is retired." : $"Retired {string.Join(", ", unused)}.",
            used.Count == 0
                ? "Backups from before need the retired keys: keep a copy of them as long as those."
                : $"Kept {string.Join(", ", used)}: calsync keys reseal first.");
        return ExitCode.Ok;
    }

    private static async Task<int> SealAsync(
        Workplace place, KeyRing ring, CancellationToken cancellation)
    {
        try
        {
            return await new Resealing(place.Database, ring, place.Clock).RunAsync(
                Workplace.ActorName, place.CorrelationId, cancellation);
        }
        catch (SecretException fault)
        {
            throw new CommandException(
                ExitCode.Unhealthy, fault.Message, ring.Source,
                "calsync keys list tells which key is missing; put it back and run calsync keys reseal.");
        }
    }

    private static KeyRing Ring(Workplace place) => KeyRing.Load(
        place.Settings.DataDirectory, place.Settings.Text(Configuration.Keys.SecretsKey));

    private sealed record KeyRow(string Id, string Use, int Secrets);
}
