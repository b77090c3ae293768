using CalSync.Storage;
using CalSync.Storage.Running;
using CalSync.Sync.Connections;
using Xunit;

namespace CalSync.Tests.Contracts;

/// <summary>The invariants that the schema itself keeps, whatever the code above it does.</summary>
public abstract class SchemaContract(TestDatabase fixture) : StoreContract(fixture)
{
    [Fact]
    [Trait("Requirement", "R-CAL-06-P")]
    public async Task Mirrors_HaveOneTableWithForeignKeysAndUniqueEventIds()
    {
        var sql = Database.Engine == Engine.Postgres
            ? """
              SELECT confrelid::regclass::text FROM pg_constraint
              WHERE conrelid = 'mirrors'::regclass AND contype = 'f' ORDER BY 1
              """
            : "SELECT DISTINCT \"table\" FROM pragma_foreign_key_list('mirrors') ORDER BY 1";
        var referenced = await Database.ReadAsync(session => session.QueryAsync<string>(sql), Cancellation);
        Assert.Equal(["calendars", "slots", "tenants"], referenced);

        var (one, two) = (await NewSlotAsync(), await NewSlotAsync());
        await NewMirrorAsync(one, one, "event1");
        await AssertViolatedAsync(
            "mirrors_connection_id_calendar_id_provider_event_id_key",
            () => NewMirrorAsync(two, one, "event1"));
    }

    [Fact]
    [Trait("Requirement", "R-CAL-06-A")]
    public async Task Mirrors_SecondActiveOneOfASlot_IsRefusedAndAnInactiveOneKept()
    {
        var slot = await NewSlotAsync();
        await NewMirrorAsync(slot, slot, "event1");
        await AssertViolatedAsync("mirrors_one_active", () => NewMirrorAsync(slot, slot, "event2"));
        await ExecuteAsync("UPDATE mirrors SET active = FALSE WHERE slot_id = @Slot", slot);
        await NewMirrorAsync(slot, slot, "event2");
    }

    /// <summary>Each scrape counts what waits for a person, and looks at no event that is well.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-15-P")]
    public async Task Mirrors_InAttention_AreFoundThroughTheirIndex()
    {
        var plan = await Database.SnapshotAsync(
            async session =>
            {
                if (session.Engine == Engine.Sqlite)
                {
                    return (await session.QueryAsync<PlanStep>(
                        $"EXPLAIN QUERY PLAN {HealthReads.InAttentionSql}")).Select(step => step.Detail);
                }

                // In a small table reading everything is the best plan; this asks for the next one.
                await session.ScalarAsync<string>("SELECT set_config('enable_seqscan', 'off', true)");
                return await session.QueryAsync<string>($"EXPLAIN {HealthReads.InAttentionSql}");
            },
            Cancellation);
        Assert.Contains(plan, step => step.Contains(" mirrors_in_attention", StringComparison.Ordinal));
        Assert.DoesNotContain(plan, step => step.Contains("mirrors_by_connection", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Mirrors_VersionsOutOfOrder_AreRefused()
    {
        var slot = await NewSlotAsync();
        await NewMirrorAsync(slot, slot, "event1");
        await AssertViolatedAsync(
            "mirrors_versions_in_order",
            () => ExecuteAsync("UPDATE mirrors SET applied_version = 9 WHERE slot_id = @Slot", slot));
    }

    [Theory]
    [InlineData(11)]
    [InlineData(-1)]
    [Trait("Requirement", "R-CAL-04-A")]
    public async Task Classes_SeatsOutsideCapacity_AreRefused(int seats)
    {
        var slot = await NewSlotAsync();
        await AssertViolatedAsync(
            "classes_seats_within_capacity",
            () => Database.WriteAsync(
                session => session.ExecuteAsync(
                    "UPDATE classes SET seats_taken = @seats WHERE id = @Class", new { seats, slot.Class }),
                Cancellation));
    }

    [Fact]
    [Trait("Requirement", "R-CAL-20-P")]
    public async Task Tenants_KindNeverChanges()
    {
        var tenant = await NewTenantAsync("test");
        var fault = await Assert.ThrowsAsync<ConstraintViolatedException>(() => Database.WriteAsync(
            session => session.ExecuteAsync(
                "UPDATE tenants SET kind = 'live' WHERE id = @tenant", new { tenant }),
            Cancellation));
        Assert.Equal(ConstraintKind.Refused, fault.Kind);
    }

    [Theory]
    [InlineData("test", "test", "google", ConstraintKind.Check)]
    [InlineData("live", "live", "google-sandbox", ConstraintKind.Check)]
    [InlineData("live", "test", "google-sandbox", ConstraintKind.ForeignKey)]
    [InlineData("test", "test", "caldav", ConstraintKind.Check)]
    [InlineData("test", "test", "icloud", ConstraintKind.Check)]
    [InlineData("live", "live", "icloud-sandbox", ConstraintKind.Check)]
    [Trait("Requirement", "R-CAL-20-A")]
    public async Task Connections_OfTheOtherKind_AreRefused(
        string tenantKind, string rowKind, string provider, ConstraintKind kind)
    {
        var tenant = await NewTenantAsync(tenantKind);
        var user = await NewUserAsync(tenant);
        var fault = await Assert.ThrowsAsync<ConstraintViolatedException>(
            () => NewConnectionAsync(tenant, rowKind, user, provider));
        Assert.Equal(kind, fault.Kind);
    }

    [Theory]
    [InlineData("live", "caldav")]
    [InlineData("live", "icloud")]
    [InlineData("test", "icloud-sandbox")]
    [Trait("Requirement", "R-CAL-20-A")]
    public async Task Connections_OfTheKind_AreTaken(string kind, string provider)
    {
        var tenant = await NewTenantAsync(kind);
        Assert.Equal(1, await NewConnectionAsync(tenant, kind, await NewUserAsync(tenant), provider));
    }

    [Fact]
    public async Task Enrolments_SecondLiveSeat_IsRefusedAndAnEndedOneKept()
    {
        var slot = await NewSlotAsync();
        var student = await NewUserAsync(slot.Tenant, "student");
        await EnrolAsync(slot, student, "failed_rolled_back");
        await EnrolAsync(slot, student, "active");
        await AssertViolatedAsync("enrolments_one_live_seat", () =>
            EnrolAsync(slot, student, "pending_calendar"));
    }

    private static async Task AssertViolatedAsync(string constraint, Func<Task> work) =>
        Assert.Equal(constraint, (await Assert.ThrowsAsync<ConstraintViolatedException>(work)).Constraint);

    private Task<int> ExecuteAsync(string sql, object args) =>
        Database.WriteAsync(session => session.ExecuteAsync(sql, args), Cancellation);

    private Task<int> NewConnectionAsync(
        string tenant, string kind, string user, string provider) => ExecuteAsync(
        """
        INSERT INTO connections (id, tenant_id, tenant_kind, user_id, provider, account_email,
            account_subject,
            scopes, state, server_url, created_at, updated_at)
        VALUES (@id, @tenant, @kind, @user, @provider, 'a@example.test', @user, '', 'healthy', @server,
            @Start, @Start)
        """,
        new
        {
            id = "con_" + user,
            tenant,
            kind,
            user,
            provider,
            Start,
            server = ProviderNames.IsGoogle(provider) ? null : "https://dav.example.test/",
        });

    private Task<int> EnrolAsync(SlotIds slot, string student, string state) => ExecuteAsync(
        """
        INSERT INTO enrolments (id, tenant_id, class_id, student_id, calendar_email, state, version,
            created_at, updated_at)
        VALUES (@id, @Tenant, @Class, @student, 's@example.test', @state, 1, @Start, @Start)
        """,
        new { id = Ids.Next("enr"), slot.Tenant, slot.Class, student, state, Start });

    private async Task<SlotIds> NewSlotAsync()
    {
        var tenant = await NewTenantAsync();
        var user = await NewUserAsync(tenant);
        await NewConnectionAsync(tenant, "test", user, "google-sandbox");
        var ids = new SlotIds(
            tenant, "con_" + user, Ids.Next("cal"), Ids.Next("cls"), Ids.Next("slt"), user, Start);
        await Database.WriteAsync(
            session =>
            {
                session.Queue(
                    """
                    INSERT INTO calendars (id, connection_id, remote_id, summary, kind, time_zone,
                        access_role, state,
                        selected, updated_at)
                    VALUES (@Calendar, @Connection, 'primary', '', 'PRIMARY', 'UTC', 'owner', 'available',
                        TRUE, @At)
                    """,
                    ids);
                session.Queue(
                    """
                    INSERT INTO classes (id, tenant_id, instructor_id, title, time_zone, capacity, conference,
                        price_minor, currency, state, content_hash, version, created_at, updated_at)
                    VALUES (@Class, @Tenant, @User, 'Yoga', 'UTC', 10, FALSE, 0, 'INR', 'scheduled', '', 1,
                        @At, @At)
                    """,
                    ids);
                session.Queue(
                    "INSERT INTO schedules (id, class_id, ordinal) VALUES (@Class, @Class, 0)", ids);
                session.Queue(
                    """
                    INSERT INTO slots (id, class_id, schedule_id, start_local, end_local, time_zone,
                        start_at, end_at,
                        state, version, created_at, updated_at)
                    VALUES (@Slot, @Class, @Class, '', '', 'UTC', @At, @End, 'scheduled', 1, @At, @At)
                    """,
                    ids);
                return Task.CompletedTask;
            },
            Cancellation);
        return ids;
    }

    private Task<int> NewMirrorAsync(SlotIds slot, SlotIds calendar, string eventId) => ExecuteAsync(
        """
        INSERT INTO mirrors (id, tenant_id, slot_id, connection_id, calendar_id, provider_event_id,
            desired_version,
            state, correlation_id, created_at, updated_at)
        VALUES (@id, @Tenant, @Slot, @Connection, @Calendar, @eventId, 1, 'pending', '', @At, @At)
        """,
        new
        {
            id = Ids.Next("mir"),
            slot.Tenant,
            slot.Slot,
            calendar.Connection,
            calendar.Calendar,
            eventId,
            slot.At,
        });

    private sealed record PlanStep
    {
        public string Detail { get; init; } = "";
    }

    private sealed record SlotIds(
        string Tenant,
        string Connection,
        string Calendar,
        string Class,
        string Slot,
        string User,
        DateTimeOffset At)
    {
        public DateTimeOffset End => At.AddHours(1);
    }
}

public sealed class SqliteSchemaTests(SqliteTestDatabase fixture)
    : SchemaContract(fixture), IClassFixture<SqliteTestDatabase>;

[Collection(PostgresFixture.Collection)]
public sealed class PostgresSchemaTests(PostgresTestDatabase fixture)
    : SchemaContract(fixture), IClassFixture<PostgresTestDatabase>
{
    /// <summary>
    /// The plan of a foreign key's check lives as long as its connection. One made while the tables are small
    /// may take any index whose first column it knows; beginning with the tenant, that is "all rows there
    /// are".
    /// </summary>
    [Fact]
    public async Task ReferencedTables_HaveNoIndexThatBeginsWithTheTenant()
    {
        var misleading = await Database.ReadAsync(
            session => session.QueryAsync<string>(
                """
                SELECT DISTINCT i.indexrelid::regclass::text FROM pg_index i
                JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
                WHERE a.attname IN ('tenant_id', 'tenant_kind')
                    AND i.indrelid IN (SELECT confrelid FROM pg_constraint WHERE contype = 'f')
                """),
            Cancellation);
        Assert.Empty(misleading);
    }
}
