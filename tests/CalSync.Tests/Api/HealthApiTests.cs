using System.Text.Json.Nodes;
using CalSync.Lab;
using CalSync.Lab.Running;
using CalSync.Tests.Contracts;
using CalSync.Tests.Repository;
using Xunit;

namespace CalSync.Tests.Api;

/// <summary>R-CAL-15-P: health says what is wrong, since when, what that means and what to do; and only to
/// those whom it concerns.</summary>
[Collection(PostgresFixture.Collection)]
public sealed class HealthApiTests(PostgresFixture postgres) : ProductTest
{
    protected override ProductSettings Settings =>
        new() { RunsWorkers = false, VerificationWait = TimeSpan.Zero };

    [Fact]
    [Trait("Requirement", "R-CAL-15-P")]
    public async Task Health_WithoutATokenOfAnOperator_IsOneWord()
    {
        foreach (var person in new[] { Product.Nobody, Product.Maya, Product.Bea })
        {
            var answer = (await person.GetAsync("/health")).Expect(200);
            Assert.Equal("degraded", answer["status"]);
            Assert.Empty(answer.Body!["parts"]!.AsArray());
        }

        foreach (var person in new[] { Product.Operator, Product.Admin })
        {
            Assert.Equal(
                ["database", "worker", "tokens", "mirrors", "pairs", "google", "caldav"],
                (await PartsAsync(person)).Select(part => (string)part["name"]!));
        }
    }

    /// <summary>R-CAL-15-P: nobody works, so it is said what waits and what to do.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-15-P")]
    public async Task Health_WithoutAWorker_SaysEffectAndRunbook()
    {
        var part = await PartAsync("worker");
        Assert.Equal("degraded", (string?)part["status"]);
        Assert.Contains("not written", (string)part["effect"]!, StringComparison.Ordinal);
        Assert.NotNull(part["since"]);
        AssertRunbook(part);
        (await Product.Nobody.GetAsync("/health/ready")).Expect(200);
    }

    /// <summary>R-CAL-15-B: changes that no worker takes grow old, and the lag shows it.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-15-B")]
    public async Task SyncLag_WhileNobodyWrites_GrowsAndIsSaid()
    {
        Assert.Equal(0, await NumberAsync("sync_lag_seconds{queue=\"mirrors\",tenant_kind=\"test\"}"));
        (await Product.Maya.PostAsync("classes", RunningProduct.ClassBody("Drawing"))).Expect(202);
        var before = DateTimeOffset.UtcNow - TimeSpan.FromMinutes(12);
        await Product.ExecuteAsync("UPDATE operations SET created_at = @before", new { before });
        await RunningProduct.UntilAsync(
            async () => (string?)(await PartAsync("mirrors"))["status"] == "degraded", "the lag is seen");
        var lag = await NumberAsync("sync_lag_seconds{queue=\"mirrors\",tenant_kind=\"test\"}");
        Assert.InRange(lag, 720, 800);
        Assert.Equal(1, await NumberAsync("calsync_people_waiting{tenant_kind=\"test\"}"));
        Assert.Equal(0, await NumberAsync("calsync_people_waiting{tenant_kind=\"live\"}"));
        var part = await PartAsync("mirrors");
        Assert.StartsWith(
            "1 change of 1 person are not on a calendar yet, the oldest for 12 min.", (string)part["effect"]!,
            StringComparison.Ordinal);
        AssertRunbook(part);
    }

    /// <summary>R-CAL-15-C: thirty of a hundred accounts die: one sentence, one number.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-15-C")]
    public async Task Tokens_WhenThirtyOfAHundredAreRevoked_IsOneNumber()
    {
        for (var i = 0; i < 99; i++)
        {
            await Product.ExecuteAsync(
                """
                INSERT INTO connections (id, tenant_id, tenant_kind, user_id, provider, account_email,
                    account_subject, scopes, state, created_at, updated_at)
                SELECT 'con_' || @subject, tenant_id, tenant_kind, user_id, provider, account_email, @subject,
                    scopes, @state, created_at, updated_at
                FROM connections WHERE account_email = 'maya@studio.test' AND account_subject NOT LIKE 's%'
                """,
                new { subject = $"s{i:d2}", state = i < 30 ? "needs_reauth" : "healthy" });
        }

        await RunningProduct.UntilAsync(
            async () => (string?)(await PartAsync("tokens"))["status"] == "degraded", "it is seen");
        Assert.Equal(
            30, await NumberAsync("calsync_connections{state=\"needs_reauth\",tenant_kind=\"test\"}"));
        var part = await PartAsync("tokens");
        Assert.StartsWith("30 connections of 100 need", (string)part["effect"]!, StringComparison.Ordinal);
        AssertRunbook(part);
    }

    /// <summary>R-DB-5: the database is cut off: down, since when, for everybody to see.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-15-P")]
    public async Task Health_DatabaseAway_IsDownWithTimeAndRunbook()
    {
        await using var wire = new Wire(postgres.Server.Port);
        await using var product = await RunningProduct.StartAsync(Settings with
        {
            DatabaseUrl = wire.Through(await postgres.NewMigratedAsync()),
            Connects = false,
        });
        wire.Cut();
        await RunningProduct.UntilAsync(
            async () => (await product.Nobody.GetAsync("/health")).Status == 503, "it is seen");
        var answer = (await product.Nobody.GetAsync("/health")).Expect(503);
        var part = Assert.Single(answer.Body!["parts"]!.AsArray())!;
        Assert.Equal(("database", "down"), ((string?)part["name"], (string?)part["status"]));
        Assert.True((DateTimeOffset)part["since"]! <= (DateTimeOffset)answer.Body["at"]!);
        AssertRunbook(part);
        (await product.Nobody.GetAsync("/health/live")).Expect(200);
        (await product.Nobody.GetAsync("/health/ready")).Expect(503);
        Assert.DoesNotContain("127.0.0.1", answer.Text, StringComparison.Ordinal);
    }

    private async Task<double> NumberAsync(string series) =>
        MetricsText.Number((await Product.Operator.GetAsync("/metrics")).Expect(200).Text, series);

    private async Task<JsonNode> PartAsync(string name) =>
        (await PartsAsync(Product.Operator)).Single(part => (string?)part["name"] == name);

    private static async Task<JsonNode[]> PartsAsync(Person person) =>
        [.. (await person.GetAsync("/health")).Body!["parts"]!.AsArray().Select(part => part!)];

    private static void AssertRunbook(JsonNode part) => Assert.True(
        File.Exists(Path.Combine(SourceTree.Root, (string)part["runbook"]!)),
        $"{part["runbook"]} is missing.");
}
