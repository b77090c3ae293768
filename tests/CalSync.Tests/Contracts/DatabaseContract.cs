using CalSync.Storage;
using Xunit;

namespace CalSync.Tests.Contracts;

/// <summary>Sessions behave the same on both engines: values, lists, batches, rollback, faults.</summary>
public abstract class DatabaseContract(TestDatabase fixture) : StoreContract(fixture)
{
    [Fact]
    public async Task Instants_WrittenWithAnyOffset_ComeBackAsUtcToTheMicrosecond()
    {
        var written = new DateTimeOffset(2026, 3, 8, 1, 30, 0, TimeSpan.FromHours(5.5)).AddTicks(1_234_567);
        var id = await NewTenantAsync();
        await Database.WriteAsync(
            session => session.ExecuteAsync(
                "UPDATE tenants SET created_at = @written WHERE id = @id", new { id, written }),
            Cancellation);
        var row = await Database.ReadAsync(
            session => session.FirstOrDefaultAsync<TenantRow>(
                "SELECT id, kind, created_at FROM tenants WHERE id = @id AND created_at <= @written",
                new { id, written }),
            Cancellation);
        Assert.Equal(TimeSpan.Zero, row!.CreatedAt.Offset);
        Assert.Equal(written.AddTicks(-7), row.CreatedAt);
    }

    [Fact]
    public async Task Instants_Null_ComeBackAsNull()
    {
        var user = await NewUserAsync(await NewTenantAsync());
        await Database.WriteAsync(
            session => session.ExecuteAsync(
                """
                INSERT INTO api_tokens (id, user_id, hash, label, created_at, expires_at)
                VALUES (@user, @user, @user, 'x', @Start, @expires)
                """,
                new { user, Start, expires = (DateTimeOffset?)null }),
            Cancellation);
        var row = await Database.ReadAsync(
            session => session.FirstOrDefaultAsync<TokenRow>(
                "SELECT created_at, expires_at FROM api_tokens WHERE id = @user", new { user }),
            Cancellation);
        Assert.Equal(new TokenRow { CreatedAt = Start, ExpiresAt = null }, row);
    }

    [Fact]
    public async Task In_AnyLength_MatchesExactlyTheListed()
    {
        var tenants = new[] { await NewTenantAsync(), await NewTenantAsync(), await NewTenantAsync() };
        for (var count = 0; count <= tenants.Length; count++)
        {
            var ids = tenants[..count];
            var found = await Database.ReadAsync(
                session => session.QueryAsync<string>(
                    $"SELECT id FROM tenants WHERE {session.In("id", "@ids")} ORDER BY id", new { ids }),
                Cancellation);
            Assert.Equal(ids.Order(StringComparer.Ordinal), found.Order(StringComparer.Ordinal));
        }
    }

    [Fact]
    public async Task QueryMultiple_SeveralSelects_AreReadInOrder()
    {
        var tenant = await NewTenantAsync();
        var user = await NewUserAsync(tenant);
        var (found, count) = await Database.SnapshotAsync(
            async session =>
            {
                await using var grid = await session.QueryMultipleAsync(
                    """
                    SELECT id, kind, created_at FROM tenants WHERE id = @tenant;
                    SELECT count(*) FROM users WHERE tenant_id = @tenant AND created_at = @Start
                    """,
                    new { tenant, Start });
                return (
                    Assert.Single(await grid.ReadAsync<TenantRow>()),
                    Assert.Single(await grid.ReadAsync<long>()));
            },
            Cancellation);
        Assert.Equal(tenant, found.Id);
        Assert.Equal(Start, found.CreatedAt);
        Assert.Equal(1, count);
        Assert.NotEmpty(user);
    }

    /// <summary>By property and by constructor, whatever types an engine has for it.</summary>
    [Fact]
    public async Task Rows_BecomeRecords()
    {
        const string Select =
            """
            SELECT 'a' AS some_text, 7 AS some_number, 1 = 1 AS is_so, 'Read' AS use, created_at,
                NULL AS no_text, 2.5 AS half, 'left out' AS other
            FROM tenants WHERE id = @tenant
            """;
        var tenant = await NewTenantAsync();
        Task<T?> ReadAsync<T>() => Database.ReadAsync(
            session => session.FirstOrDefaultAsync<T>(Select, new { tenant }), Cancellation);
        Assert.Equal(
            new Filled
            {
                SomeText = "a",
                SomeNumber = 7,
                IsSo = true,
                Use = ChannelUse.Read,
                CreatedAt = Start,
                Half = 2.5,
            },
            await ReadAsync<Filled>());
        Assert.Equal(new Made(Start, 7, null), await ReadAsync<Made>());
        var fault = await Assert.ThrowsAsync<InvalidOperationException>(ReadAsync<Unmade>);
        Assert.Contains("No column gives the Missing of a Unmade", fault.Message, StringComparison.Ordinal);
    }

    /// <summary>Every kind of value comes back as it was given, a nothing and an empty one told
    /// apart.</summary>
    [Fact]
    public async Task Values_OfEveryKind_ComeBackAsTheyWereGiven()
    {
        var plan = Ids.Next("val");
        var octets = new byte[] { 0, 255, 10 };
        var values = new[] { "", "plain", "a\"b'c\\d\ne", "Straße 東京 🗓", new string('x', 100_000) };
        await Database.WriteAsync(
            session =>
            {
                foreach (var (value, index) in values.Select((value, index) => (value, index)))
                {
                    session.Queue(
                        "INSERT INTO event_contents (hash, octets) VALUES (@hash, @octets)",
                        new
                        {
                            hash = $"{plan} {index} {value}",
                            octets = index == 0 ? ReadOnlyMemory<byte>.Empty : octets.AsMemory(),
                        },
                        expectRows: 1);
                }

                return Task.CompletedTask;
            },
            Cancellation);
        var rows = await Database.ReadAsync(
            session => session.QueryAsync<ValueRow>(
                "SELECT hash, octets FROM event_contents WHERE hash LIKE @plan || ' %' ORDER BY hash",
                new { plan }),
            Cancellation);
        Assert.Equal(
            values.Select((value, index) => $"{plan} {index} {value}"), rows.Select(row => row.Hash));
        Assert.Empty(rows[0].Octets);
        Assert.All(rows.Skip(1), row => Assert.Equal(octets, row.Octets));
        Assert.Equal(
            (true, 2.5, -7L, true),
            await Database.WriteAsync(
                async session =>
                {
                    var row = await session.FirstOrDefaultAsync<KindRow>(
                        """
                        SELECT CAST(@none AS text) IS NULL AS is_none, @real + 0.0 AS half,
                            @whole + 0 AS whole, @flag AND 1 = 1 AS is_flag
                        """,
                        new { none = (string?)null, real = 2.5, whole = -7L, flag = true });
                    return (row!.IsNone, row.Half, row.Whole, row.IsFlag);
                },
                Cancellation));
    }

    /// <summary>A statement may have several contents, of which the first is not copied.</summary>
    [Fact]
    public async Task Values_SeveralContentsInOneStatement_AreEachTheirOwn()
    {
        var (name, first, second) = (Ids.Next("val"), new byte[] { 1, 2 }, new byte[] { 3 });
        ReadOnlyMemory<byte> whole = new byte[] { 9, 1, 2, 9 };
        await Database.WriteAsync(
            session => session.ExecuteAsync(
                """
                INSERT INTO event_contents (hash, octets)
                VALUES (@name, @part), (@name || ' 2', @second), (@name || ' 3', @part)
                """,
                new { name, part = whole[1..3], second = (ReadOnlyMemory<byte>)second }),
            Cancellation);
        var rows = await Database.ReadAsync(
            session => session.QueryAsync<ValueRow>(
                "SELECT hash, octets FROM event_contents WHERE hash LIKE @name || '%' ORDER BY hash",
                new { name }),
            Cancellation);
        Assert.Equal([first, second, first], rows.Select(row => row.Octets));
    }

    /// <summary>What need not be on disk at once is seen at once, and only its own commit is
    /// deferred.</summary>
    [Fact]
    public async Task WriteDeferred_IsSeenAtOnceAndDefersNoOtherCommit()
    {
        var tenant = Ids.Next("ten");
        Task<bool> IsDeferredAsync(WriteSession session) => session.ScalarAsync<bool>(
            session.Engine == Engine.Postgres
                ? """
                SELECT setting = 'off' AND source = 'session' FROM pg_settings
                WHERE name = 'synchronous_commit'
                """
                : "SELECT synchronous < 2 FROM pragma_synchronous");
        await Database.WriteDeferredAsync(
            async session =>
            {
                session.Queue(
                    "INSERT INTO tenants (id, name, kind, created_at) VALUES (@tenant, 'n', 'live', @Start)",
                    new { tenant, Start });
                await session.FlushAsync();
                Assert.True(await IsDeferredAsync(session));
            },
            Cancellation);
        Assert.Equal(1, await CountAsync("tenants", tenant));
        Assert.False(await Database.WriteAsync(IsDeferredAsync, Cancellation));
    }

    [Fact]
    public async Task Write_WorkThrows_LeavesNothing()
    {
        var tenant = Ids.Next("ten");
        await Assert.ThrowsAsync<InvalidOperationException>(() => Database.WriteAsync(
            async session =>
            {
                await session.ExecuteAsync(
                    "INSERT INTO tenants (id, name, kind, created_at) VALUES (@tenant, 'n', 'live', @Start)",
                    new { tenant, Start });
                session.Journal(Entry(tenant, tenant));
                throw new InvalidOperationException();
            },
            Cancellation));
        Assert.Equal(0, await CountAsync("tenants", tenant));
    }

    [Fact]
    public async Task Queue_WrongRowCount_RollsBackWithConcurrencyException()
    {
        var tenant = await NewTenantAsync();
        var fault = await Assert.ThrowsAsync<ConcurrencyException>(() => Database.WriteAsync(
            session =>
            {
                session.Queue("UPDATE tenants SET name = 'changed' WHERE id = @tenant", new { tenant }, 1);
                session.Queue("UPDATE tenants SET name = 'x' WHERE id = 'nobody'", expectRows: 1);
                session.Journal(Entry(tenant, tenant));
                return Task.CompletedTask;
            },
            Cancellation));
        Assert.Equal((1, 0), (fault.Expected, fault.Actual));
        var name = await Database.ReadAsync(
            session => session.ScalarAsync<string>(
                "SELECT name FROM tenants WHERE id = @tenant", new { tenant }),
            Cancellation);
        Assert.Equal("A school", name);
    }

    [Fact]
    public async Task Flush_ReturnsTheRowsOfEachStatement()
    {
        var tenant = await NewTenantAsync();
        var counts = await Database.WriteAsync(
            async session =>
            {
                session.Queue("UPDATE tenants SET name = 'a' WHERE id = @tenant", new { tenant });
                session.Queue("UPDATE tenants SET name = 'b' WHERE id = 'nobody'");
                session.Queue(
                    "INSERT INTO tenants (id, name, kind, created_at) SELECT id || 'x', name, kind, "
                    + "created_at FROM tenants WHERE id = @tenant", new { tenant });
                return await session.FlushAsync();
            },
            Cancellation);
        Assert.Equal([1, 0, 1], counts);
    }

    [Fact]
    public async Task Constraints_Violated_NameTheSameConstraintOnBothEngines()
    {
        var tenant = await NewTenantAsync();
        var user = await NewUserAsync(tenant);
        await AssertViolatedAsync(
            ConstraintKind.Unique,
            "users_email_tenant_id_key",
            """
            INSERT INTO users (id, tenant_id, name, email, calendar_email, role, time_zone, created_at)
            SELECT 'usr_other', tenant_id, name, email, email, role, time_zone,
                created_at FROM users WHERE id = @user
            """,
            new { user });
        await AssertViolatedAsync(
            ConstraintKind.Unique,
            "tenants_pkey",
            "INSERT INTO tenants (id, name, kind, created_at) VALUES (@tenant, 'n', 'live', @Start)",
            new { tenant, Start });
        await AssertViolatedAsync(
            ConstraintKind.ForeignKey,
            null,
            "UPDATE users SET tenant_id = 'nobody' WHERE id = @user",
            new { user });
        await AssertViolatedAsync(
            ConstraintKind.NotNull,
            "users.name",
            "UPDATE users SET name = NULL WHERE id = @user",
            new { user });
    }

    [Fact]
    public async Task BrokenStatement_IsATypedFault()
    {
        var fault = await Assert.ThrowsAsync<StatementFailedException>(() => Database.ReadAsync(
            session => session.QueryAsync<string>("SELECT nothing FROM nowhere"), Cancellation));
        Assert.Equal("SELECT nothing FROM nowhere", fault.Statement);
    }

    [Fact]
    public async Task Snapshot_WhileAnotherWrites_SeesOneMoment()
    {
        var tenant = await NewTenantAsync();
        var (before, after) = await Database.SnapshotAsync(
            async session =>
            {
                var first = await session.ScalarAsync<string>(
                    "SELECT name FROM tenants WHERE id = @tenant", new { tenant });
                await Database.WriteAsync(
                    other => other.ExecuteAsync(
                        "UPDATE tenants SET name = 'later' WHERE id = @tenant", new { tenant }),
                    Cancellation);
                return (first, await session.ScalarAsync<string>(
                    "SELECT name FROM tenants WHERE id = @tenant", new { tenant }));
            },
            Cancellation);
        Assert.Equal(before, after);
    }

    private async Task<long> CountAsync(string table, string id) => await Database.ReadAsync(
        session => session.ScalarAsync<long>($"SELECT count(*) FROM {table} WHERE id = @id", new { id }),
        Cancellation);

    private async Task AssertViolatedAsync(ConstraintKind kind, string? constraint, string sql, object args)
    {
        var fault = await Assert.ThrowsAsync<ConstraintViolatedException>(() => Database.WriteAsync(
            session => session.ExecuteAsync(sql, args), Cancellation));
        Assert.Equal(kind, fault.Kind);
        Assert.Equal(constraint ?? fault.Constraint, fault.Constraint);
    }

    internal sealed record Filled
    {
        public string SomeText { get; init; } = "";

        public int SomeNumber { get; init; }

        public bool IsSo { get; init; }

        public ChannelUse? Use { get; init; }

        public DateTimeOffset? CreatedAt { get; init; }

        public string NoText { get; init; } = "as it was";

        public double Half { get; init; }

        public string Absent { get; init; } = "as it was";
    }

    public sealed record ValueRow
    {
        public string Hash { get; init; } = "";

        public byte[] Octets { get; init; } = [];
    }

    public sealed record KindRow
    {
        public bool IsNone { get; init; }

        public double Half { get; init; }

        public long Whole { get; init; }

        public bool IsFlag { get; init; }
    }

    internal sealed record Made(DateTimeOffset CreatedAt, long SomeNumber, string? NoText);

    internal sealed record Unmade(string SomeText, string Missing);

    public sealed record TenantRow
    {
        public string Id { get; init; } = "";

        public string Kind { get; init; } = "";

        public DateTimeOffset CreatedAt { get; init; }
    }

    public sealed record TokenRow
    {
        public DateTimeOffset CreatedAt { get; init; }

        public DateTimeOffset? ExpiresAt { get; init; }
    }
}

public sealed class SqliteDatabaseTests(SqliteTestDatabase fixture)
    : DatabaseContract(fixture), IClassFixture<SqliteTestDatabase>;

[Collection(PostgresFixture.Collection)]
public sealed class PostgresDatabaseTests(PostgresTestDatabase fixture)
    : DatabaseContract(fixture), IClassFixture<PostgresTestDatabase>;
