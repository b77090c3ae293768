using CalSync.Sync.Pairs;
using Xunit;

namespace CalSync.Tests.Commands;

/// <summary>
/// The marker event of a pair, as a self-hoster types it, over HTTP against the practice Google and the
/// practice iCloud.
/// </summary>
public sealed class CanaryVerbTests
{
    [Fact]
    [Trait("Requirement", "R-SYNC-2-D")]
    public async Task Canary_TakenAwayByHand_HoldsOneDeletionUntilItIsBack()
    {
        await using var world = await PairShell.StartAsync(3);
        for (var turn = 0; turn < 2; turn++)
            Assert.Equal(0, (await world.RunAsync("pairs", "canary", "home", "on")).Code);
        Assert.Equal("equal", (string?)(await world.JsonAsync("sync")).Json[0]!["outcome"]);
        var verified = await world.RunAsync("verify");
        Assert.Equal(0, verified.Code);
        Assert.Contains("3 events on the left, 3 on the right", verified.Out, StringComparison.Ordinal);
        Assert.True((bool)(await world.JsonAsync("pairs", "list")).Json[0]!["canary"]!);
        var marker = (await world.GoogleAsync())[Canary.Title];
        Assert.Equal(4, (await world.AppleAsync()).Count);

        await world.EditAsync(marker.Id, "delete", null);
        await world.DeleteAsync(0);
        var held = await world.RunAsync("sync");
        Assert.Equal(2, held.Code);
        Assert.Contains("on the left is gone", held.Out, StringComparison.Ordinal);
        var command = held.Out.Split("put it back: ")[1].Split('\n')[0];
        Assert.Equal(0, (await world.RunPrintedAsync(command)).Code);
        Assert.Equal(0, (await world.RunAsync("sync")).Code);
        Assert.DoesNotContain("Lesson 0", (await world.GoogleAsync()).Keys);

        Assert.Equal(0, (await world.RunAsync("pairs", "canary", "home", "off")).Code);
        Assert.Equal((2, 2), ((await world.GoogleAsync()).Count, (await world.AppleAsync()).Count));
        await world.DeleteAsync(1);
        Assert.Equal(0, (await world.RunAsync("sync")).Code);
        Assert.Equal(64, (await world.RunAsync("pairs", "canary", "home", "maybe")).Code);
    }
}
