using CalSync.App.Configuration;
using CalSync.Classes;
using CalSync.Storage;
using CalSync.Storage.Identity;
using CalSync.Storage.Journal;
using CalSync.Storage.Running;
using CalSync.Sync;

namespace CalSync.App.Commands;

/// <summary>What a verb that works on the database has at hand.</summary>
internal sealed class Workplace : IAsyncDisposable
{
    /// <summary>How the journal names whoever types commands.</summary>
    public const string ActorName = "cli";

    private Workplace(Settings settings, Surroundings around)
    {
        Settings = settings;
        Clock = new OffsetClock(around.Clock, settings.Duration(Keys.TestingClock));
        Ids = new IdSource(Clock, around.Random);
        CorrelationId = Ids.Next("cor");
        Database = Database.Open(settings.Options<DatabaseOptions>());
    }

    /// <summary>The configuration in force.</summary>
    public Settings Settings { get; }

    /// <summary>The time, with the configured offset.</summary>
    public TimeProvider Clock { get; }

    /// <summary>Makes ids.</summary>
    public IdSource Ids { get; }

    /// <summary>Ties together what this call changes; <c>calsync trace</c> follows it.</summary>
    public string CorrelationId { get; }

    /// <summary>The database, at this program's schema.</summary>
    public Database Database { get; }

    /// <summary>Tenants, people, API tokens.</summary>
    public IdentityStore Identity => new(Database, Ids, Clock);

    /// <summary>The kill switches.</summary>
    public SwitchStore Switches => new(
        Database, Clock, () => HostConfiguration.SwitchNormals(Settings));

    /// <summary>The journal.</summary>
    public JournalReader Journal => new(Database);

    /// <summary>The product itself in every tenant: what the command line may see and do.</summary>
    public async Task<IReadOnlyList<Actor>> ActorsAsync(CancellationToken cancellation) =>
        [.. (await Identity.ListTenantsAsync(cancellation)).Select(tenant =>
            new Actor(tenant.Id, ActorName, Role.System))];

    /// <summary>Opens the database. An empty one gets its schema; an older one is left for <c>db
    /// upgrade</c>.</summary>
    /// <exception cref="CommandException">The schema is not this program's.</exception>
    public static async Task<Workplace> OpenAsync(
        Settings settings, Surroundings around, CancellationToken cancellation)
    {
        var place = OpenAnySchema(settings, around);
        try
        {
            var migrator = new Migrator(place.Database, around.Clock);
            var state = await migrator.CheckAsync(cancellation);
            if (state is SchemaState.Empty)
            {
                await migrator.UpgradeAsync(cancellation);
            }
            else if (state is not SchemaState.UpToDate)
            {
                throw new CommandException(
                    ExitCode.Unhealthy, SchemaWords.Describe(state), place.Database.EngineDescription,
                    SchemaWords.Advise(state));
            }

            return place;
        }
        catch
        {
            await place.DisposeAsync();
            throw;
        }
    }

    /// <summary>Opens the database without looking at its schema.</summary>
    public static Workplace OpenAnySchema(Settings settings, Surroundings around) => new(settings, around);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => Database.DisposeAsync();
}

/// <summary>The state of a schema in words.</summary>
internal static class SchemaWords
{
    /// <summary>One sentence.</summary>
    public static string Describe(SchemaState state) => state switch
    {
        SchemaState.UpToDate now => $"The schema is up to date at migration {now.Version}.",
        SchemaState.Behind behind =>
            $"The schema is at migration {behind.Version}, this program needs {behind.Newest}.",
        SchemaState.Ahead ahead =>
            $"The schema is at migration {ahead.Version}, this program knows {ahead.Newest}.",
        SchemaState.Damaged damaged =>
            $"The schema is damaged at migration {damaged.Version}: {damaged.Problem}",
        SchemaState.Empty => "The database is empty.",
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    /// <summary>What to do; null when nothing is to be done.</summary>
    public static string? Advise(SchemaState state) => state switch
    {
        SchemaState.UpToDate => null,
        SchemaState.Behind or SchemaState.Empty => "calsync db upgrade",
        SchemaState.Ahead => "Use the newer program.",
        SchemaState.Damaged => "Restore the database from a backup, or use the program that made it.",
        _ => throw new System.Diagnostics.UnreachableException(),
    };
}
