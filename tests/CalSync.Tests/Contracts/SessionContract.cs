using System.Security.Cryptography;
using CalSync.Classes;
using CalSync.Lab;
using CalSync.Storage;
using CalSync.Storage.Identity;
using CalSync.Storage.Journal;
using CalSync.Storage.Secrets;
using Xunit;

namespace CalSync.Tests.Contracts;

/// <summary>Sessions and the keys their tokens are signed with.</summary>
public abstract class SessionContract : StoreContract
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private readonly ManualTimeProvider _clock = new(Start);
    private readonly SessionStore _sessions;
    private readonly TokenCipher _cipher = new(
        KeyRing.Load("", Convert.ToBase64String(RandomNumberGenerator.GetBytes(32))));

    protected SessionContract(TestDatabase fixture)
        : base(fixture) => _sessions = new SessionStore(Database, Ids, _clock);

    [Fact]
    [Trait("Requirement", "R-JWT-6")]
    public async Task Open_ThenEnd_IsReadBackAndJournalled()
    {
        var tenant = await NewTenantAsync();
        var user = await NewUserAsync(tenant, "operator");
        var opened = await _sessions.OpenAsync(user, "cli", Hour, "cli", "cor_1", Cancellation);
        Assert.Equal(opened, await _sessions.FindAsync(opened!.Id, Cancellation));
        Assert.Equal(
            (user, tenant, TenantKind.Test, Role.Operator, Start, Start + Hour, null),
            (opened.UserId, opened.TenantId, opened.TenantKind, opened.Role, opened.AuthenticatedAt,
                opened.ExpiresAt, opened.EndedAt));
        var other = await _sessions.OpenAsync(
            await NewUserAsync(tenant), "cli", Hour, "cli", "cor_1", Cancellation);
        Assert.Equal(1, await _sessions.EndAllAsync(user, "cli", "cor_1", Cancellation));
        Assert.Equal(0, await _sessions.EndAllAsync(user, "cli", "cor_1", Cancellation));
        Assert.Equal(Start, (await _sessions.FindAsync(opened.Id, Cancellation))!.EndedAt);
        Assert.Null((await _sessions.FindAsync(other!.Id, Cancellation))!.EndedAt);
        var journal = new JournalReader(Database);
        Assert.Equal(
            "session.opened",
            Assert.Single(await journal.ReadAsync(
                new JournalQuery { SubjectId = opened.Id }, Cancellation)).Entry.Kind);
        Assert.Single(
            await journal.ReadAsync(new JournalQuery { SubjectId = user }, Cancellation),
            record => record.Entry.Kind == "session.ended");
    }

    [Fact]
    public async Task OfNobody_IsNothing()
    {
        Assert.Null(await _sessions.OpenAsync("usr_none", "cli", Hour, "cli", "cor_1", Cancellation));
        Assert.Null(await _sessions.EndAllAsync("usr_none", "cli", "cor_1", Cancellation));
        Assert.Null(await _sessions.FindAsync("' OR 1=1 --", Cancellation));
        Assert.Null(await _sessions.FindPersonAsync("", Cancellation));
    }

    /// <summary>In a database of its own: keys belong to the whole installation.</summary>
    [Fact]
    [Trait("Requirement", "R-JWT-3")]
    public async Task SigningKeys_Rotated_OverlapAndThenEnd()
    {
        await using var database = Database.Open(await Fixture.NewEmptyAsync());
        await new Migrator(database, _clock).UpgradeAsync(Cancellation);
        var keys = new SigningKeyStore(database, _cipher, _clock);
        Assert.Empty(await keys.ListAsync(Cancellation));
        using var first = await keys.CurrentAsync("cli", "cor_1", Cancellation);
        using (var again = await keys.CurrentAsync("cli", "cor_1", Cancellation))
            Assert.Equal(first.Id, again.Id);
        var second = await keys.RotateAsync(Hour, compromised: false, "cli", "cor_1", Cancellation);
        Assert.Equal([first.Id, second], (await keys.ListAsync(Cancellation)).Select(key => key.Id));
        using (var still = await keys.CurrentAsync("cli", "cor_1", Cancellation))
            Assert.Equal(first.Id, still.Id);
        _clock.Advance(SigningKeyStore.PublishedAhead);
        using (var now = await keys.CurrentAsync("cli", "cor_1", Cancellation))
            Assert.Equal(second, now.Id);
        _clock.Advance(Hour);
        var listed = Assert.Single(await keys.ListAsync(Cancellation));
        Assert.Equal((second, null), (listed.Id, listed.EndsAt));
        // The halves belong together.
        using var current = await keys.CurrentAsync("cli", "cor_1", Cancellation);
        Assert.Equal(listed.PublicKey, current.Key.ExportSubjectPublicKeyInfo());
        var third = await keys.RotateAsync(Hour, compromised: true, "cli", "cor_1", Cancellation);
        Assert.Equal([third], (await keys.ListAsync(Cancellation)).Select(key => key.Id));
    }
}

public sealed class SqliteSessionTests(SqliteTestDatabase fixture)
    : SessionContract(fixture), IClassFixture<SqliteTestDatabase>;

[Collection(PostgresFixture.Collection)]
public sealed class PostgresSessionTests(PostgresTestDatabase fixture)
    : SessionContract(fixture), IClassFixture<PostgresTestDatabase>;
