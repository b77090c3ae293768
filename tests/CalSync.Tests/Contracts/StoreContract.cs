using CalSync.Storage;
using CalSync.Sync;
using CalSync.Sync.Journal;

namespace CalSync.Tests.Contracts;

/// <summary>
/// The base of every suite that must hold on each engine: derive once, then once per engine.
/// </summary>
/// <remarks>
/// <code>
/// public abstract class SeatContract(TestDatabase fixture) : StoreContract(fixture) { [Fact] … }
/// public sealed class SqliteSeatTests(SqliteTestDatabase fixture)
///     : SeatContract(fixture), IClassFixture&lt;SqliteTestDatabase&gt;;
/// [Collection(PostgresFixture.Collection)]
/// public sealed class PostgresSeatTests(PostgresTestDatabase fixture)
///     : SeatContract(fixture), IClassFixture&lt;PostgresTestDatabase&gt;;
/// </code>
/// and in PgBouncerTests once more, through a pooler; a repository test notices a contract that is not there.
/// The tests of a class share one database, so each makes its own tenant.
/// </remarks>
public abstract class StoreContract(TestDatabase fixture)
{
    protected static readonly DateTimeOffset Start = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);

    protected TestDatabase Fixture { get; } = fixture;

    protected Database Database => Fixture.Database;

    protected IdSource Ids { get; } = new(TimeProvider.System, new Random());

    protected static CancellationToken Cancellation => CancellationToken.None;

    /// <summary>Makes a tenant by plain SQL; its id.</summary>
    protected async Task<string> NewTenantAsync(string kind = "test")
    {
        var id = Ids.Next("ten");
        await Database.WriteAsync(
            session => session.ExecuteAsync(
                "INSERT INTO tenants (id, name, kind, created_at) VALUES (@id, 'A school', @kind, @Start)",
                new { id, kind, Start }),
            Cancellation);
        return id;
    }

    /// <summary>Makes a user by plain SQL; its id.</summary>
    protected async Task<string> NewUserAsync(string tenantId, string role = "instructor")
    {
        var id = Ids.Next("usr");
        await Database.WriteAsync(
            session => session.ExecuteAsync(
                """
                INSERT INTO users (id, tenant_id, name, email, calendar_email, role, time_zone, created_at)
                VALUES (@id, @tenantId, 'Somebody', @email, @email, @role, 'Asia/Kolkata', @Start)
                """,
                new { id, tenantId, email = $"{id}@example.test", role, Start }),
            Cancellation);
        return id;
    }

    /// <summary>A journal entry about a subject.</summary>
    protected static JournalEntry Entry(string tenantId, string subjectId, string kind = "class.created") =>
        new(Start, tenantId, "usr_1", "request", "cor_" + subjectId, kind, "class", subjectId, subjectId,
            null, "{}");
}
