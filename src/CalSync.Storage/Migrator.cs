using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;

namespace CalSync.Storage;

/// <summary>How the schema of a database stands to this program.</summary>
public abstract record SchemaState
{
    private SchemaState()
    {
    }

    /// <summary>Ready to be used.</summary>
    /// <param name="Version">Number of the last migration.</param>
    public sealed record UpToDate(int Version) : SchemaState;

    /// <summary>Migrations are waiting; <c>calsync db upgrade</c> applies them.</summary>
    /// <param name="Version">Number of the last one applied.</param>
    /// <param name="Newest">Number of the last one this program has.</param>
    public sealed record Behind(int Version, int Newest) : SchemaState;

    /// <summary>A newer program has been here; this one must not touch the data.</summary>
    /// <param name="Version">Number of the last one applied.</param>
    /// <param name="Newest">Number of the last one this program has.</param>
    public sealed record Ahead(int Version, int Newest) : SchemaState;

    /// <summary>What was applied is not what this program has under that number.</summary>
    /// <param name="Version">The first number that differs.</param>
    /// <param name="Problem">What differs.</param>
    public sealed record Damaged(int Version, string Problem) : SchemaState;

    /// <summary>Nothing has been applied yet.</summary>
    /// <param name="Newest">Number of the last one this program has.</param>
    public sealed record Empty(int Newest) : SchemaState;
}

/// <summary>What an upgrade did.</summary>
/// <param name="From">Number of the last migration before; 0 for an empty database.</param>
/// <param name="To">Number of the last migration now; equal when there was nothing to do.</param>
public sealed record SchemaUpgrade(int From, int To);

/// <summary>Brings a database to this program's schema: numbered, forward only, each once.</summary>
/// <remarks>
/// All waiting migrations run in one transaction that excludes every other upgrade: a transaction-level
/// advisory lock on PostgreSQL (it also holds behind a pooler), the writer's lock on SQLite. Two processes
/// that start at once therefore both succeed and one of them finds nothing left to do.
/// </remarks>
/// <param name="database">The database.</param>
/// <param name="clock">Dates the rows of <c>schema_migrations</c>.</param>
public sealed class Migrator(Database database, TimeProvider clock)
{
    /// <summary>An arbitrary number that no other program is likely to lock: "calsync" in ASCII.</summary>
    private const long UpgradeLock = 0x63616c73796e63;

    private const string CreateTable =
        """
        CREATE TABLE IF NOT EXISTS schema_migrations (
            version     integer PRIMARY KEY,
            name        text NOT NULL,
            checksum    text NOT NULL,
            applied_at  {instant} NOT NULL
        )
        """;

    private readonly ImmutableArray<Migration> _migrations = Migration.ReadAll(database.Engine);

    internal Migrator(Database database, TimeProvider clock, ImmutableArray<Migration> migrations)
        : this(database, clock) => _migrations = migrations;

    /// <summary>Compares without changing anything.</summary>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    public Task<SchemaState> CheckAsync(CancellationToken cancellation) =>
        database.SnapshotAsync(CompareAsync, cancellation);

    /// <summary>Applies what is waiting.</summary>
    /// <param name="cancellation">Cancelling rolls the whole upgrade back.</param>
    /// <exception cref="MigrationMismatchException">
    /// The database is newer, or an applied file was edited.
    /// </exception>
    public Task<SchemaUpgrade> UpgradeAsync(CancellationToken cancellation) => database.WriteAsync(
        async session =>
        {
            if (session.Engine == Engine.Postgres)
                await session.ExecuteAsync("SELECT pg_advisory_xact_lock(@UpgradeLock)", new { UpgradeLock });
            var from = await CompareAsync(session) switch
            {
                SchemaState.Empty => 0,
                SchemaState.Behind behind => behind.Version,
                SchemaState.UpToDate current => current.Version,
                SchemaState.Ahead ahead => throw new MigrationMismatchException(
                    $"The database is at migration {ahead.Version}, this program knows {ahead.Newest}: "
                    + "use the newer program."),
                SchemaState.Damaged damaged => throw new MigrationMismatchException(
                    $"Migration {damaged.Version}: {damaged.Problem}"),
                var other => throw new UnreachableException($"Unknown schema state {other}."),
            };
            await session.ExecuteAsync(Migration.Translate(CreateTable, session.Engine));
            foreach (var migration in _migrations.Where(migration => migration.Version > from))
                await ApplyAsync(session, migration);
            return new SchemaUpgrade(from, _migrations[^1].Version);
        },
        cancellation);

    private async Task ApplyAsync(WriteSession session, Migration migration)
    {
        foreach (var text in migration.Texts)
            await session.RunScriptAsync(Migration.Translate(text, session.Engine));
        await session.ExecuteAsync(
            """
            INSERT INTO schema_migrations (version, name, checksum, applied_at)
            VALUES (@Version, @Name, @Checksum, @At)
            """,
            new { migration.Version, migration.Name, migration.Checksum, At = clock.GetUtcNow() });
    }

    private async Task<SchemaState> CompareAsync(Session session)
    {
        var newest = _migrations[^1].Version;
        var exists = await session.ScalarAsync<long>(session.Engine == Engine.Postgres
            ? "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() "
                + "AND tablename = 'schema_migrations'"
            : "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'schema_migrations'");
        if (exists == 0)
            return new SchemaState.Empty(newest);
        var applied = await session.QueryAsync<Applied>(
            "SELECT version, name, checksum FROM schema_migrations ORDER BY version");
        for (var i = 0; i < Math.Min(applied.Count, _migrations.Length); i++)
        {
            var (row, known) = (applied[i], _migrations[i]);
            if (row.Version != known.Version)
                return new SchemaState.Damaged(known.Version, "It was left out before later ones.");
            if (row.Checksum != known.Checksum)
            {
                return new SchemaState.Damaged(
                    known.Version, $"The file {known.Name} was edited after it had been applied.");
            }
        }

        return (applied.Count - _migrations.Length) switch
        {
            > 0 => new SchemaState.Ahead(applied[^1].Version, newest),
            0 => new SchemaState.UpToDate(newest),
            _ when applied.Count == 0 => new SchemaState.Empty(newest),
            _ => new SchemaState.Behind(applied[^1].Version, newest),
        };
    }

    private sealed record Applied
    {
        public int Version { get; init; }

        public string Name { get; init; } = "";

        public string Checksum { get; init; } = "";
    }
}

/// <summary>One numbered migration: the text for both engines, then what only this engine can say.</summary>
/// <param name="Version">From 1, without gaps.</param>
/// <param name="Name">The file's name without extension.</param>
/// <param name="Texts">In the order they run.</param>
internal sealed record Migration(int Version, string Name, ImmutableArray<string> Texts)
{
    /// <summary>Hex SHA-256 over the texts, line ends as line feeds.</summary>
    public string Checksum { get; } = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
        string.Join('\u001e', Texts).ReplaceLineEndings("\n"))));

    /// <summary>All migrations compiled into this program, in order.</summary>
    public static ImmutableArray<Migration> ReadAll(Engine engine)
    {
        var assembly = Assembly.GetExecutingAssembly();
        const string Prefix = "CalSync.Storage.Migrations.";
        var fragment = engine == Engine.Postgres ? ".postgres.sql" : ".sqlite.sql";
        var names = assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)
            .ToArray();
        var files = names.Where(name => name[Prefix.Length..].Count(c => c == '.') == 1);
        return [.. files.Select(Read)];

        Migration Read(string file)
        {
            string[] parts = [file, file[..^4] + fragment];
            return new Migration(
                int.Parse(file.AsSpan(Prefix.Length, 4), NumberStyles.None, CultureInfo.InvariantCulture),
                file[Prefix.Length..^4],
                [.. parts.Where(names.Contains).Select(part => Text(assembly, part))]);
        }
    }

    /// <summary>
    /// Puts an engine's types in place of <c>{instant}</c> and <c>{bytes}</c>; text compares by bytes.
    /// </summary>
    /// <remarks>
    /// SQLite compares so anyway: rows have one order everywhere, and an index is several times cheaper.
    /// </remarks>
    public static string Translate(string text, Engine engine) => text
        .Replace("{instant}", engine == Engine.Postgres ? "timestamptz" : "text", StringComparison.Ordinal)
        .Replace("{bytes}", engine == Engine.Postgres ? "bytea" : "blob", StringComparison.Ordinal)
        .Replace(" text", engine == Engine.Postgres ? " text COLLATE \"C\"" : " text",
            StringComparison.Ordinal);

    private static string Text(Assembly assembly, string name)
    {
        using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!, Encoding.UTF8);
        return reader.ReadToEnd();
    }
}
