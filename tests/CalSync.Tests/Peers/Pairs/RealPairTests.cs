using CalSync.Lab.Peers;
using CalSync.Tests.Contracts;
using Xunit;

namespace CalSync.Tests.Peers.Pairs;

/// <summary>The real servers, all at once.</summary>
public sealed class AllPeers : IAsyncLifetime
{
    public const string Collection = "Pairs of servers";

    private readonly Dictionary<string, CalDavPeer> _peers = new(StringComparer.Ordinal);

    public async Task InitializeAsync()
    {
        var started = await Task.WhenAll(
            RadicaleServer.StartAsync(CancellationToken.None),
            XandikosServer.StartAsync(CancellationToken.None),
            CyrusServer.StartAsync(CancellationToken.None),
            DavicalServer.StartAsync(CancellationToken.None));
        foreach (var peer in started)
            _peers[peer.Name] = peer;
    }

    public async Task DisposeAsync()
    {
        foreach (var peer in _peers.Values)
            await peer.DisposeAsync();
    }

    /// <summary>An empty calendar by the server's name.</summary>
    /// <param name="name">google, icloud, radicale, xandikos, cyrus, or cyrus again for another one: it takes
    /// a UID once for all calendars of an account.</param>
    internal async Task<PairSide> OpenAsync(string name)
    {
        if (name == "another cyrus" && !_peers.ContainsKey(name))
            _peers[name] = await CyrusServer.StartAsync(CancellationToken.None);
        return name switch
        {
            "google" => await PairSide.GoogleAsync(),
            "icloud" => await PairSide.ICloudAsync(),
            _ => await PairSide.OnAsync(_peers[name]),
        };
    }
}

[CollectionDefinition(AllPeers.Collection)]
public sealed class AllPeersSuites : ICollectionFixture<AllPeers>;

/// <summary>
/// Goal: two calendars on servers as they are become equal and stay it. Method: each combination with a real
/// server, the real client and the real ledger, events of other programs as content.
/// </summary>
[Collection(AllPeers.Collection)]
[Trait("Category", "Slow")]
public sealed class RealPairTests(AllPeers peers, SqliteTestDatabase fixture)
    : StoreContract(fixture), IClassFixture<SqliteTestDatabase>
{
    /// <summary>Every combination with a real server; Google stands left.</summary>
    public static TheoryData<string, string> Combinations => new()
    {
        { "google", "radicale" }, { "google", "xandikos" }, { "google", "cyrus" },
        { "icloud", "radicale" }, { "icloud", "xandikos" }, { "icloud", "cyrus" },
        { "radicale", "icloud" }, { "xandikos", "icloud" }, { "cyrus", "icloud" },
        { "radicale", "radicale" }, { "radicale", "xandikos" }, { "radicale", "cyrus" },
        { "xandikos", "radicale" }, { "xandikos", "xandikos" }, { "xandikos", "cyrus" },
        { "cyrus", "radicale" }, { "cyrus", "xandikos" }, { "cyrus", "another cyrus" },
        { "google", "davical" }, { "davical", "icloud" },
    };

    /// <summary>Every server and the sandbox on each side once, where more would say nothing more.</summary>
    public static TheoryData<string, string> SomeCombinations => new()
    {
        { "google", "radicale" }, { "radicale", "xandikos" }, { "xandikos", "cyrus" }, { "cyrus", "icloud" },
        { "cyrus", "davical" },
    };

    [Theory]
    [MemberData(nameof(Combinations))]
    [Trait("Requirement", "R-SYNC-1-A")]
    [Trait("Requirement", "R-SYNC-5-B")]
    [Trait("Requirement", "R-SYNC-T-1")]
    public Task EventsOfOtherPrograms_OnBothSides_BecomeEqualAndThenNothingIsWritten(
        string left, string right) => WithPairAsync(left, right, pair => PairScript.CorpusAsync(
            pair,
            Combinations.ToList().FindIndex(row => (string)row[0] == left && (string)row[1] == right)));

    /// <summary>A life of a pair: copied, linked, edited on both sides, deleted, brought back.</summary>
    [Theory]
    [MemberData(nameof(Combinations))]
    [Trait("Requirement", "R-SYNC-2-A")]
    [Trait("Requirement", "R-SYNC-2-C")]
    [Trait("Requirement", "R-SYNC-4-A")]
    [Trait("Requirement", "R-SYNC-4-B")]
    [Trait("Requirement", "R-SYNC-4-C")]
    [Trait("Requirement", "R-SYNC-5-A")]
    [Trait("Requirement", "R-SYNC-5-C")]
    [Trait("Requirement", "R-SYNC-6-C")]
    [Trait("Requirement", "R-SYNC-T-1")]
    public Task EditsAndDeletionsOnEitherSide_ArriveOnTheOther(string left, string right) =>
        WithPairAsync(left, right, async pair =>
        {
            await PairScript.LifeAsync(pair);
            if (pair.Left.Address is not null && pair.Right.Address is not null)
                await pair.AssertVdirsyncerFindsNothingAsync();
        });

    /// <summary>"This and all following" on one side is two series on the other, and no day twice.</summary>
    [Theory]
    [MemberData(nameof(SomeCombinations))]
    [Trait("Requirement", "R-SYNC-5-D")]
    public Task SeriesSplitOnOneSide_IsTwoSeriesOnTheOther(string left, string right) =>
        WithPairAsync(left, right, PairScript.SplitAsync);

    /// <summary>Killed between a write and its record, in both directions: linked by the next run, never
    /// copied.</summary>
    [Theory]
    [MemberData(nameof(SomeCombinations))]
    [Trait("Requirement", "R-SYNC-3-D")]
    [Trait("Requirement", "R-SYNC-4-A")]
    [Trait("Requirement", "R-SYNC-T-3")]
    public async Task KilledBetweenAWriteAndItsRecord_GoesOnWithoutACopy(string left, string right)
    {
        await WithPairAsync(left, right, pair => PairScript.CrashAsync(pair, pair.Left));
        await WithPairAsync(left, right, pair => PairScript.CrashAsync(pair, pair.Right));
    }

    /// <summary>An edit between our read and our write is met by the condition of the write.</summary>
    [Theory]
    [MemberData(nameof(SomeCombinations))]
    [Trait("Requirement", "R-SYNC-6-B")]
    public Task SomebodyWritesBetweenReadAndWrite_BothEditsStay(string left, string right) =>
        WithPairAsync(left, right, PairScript.InterfereAsync);

    private async Task WithPairAsync(string left, string right, Func<RealPair, Task> act)
    {
        await using var here = await peers.OpenAsync(left);
        await using var there = await peers.OpenAsync(right);
        await act(await RealPair.AddAsync(Database, await NewTenantAsync(), here, there));
    }
}

/// <summary>The same over PostgreSQL, where one combination is enough: the ledger has a contract.</summary>
[Collection(PostgresFixture.Collection)]
[Trait("Category", "Slow")]
public sealed class PostgresRealPairTests(PostgresTestDatabase fixture)
    : StoreContract(fixture), IClassFixture<PostgresTestDatabase>
{
    [Fact]
    [Trait("Requirement", "R-SYNC-T-1")]
    public async Task GoogleAndRadicale_OverPostgres_BecomeEqualAndStayIt()
    {
        await using var server = await RadicaleServer.StartAsync(Cancellation);
        await using (var google = await PairSide.GoogleAsync())
        await using (var radicale = await PairSide.OnAsync(server))
        {
            await PairScript.LifeAsync(
                await RealPair.AddAsync(Database, await NewTenantAsync(), google, radicale));
        }

        await using var left = await PairSide.GoogleAsync();
        await using var right = await PairSide.OnAsync(server);
        await PairScript.CorpusAsync(
            await RealPair.AddAsync(Database, await NewTenantAsync(), left, right), 0);
    }
}
