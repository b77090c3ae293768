using System.Text.Json.Nodes;
using CalSync.Sync.Pairs.Execution;
using Xunit;

namespace CalSync.Tests.Remotes.Pairs;

/// <summary>
/// Goal: a run from tokens makes a tenth at most of the requests of one that reads everything. Method: two
/// calendars with the same events, over HTTP, with the page and batch sizes of the product.
/// </summary>
[Trait("Category", "Slow")]
public sealed class IncrementalReadTests : GatedPair
{
    private const int Count = 2_500;

    private protected override bool HasSmallPages => false;

    [Fact]
    [Trait("Requirement", "R-SYNC-P-1")]
    [Trait("Requirement", "R-SYNC-1-A")]
    public async Task RunFromTokens_MakesATenthOfTheRequestsOfAWholeRead()
    {
        for (var index = 0; index < Count; index++)
        {
            var uid = $"e{index}";
            await PutAsync(Calendar.Comparison.MergeSide.Right, uid, $"Title {index}");
            var reply = await CallAsync("POST", $"calendars/{Maya}/events", new JsonObject
            {
                ["iCalUID"] = uid,
                ["summary"] = $"Title {index}",
                ["start"] = Moment("09"),
                ["end"] = Moment("10"),
                ["reminders"] = new JsonObject { ["useDefault"] = false },
            });
            Assert.True(reply.Status == 200, reply.Text);
        }

        var first = await RunAsync();
        Assert.Equal((Count, 0), (first.Linked, first.Written));
        var whole = Left.Requests.Count + Right.Requests.Count;
        Assert.Equal(RunOutcome.Equal, (await RunAsync()).Outcome);
        var incremental = Left.Requests.Count + Right.Requests.Count - whole;
        Assert.True(incremental * 10 <= whole, $"{incremental} of {whole} requests.");
        Assert.Equal(2, incremental);
    }

    private static JsonObject Moment(string hour) =>
        new() { ["dateTime"] = $"2026-03-02T{hour}:00:00Z", ["timeZone"] = "UTC" };
}
