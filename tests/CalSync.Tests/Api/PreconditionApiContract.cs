using System.Text.Json.Nodes;
using CalSync.Lab.Running;
using CalSync.Tests.Contracts;
using Xunit;

namespace CalSync.Tests.Api;

/// <summary>Nobody overwrites what they have not seen. Over real loopback HTTP.</summary>
public abstract class PreconditionApiContract(TestDatabase database) : ProductTest(database)
{
    [Fact]
    [Trait("Requirement", "R-CAL-13-P")]
    public async Task Change_WithoutOrWithAnOldETag_IsRefusedWithTheDifference()
    {
        var made = await NewClassAsync();
        var path = $"classes/{made["id"]}";
        var first = (await Product.Maya.GetAsync(path)).Expect(200);
        var renamed = (await Product.Maya.PatchAsync(
            path, first.ETag, new JsonObject { ["title"] = "Painting" })).Expect(200);

        var blind = await Product.Maya.PatchAsync(path, null, new JsonObject { ["title"] = "Sculpture" });
        var stale = await Product.Maya.PatchAsync(
            path, first.ETag, new JsonObject { ["title"] = "Sculpture" });
        var blindDelete = await Product.Maya.DeleteAsync(path, null);
        var star = await Product.Maya.DeleteAsync(path, "*");

        Assert.Equal(
            [428, 412, 428, 412], new[] { blind, stale, blindDelete, star }.Select(answer => answer.Status));
        Assert.Equal(renamed.ETag, stale.ETag);
        Assert.Equal(renamed.ETag, stale["currentETag"]);
        var title = Assert.Single(
            stale.Body!["changed"]!.AsArray(), field => (string?)field!["member"] == "title");
        Assert.Equal(("Painting", "Sculpture"), ((string?)title!["current"], (string?)title["requested"]));
        Assert.True(Version(renamed) > Version(first), "the version did not rise");
        Assert.Equal("Painting", (await Product.Maya.GetAsync(path))["title"]);
    }

    [Fact]
    [Trait("Requirement", "R-CAL-13-P")]
    public async Task TenWritersOfOneVersion_OneWins_AndVersionsOnlyRise()
    {
        var made = await NewClassAsync();
        var path = $"classes/{made["id"]}";
        var tag = (await Product.Maya.GetAsync(path)).ETag;

        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(number =>
            Product.Maya.PatchAsync(path, tag, new JsonObject { ["title"] = $"Title {number}" })));

        Assert.Single(answers, answer => answer.Status is 200 or 202);
        Assert.Equal(9, answers.Count(answer => answer.Status == 412));
        var written = await Product.Database.ReadAsync(
            session => session.QueryAsync<string>(
                "SELECT after FROM journal WHERE subject_kind = 'class' AND subject_id = @id ORDER BY seq",
                new { id = made["id"] }),
            CancellationToken.None);
        var versions = written.Select(after => (long?)JsonNode.Parse(after)?["version"]).OfType<long>()
            .ToArray();
        Assert.Equal(versions.Distinct().Order(), versions);
    }

    [Fact]
    [Trait("Requirement", "R-CAL-13-B")]
    public async Task EnrolWhileCancelled_NeverLeavesASeatInACancelledClass()
    {
        for (var round = 0; round < 5; round++)
        {
            var made = await NewClassAsync($"Race {round}");
            var path = $"classes/{made["id"]}";
            var tag = (await Product.Maya.GetAsync(path)).ETag;

            var cancel = Product.Maya.DeleteAsync(path, tag);
            var enrol = EnrolAsync(Product.Bea, made["id"]);
            await Task.WhenAll(cancel, enrol);
            await Product.QuietAsync();

            Assert.Contains((await cancel).Status, new[] { 200, 202 });
            var (status, code) = ((await enrol).Status, (await enrol)["code"]);
            Assert.True(
                status is 200 or 201 or 202 || (status, code) == (409, "class-cancelled"),
                $"enrol gave {status} {code}");
            Assert.Equal(0, await Product.CountAsync(
                "SELECT count(*) FROM enrolments WHERE class_id = @id AND state NOT IN ('cancelled', "
                    + "'failed_rolled_back')",
                new { id = made["id"] }));
        }

        Assert.Empty(await Product.EventsAsync());
    }

    [Fact]
    [Trait("Requirement", "R-CAL-13-C")]
    public async Task ConfirmPaymentWhileASlotMoves_BothPersist()
    {
        var made = await NewClassAsync();
        var seat = (await EnrolAsync(Product.Bea, made["id"])).Expect(201);
        var path = $"classes/{made["id"]}/slots/{Slots(made)[0]["id"]}";
        var tag = (await Product.Maya.GetAsync(path)).ETag;

        var answers = await Task.WhenAll(
            Product.Maya.PatchAsync(path, tag, new JsonObject { ["start"] = "2031-01-06T16:00:00" }),
            Product.Admin.PostAsync(
                $"classes/{made["id"]}/enrollments/{seat["id"]}/confirm-payment", new JsonObject()));
        await Product.QuietAsync();

        Assert.All(answers, answer => Assert.Contains(answer.Status, new[] { 200, 202 }));
        Assert.Equal("2031-01-06T16:00:00", (await Product.Maya.GetAsync(path))["startLocal"]);
        Assert.Equal(
            "confirmed",
            (await Product.Bea.GetAsync($"classes/{made["id"]}/enrollments/{seat["id"]}"))["paymentState"]);
        var kinds =
            (await Product.Maya.GetAsync($"classes/{made["id"]}/history?limit=200")).Body!["items"]!.AsArray()
            .Select(entry => (string?)entry!["kind"]).ToArray();
        Assert.Contains("payment.confirmed", kinds);
        Assert.Contains("slot.moved", kinds);
        Assert.Empty(await Product.DifferencesAsync());
    }

    private static long Version(ApiAnswer answer) => (long)answer.Body!["version"]!;
}

public sealed class SqlitePreconditionApiTests(SqliteTestDatabase database)
    : PreconditionApiContract(database), IClassFixture<SqliteTestDatabase>;

[Collection(PostgresFixture.Collection)]
public sealed class PostgresPreconditionApiTests(PostgresTestDatabase database)
    : PreconditionApiContract(database), IClassFixture<PostgresTestDatabase>;
