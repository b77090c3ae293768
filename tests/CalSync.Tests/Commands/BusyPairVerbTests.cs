using System.Text.Json.Nodes;
using Xunit;

namespace CalSync.Tests.Commands;

/// <summary>
/// A pair whose one side shows only busy, as a self-hoster types it, over HTTP against the practice Google
/// and the practice iCloud.
/// </summary>
public sealed class BusyPairVerbTests
{
    /// <summary>iCloud has the lessons, Google shows only busy: a move there arrives, the words stay
    /// here, and a title written there is put back and said.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-7-A")]
    [Trait("Requirement", "R-SYNC-7-B")]
    [Trait("Requirement", "R-SYNC-7-C")]
    public async Task ShowBusy_AtGoogle_SaysNothingAndCanBeMovedAndDeleted()
    {
        await using var world = await PairShell.StartAsync(2, "--show-busy", "left");
        var google = await world.Alphabet.GetTruthAsync(PairShell.Google, CancellationToken.None);
        var events = google.Calendars.Single().Events;
        Assert.All(events, each =>
        {
            Assert.Equal("Busy", each.Summary);
            Assert.DoesNotContain("Lesson", each.Body.ToJsonString(), StringComparison.Ordinal);
        });
        Assert.Equal((0, 1), (
            (await world.RunAsync("verify")).Code,
            (await world.JsonAsync("pairs", "list")).Json.AsArray().Count(each =>
                (string?)each!["showsBusy"] == "left")));

        var first = events.Single(each => each.Start.UtcDateTime.Day == 1);
        await world.EditAsync(first.Id, "patch", new JsonObject
        {
            ["summary"] = "Mine",
            ["start"] = new JsonObject { ["dateTime"] = "2027-03-01T11:00:00Z" },
            ["end"] = new JsonObject { ["dateTime"] = "2027-03-01T11:30:00Z" },
        });
        var told = await world.RunAsync("sync");
        Assert.Contains("not as written on the left: SUMMARY (Lesson 0)", told.Out, StringComparison.Ordinal);
        var lesson = (await world.AppleAsync())["lesson-0@studio.test"];
        Assert.Contains("SUMMARY:Lesson 0", lesson, StringComparison.Ordinal);
        Assert.Contains("DTSTART:20270301T110000Z", lesson, StringComparison.Ordinal);
        Assert.Equal((0, "equal"), (
            (await world.RunAsync("verify")).Code,
            (string?)(await world.JsonAsync("sync")).Json[0]!["outcome"]));

        await world.EditAsync(first.Id, "delete", null);
        Assert.Equal(0, (await world.RunAsync("sync")).Code);
        Assert.Equal(["lesson-1@studio.test"], (await world.AppleAsync()).Keys);
        await world.AssertNoMailAsync();
    }

    /// <summary>The pair is made anew and nothing is known of it: copies are known by their mark, on
    /// both providers.</summary>
    [Theory]
    [InlineData("left")]
    [InlineData("right")]
    [Trait("Requirement", "R-SYNC-7-A")]
    public async Task ShowBusy_PairedAnew_LinksCopiesAndCarriesNoBusyBack(string side)
    {
        await using var world = await PairShell.StartAsync(2, "--show-busy", side);
        if (side == "right")
        {
            // A copy by hand is an event that Google has first.
            var known = (await world.GoogleAsync())["Lesson 0"];
            await world.EditAsync(known.Id, "copy", null);
            await world.EditAsync(known.Id, "patch", new JsonObject { ["summary"] = "Known" });
            Assert.Equal(0, (await world.RunAsync("sync")).Code);
            Assert.Single((await world.AppleAsync()).Values, each =>
                each.Contains("SUMMARY:Busy", StringComparison.Ordinal));
        }

        var apple = await world.AppleAsync();
        Assert.NotEmpty(apple);
        Assert.Equal(0, (await world.RunAsync("pairs", "detach", "home")).Code);
        Assert.Equal(0, (await world.RunAsync(
            "pairs", "add", "home", $"{PairShell.Google}/{PairShell.Google}", $"{PairShell.ICloud}/home",
            "--show-busy", side)).Code);
        var (code, run) = await world.JsonAsync("sync", "home");
        Assert.Equal((0, 0, 0, apple.Count), (
            code, (int)run[0]!["created"]!, (int)run[0]!["updated"]!, (int)run[0]!["linked"]!));
        Assert.Equal(apple, await world.AppleAsync());
        Assert.Equal(0, (await world.RunAsync("verify")).Code);
    }

    /// <summary>The sides are those that were typed, although a Google calendar stands left.</summary>
    [Fact]
    public async Task ShowBusy_OfCalendarsNamedTheOtherWayRound_MeansWhatWasTyped()
    {
        await using var world = await PairShell.StartAsync(1);
        Assert.Equal(0, (await world.RunAsync("pairs", "detach", "home")).Code);
        var told = await world.RunAsync(
            "pairs", "add", "home", $"{PairShell.ICloud}/home", $"{PairShell.Google}/{PairShell.Google}",
            "--show-busy", "left");
        Assert.Equal(0, told.Code);
        Assert.Contains(
            $"{PairShell.ICloud}/home shows only busy", told.Out, StringComparison.OrdinalIgnoreCase);
        Assert.Equal("right", (string?)(await world.JsonAsync("pairs", "list")).Json[0]!["showsBusy"]);
        Assert.Equal(64, (await world.RunAsync("pairs", "add", "x", "a", "b", "--show-busy", "both")).Code);
    }
}
