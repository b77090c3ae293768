using System.Text.Json.Nodes;
using CalSync.Lab.Running;
using CalSync.Tests.Contracts;
using Xunit;

namespace CalSync.Tests.Api;

/// <summary>One intent, one effect, however often and however clumsily it is sent. Over real loopback
/// HTTP.</summary>
public abstract class IdempotencyApiContract(TestDatabase database) : ProductTest(database)
{
    private const string Standard = "Idempotency-Key";
    private const string Older = "X-Idempotency-Key";

    [Fact]
    [Trait("Requirement", "R-FIX-4-A")]
    public async Task Headers_BothNamesCount_AndDifferentOnesAreRefused()
    {
        var body = RunningProduct.ClassBody("Both");
        var first = await PostAsync(body, (Standard, "k-1"));
        var older = await PostAsync(body, (Older, "k-1"));
        var both = await PostAsync(body, (Standard, "\"k-1\""), (Older, "k-1"));
        var different = await PostAsync(body, (Standard, "k-1"), (Older, "k-2"));

        first.Expect(201);
        Assert.Equal([first["id"], first["id"]], new[] { older["id"], both["id"] });
        Assert.Equal((400, "idempotency-key-invalid"), (different.Status, different["code"]));
        Assert.Equal(1, await Product.CountAsync("SELECT count(*) FROM classes"));
    }

    [Fact]
    [Trait("Requirement", "R-FIX-4-C")]
    [Trait("Requirement", "R-CAL-08-P")]
    [Trait("Requirement", "R-CAL-08-B")]
    public async Task Replay_GivesTheSameAnswerAgain_AndAnotherBodyIsRefused()
    {
        var body = RunningProduct.ClassBody("Replayed");
        var first = (await Product.Maya.PostAsync("classes", body, "k-1")).Expect(201);

        var again = await Product.Maya.PostAsync("classes", body, "k-1");
        var other = await Product.Maya.PostAsync("classes", RunningProduct.ClassBody("Another"), "k-1");

        Assert.Equal((first.Status, first.Text, first.ETag), (again.Status, again.Text, again.ETag));
        Assert.Equal(first.Header("Location"), again.Header("Location"));
        Assert.Equal(
            ("", "true"), (first.Header("Idempotent-Replayed"), again.Header("Idempotent-Replayed")));
        Assert.Equal((422, "idempotency-mismatch"), (other.Status, other["code"]));
        Assert.Single(await Product.EventsAsync());
    }

    [Fact]
    [Trait("Requirement", "R-CAL-08-B")]
    public async Task Cancelled_TheSameWithANewKey_IsMadeAgain_AndTheOldKeyMakesNothing()
    {
        var body = RunningProduct.ClassBody("Again");
        var first = (await Product.Maya.PostAsync("classes", body, "k-1")).Expect(201);
        (await Product.Maya.DeleteAsync($"classes/{first["id"]}", first.ETag)).Expect(200);
        Assert.Empty(await Product.EventsAsync());

        var replayed = (await Product.Maya.PostAsync("classes", body, "k-1")).Expect(201);
        Assert.Empty(await Product.EventsAsync());
        var anew = (await Product.Maya.PostAsync("classes", body, "k-2")).Expect(201);

        Assert.Equal((first["id"], "true"), (replayed["id"], replayed.Header("Idempotent-Replayed")));
        Assert.NotEqual(first["id"], anew["id"]);
        Assert.Null(anew.Body!["warnings"]);
        Assert.Single(await Product.EventsAsync());
    }

    [Fact]
    [Trait("Requirement", "R-FIX-4-B")]
    public async Task SecondWhileFirstRuns_IsToldToWaitFiveSeconds()
    {
        await Product.Control.SetLatencyAsync(TimeSpan.FromMilliseconds(700), CancellationToken.None);
        var body = RunningProduct.ClassBody("Slow");
        var first = Product.Maya.PostAsync("classes", body, "k-1");
        await RunningProduct.UntilAsync(
            async () => await Product.CountAsync("SELECT count(*) FROM classes") == 1,
            "the first request is committed");

        var second = await Product.Maya.PostAsync("classes", body, "k-1");

        Assert.Equal((409, "5"), (second.Status, second.Header("Retry-After")));
        Assert.Equal("duplicate", second["status"]);
        Assert.Equal("This request is currently being processed", second["message"]);
        Assert.Equal(5, (int?)second.Body!["retryAfter"]);
        (await first).Expect(201);
    }

    /// <summary>R-FIX-4-B: also for what is no class command, and nothing of it is done twice.</summary>
    [Fact]
    [Trait("Requirement", "R-FIX-4-B")]
    public async Task SecondSettingWhileFirstRuns_IsToldToWait_AndSetsNothing()
    {
        const string Place = "admin/switches/idempotency";
        const string SetCount = "SELECT count(*) FROM journal WHERE kind = 'switch.set'";
        JsonObject Body() => new() { ["value"] = "on", ["reason"] = "a drill", ["ttlMinutes"] = 10 };
        Task<ApiAnswer> SetAsync() =>
            Product.Operator.SendAsync(HttpMethod.Put, Place, Body(), (Standard, "k-1"));
        (await SetAsync()).Expect(200);
        // As if the first request were still running.
        await Product.ExecuteAsync(
            "UPDATE idempotency_keys SET status = NULL, headers = NULL, body = NULL WHERE key = 'k-1'");

        var second = await SetAsync();

        Assert.Equal(
            (409, "5", "duplicate"), (second.Status, second.Header("Retry-After"), second["status"]));
        Assert.Equal(1, await Product.CountAsync(SetCount));
        // As if it had died.
        await Product.ExecuteAsync(
            "UPDATE idempotency_keys SET lease_until = @past WHERE key = 'k-1'",
            new { past = DateTimeOffset.UnixEpoch });
        (await SetAsync()).Expect(200);
        var kept = (await SetAsync()).Expect(200);
        Assert.Equal("true", kept.Header("Idempotent-Replayed"));
        Assert.Equal(2, await Product.CountAsync(SetCount));
    }

    [Fact]
    [Trait("Requirement", "R-FIX-4-D")]
    public async Task MissingKey_IsAllowedWithAWarning()
    {
        var made = await PostAsync(RunningProduct.ClassBody("No key"));

        Assert.Equal(201, made.Status);
        Assert.StartsWith("299 calsync", made.Header("Warning"), StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Requirement", "R-FIX-4-F")]
    public async Task SameKeyOfAnotherUser_IsAnotherIntent()
    {
        var made = await NewClassAsync();

        var seats = await Task.WhenAll(
            EnrolAsync(Product.Bea, made["id"], "k-1"), EnrolAsync(Product.Chen, made["id"], "k-1"));

        Assert.All(seats, seat => Assert.Equal(201, seat.Status));
        Assert.Equal(2, await Product.CountAsync("SELECT count(*) FROM enrolments WHERE state = 'active'"));
    }

    [Fact]
    [Trait("Requirement", "R-CAL-08-A")]
    [Trait("Requirement", "R-FIX-4-B")]
    public async Task TwentyAtOnceWithOneKey_MakeOneClass()
    {
        var body = RunningProduct.ClassBody("Twenty", slots: 2);

        var answers = await Task.WhenAll(Enumerable.Range(0, 20)
            .Select(_ => Product.Maya.PostAsync("classes", JsonNode.Parse(body.ToJsonString()), "k-1")));

        Assert.All(answers, answer => Assert.Contains(answer.Status, new[] { 201, 409 }));
        Assert.All(
            answers.Where(answer => answer.Status == 409),
            answer => Assert.Equal("5", answer.Header("Retry-After")));
        Assert.Single(
            answers, answer => answer.Status == 201 && answer.Header("Idempotent-Replayed").Length == 0);
        Assert.Equal(1, await Product.CountAsync("SELECT count(*) FROM classes"));
        Assert.Equal(2, await Product.CountAsync("SELECT count(*) FROM slots"));
        Assert.Equal(2, (await Product.EventsAsync()).Count);
    }

    [Fact]
    [Trait("Requirement", "R-FIX-4-B")]
    public async Task CrashedHolder_IsTakenOver_WithoutASecondClass()
    {
        var body = RunningProduct.ClassBody("Crashed");
        var first = (await Product.Maya.PostAsync("classes", body, "k-1")).Expect(201);
        // As if the process had died after the commit and before it could keep the answer.
        await Product.ExecuteAsync(
            "UPDATE idempotency_keys SET status = NULL, headers = NULL, body = NULL, lease_until = @past "
                + "WHERE key = 'k-1'",
            new { past = DateTimeOffset.UnixEpoch });

        var again = (await Product.Maya.PostAsync("classes", body, "k-1")).Expect(201);

        Assert.Equal(first["id"], again["id"]);
        Assert.Equal("", again.Header("Idempotent-Replayed"));
        Assert.Equal(1, await Product.CountAsync("SELECT count(*) FROM classes"));
        Assert.Equal(
            "true", (await Product.Maya.PostAsync("classes", body, "k-1")).Header("Idempotent-Replayed"));
    }

    [Theory]
    [InlineData(23, "true", 1)]
    [InlineData(25, "", 2)]
    [Trait("Requirement", "R-FIX-4-G")]
    [Trait("Requirement", "R-CAL-08-P")]
    public async Task Key_IsKeptForADay(int hoursLater, string replayed, int classes)
    {
        var body = RunningProduct.ClassBody("Kept");
        body["duplicate"] = "allow";
        (await Product.Maya.PostAsync("classes", body, "k-1")).Expect(201);
        var kept = await Product.Database.ReadAsync(
            session =>
                session.FirstOrDefaultAsync<KeyTimes>(
                "SELECT created_at, expires_at FROM idempotency_keys WHERE key = 'k-1'"),
            CancellationToken.None);
        // Time passes by moving the row back.
        await Product.ExecuteAsync(
            "UPDATE idempotency_keys SET expires_at = @at WHERE key = 'k-1'",
            new { at = kept!.ExpiresAt - TimeSpan.FromHours(hoursLater) });

        var again = (await Product.Maya.PostAsync("classes", body, "k-1")).Expect(201);

        Assert.Equal(TimeSpan.FromHours(24), kept.ExpiresAt - kept.CreatedAt);
        Assert.Equal(replayed, again.Header("Idempotent-Replayed"));
        Assert.Equal(classes, await Product.CountAsync("SELECT count(*) FROM classes"));
    }

    [Fact]
    [Trait("Requirement", "R-FIX-4-RB")]
    public async Task SwitchOff_KeysAreIgnored_AndTheDatabaseStillRefusesASecondSeat()
    {
        var made = await NewClassAsync();
        (await Product.Operator.PutAsync("admin/switches/idempotency", new JsonObject
        {
            ["value"] = "off",
            ["reason"] = "the store misbehaves",
            ["ttlMinutes"] = 10,
        })).Expect(200);

        var first = (await EnrolAsync(Product.Bea, made["id"], "k-1")).Expect(201);
        var second = (await EnrolAsync(Product.Bea, made["id"], "k-1")).Expect(200);

        Assert.Equal("true", second["alreadyAdded"]);
        Assert.Equal((first["id"], ""), (second["id"], second.Header("Idempotent-Replayed")));
        Assert.Equal(1, await Product.CountAsync("SELECT count(*) FROM enrolments"));
    }

    private Task<ApiAnswer> PostAsync(JsonNode body, params (string, string)[] headers) =>
        Product.Maya.SendAsync(HttpMethod.Post, "classes", body, headers);

    private sealed record KeyTimes
    {
        public DateTimeOffset CreatedAt { get; init; }

        public DateTimeOffset ExpiresAt { get; init; }
    }
}

public sealed class SqliteIdempotencyApiTests(SqliteTestDatabase database)
    : IdempotencyApiContract(database), IClassFixture<SqliteTestDatabase>;

[Collection(PostgresFixture.Collection)]
public sealed class PostgresIdempotencyApiTests(PostgresTestDatabase database)
    : IdempotencyApiContract(database), IClassFixture<PostgresTestDatabase>;
