using System.Text.Json.Nodes;
using CalSync.Classes;
using CalSync.Lab;
using CalSync.Lab.Running;
using CalSync.Storage;
using CalSync.Tests.Contracts;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace CalSync.Tests.Storage;

/// <summary>
/// Goal: however few connections there may be, they are enough, since no work holds one while it waits for
/// another. Method: how they are dealt out, and the whole product with its workers on one.
/// </summary>
[Collection(PostgresFixture.Collection)]
public sealed class OneConnectionTests(PostgresFixture postgres) : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("calsync-test-");

    public void Dispose() => _directory.Delete(recursive: true);

    /// <summary>Batches of commands have a few of their own, where there are any to spare.</summary>
    [Theory]
    [InlineData(1, 1, 0)]
    [InlineData(2, 1, 1)]
    [InlineData(3, 2, 1)]
    [InlineData(8, 4, 4)]
    [InlineData(32, 28, 4)]
    [Trait("Requirement", "R-DB-4")]
    public async Task Connections_AreDealtOut_AndNeverMoreThanThereMayBe(int count, int general, int batch)
    {
        await using var database = Database.Open(new()
        {
            DataDirectory = _directory.FullName,
            Url = await postgres.NewMigratedAsync(),
            ConnectionCountMax = count,
        });
        var pools = (await database.InspectAsync(CancellationToken.None)).Pools;
        Assert.Equal((general, batch), (pools.General, pools.Batch));
        Assert.Equal(count, database.PoolUse.Sum(pool => pool.Max));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    [Trait("Requirement", "R-DB-4")]
    public async Task Product_WithOneConnection_ServesAllThatPeopleAndWorkersDo(bool onPostgres)
    {
        await using var product = await RunningProduct.StartAsync(new ProductSettings
        {
            DatabaseUrl = onPostgres ? await postgres.NewEmptyAsync() : null,
            Set = new Dictionary<string, string> { ["database.connections"] = "1" },
        });
        if (onPostgres)
        {
            Assert.Equal(
                1, Assert.Single(product.Services.GetRequiredService<Database>().PoolUse).Max);
        }

        await product.SignInAsync(product.Bea);
        var made = (await product.Maya.PostAsync(
            "classes", RunningProduct.ClassBody("One", slots: 3, capacity: 3))).Expect(201);
        var students = new List<Lab.Running.Person>();
        for (var index = 0; index < 6; index++)
        {
            students.Add(await product.AddPersonAsync(
                $"Student {index}", $"student{index}@mail.test", Role.Student, "UTC"));
        }

        var seats = await Task.WhenAll(students.Select(
            student => student.PostAsync($"classes/{made["id"]}/enrollments", new JsonObject())));
        Assert.Equal(3, seats.Count(seat => seat.Status is 201 or 202));
        Assert.Equal(3, seats.Count(seat => seat.Status == 409));
        var looks = await Task.WhenAll(Enumerable.Range(0, 20).Select(
            _ => product.Maya.GetAsync($"classes/{made["id"]}")));
        Assert.All(looks, look => Assert.Equal(200, look.Status));
        await product.QuietAsync();
        Assert.Empty(await product.DifferencesAsync());
        Assert.Equal(200, (await product.Nobody.GetAsync("/health/ready")).Status);
    }
}

/// <summary>PgBouncer that gives each connection a session of its own, when the address says so.</summary>
[Collection(PostgresFixture.Collection)]
public sealed class SessionPoolerTests(PostgresFixture postgres) : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("calsync-test-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    [Trait("Requirement", "R-DB-2")]
    public async Task Declared_KeepsStatementsPrepared_AndUndeclared_KeepsNothing()
    {
        await using var bouncer = await PgBouncerServer.StartAsync(
            postgres.Server, postgres.Authority, "session", poolSize: 10, isConsoleOpen: false,
            CancellationToken.None);
        var (report, prepared) = await UseAsync(bouncer.Url("postgres") + "&pool_mode=session");
        Assert.Equal(("pgbouncer(session)", "declared in the address"),
            (report.Pooler!.ToString(), report.Pooler.KnownBy));
        Assert.Equal(256, report.Pools.Prepared);
        Assert.NotEqual(0, prepared);

        (report, prepared) = await UseAsync(bouncer.Url("postgres"));
        Assert.Equal("pgbouncer(transaction)", report.Pooler!.ToString());
        Assert.Equal((0, 0), (report.Pools.Prepared, prepared));
    }

    private async Task<(DatabaseReport Report, long Prepared)> UseAsync(string url)
    {
        await using var database = Database.Open(new()
        {
            DataDirectory = _directory.FullName,
            Url = url,
            ConnectionCountMax = 1,
        });
        for (var turn = 0; turn < 10; turn++)
        {
            await database.ReadAsync(
                session => session.ScalarAsync<long>("SELECT CAST(@turn AS bigint)", new { turn }),
                CancellationToken.None);
        }

        var prepared = await database.ReadAsync(
            session => session.ScalarAsync<long>("SELECT count(*) FROM pg_prepared_statements"),
            CancellationToken.None);
        return (await database.InspectAsync(CancellationToken.None), prepared);
    }
}
