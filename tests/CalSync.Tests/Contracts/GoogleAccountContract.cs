using System.Security.Cryptography;
using CalSync.Classes;
using CalSync.Lab;
using CalSync.Storage;
using CalSync.Storage.Identity;
using CalSync.Storage.Journal;
using CalSync.Storage.Secrets;
using Xunit;

namespace CalSync.Tests.Contracts;

/// <summary>Google accounts that sign people in, and the sign-ins under way.</summary>
public abstract class GoogleAccountContract : StoreContract
{
    private const string Issuer = "https://accounts.google.com";
    private readonly ManualTimeProvider _clock = new(Start);
    private readonly GoogleAccountStore _store;

    protected GoogleAccountContract(TestDatabase fixture)
        : base(fixture) => _store = new GoogleAccountStore(
            Database,
            new TokenCipher(KeyRing.Load("", Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)))),
            _clock);

    [Fact]
    [Trait("Requirement", "R-OAUTH-18")]
    public async Task Attempt_IsTakenOnce_ByTheBrowserThatBegan_InTime()
    {
        var (mine, late) = (Attempt("a", "ten_1"), Attempt("b", null));
        await _store.BeginAsync(mine, Cancellation);
        await _store.BeginAsync(late, Cancellation);
        Assert.Null(await _store.TakeAsync(mine.State, late.AttemptKey, Cancellation));
        Assert.Null(await _store.TakeAsync("' OR 1=1 --", mine.AttemptKey, Cancellation));
        var taken = await _store.TakeAsync(mine.State, mine.AttemptKey, Cancellation);
        Assert.Equal((mine.CodeVerifier, "ten_1"), (taken!.CodeVerifier, taken.TenantId));
        Assert.Equal(
            Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(mine.Nonce))),
            taken.NonceHash);
        Assert.Null(await _store.TakeAsync(mine.State, mine.AttemptKey, Cancellation));
        _clock.Advance(TimeSpan.FromMinutes(10));
        Assert.Null(await _store.TakeAsync(late.State, late.AttemptKey, Cancellation));
        Assert.True(await _store.PruneAsync(_clock.GetUtcNow(), 100, Cancellation) >= 1);
        Assert.Equal(0, await _store.PruneAsync(_clock.GetUtcNow(), 100, Cancellation));
    }

    [Fact]
    [Trait("Requirement", "R-OAUTH-18")]
    public async Task Attempt_TakenByManyAtOnce_IsTakenOnce()
    {
        var attempt = Attempt("many", null);
        await _store.BeginAsync(attempt, Cancellation);
        var taken = await Task.WhenAll(Enumerable.Range(0, 8).Select(
            _ => _store.TakeAsync(attempt.State, attempt.AttemptKey, Cancellation)));
        Assert.Single(taken, each => each is not null);
    }

    [Fact]
    [Trait("Requirement", "R-OAUTH-17")]
    public async Task Find_LinksByAddressOnce_AndThenGoesByAccount()
    {
        var (tenant, user, email) = await NewAsync();
        var subject = "sub-" + user;
        Assert.Equal(new GoogleHolder.Known(user), await FindAsync(subject, email, null));
        Assert.Equal(new GoogleHolder.Known(user), await FindAsync(subject, "other@example.test", null));
        Assert.Equal(new GoogleHolder.Known(user), await FindAsync(subject, email, tenant));
        var nobody = Assert.IsType<GoogleHolder.Nobody>(await FindAsync("another", email, null));
        Assert.Equal(user, nobody.Holder!.UserId);
        Assert.Null(Assert.IsType<GoogleHolder.Nobody>(
            await FindAsync("another", "nobody@example.test", null)).Holder);
        Assert.IsType<GoogleHolder.Nobody>(await FindAsync(subject, email, "ten_other"));
        Assert.Equal(["google_account.linked"], await JournalAsync(user));

        Assert.True(await _store.UnlinkAsync(user, "cli", "cor_1", Cancellation));
        Assert.False(await _store.UnlinkAsync(user, "cli", "cor_1", Cancellation));
        Assert.Equal(new GoogleHolder.Known(user), await FindAsync("another", email, null));
        Assert.Equal(
            ["google_account.linked", "google_account.unlinked", "google_account.linked"],
            await JournalAsync(user));
    }

    [Fact]
    [Trait("Requirement", "R-OAUTH-17")]
    public async Task Find_OfAnAddressInTwoTenants_NeedsOneToBeNamed()
    {
        var (_, user, email) = await NewAsync();
        var (tenant, twin, _) = await NewAsync(email);
        Assert.IsType<GoogleHolder.Ambiguous>(await FindAsync("sub-" + user, email, null));
        Assert.Equal(new GoogleHolder.Known(twin), await FindAsync("sub-" + user, email, tenant));
        Assert.Equal(new GoogleHolder.Known(twin), await FindAsync("sub-" + user, email, null));
    }

    /// <summary>Two accounts, or two windows, for the first time at the same moment.</summary>
    [Fact]
    [Trait("Requirement", "R-OAUTH-17")]
    public async Task Find_ForTheFirstTimeByManyAtOnce_LinksOneAccount()
    {
        for (var round = 0; round < 8; round++)
        {
            var (_, user, email) = await NewAsync();
            var found = await Task.WhenAll(Enumerable.Range(0, 8).Select(
                index => FindAsync($"sub-{user}-{index % 2}", email, null)));
            var linked = await Database.ReadAsync(
                session => session.QueryAsync<string>(
                    "SELECT subject FROM google_accounts WHERE user_id = @user", new { user }),
                Cancellation);
            Assert.Single(linked);
            Assert.Equal(4, found.Count(each => each == new GoogleHolder.Known(user)));
            Assert.Equal(4, found.Count(each => each is GoogleHolder.Nobody));
            Assert.Equal(["google_account.linked"], await JournalAsync(user));
        }
    }

    /// <summary>Whoever is signed in stays so when the sessions' table is changed.</summary>
    [Fact]
    public async Task Upgrade_FromBeforeThereWasGoogle_KeepsEverySession()
    {
        await using var database = Database.Open(await Fixture.NewEmptyAsync());
        var known = Migration.ReadAll(database.Engine);
        var before = known.IndexOf(known.Single(
            each => each.Name.EndsWith("google_sign_in", StringComparison.Ordinal)));
        await new Migrator(database, _clock, known[..before]).UpgradeAsync(Cancellation);
        var identities = new IdentityStore(database, Ids, _clock);
        var tenant = await identities.CreateTenantAsync(
            "A school", TenantKind.Test, "cli", "cor_1", Cancellation);
        var made = Assert.IsType<UserCreation.Created>(await identities.CreateUserAsync(
            new NewUser(tenant.Id, "Ada", "ada@example.test", Role.Student, "UTC"), "cli", "cor_1",
            Cancellation));
        var sessions = new SessionStore(database, Ids, _clock);
        var opened = (await OpenAsync(sessions, made.User.Id, "password"))!;
        await Assert.ThrowsAsync<ConstraintViolatedException>(
            () => OpenAsync(sessions, made.User.Id, "google"));

        await new Migrator(database, _clock).UpgradeAsync(Cancellation);
        Assert.Equal(opened, await sessions.FindAsync(opened.Id, Cancellation));
        Assert.NotNull(await OpenAsync(sessions, made.User.Id, "google"));
        Assert.Equal(2, await sessions.EndAllAsync(made.User.Id, "cli", "cor_1", Cancellation));
    }

    private static Task<UserSession?> OpenAsync(SessionStore sessions, string userId, string method) =>
        sessions.OpenAsync(userId, method, TimeSpan.FromHours(1), "cli", "cor_1", Cancellation);

    private static GoogleSignInAttempt Attempt(string name, string? tenantId) => new(
        $"state-{name}", $"key-{name}", $"nonce-{name}", $"verifier-{name}", tenantId,
        Start + TimeSpan.FromMinutes(10));

    private Task<GoogleHolder> FindAsync(string subject, string email, string? tenantId) =>
        _store.FindAsync(Issuer, subject, email, tenantId, "cor_1", Cancellation);

    private async Task<(string Tenant, string User, string Email)> NewAsync(string? email = null)
    {
        var tenant = await NewTenantAsync();
        var user = await NewUserAsync(tenant);
        if (email is null)
            return (tenant, user, $"{user}@example.test");
        await Database.WriteAsync(
            session => session.ExecuteAsync(
                "UPDATE users SET email = @email WHERE id = @user", new { email, user }),
            Cancellation);
        return (tenant, user, email);
    }

    private async Task<IEnumerable<string>> JournalAsync(string user) =>
        (await new JournalReader(Database).ReadAsync(
            new JournalQuery { SubjectId = user }, Cancellation))
        .OrderBy(record => record.Seq).Select(record => record.Entry.Kind);
}

public sealed class SqliteGoogleAccountTests(SqliteTestDatabase fixture)
    : GoogleAccountContract(fixture), IClassFixture<SqliteTestDatabase>;

[Collection(PostgresFixture.Collection)]
public sealed class PostgresGoogleAccountTests(PostgresTestDatabase fixture)
    : GoogleAccountContract(fixture), IClassFixture<PostgresTestDatabase>;
