using CalSync.Lab;
using CalSync.Lab.Running;
using CalSync.Storage;
using CalSync.Tests.Contracts;
using Xunit;

namespace CalSync.Tests.Api;

/// <summary>
/// Goal: a database that goes away is said so, costs nobody a half-made change, and is used again when it is
/// back, without a restart. Method: the product on PostgreSQL through a wire that is cut.
/// </summary>
/// <param name="server">PostgreSQL.</param>
[Collection(PostgresFixture.Collection)]
public sealed class DatabaseAwayTests(PostgresFixture server)
{
    /// <summary>R-DB-5: 503 with a Retry-After, in the catalogue's words, on every kind of route.</summary>
    [Fact]
    [Trait("Requirement", "R-DB-5")]
    public async Task Requests_WhileTheDatabaseIsAway_AreTold503AndWorkAgainAfterwards()
    {
        await using var wire = new Wire(server.Server.Port);
        await using var product = await StartAsync(wire);
        var made = (await product.Maya.PostAsync("classes", RunningProduct.ClassBody("Drawing"))).Expect(201);
        var slot = made.Body!["schedules"]![0]!["slots"]![0]!;
        var (body, key) = (RunningProduct.ClassBody("Painting"), RunningProduct.NewKey());

        wire.Cut();
        ApiAnswer[] answers =
        [
            await product.Maya.GetAsync("classes"),
            await product.Maya.GetAsync($"classes/{made["id"]}"),
            await product.Maya.GetAsync("calendar/connections"),
            await product.Maya.PostAsync("classes", body, key),
            await product.Bea.PostAsync(
                $"classes/{made["id"]}/enrollments", new System.Text.Json.Nodes.JsonObject()),
            await product.Maya.DeleteAsync($"classes/{made["id"]}/slots/{slot["id"]}", "\"1\""),
            await product.Admin.GetAsync("admin/switches"),
        ];
        Assert.All(answers, answer =>
        {
            Assert.Equal("dependency-unavailable", answer.Expect(503)["code"]);
            Assert.Equal("application/problem+json", answer.MediaType);
            Assert.InRange(
                int.Parse(answer.Header("Retry-After"), System.Globalization.CultureInfo.InvariantCulture), 1,
                60);
            Assert.DoesNotContain("127.0.0.1", answer.Text, StringComparison.Ordinal);
        });
        (await product.Nobody.GetAsync("/health/live")).Expect(200);
        (await product.Nobody.GetAsync("/health/ready")).Expect(503);

        wire.Mend();
        await RunningProduct.UntilAsync(
            async () => (await product.Nobody.GetAsync("/health/ready")).Status == 200,
            "the database is back");
        var again = await product.Maya.PostAsync("classes", body, key);
        Assert.InRange(again.Status, 201, 202);
        await SeeAgainAsync(product);
        await product.QuietAsync();
        Assert.Equal(2, await product.CountAsync("SELECT count(*) FROM classes"));
        Assert.Equal(0, await product.CountAsync("SELECT count(*) FROM enrolments"));
        Assert.Empty(await product.DifferencesAsync());
    }

    /// <summary>R-DB-5: cut in the middle of many changes: each is whole or not there, and its key finishes
    /// it once.</summary>
    [Fact]
    [Trait("Requirement", "R-DB-5")]
    [Trait("Requirement", "R-CAL-02-P")]
    public async Task Creates_WhenTheDatabaseGoesAwayInTheMiddle_HappenOnceEach()
    {
        await using var wire = new Wire(server.Server.Port);
        await using var product = await StartAsync(wire);
        var intents = Enumerable.Range(0, 20)
            .Select(i => (Title: $"Class {i:d2}", Key: RunningProduct.NewKey())).ToList();

        var first = intents.Select(CreateAsync).ToList();
        await Task.WhenAny(first);
        wire.Cut();
        var answers = await Task.WhenAll(first);
        Assert.All(answers, answer => Assert.Contains(answer.Status, new[] { 201, 202, 503 }));
        wire.Mend();
        foreach (var intent in intents)
        {
            await RunningProduct.UntilAsync(
                async () => (await CreateAsync(intent)).Status is 201 or 202, $"{intent.Title} is made");
        }

        await SeeAgainAsync(product);
        await product.QuietAsync();
        Assert.Equal(20, await product.CountAsync("SELECT count(*) FROM classes"));
        Assert.Equal(
            intents.Select(intent => intent.Title),
            (await product.EventsAsync()).Select(found => found.Summary!).Order(StringComparer.Ordinal));
        Assert.Empty(await product.DifferencesAsync());

        Task<ApiAnswer> CreateAsync((string Title, string Key) intent) =>
            product.Maya.PostAsync("classes", RunningProduct.ClassBody(intent.Title), intent.Key);
    }

    // The test's own view of the database was cut too, and finds out at its first use.
    private static Task SeeAgainAsync(RunningProduct product) => RunningProduct.UntilAsync(
        async () =>
        {
            try
            {
                return await product.CountAsync("SELECT count(*) FROM classes") > 0;
            }
            catch (DatabaseUnavailableException)
            {
                return false;
            }
        },
        "the test sees the database again");

    // What was being written when the database went away is taken up again when its claim ends.
    private async Task<RunningProduct> StartAsync(Wire wire) => await RunningProduct.StartAsync(
        new ProductSettings
        {
            DatabaseUrl = wire.Through(await server.NewMigratedAsync()),
            Set = new Dictionary<string, string> { ["mirror.lease"] = "5" },
        });
}
