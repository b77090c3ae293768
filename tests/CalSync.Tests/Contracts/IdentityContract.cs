using CalSync.Classes;
using CalSync.Storage.Identity;
using CalSync.Storage.Journal;
using CalSync.Storage.Running;
using Xunit;

namespace CalSync.Tests.Contracts;

/// <summary>
/// Tenants, people, tokens, switches and workers: outcomes, expiry, and an audit entry for each change.
/// </summary>
public abstract class IdentityContract : StoreContract
{
    private readonly SteppedClock _clock = new(Start);
    private readonly IdentityStore _store;
    private readonly SwitchStore _switches;

    protected IdentityContract(TestDatabase fixture)
        : base(fixture)
    {
        _store = new IdentityStore(Database, Ids, _clock);
        _switches = new SwitchStore(Database, _clock);
    }

    [Fact]
    [Trait("Requirement", "R-CAL-11-P")]
    public async Task TenantUserToken_Created_AuthenticatesAndIsJournalled()
    {
        var correlation = Ids.Next("cor");
        var tenant =
            await _store.CreateTenantAsync("Yoga", TenantKind.Test, "cli", correlation, Cancellation);
        var user = await NewUserAsync(tenant, "Asha@Example.test", correlation);
        var token = await _store.CreateTokenAsync(user.Id, "laptop", null, "cli", correlation, Cancellation);
        var known = Assert.IsType<Authentication.Known>(
            await _store.AuthenticateAsync(token!.Secret, Cancellation));
        Assert.Equal((user, TenantKind.Test, token.Id), (known.User, known.TenantKind, known.TokenId));
        Assert.Equal("asha@example.test", user.CalendarEmail);
        Assert.Equal(tenant, await _store.FindTenantAsync(tenant.Id, Cancellation));
        Assert.Equal(user, await _store.FindUserByEmailAsync(tenant.Id, "ASHA@example.test", Cancellation));
        var entries = await new JournalReader(Database).ReadAsync(
            new JournalQuery { CorrelationId = correlation }, Cancellation);
        Assert.Equal(
            ["tenant.created", "user.created", "token.created"], entries.Select(record => record.Entry.Kind));
        Assert.DoesNotContain(entries, record =>
            record.Entry.After!.Contains(token.Secret, StringComparison.Ordinal));
    }

    [Fact]
    public async Task CreateUser_AddressTakenOrNoTenant_IsAnOutcome()
    {
        var tenant = await _store.CreateTenantAsync("Yoga", TenantKind.Test, "cli", "cor_1", Cancellation);
        var user = await NewUserAsync(tenant, "a@example.test", "cor_1");
        var again = new NewUser(tenant.Id, "B", "A@EXAMPLE.test", Role.Student, "UTC");
        var taken = Assert.IsType<UserCreation.EmailTaken>(
            await _store.CreateUserAsync(again, "cli", "cor_1", Cancellation));
        Assert.Equal(user, taken.Existing);
        Assert.IsType<UserCreation.NoSuchTenant>(await _store.CreateUserAsync(
            again with { TenantId = "ten_nobody" }, "cli", "cor_1", Cancellation));
    }

    [Fact]
    public async Task Authenticate_UnknownExpiredRevoked_AreToldApart()
    {
        var tenant = await _store.CreateTenantAsync("Yoga", TenantKind.Live, "cli", "cor_1", Cancellation);
        var user = await NewUserAsync(tenant, "a@example.test", "cor_1");
        var brief = await _store.CreateTokenAsync(
            user.Id, "brief", TimeSpan.FromHours(1), "cli", "cor_1", Cancellation);
        var ended = await _store.CreateTokenAsync(user.Id, "ended", null, "cli", "cor_1", Cancellation);
        Assert.Null(await _store.CreateTokenAsync("usr_nobody", "x", null, "cli", "cor_1", Cancellation));
        Assert.IsType<Authentication.Known>(await _store.AuthenticateAsync(brief!.Secret, Cancellation));
        _clock.Step(TimeSpan.FromHours(1));
        Assert.Equal(
            TokenRevocation.Revoked, await _store.RevokeTokenAsync(ended!.Id, "cli", "cor_1", Cancellation));
        Assert.Equal(
            TokenRevocation.AlreadyRevoked,
            await _store.RevokeTokenAsync(ended.Id, "cli", "cor_1", Cancellation));
        Assert.Equal(
            TokenRevocation.NoSuchToken,
            await _store.RevokeTokenAsync("tok_0", "cli", "cor_1", Cancellation));
        Assert.Equal(
            new Authentication.Expired(Start.AddHours(1)),
            await _store.AuthenticateAsync(brief.Secret, Cancellation));
        Assert.Equal(
            new Authentication.Revoked(Start.AddHours(1)),
            await _store.AuthenticateAsync(ended.Secret, Cancellation));
        Assert.IsType<Authentication.Unknown>(await _store.AuthenticateAsync("cst_guess", Cancellation));
        Assert.Equal(2, (await _store.ListTokensAsync(user.Id, Cancellation)).Count);
        var entries = await new JournalReader(Database).ReadAsync(
            new JournalQuery { SubjectId = ended.Id }, Cancellation);
        Assert.Equal(["token.created", "token.revoked"], entries.Select(record => record.Entry.Kind));
    }

    [Fact]
    [Trait("Requirement", "R-FIX-1-RB")]
    public async Task Switch_SetForATime_GoesBackByItselfAndIsJournalled()
    {
        var correlation = Ids.Next("cor");
        var done = Assert.IsType<SwitchChange.Done>(await _switches.SetAsync(
            "verification", "off", TimeSpan.FromHours(2), "reads fail", "usr_1", correlation, Cancellation));
        var read = await _switches.ReadAsync(Cancellation);
        Assert.Equal(done.State, read.Single(state => state.Name == "verification"));
        Assert.Equal(
            ["off", "on", "wait", "on", "10"],
            read.Select(state => state.Value));
        _clock.Step(TimeSpan.FromHours(2));
        Assert.Equal("on", await _switches.ValueAsync("verification", Cancellation));
        await _switches.ClearAsync("verification", "usr_1", correlation, Cancellation);
        await _switches.ClearAsync("verification", "usr_1", correlation, Cancellation);
        var entries = await new JournalReader(Database).ReadAsync(
            new JournalQuery { CorrelationId = correlation }, Cancellation);
        Assert.Equal(["switch.set", "switch.cleared"], entries.Select(record => record.Entry.Kind));
    }

    [Theory]
    [InlineData("provider-timeout", "0", false)]
    [InlineData("provider-timeout", "30", true)]
    [InlineData("provider-timeout", "31", false)]
    [InlineData("enrollment-calendar", "deferred", true)]
    [InlineData("enrollment-calendar", "off", false)]
    [Trait("Requirement", "R-FIX-5-RB")]
    public async Task Switch_ValueOutsideItsRange_IsRefused(string name, string value, bool allowed)
    {
        var change = await _switches.SetAsync(
            name, value, TimeSpan.FromMinutes(1), "a drill", "usr_1", "cor_1", Cancellation);
        Assert.Equal(allowed, change is SwitchChange.Done);
        Assert.Equal(!allowed, change is SwitchChange.BadValue);
        await _switches.ClearAsync(name, "usr_1", "cor_1", Cancellation);
    }

    [Fact]
    public async Task Switch_UnknownOrWithoutReasonOrTerm_IsRefused()
    {
        Assert.IsType<SwitchChange.UnknownName>(await _switches.SetAsync(
            "everything", "off", TimeSpan.FromHours(1), "why not", "usr_1", "cor_1", Cancellation));
        foreach (var (hours, reason) in new[] { (0, "reason"), (169, "reason"), (1, " ") })
        {
            Assert.IsType<SwitchChange.NeedsReasonAndTerm>(await _switches.SetAsync(
                "idempotency", "off", TimeSpan.FromHours(hours), reason, "usr_1", "cor_1", Cancellation));
        }
    }

    [Fact]
    public async Task Worker_StartsBeatsAndEnds_IsListedMeanwhile()
    {
        var workers = new WorkerStore(Database, _clock);
        var id = Ids.Next("wrk");
        await workers.StartAsync(id, "host", 42, Cancellation);
        _clock.Step(TimeSpan.FromSeconds(5));
        Assert.True(await workers.BeatAsync(id, Cancellation));
        Assert.Equal(
            new WorkerListing
            {
                Id = id,
                Host = "host",
                ProcessId = 42,
                StartedAt = Start,
                SeenAt = Start.AddSeconds(5),
            },
            Assert.Single(await workers.ListAsync(Cancellation)));
        await workers.EndAsync(id, "stopped", Cancellation);
        Assert.False(await workers.BeatAsync(id, Cancellation));
        var entries =
            await new JournalReader(Database).ReadAsync(new JournalQuery { SubjectId = id }, Cancellation);
        Assert.Equal(["worker.started", "worker.ended"], entries.Select(record => record.Entry.Kind));
    }

    private async Task<User> NewUserAsync(Tenant tenant, string email, string correlation)
    {
        var user = new NewUser(tenant.Id, "Asha", email, Role.Instructor, "Asia/Kolkata");
        var creation = await _store.CreateUserAsync(user, "cli", correlation, Cancellation);
        return Assert.IsType<UserCreation.Created>(creation).User;
    }

    private sealed class SteppedClock(DateTimeOffset now) : TimeProvider
    {
        private DateTimeOffset _now = now;

        public override DateTimeOffset GetUtcNow() => _now;

        public void Step(TimeSpan by) => _now += by;
    }
}

public sealed class SqliteIdentityTests(SqliteTestDatabase fixture)
    : IdentityContract(fixture), IClassFixture<SqliteTestDatabase>;

[Collection(PostgresFixture.Collection)]
public sealed class PostgresIdentityTests(PostgresTestDatabase fixture)
    : IdentityContract(fixture), IClassFixture<PostgresTestDatabase>;
