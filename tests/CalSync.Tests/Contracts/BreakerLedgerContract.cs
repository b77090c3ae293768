using CalSync.Lab;
using CalSync.Storage.Running;
using CalSync.Sync.Providers;
using Xunit;

namespace CalSync.Tests.Contracts;

/// <summary>What any place for breakers must do: remember, and let exactly one of two writers win.</summary>
public abstract class BreakerLedgerContract(TestDatabase fixture) : StoreContract(fixture)
{
    private static readonly BreakerOptions Options = new();

    /// <summary>Where the breakers are kept.</summary>
    protected abstract IBreakerLedger Ledger { get; }

    [Fact]
    public async Task Load_WhatWasNeverStored_IsClosed()
    {
        Assert.Equal(
            ConnectionBreaker.Closed, await Ledger.LoadAsync(await NewConnectionAsync(), Cancellation));
        Assert.Equal(ConnectionBreaker.Closed, await Ledger.LoadAsync("con_nobody", Cancellation));
    }

    /// <summary>R-CAL-12-P: open, probing and closed again, each read back as it was stored.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-12-P")]
    public async Task Save_EachStepOfABreaker_IsReadBack()
    {
        var connection = await NewConnectionAsync();
        for (var failure = 1; failure <= 3; failure++)
            await StepAsync(connection, breaker => breaker.AfterFailure(Start, Options));
        var open = await Ledger.LoadAsync(connection, Cancellation);
        Assert.Equal(new ConnectionBreaker(3, Start + TimeSpan.FromMinutes(5)), open);
        await StepAsync(
            connection, breaker => breaker.AfterProbeTaken(Start + TimeSpan.FromMinutes(5), Options));
        await StepAsync(connection, _ => ConnectionBreaker.Closed);
        Assert.Equal(ConnectionBreaker.Closed, await Ledger.LoadAsync(connection, Cancellation));
    }

    /// <summary>R-CAL-12-P: of twenty that want the probe, one gets it.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-12-P")]
    public async Task Save_ByManyFromOneState_SucceedsOnce()
    {
        var connection = await NewConnectionAsync();
        for (var failure = 1; failure <= 3; failure++)
            await StepAsync(connection, breaker => breaker.AfterFailure(Start, Options));
        var open = await Ledger.LoadAsync(connection, Cancellation);
        var probing = open.AfterProbeTaken(Start + TimeSpan.FromMinutes(5), Options);
        var wins = await Task.WhenAll(Enumerable.Range(0, 20).Select(
            _ => Ledger.SaveAsync(connection, open, probing, Cancellation)));
        Assert.Single(wins, won => won);
        Assert.False(await Ledger.SaveAsync(
            connection, ConnectionBreaker.Closed, ConnectionBreaker.Closed, Cancellation));
    }

    private async Task StepAsync(string connection, Func<ConnectionBreaker, ConnectionBreaker> step)
    {
        var before = await Ledger.LoadAsync(connection, Cancellation);
        Assert.True(await Ledger.SaveAsync(connection, before, step(before), Cancellation));
    }

    private async Task<string> NewConnectionAsync()
    {
        var tenant = await NewTenantAsync();
        var user = await NewUserAsync(tenant);
        var id = Ids.Next("con");
        await Database.WriteAsync(
            session => session.ExecuteAsync(
                """
                INSERT INTO connections (id, tenant_id, tenant_kind, user_id, provider, account_email,
                    account_subject, scopes, state, created_at, updated_at)
                VALUES (@id, @tenant, 'test', @user, 'google-sandbox', 'a@example.test', @user, '', 'healthy',
                    @Start, @Start)
                """,
                new { id, tenant, user, Start }),
            Cancellation);
        return id;
    }
}

public sealed class SqliteBreakerLedgerTests(SqliteTestDatabase fixture)
    : BreakerLedgerContract(fixture), IClassFixture<SqliteTestDatabase>
{
    protected override IBreakerLedger Ledger => new BreakerLedger(Database);
}

[Collection(PostgresFixture.Collection)]
public sealed class PostgresBreakerLedgerTests(PostgresTestDatabase fixture)
    : BreakerLedgerContract(fixture), IClassFixture<PostgresTestDatabase>
{
    protected override IBreakerLedger Ledger => new BreakerLedger(Database);
}

public sealed class MemoryBreakerLedgerTests(SqliteTestDatabase fixture)
    : BreakerLedgerContract(fixture), IClassFixture<SqliteTestDatabase>
{
    protected override IBreakerLedger Ledger { get; } = new MemoryBreakerLedger();
}
