using CalSync.Classes;
using CalSync.Storage.Classes;

namespace CalSync.Tests.Contracts;

/// <summary>A tenant with an instructor, a selected calendar and students, for suites about
/// classes.</summary>
public abstract class ClassContract(TestDatabase fixture) : StoreContract(fixture), IAsyncDisposable
{
    private readonly List<ClassCommands> _commands = [];

    protected Actor Teacher { get; private set; } = null!;

    protected string TenantId => Teacher.TenantId;

    protected Actor Product => Actor.System(TenantId);

    protected ClassReads Reads => new(Database);

    protected OperationReads Operations => new(Database);

    protected ClassCommands NewCommands(
        Func<string, string>? nextId = null, int? laneCount = null, ClassOptions? options = null,
        IdempotencyOptions? keys = null)
    {
        _commands.Add(new ClassCommands(Database, nextId ?? Ids.Next, options, keys, laneCount));
        return _commands[^1];
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var commands in _commands)
            await commands.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    protected async Task ArrangeAsync()
    {
        var tenantId = await NewTenantAsync();
        Teacher = new Actor(tenantId, await NewUserAsync(tenantId), Role.Instructor);
        var (connection, calendar) = (Ids.Next("con"), Ids.Next("cal"));
        await Database.WriteAsync(
            session =>
            {
                session.Queue(
                    """
                    INSERT INTO connections (id, tenant_id, tenant_kind, user_id, provider, account_email,
                        account_subject, scopes, state, created_at, updated_at)
                    VALUES (@connection, @tenantId, 'test', @UserId, 'google-sandbox', 't@example.test',
                        @connection, 'calendar', 'healthy', @Start, @Start)
                    """,
                    new { connection, tenantId, Teacher.UserId, Start });
                session.Queue(
                    """
                    INSERT INTO calendars (id, connection_id, remote_id, summary, kind, time_zone,
                        access_role, state, selected, updated_at)
                    VALUES (@calendar, @connection, 'primary', 'Teaching', 'PRIMARY', 'UTC', 'owner',
                        'available', @yes, @Start)
                    """,
                    new { connection, calendar, yes = true, Start });
                return Task.CompletedTask;
            },
            Cancellation);
    }

    protected async Task<Actor> NewStudentAsync() =>
        new(TenantId, await NewUserAsync(TenantId, "student"), Role.Student);

    protected static ClassCommand.CreateClass Creation(
        int slots = 1, int capacity = 50, string title = "Pottery") => new(
        title,
        "Clay and patience",
        null,
        "Europe/Lisbon",
        capacity,
        new Price(4500, "EUR"),
        false,
        null,
        [new ScheduleDraft(null, [.. Enumerable.Range(10, slots).Select(Day)])]);

    private static SlotDraft Day(int day) => new($"2026-03-{day}T10:00", DurationMinutes: 60);

    protected CommandEnvelope Envelope(
        Actor actor, ClassCommand command, string? classId = null, IdempotencyClaim? key = null,
        DateTimeOffset? now = null) =>
        new(actor, command, classId, Ids.Next("cor"), now ?? Start, key);

    protected async Task<CommandResult> DoneAsync(
        ClassCommands commands, Actor actor, ClassCommand command, string? classId = null,
        DateTimeOffset? now = null)
    {
        var outcome = await commands.ExecuteAsync(Envelope(actor, command, classId, now: now), Cancellation);
        return Xunit.Assert.IsType<CommandOutcome.Done>(outcome).Result;
    }

    /// <summary>The worker's part, in SQL: every event of the class was read back as wanted.</summary>
    protected Task VerifyAsync(string classId) => Database.WriteAsync(
        async session =>
        {
            await session.ExecuteAsync(
                """
                UPDATE mirrors SET applied_version = desired_version, verified_version = desired_version,
                    state = 'verified',
                    next_attempt_at = NULL
                WHERE slot_id IN (SELECT id FROM slots WHERE class_id = @classId)
                """,
                new { classId });
            await session.ExecuteAsync(
                "UPDATE operation_steps SET verified = @yes WHERE operation_id IN (SELECT id FROM "
                    + "operations WHERE class_id = @classId)",
                new { classId, yes = true });
            await session.ExecuteAsync(
                "UPDATE operations SET state = 'verified' WHERE class_id = @classId AND state = 'pending'",
                new { classId });
        },
        Cancellation);

    protected async Task<int> SettleAsync(ClassCommands commands, DateTimeOffset? now = null)
    {
        var due = await Operations.DueSettlementsAsync(now ?? Start, 1000, Cancellation);
        foreach (var each in due.Where(each => each.TenantId == TenantId))
        {
            await DoneAsync(
                commands, Product, new ClassCommand.SettleOperation(each.OperationId), each.ClassId, now);
        }

        return due.Count(each => each.TenantId == TenantId);
    }

    protected Task<long> CountAsync(string sql, object args) =>
        Database.ReadAsync(session => session.ScalarAsync<long>(sql, args), Cancellation);
}
