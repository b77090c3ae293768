using CalSync.Storage;

namespace CalSync.App.Commands;

/// <summary><c>calsync db</c>: the schema of the database.</summary>
internal static class DbCommand
{
    public static Verb Create(GlobalOptions globals, Surroundings around) =>
        new("db", "Upgrades and checks the database.", "calsync db check")
        {
            new Verb("upgrade",
                "Brings the schema to this program's version; safe from several processes at once.",
                "calsync db upgrade").Does(globals, around, UpgradeAsync),
            new Verb("check", "Says where the schema stands; exit code 3 when it is not this program's.",
                "calsync db check --data /var/lib/calsync").Does(globals, around, CheckAsync),
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
        await using var place = Workplace.OpenAnySchema(call.Settings(), call.Around);
        var state = await new Migrator(place.Database, place.Clock).CheckAsync(cancellation);
        var words = SchemaWords.Describe(state);
        call.Output.Value(
            new { State = state.GetType().Name, Engine = place.Database.EngineDescription, Words = words },
            place.Database.EngineDescription,
            words);
        return state is SchemaState.UpToDate ? ExitCode.Ok : ExitCode.Unhealthy;
    }
}
