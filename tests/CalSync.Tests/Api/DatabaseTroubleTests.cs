using CalSync.Lab.Running;
using CalSync.Storage;
using CalSync.Tests.Contracts;
using Xunit;

namespace CalSync.Tests.Api;

/// <summary>Goal: each trouble of the database has its own answer. Method: the product over HTTP on a real
/// PostgreSQL, directly and through PgBouncer.</summary>
[Collection(PostgresFixture.Collection)]
[Trait("Requirement", "R-DB-T")]
public sealed class DatabaseTroubleTests(PostgresFixture postgres)
{
    /// <summary>R-DB-4: two hundred clients at once share ten connections of the pooler.</summary>
    [Fact]
    [Trait("Requirement", "R-DB-4")]
    public async Task TwoHundredClients_ThroughPgBouncerWithTenConnections_AreAllServed()
    {
        await using var product = await RunningProduct.StartAsync(new ProductSettings
        {
            DatabaseUrl = await postgres.ThroughBouncerAsync(await postgres.NewEmptyAsync()),
            RunsWorkers = false,
            VerificationWait = TimeSpan.Zero,
        });
        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(async client =>
        {
            var made = await product.Maya.PostAsync(
                "classes", RunningProduct.ClassBody($"Class {client:d3}"), RunningProduct.NewKey());
            var read = await product.Maya.GetAsync($"classes/{made["id"]}");
            return (made.Status, read.Status);
        }));
        Assert.Equal([(202, 200)], answers.Distinct());
        Assert.Equal(200, await product.CountAsync("SELECT count(*) FROM classes"));
    }

    /// <summary>R-DB-5: the pool of this process is full.</summary>
    [Fact]
    [Trait("Requirement", "R-DB-5")]
    public async Task Request_PoolFull_IsBusyAndServedAfterwards()
    {
        var url = await postgres.NewEmptyAsync();
        await using var product = await RunningProduct.StartAsync(new ProductSettings
        {
            DatabaseUrl = url + "&pool_max=2&connect_timeout=1",
            RunsWorkers = false,
        });
        var database = (Database)product.Services.GetService(typeof(Database))!;
        await database.WriteAsync(
            async _ => AssertProblem(await product.Maya.GetAsync("classes"), "database-busy"),
            CancellationToken.None);
        (await product.Maya.GetAsync("classes")).Expect(200);
    }

    /// <summary>R-DB-5: a server that takes no changes; reads are served.</summary>
    [Fact]
    [Trait("Requirement", "R-DB-5")]
    public async Task Request_ServerReadOnly_ChangesAreRefusedAndReadsServed()
    {
        var url = await postgres.NewEmptyAsync();
        await using var product = await RunningProduct.StartAsync(
            new ProductSettings { DatabaseUrl = url, RunsWorkers = false, VerificationWait = TimeSpan.Zero });
        var name = new Uri(url).AbsolutePath.TrimStart('/');
        await SetAsync(name, "on");
        var (body, key) = (RunningProduct.ClassBody("Drawing"), RunningProduct.NewKey());
        await RunningProduct.UntilAsync(
            async () => (await product.Maya.GetAsync("classes")).Status == 200, "ended connections are gone");
        AssertProblem(await product.Maya.PostAsync("classes", body, key), "database-read-only");
        (await product.Maya.GetAsync("classes")).Expect(200);

        await SetAsync(name, "off");
        await RunningProduct.UntilAsync(
            async () => (await product.Maya.PostAsync("classes", body, key)).Status == 202,
            "it writes again");
        await RunningProduct.UntilAsync(
            async () => await product.CountAsync("SELECT count(*) FROM classes") == 1, "there is one class");
    }

    private async Task SetAsync(string name, string value)
    {
        await postgres.Server.RunAsync(
            "postgres", $"ALTER DATABASE {name} SET default_transaction_read_only = {value}",
            CancellationToken.None);
        await postgres.Server.RunAsync(
            "postgres",
            $"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}'",
            CancellationToken.None);
    }

    private static void AssertProblem(ApiAnswer answer, string code)
    {
        Assert.Equal(code, answer.Expect(503)["code"]);
        Assert.Equal("application/problem+json", answer.MediaType);
        Assert.InRange(
            int.Parse(answer.Header("Retry-After"), System.Globalization.CultureInfo.InvariantCulture), 1,
            60);
        Assert.DoesNotContain("127.0.0.1", answer.Text, StringComparison.Ordinal);
    }
}
