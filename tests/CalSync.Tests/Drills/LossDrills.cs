using System.Text.Json.Nodes;
using CalSync.App.Demo;
using CalSync.Tests.Contracts;
using Xunit;

namespace CalSync.Tests.Drills;

/// <summary>The chosen secondary calendar was deleted at the provider, and nobody has noticed yet.</summary>
[Collection(DrillSuites.Name)]
[Trait("Category", "Slow")]
public sealed class LossDrills(PostgresFixture postgres)
{
    private const int Count = 20;

    /// <summary>R-STORM-2: with a fallback, every event is in the primary calendar.</summary>
    [Fact]
    [Trait("Requirement", "R-STORM-2")]
    public async Task Create_TwentyAfterTheCalendarWasDeleted_AllAreInThePrimaryCalendar()
    {
        await using var stage = await Stage.SetAsync(
            await postgres.NewEmptyAsync(), "calendar.fallback=primary");
        await CreateIntoDeletedAsync(stage);
        await stage.AssertAgreesAsync();
        Assert.Equal(Count, (await stage.EventsAsync(Stage.Maya)).Length);
    }

    /// <summary>R-STORM-2: without one, all wait with the reason and nothing is called verified.</summary>
    [Fact]
    [Trait("Requirement", "R-STORM-2")]
    public async Task Create_TwentyAfterTheCalendarWasDeletedWithoutFallback_AllAreParkedWithTheReason()
    {
        await using var stage = await Stage.SetAsync(null, "calendar.fallback=hold");
        var answers = await CreateIntoDeletedAsync(stage);
        await stage.UntilAsync(
            async () =>
                await stage.CountAsync(
                "SELECT count(*) FROM mirrors WHERE active AND state = 'parked'") == Count,
            "all are parked");
        Assert.All(answers, answer => Assert.NotEqual(201, answer.Code));
        Assert.Equal(
            Count,
            await stage.CountAsync(
            "SELECT count(*) FROM mirrors WHERE state = 'parked' AND reason IS NOT NULL"));
        Assert.Equal(
            Count,
            await stage.CountAsync(
            "SELECT count(*) FROM operations WHERE state = 'parked' AND reason IS NOT NULL"));
        Assert.Equal(0, await stage.CountAsync("SELECT count(*) FROM mirrors WHERE verified_version > 0"));
        Assert.Empty(await stage.EventsAsync(Stage.Maya));
    }

    private static async Task<DemoAnswer[]> CreateIntoDeletedAsync(Stage stage)
    {
        var (_, api) = await stage.ServeAsync(withWorker: true);
        var teaching = await stage.Control.AddCalendarAsync(
            Stage.Maya, "Teaching", "America/New_York", CancellationToken.None);
        var maya = await stage.AddInstructorAsync(api, Stage.Maya);
        using var herself = Stage.Client(api, maya.Token);
        var connection = (await herself.GetAsync("calendar/connections", CancellationToken.None))
            .Expect().Body!["items"]![0]!;
        var chosen = connection["calendars"]!.AsArray()
            .Single(calendar => (string?)calendar!["summary"] == "Teaching")!;
        (await herself.PutAsync(
            $"calendar/connections/{connection["id"]}/calendar",
            new JsonObject { ["calendarId"] = chosen["id"]!.ToString() },
            CancellationToken.None)).Expect();
        await stage.Control.DeleteCalendarAsync(teaching, CancellationToken.None);
        var admin = stage.Admin(api);
        return await Task.WhenAll(Enumerable.Range(0, Count).Select(number => admin.PostAsync(
            "classes", Stage.Class($"Lost {number}", maya.Id, 5, 1, number), CancellationToken.None)));
    }
}
