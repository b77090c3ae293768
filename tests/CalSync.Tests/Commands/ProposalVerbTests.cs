using System.Text.Json.Nodes;
using CalSync.Sandbox;
using CalSync.Tests.Sync.Truth;
using Xunit;

namespace CalSync.Tests.Commands;

/// <summary>The verbs about changes made on calendars, beside a running product.</summary>
public sealed class ProposalVerbTests
{
    [Fact]
    public async Task Proposals_OfADraggedEvent_AreListedShownAndDecidedOnce()
    {
        await using var world = await SyncWorld.StartAsync(options => options with
        {
            Mirrors = options.Mirrors with { ReadEvery = TimeSpan.FromMilliseconds(100) },
        });
        await world.CreateAsync();
        var own = await world.OnlyEventAsync();
        Assert.Equal("No change waits for a decision.\n", (await RunAsync(world, "list")).Out);
        await world.Control.EditEventAsync(
            new HandEdit(SyncWorld.Teacher, own.Id, "patch")
            {
                Fields = new JsonObject
                {
                    ["start"] = new JsonObject { ["dateTime"] = "2030-01-01T16:00:00Z" },
                    ["end"] = new JsonObject { ["dateTime"] = "2030-01-01T17:00:00Z" },
                },
            },
            CancellationToken.None);
        JsonNode? listed = null;
        await world.UntilAsync(
            async () => (listed = JsonNode.Parse((await RunAsync(world, "list", "--json")).Out)!.AsArray()
                .FirstOrDefault()) is not null,
            "the move is listed");
        var id = (string)listed!["id"]!;
        Assert.Equal(("moved", 0), ((string?)listed["kind"], (int)listed["studentCount"]!));
        var shown = (await RunAsync(world, "show", id)).Out;
        Assert.Contains("2030-01-01T21:30:00+05:30", shown, StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync(world, "refuse", id)).Code);
        await world.UntilAsync(
            async () => (await world.OnlyEventAsync()).Start == own.Start, "the event is brought back");
        var late = await RunAsync(world, "accept", id);
        Assert.Equal((1, true), (late.Code, late.Error.Contains("refused", StringComparison.Ordinal)));
        Assert.Equal(1, (await RunAsync(world, "show", "prp_nobody")).Code);
        Assert.Contains("refused", (await RunAsync(world, "list", "--all")).Out, StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Out, string Error)> RunAsync(
        SyncWorld world, params string[] words)
    {
        var (code, output, error) = await new Shell().RunAsync(
            ["proposals", .. words, "--data", world.DataDirectory]);
        return (code, output, error);
    }
}
