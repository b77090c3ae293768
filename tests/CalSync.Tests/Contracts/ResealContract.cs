using CalSync.Lab;
using CalSync.Storage;
using CalSync.Storage.Connections;
using CalSync.Storage.Identity;
using CalSync.Storage.Journal;
using CalSync.Storage.Secrets;
using CalSync.Sync.Connections;
using CalSync.Sync.Providers;
using Xunit;

namespace CalSync.Tests.Contracts;

/// <summary>
/// Goal: a key is changed while the product runs, and nothing sealed is lost. Method: secrets of every kind,
/// a ring of their own, stores that go on with the ring they were given.
/// </summary>
public abstract class ResealContract : StoreContract, IDisposable
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("calsync-keys-");
    private readonly ManualTimeProvider _clock = new(Start);
    private readonly KeyRing _ring;
    private readonly ConnectionStore _store;

    protected ResealContract(TestDatabase fixture)
        : base(fixture)
    {
        _ring = NewRing();
        _store = new ConnectionStore(Database, new TokenCipher(_ring), Ids);
    }

    public void Dispose()
    {
        _directory.Delete(recursive: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Every secret is sealed again, opens in a process that runs and in a new one, and the old key
    /// is not needed any more.</summary>
    [Fact]
    public async Task Rotate_WhileStoresRun_LosesNothingAndFreesTheOldKey()
    {
        await EmptyAsync();
        var grant = await ConnectAsync();
        var account = await AccountAsync();
        var signing = new SigningKeyStore(Database, new TokenCipher(_ring), _clock);
        using (await signing.CurrentAsync("cli", "cor_1", Cancellation))
        {
            // The first one is made by asking for it.
        }

        var old = _ring.CurrentId;
        var other = NewRing();
        other.AddKey();
        var resealing = new Resealing(Database, other, _clock);
        Assert.Equal(4, (await resealing.CountAsync(Cancellation)).Of(old));
        Assert.Equal(4, await resealing.RunAsync("cli", "cor_2", Cancellation));
        Assert.Equal(0, await resealing.RunAsync("cli", "cor_3", Cancellation));
        var counts = await resealing.CountAsync(Cancellation);
        Assert.Equal((0, 4), (counts.Of(old), counts.Of(other.CurrentId)));
        other.RemoveKeys([old]);

        foreach (var ring in new[] { _ring, NewRing() })
        {
            var store = new ConnectionStore(Database, new TokenCipher(ring), Ids);
            var now = (await store.LoadAsync(grant, Cancellation))!;
            Assert.Equal(("access", "refresh"), (now.AccessToken, now.RefreshToken));
            Assert.Equal("app password", (await store.LoadAccountAsync(account, Cancellation))!.Password);
        }

        using var key = await new SigningKeyStore(Database, new TokenCipher(NewRing()), _clock).CurrentAsync(
            "cli", "cor_4", Cancellation);
        var entry = (await new JournalReader(Database).ReadAsync(
            new JournalQuery { SubjectId = other.CurrentId }, Cancellation))[0].Entry;
        Assert.Equal(("secrets.resealed", "cli", "cor_2"), (entry.Kind, entry.Actor, entry.CorrelationId));
    }

    /// <summary>A secret of a key that is nowhere stops it; it names the row and leaves it.</summary>
    [Fact]
    public async Task Rotate_WithAKeyMissing_SaysWhichRowAndLeavesIt()
    {
        await EmptyAsync();
        var grant = await ConnectAsync();
        var stranger = KeyRing.Load(Path.Combine(_directory.FullName, "stranger"), null);
        var fault = await Assert.ThrowsAsync<SecretException>(
            () => new Resealing(Database, stranger, _clock).RunAsync("cli", "cor_1", Cancellation));
        Assert.Equal(SecretProblem.UnknownKey, fault.Problem);
        Assert.Contains(grant, fault.Message, StringComparison.Ordinal);
        Assert.Equal("access", (await _store.LoadAsync(grant, Cancellation))!.AccessToken);
    }

    /// <summary>Whoever adds a column of octets says whether it holds secrets.</summary>
    [Fact]
    public async Task SealedColumns_AreAllThereAre()
    {
        var sql = Database.Engine == Engine.Postgres
            ? """
              SELECT table_name || '.' || column_name FROM information_schema.columns
              WHERE data_type = 'bytea' AND table_schema = current_schema()
              """
            : """
              SELECT t.name || '.' || c.name FROM sqlite_master t, pragma_table_info(t.name) c
              WHERE t.type = 'table' AND upper(c.type) = 'BLOB'
              """;
        var columns = await Database.ReadAsync(session => session.QueryAsync<string>(sql), Cancellation);
        Assert.Equal(
            columns.Order(StringComparer.Ordinal),
            Resealing.SealedColumns.Select(each => $"{each.Table}.{each.Column}").Concat(OpenColumns)
                .Order(StringComparer.Ordinal));
    }

    // Octets that are no secret, or only the digest of one.
    private static readonly string[] OpenColumns = ["event_contents.octets", "signing_keys.public_key"];

    private KeyRing NewRing() => KeyRing.Load(Path.Combine(_directory.FullName, "ring"), null);

    // The tests of a class share a database, and each has a ring of its own.
    private Task EmptyAsync() => Database.WriteAsync(
        async session =>
        {
            await session.ExecuteAsync("DELETE FROM connection_attempts");
            await session.ExecuteAsync("DELETE FROM signing_keys");
            await session.ExecuteAsync("DELETE FROM calendars");
            await session.ExecuteAsync("DELETE FROM connections");
        },
        Cancellation);

    private async Task<string> ConnectAsync()
    {
        var tenant = await NewTenantAsync();
        var user = await NewUserAsync(tenant);
        return await _store.SaveConnectionAsync(
            new NewConnection(
                tenant, user, "google-sandbox", $"sub-{user}", $"{user}@example.test",
                new TokenAnswer.Granted("access", "refresh", Hour, "calendar"),
                [new ProviderCalendar("maya@studio.test", "Maya", true, "Asia/Kolkata", "owner")], null),
            Start, Cancellation) ?? throw new InvalidOperationException("The connection was not saved.");
    }

    private async Task<string> AccountAsync()
    {
        var tenant = await NewTenantAsync("live");
        var user = await NewUserAsync(tenant);
        return await _store.SaveAccountAsync(
            new NewAccount(
                tenant, user, "caldav", new Uri("https://dav.example.test/"), "ada", "app password",
                [new ProviderCalendar("https://dav.example.test/a/", "A", false, "UTC", "owner")], null),
            Start, Cancellation) ?? throw new InvalidOperationException("The account was not saved.");
    }
}

public sealed class SqliteResealTests(SqliteTestDatabase fixture)
    : ResealContract(fixture), IClassFixture<SqliteTestDatabase>;

[Collection(PostgresFixture.Collection)]
public sealed class PostgresResealTests(PostgresTestDatabase fixture)
    : ResealContract(fixture), IClassFixture<PostgresTestDatabase>;
