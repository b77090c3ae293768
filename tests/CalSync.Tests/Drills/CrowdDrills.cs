using System.Text.Json.Nodes;
using CalSync.Sandbox;
using CalSync.Tests.Contracts;
using Xunit;
using Xunit.Abstractions;

namespace CalSync.Tests.Drills;

/// <summary>Many at once, on real processes that share one PostgreSQL.</summary>
[Collection(DrillSuites.Name)]
[Trait("Category", "Slow")]
[Trait("Requirement", "R-BCAL-T-2")]
public sealed class CrowdDrills(PostgresFixture postgres, ITestOutputHelper output)
{
    private const string LiveSeats =
        "SELECT count(*) FROM enrolments WHERE state IN ('pending_calendar', 'active', "
            + "'active_without_calendar')";

    /// <summary>R-CAL-04-A, R-STORM-1: fifty want forty seats while the token dies and the provider
    /// refuses.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-04-A")]
    [Trait("Requirement", "R-STORM-1")]
    public async Task Enrol_FiftyAtOnceThroughTwoProcessesInAStorm_GivesFortyAndInvitesExactlyThem()
    {
        await using var stage = await Stage.SetAsync(await postgres.NewEmptyAsync());
        var apis = new[] { (await stage.ServeAsync(withWorker: false)).Address,
            (await stage.ServeAsync(withWorker: false)).Address };
        await Task.WhenAll(stage.WorkAsync(), stage.WorkAsync());
        var maya = await stage.AddInstructorAsync(apis[0], Stage.Maya);
        var students = await stage.AddStudentsAsync(50);
        var made = (await stage.Admin(apis[0]).PostAsync(
            "classes", Stage.Class("Storm", maya.Id, 40, 1), CancellationToken.None)).Expect();
        await stage.QuietAsync();
        await AddStormAsync(stage);

        var admins = apis.Select(stage.Admin).ToArray();
        var enrolling = Task.WhenAll(students.Select((student, index) => admins[index % 2].PostAsync(
            $"classes/{made.Text("id")}/enrollments", new JsonObject { ["studentId"] = student },
            CancellationToken.None)));
        var (seatsMax, guestsMax, expiredAgain) = (0L, 0, false);
        await stage.UntilAsync(
            async () =>
            {
                seatsMax = Math.Max(seatsMax, await stage.CountAsync(LiveSeats));
                guestsMax = Math.Max(
                    guestsMax, Guests((await stage.EventsAsync(Stage.Maya)).Single()).Length);
                // The new token dies as well, in the middle of the update.
                if (!expiredAgain && await FiredAsync(stage) > 0)
                {
                    await stage.Control.ExpireTokensAsync(Stage.Maya, CancellationToken.None);
                    expiredAgain = true;
                }

                return enrolling.IsCompleted;
            },
            "all fifty are answered");
        var answers = await enrolling;

        await stage.AssertAgreesAsync();
        var active = await stage.Database.ReadAsync(
            session =>
                session.QueryAsync<string>("SELECT calendar_email FROM enrolments WHERE state = 'active'"),
            CancellationToken.None);
        Assert.Equal(40, answers.Count(answer => answer.Code is 201 or 202));
        Assert.All(
            answers.Where(answer => answer.Code >= 300),
            answer => Assert.Equal("class-full", answer.Text("code")));
        Assert.Equal(40, active.Count);
        Assert.Equal(
            active.Order(StringComparer.Ordinal), Guests((await stage.EventsAsync(Stage.Maya)).Single()));
        Assert.Equal(40, seatsMax);
        Assert.InRange(guestsMax, 0, 40);
        Assert.Equal(3, await FiredAsync(stage));
        Assert.True(expiredAgain);
    }

    /// <summary>R-CAL-10-A: two hundred events under the limits Google publishes.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-10-A")]
    public async Task Create_TwentyClassesOfTenSlotsAtOnce_LosesAndDoublesNothingAndIsHardlyEverThrottled()
    {
        await using var stage = await Stage.SetAsync(await postgres.NewEmptyAsync());
        var (_, api) = await stage.ServeAsync(withWorker: true);
        var maya = await stage.AddInstructorAsync(api, Stage.Maya);
        var arjun = await stage.AddInstructorAsync(api, Stage.Arjun);
        await stage.Control.SetQuotaAsync(SandboxOptions.PublishedQuota, CancellationToken.None);
        await stage.Control.ClearCallsAsync(CancellationToken.None);

        // Fifteen for one account, five for the other: the small one must not wait for the big one.
        var admin = stage.Admin(api);
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(number => admin.PostAsync(
            "classes", Stage.Class($"Class {number}", number % 4 == 3 ? arjun.Id : maya.Id, 10, 10, number),
            CancellationToken.None, prefer: "respond-async")));
        Assert.All(answers, answer => answer.Expect());
        await stage.AssertAgreesAsync();

        var events = (await stage.EventsAsync(Stage.Maya)).Concat(await stage.EventsAsync(Stage.Arjun))
            .ToArray();
        Assert.Equal(200, events.Length);
        Assert.Equal(200, events.Select(found => (found.Summary, found.Start)).Distinct().Count());
        Assert.Equal(
            200, await stage.CountAsync("SELECT count(*) FROM mirrors WHERE active AND state = 'verified'"));
        var calls = (await stage.Control.GetCallsAsync(CancellationToken.None))
            .Where(call => call.Operation.StartsWith("events.", StringComparison.Ordinal)).ToArray();
        var refused = calls.Count(call => call.Status is 429 or 403);
        output.WriteLine($"{calls.Length} calls, {refused} refused");
        Assert.True(refused * 100 < calls.Length, $"{refused} of {calls.Length} calls were refused.");
        var lastInsert = calls.Where(call => call.Operation == "events.insert").GroupBy(call => call.User)
            .ToDictionary(group => group.Key!, group => group.Max(call => call.Number));
        Assert.True(
            lastInsert[Stage.Arjun] < lastInsert[Stage.Maya], "The small account waited for the big one.");
    }

    private static async Task AddStormAsync(Stage stage)
    {
        await stage.Control.ExpireTokensAsync(Stage.Maya, CancellationToken.None);
        foreach (var effect in new[]
            {
                new FaultEffect { Status = 429, Reason = "rateLimitExceeded", RetryAfter = 1 },
                new FaultEffect { Status = 503, Reason = "backendError" },
                new FaultEffect { Drop = "after" },
            })
        {
            await stage.Control.AddFaultAsync(
                new FaultScript("events.patch", effect) { Times = 1 }, CancellationToken.None);
        }
    }

    private static async Task<int> FiredAsync(Stage stage) =>
        (await stage.Control.GetFaultsAsync(CancellationToken.None)).Sum(fault => fault.Fired);

    private static string[] Guests(TruthEvent found) =>
        [.. found.Attendees.Keys.Where(guest => guest != Stage.Maya).Order(StringComparer.Ordinal)];
}
