using CalSync.Storage.Connections;
using CalSync.Storage.Secrets;
using CalSync.Sync.Connections;
using CalSync.Sync.Providers;
using Xunit;

namespace CalSync.Tests.Contracts;

/// <summary>
/// Goal: on each engine tokens change hands once, stay sealed to their row, and a dead grant parks its work
/// until its owner consents again. Method: leases, saves and authorizations as processes make them, with the
/// times given.
/// </summary>
public abstract class ConnectionContract(TestDatabase fixture) : StoreContract(fixture)
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);
    private string _tenantId = "";
    private string _userId = "";
    private string _subject = "";

    private ConnectionStore Store => new(
        Database, new TokenCipher(KeyRing.Load(Fixture.Options.DataDirectory, null)), Ids);

    /// <summary>R-OAUTH-2: however many try at once, one may refresh; and who lost the lease stores
    /// nothing.</summary>
    [Fact]
    [Trait("Requirement", "R-OAUTH-2")]
    public async Task Lease_IsHeldByOne_AndAnOldOneStoresNothing()
    {
        var grant = await ConnectAsync();
        var leases = await Task.WhenAll(Enumerable.Range(0, 20).Select(
            i => Store.TryLeaseAsync(grant, $"p{i}", Start, Start + Lease, Cancellation)));
        var lost = Assert.Single(leases, lease => lease is not null)!;
        Assert.Null(
            await Store.TryLeaseAsync(
            grant, "late", Start + Lease - TimeSpan.FromSeconds(1), Start + Lease, Cancellation));
        var later = Start + Lease;
        var held = (await Store.TryLeaseAsync(grant, "next", later, later + Lease, Cancellation))!;
        Assert.False(await Store.SaveTokensAsync(lost, Granted("stale", "stale"), later, Cancellation));
        Assert.False(await Store.SaveFailureAsync(lost, "TimedOut", later, false, later, Cancellation));
        Assert.True(await Store.SaveTokensAsync(held, Granted("second", "rotated"), later, Cancellation));
        Assert.False(await Store.SaveTokensAsync(held, Granted("third", null), later, Cancellation));
        var now = (await Store.LoadAsync(grant.Id, Cancellation))!;
        Assert.Equal(
            ("second", "rotated", 2, null),
            (now.AccessToken, now.RefreshToken, now.TokenVersion, now.LeaseUntil));
        Assert.Null(await Store.TryLeaseAsync(grant, "old look", later, later + Lease, Cancellation));
    }

    /// <summary>R-FIX-2-E: an answer without a refresh token keeps the one there is.</summary>
    [Fact]
    public async Task Save_WithoutARefreshToken_KeepsTheStoredOne()
    {
        var grant = await ConnectAsync();
        var lease = (await Store.TryLeaseAsync(grant, "p", Start, Start + Lease, Cancellation))!;
        Assert.True(await Store.SaveTokensAsync(lease, Granted("second", null), Start, Cancellation));
        Assert.Equal("refresh", (await Store.LoadAsync(grant.Id, Cancellation))!.RefreshToken);
        await Store.SaveConnectionAsync(New(grant, Granted("third", null)), Start, Cancellation);
        var now = (await Store.LoadAsync(grant.Id, Cancellation))!;
        Assert.Equal(("third", "refresh"), (now.AccessToken, now.RefreshToken));
    }

    /// <summary>R-CAL-01-P: a failed refresh leaves state, reason and time, and lets the next one
    /// try.</summary>
    [Fact]
    public async Task SaveFailure_LeavesReasonAndTime()
    {
        var grant = await ConnectAsync();
        var lease = (await Store.TryLeaseAsync(grant, "p", Start, Start + Lease, Cancellation))!;
        Assert.True(
            await Store.SaveFailureAsync(
                lease, "ServerError", Start.AddSeconds(7), false, Start, Cancellation));
        var now = (await Store.LoadAsync(grant.Id, Cancellation))!;
        Assert.Equal(
            (ConnectionState.Degraded, "ServerError", 1, Start.AddSeconds(7)),
            (now.State, now.Reason, now.ConsecutiveFailures, now.NextAttemptAt));
        Assert.NotNull(await Store.TryLeaseAsync(now, "p", Start, Start + Lease, Cancellation));
    }

    /// <summary>R-CAL-01-B, R-FIX-2-D: a dead grant is told once, parks its work, and consent sets it going
    /// again.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-01-B")]
    public async Task ConsentNeeded_TellsTheOwnerOnce_AndConsentHeals()
    {
        var grant = await ConnectAsync();
        Assert.False(await Store.SaveConsentNeededAsync(
            grant.Id, grant.TokenVersion + 1, ConsentReason.GrantRevoked, Start, Cancellation));
        Assert.Equal(ConnectionState.Healthy, (await Store.LoadAsync(grant.Id, Cancellation))!.State);
        await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => Store.SaveConsentNeededAsync(
            grant.Id, grant.TokenVersion, ConsentReason.GrantRevoked, Start, Cancellation)));
        Assert.Equal(ConnectionState.NeedsReauth, (await Store.LoadAsync(grant.Id, Cancellation))!.State);
        Assert.Equal(1, await Database.ReadAsync(
            session => session.ScalarAsync<long>(
                "SELECT COUNT(*) FROM notices WHERE user_id = @_userId AND kind = 'reconnect'",
                new { _userId }),
            Cancellation));
        Assert.Null(await Store.TryLeaseAsync(grant, "p", Start, Start + Lease, Cancellation));
        Assert.Equal(
            grant.Id,
            await Store.SaveConnectionAsync(New(grant, Granted("new", "new")), Start, Cancellation));
        Assert.Equal(ConnectionState.Healthy, (await Store.LoadAsync(grant.Id, Cancellation))!.State);
    }

    /// <summary>R-CAL-01-B: why reconnecting did not help is kept with a connection that needs it, its owner
    /// asking.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-01-B")]
    public async Task SaveReconnectFailed_IsKeptOnlyWhereTheOwnerIsNeeded()
    {
        var grant = await ConnectAsync();
        Task<bool> NoteAsync(string userId) => Store.SaveReconnectFailedAsync(
            grant.Id, userId, ConsentReason.DifferentAccount, Start, Cancellation);
        Assert.False(await NoteAsync(_userId));
        await Store.SaveConsentNeededAsync(
            grant.Id, grant.TokenVersion, ConsentReason.GrantRevoked, Start, Cancellation);
        Assert.False(await NoteAsync("usr_other"));
        Assert.True(await NoteAsync(_userId));
        Assert.Equal("DifferentAccount", (await Store.LoadAsync(grant.Id, Cancellation))!.Reason);
    }

    /// <summary>R-OAUTH-15: breakers driven by hand, by connection and by provider, on this engine
    /// too.</summary>
    [Fact]
    [Trait("Requirement", "R-OAUTH-15")]
    public async Task Breakers_DrivenByHand_OpenAndCloseWhatIsNamed()
    {
        var desk = new CalSync.Storage.Running.BreakerDesk(Database);
        var why = new CalSync.Storage.Running.BreakerCause("cli", "a look first", Ids.Next("cor"), Start);
        var grant = await ConnectAsync();
        Assert.Empty(await desk.ListAsync(_tenantId, Cancellation));
        var opened = await desk.OpenAsync(grant.Id, Start.AddMinutes(5), why, Cancellation);
        Assert.Equal(grant.Id, Assert.Single(opened));
        var row = Assert.Single(await desk.ListAsync(_tenantId, Cancellation));
        Assert.Equal((grant.Id, Start.AddMinutes(5)), (row.ConnectionId, row.OpenUntil));
        Assert.Equal(
            Start.AddMinutes(5), (await Store.LoadAsync(grant.Id, Cancellation))!.NextAttemptAt);
        Assert.Contains(grant.Id, await desk.CloseAsync("google-sandbox", why, Cancellation));
        Assert.Empty(await desk.ListAsync(_tenantId, Cancellation));
        Assert.Null((await Store.LoadAsync(grant.Id, Cancellation))!.NextAttemptAt);
        Assert.Empty(await desk.CloseAsync("con_nothing", why, Cancellation));
    }

    /// <summary>R-CAL-01-P: a grant that ends by itself is told to its owner once, in time, however many
    /// look.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-01-P")]
    public async Task TellEndingGrants_TellsEachOwnerOnceForEachGrant()
    {
        var grant = await ConnectAsync();
        async Task<long> TellAsync(DateTimeOffset now)
        {
            await Task.WhenAll(Enumerable.Range(0, 5).Select(
                _ => Store.TellEndingGrantsAsync(now.AddDays(2), now, Cancellation)));
            return await Database.ReadAsync(
                session => session.ScalarAsync<long>(
                    "SELECT COUNT(*) FROM notices WHERE user_id = @_userId AND kind = 'grant_ending'",
                    new { _userId }),
                Cancellation);
        }

        Task<string?> ConsentAsync(DateTimeOffset now) => Store.SaveConnectionAsync(
            New(grant, Granted("a", "r") with { GrantExpiresIn = TimeSpan.FromDays(7) }), now, Cancellation);
        Assert.Equal(0, await TellAsync(Start));
        await ConsentAsync(Start);
        Assert.Equal(0, await TellAsync(Start.AddDays(4)));
        Assert.Equal(1, await TellAsync(Start.AddDays(5)));
        Assert.Equal(1, await TellAsync(Start.AddDays(6)));
        await ConsentAsync(Start.AddDays(6));
        Assert.Equal(1, await TellAsync(Start.AddDays(7)));
        Assert.Equal(2, await TellAsync(Start.AddDays(11).AddHours(1)));
        // One that has ended is no warning any more.
        Assert.Equal(2, await TellAsync(Start.AddDays(20)));
    }

    /// <summary>R-OAUTH-16: the same numbers on this engine.</summary>
    [Fact]
    [Trait("Requirement", "R-OAUTH-16")]
    public async Task GrantReport_CountsWhatHappenedSince()
    {
        var reads = new GrantReportReads(Database);
        Task<GrantReport> ReadAsync(DateTimeOffset now) => reads.ReadAsync(Start, now, Cancellation);
        var before = await ReadAsync(Start);
        var grant = await ConnectAsync();
        var lease = (await Store.TryLeaseAsync(grant, "p", Start, Start + Lease, Cancellation))!;
        await Store.SaveFailureAsync(lease, "ServerError", Start.AddMinutes(5), true, Start, Cancellation);
        var after = await ReadAsync(Start);
        Assert.Equal(
            (1, 1, 1, 1, 1, 0),
            (after.Connections - before.Connections, after.NotWorking - before.NotWorking,
                after.RefreshesFailed - before.RefreshesFailed, after.BreakersOpened - before.BreakersOpened,
                after.BreakersOpen - before.BreakersOpen, after.TokensEnding - before.TokensEnding));
        var later = await ReadAsync(Start.AddMinutes(57));
        Assert.True(later.TokensEnding > before.TokensEnding);
        Assert.Equal(0, (await reads.ReadAsync(Start.AddDays(1), Start, Cancellation)).RefreshesFailed);
    }

    /// <summary>R-FLOW-1: a token moved to another row or column does not open.</summary>
    [Fact]
    [Trait("Requirement", "R-FLOW-1")]
    public async Task Load_OfAMovedToken_Fails()
    {
        var victim = await ConnectAsync();
        var thief = await ConnectAsync();
        await Database.WriteAsync(
            session => session.ExecuteAsync(
                "UPDATE connections SET access_token = (SELECT access_token FROM connections WHERE id = "
                    + "@Victim) WHERE id = @Id",
                new { Victim = victim.Id, thief.Id }),
            Cancellation);
        await Assert.ThrowsAsync<SecretException>(() => Store.LoadAsync(thief.Id, Cancellation));
        await Database.WriteAsync(
            session => session.ExecuteAsync(
                "UPDATE connections SET access_token = refresh_token WHERE id = @Id", new { victim.Id }),
            Cancellation);
        await Assert.ThrowsAsync<SecretException>(() => Store.LoadAsync(victim.Id, Cancellation));
    }

    /// <summary>R-FIX-2-RB: blocking is back by itself when the switch's term is over.</summary>
    [Fact]
    [Trait("Requirement", "R-FIX-2-RB")]
    public async Task Blocks_WhenSwitchedOff_OnlyUntilTheTermEnds()
    {
        var until = Start + TimeSpan.FromMinutes(5);
        Assert.True(await Store.BlocksAsync(Start, Cancellation));
        await Database.WriteAsync(
            session => session.ExecuteAsync(
                """
                INSERT INTO switches (name, value, reason, actor, set_at, expires_at)
                VALUES ('token-blocking', 'off', 'the token server is slow', 'x', @Start, @until)
                """,
                new { Start, until }),
            Cancellation);
        Assert.False(await Store.BlocksAsync(until.AddSeconds(-1), Cancellation));
        Assert.True(await Store.BlocksAsync(until, Cancellation));
        await Database.WriteAsync(session => session.ExecuteAsync("DELETE FROM switches"), Cancellation);
    }

    /// <summary>R-FLOW-1: an authorization is finished once, in time, by who began it.</summary>
    [Fact]
    [Trait("Requirement", "R-FLOW-1")]
    public async Task Take_GivesAnAuthorizationOnce()
    {
        await ConnectAsync();
        var attempt = new ConnectionAttempt(
            Ids.Next("att"), _tenantId, _userId, "google-sandbox", "verifier", "http://127.0.0.1/cb", null,
            Start.AddMinutes(10));
        await Store.BeginAsync(attempt, Start, Cancellation);
        Assert.Null(await Store.TakeAsync(attempt.State, "usr_other", Start, Cancellation));
        Assert.Null(await Store.TakeAsync(attempt.State, null, Start.AddMinutes(10), Cancellation));
        var taken = await Task.WhenAll(Enumerable.Range(0, 10).Select(
            _ => Store.TakeAsync(attempt.State, _userId, Start, Cancellation)));
        Assert.Equal(attempt, Assert.Single(taken, one => one is not null));
    }

    /// <summary>An account with a password keeps it sealed; renewed it is the same connection, and ended it
    /// has none.</summary>
    [Fact]
    [Trait("Requirement", "R-FLOW-1")]
    public async Task SaveAccount_KeepsThePasswordSealedRenewsAndForgets()
    {
        _tenantId = await NewTenantAsync("live");
        _userId = await NewUserAsync(_tenantId);
        var id = (await Store.SaveAccountAsync(Account("first", null), Start, Cancellation))!;
        Assert.Equal("first", (await Store.LoadAccountAsync(id, Cancellation))!.Password);
        var octets = await Database.ReadAsync(
            session => session.ScalarAsync<byte[]>(
                "SELECT password FROM connections WHERE id = @id", new { id }),
            Cancellation);
        Assert.DoesNotContain(
            "first", System.Text.Encoding.UTF8.GetString(octets), StringComparison.Ordinal);
        var place = Assert.Single(
            await Store.PlacesAsync(Cancellation), found => found.ConnectionId == id);
        Assert.Equal(
            ("caldav", "https://dav.example.test/ada/home/", "healthy", false),
            (place.Provider, place.RemoteId, place.ConnectionState, place.NeedsOwner));
        Assert.Equal(place, await Store.PlaceAsync(place.Id, Cancellation));
        Assert.Equal(
            CalendarChoice.NotWritable,
            await Store.SelectCalendarAsync(id, _userId, place.Id, Start, Cancellation));

        Assert.True(await Store.SaveConsentNeededAsync(
            id, place.TokenVersion, ConsentReason.PasswordRejected, Start, Cancellation));
        Assert.True((await Store.PlaceAsync(place.Id, Cancellation))!.NeedsOwner);
        Assert.Null(await Store.SaveAccountAsync(Account("other", "con_other"), Start, Cancellation));
        Assert.Equal(id, await Store.SaveAccountAsync(Account("second", id), Start, Cancellation));
        var renewed = (await Store.PlaceAsync(place.Id, Cancellation))!;
        Assert.Equal(("healthy", 2), (renewed.ConnectionState, renewed.TokenVersion));
        Assert.Equal("second", (await Store.LoadAccountAsync(id, Cancellation))!.Password);

        Assert.True(await Store.DisconnectAsync(id, _userId, Start, Cancellation));
        Assert.Null((await Store.LoadAccountAsync(id, Cancellation))!.Password);
        Assert.Null(await Store.LoadAccountAsync((await ConnectAsync()).Id, Cancellation));
    }

    private NewAccount Account(string password, string? reconnectId) => new(
        _tenantId, _userId, "caldav", new Uri("https://dav.example.test/"), "ada", password,
        [new ProviderCalendar("https://dav.example.test/ada/home/", "Home", false, "UTC", "owner")],
        reconnectId);

    private async Task<ConnectionGrant> ConnectAsync()
    {
        _tenantId = await NewTenantAsync();
        _userId = await NewUserAsync(_tenantId);
        _subject = Ids.Next("sub");
        var id = await Store.SaveConnectionAsync(
            New(_subject, Granted("access", "refresh"), null), Start, Cancellation);
        return (await Store.LoadAsync(id!, Cancellation))!;
    }

    private NewConnection New(ConnectionGrant again, TokenAnswer.Granted tokens) =>
        New(_subject, tokens, again.Id);

    private NewConnection New(string subject, TokenAnswer.Granted tokens, string? reconnectId) => new(
        _tenantId, _userId, "google-sandbox", subject, "maya@studio.test", tokens,
        [new ProviderCalendar("maya@studio.test", "Maya", true, "Asia/Kolkata", "owner")], reconnectId);

    private static TokenAnswer.Granted Granted(string access, string? refresh) =>
        new(access, refresh, TimeSpan.FromHours(1), "calendar");
}

public sealed class SqliteConnectionTests(SqliteTestDatabase fixture)
    : ConnectionContract(fixture), IClassFixture<SqliteTestDatabase>;

[Collection(PostgresFixture.Collection)]
public sealed class PostgresConnectionTests(PostgresTestDatabase fixture)
    : ConnectionContract(fixture), IClassFixture<PostgresTestDatabase>;
