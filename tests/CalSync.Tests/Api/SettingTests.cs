using System.Text.Json.Nodes;
using CalSync.App.Workers;
using CalSync.Lab.Running;
using CalSync.Sandbox;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace CalSync.Tests.Api;

/// <summary>
/// Goal: a setting of keys, double submits and seats changes what the product does. Method: the same deed
/// under two values, over loopback HTTP; time passes by moving rows back.
/// </summary>
[Trait("Category", "Slow")]
public sealed class SettingTests
{
    private static readonly DateTimeOffset Ago = DateTimeOffset.UnixEpoch;

    /// <summary>duplicates.window: an equal class three minutes later, without a key.</summary>
    [Theory]
    [Trait("Requirement", "R-CAL-08-P")]
    [InlineData("2", 201)]
    [InlineData("5", 409)]
    public async Task DuplicateWindow_DecidesWhatLooksLikeADoubleSubmit(string minutes, int expected)
    {
        await using var product = await StartAsync(("duplicates.window", minutes));
        var body = RunningProduct.ClassBody("Twice");
        (await product.Maya.SendAsync(HttpMethod.Post, "classes", body)).Expect(201);
        var made = await product.Database.ReadAsync(
            session => session.FirstOrDefaultAsync<DateTimeOffset>("SELECT created_at FROM classes"),
            CancellationToken.None);
        await product.ExecuteAsync("UPDATE classes SET created_at = @at", new { at = made.AddMinutes(-3) });

        var again = await product.Maya.SendAsync(HttpMethod.Post, "classes", body);

        Assert.Equal((expected, expected == 409 ? "looks-duplicate" : ""), (again.Status, again["code"]));
    }

    /// <summary>enrolment.mode: what an enrolment does while the provider takes no writes.</summary>
    [Theory]
    [Trait("Requirement", "R-FIX-3-RB")]
    [InlineData("strict", 504, "enrolment-failed", "rolling_back")]
    [InlineData("wait", 202, "", "pending_calendar")]
    [InlineData("deferred", 201, "", "active_without_calendar")]
    public async Task EnrolmentMode_DecidesWhatHappensWithoutTheCalendar(
        string mode, int status, string code, string state)
    {
        await using var product = await StartAsync(("enrolment.mode", mode));
        var made = (await product.Maya.PostAsync("classes", RunningProduct.ClassBody("Mode"))).Expect(201);
        await RefuseWritesAsync(product);

        var seat = await product.Bea.PostAsync($"classes/{made["id"]}/enrollments", new JsonObject());

        Assert.Equal((status, code), (seat.Status, seat["code"]));
        Assert.Equal(state, await product.TextAsync("SELECT state FROM enrolments"));
    }

    /// <summary>enrolment.mode is what its switch stands at while nobody sets it, and gives way when somebody
    /// does.</summary>
    [Fact]
    [Trait("Requirement", "R-FIX-3-RB")]
    public async Task EnrolmentMode_IsTheSwitchsNormalValue()
    {
        await using var product = await StartAsync(("enrolment.mode", "deferred"));
        const string Switch = "admin/switches/enrollment-calendar";
        var made = (await product.Maya.PostAsync("classes", RunningProduct.ClassBody("Mode"))).Expect(201);
        await RefuseWritesAsync(product);

        var before = (await product.Operator.GetAsync(Switch))["value"];
        var set = new JsonObject { ["value"] = "wait", ["reason"] = "rehearsal", ["ttlMinutes"] = 10 };
        (await product.Operator.PutAsync(Switch, set)).Expect(200);
        var held = await product.Bea.PostAsync($"classes/{made["id"]}/enrollments", new JsonObject());
        var cleared = (await product.Operator.DeleteAsync(Switch, null)).Expect(200);

        Assert.Equal(("deferred", "deferred"), (before, cleared["value"]));
        Assert.Equal((202, "pending_calendar"), (held.Status, held["state"]));
    }

    /// <summary>enrolment.deadline: a seat that has waited for two minutes.</summary>
    [Theory]
    [Trait("Requirement", "R-CAL-04-B")]
    [InlineData("1", true)]
    [InlineData("15", false)]
    public async Task EnrolmentDeadline_DecidesWhenASeatIsGivenBack(string minutes, bool givenBack)
    {
        await using var product = await StartAsync(("enrolment.deadline", minutes));
        var made = (await product.Maya.PostAsync("classes", RunningProduct.ClassBody("Deadline")))
            .Expect(201);
        await RefuseWritesAsync(product);
        (await product.Bea.PostAsync($"classes/{made["id"]}/enrollments", new JsonObject())).Expect(202);
        var deadline = await product.Database.ReadAsync(
            session => session.FirstOrDefaultAsync<DateTimeOffset>("SELECT deadline_at FROM enrolments"),
            CancellationToken.None);

        await product.ExecuteAsync(
            "UPDATE enrolments SET deadline_at = @at", new { at = deadline.AddMinutes(-2) });
        await product.ExecuteAsync(
            "UPDATE operations SET deadline_at = @at WHERE NOT settled",
            new { at = deadline.AddMinutes(-2) });
        await product.Services.GetRequiredService<SettleWorker>().TurnAsync(CancellationToken.None);

        Assert.Equal(
            givenBack ? "rolling_back" : "pending_calendar",
            await product.TextAsync("SELECT state FROM enrolments"));
    }

    /// <summary>idempotency.retention: a key ninety minutes after its request, for a class and for a
    /// connection.</summary>
    [Theory]
    [Trait("Requirement", "R-FIX-4-G")]
    [InlineData("1", 0)]
    [InlineData("24", 2)]
    public async Task IdempotencyRetention_DecidesWhatTheWorkerForgets(string hours, int kept)
    {
        await using var product = await StartAsync(("idempotency.retention", hours));
        (await product.Maya.PostAsync("classes", RunningProduct.ClassBody("Kept"), "k-1")).Expect(201);
        (await product.Maya.PostAsync("calendar/connections/google", new JsonObject(), "k-1")).Expect(200);
        // Only these two are of interest, not those of the arrangement.
        await product.ExecuteAsync("DELETE FROM idempotency_keys WHERE key <> 'k-1'");
        foreach (var route in new[] { "POST /classes", "POST /api/v1/calendar/connections/google" })
        {
            var expires = await product.Database.ReadAsync(
                session => session.FirstOrDefaultAsync<DateTimeOffset>(
                    "SELECT expires_at FROM idempotency_keys WHERE route = @route", new { route }),
                CancellationToken.None);
            Assert.True(expires > Ago, $"{route} keeps no key");
            await product.ExecuteAsync(
                "UPDATE idempotency_keys SET expires_at = @at WHERE route = @route",
                new { at = expires.AddMinutes(-90), route });
        }

        var worker = product.Services.GetRequiredService<PruneWorker>();
        var forgotten = await worker.TurnAsync(CancellationToken.None);

        Assert.Equal(2 - kept, forgotten);
        Assert.Equal(kept, await product.CountAsync("SELECT count(*) FROM idempotency_keys"));
        var described = (await product.Nobody.GetAsync("/openapi/v1.json")).Text;
        Assert.Contains($"Kept {hours} hours.", described, StringComparison.Ordinal);
    }

    private static Task<RunningProduct> StartAsync(params (string Key, string Value)[] set) =>
        RunningProduct.StartAsync(
        new ProductSettings
        {
            Set = set.ToDictionary(pair => pair.Key, pair => pair.Value),
            VerificationWait = TimeSpan.FromSeconds(2),
        });

    private static Task<FaultReport> RefuseWritesAsync(RunningProduct product) =>
        product.Control.AddFaultAsync(
        new FaultScript("events.patch", new FaultEffect { Status = 503 }), CancellationToken.None);
}
