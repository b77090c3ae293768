using System.Net;
using System.Text.Json.Nodes;
using CalSync.App.Api;
using CalSync.Lab.Running;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace CalSync.Tests.Api;

/// <summary>
/// Goal: whoever listens is told everything that concerns them, once, in order, and nothing else. Method:
/// real streams over loopback, read with the platform's own parser.
/// </summary>
public sealed class StreamTests : ProductTest
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(5);

    protected override ProductSettings Settings => new() { StreamHeartbeat = TimeSpan.FromMilliseconds(400) };

    [Fact]
    [Trait("Requirement", "R-FLOW-7")]
    public async Task MoveSlot_IsSeenByTheStudentInScheduleCalendarAndStream()
    {
        var made = await NewClassAsync();
        (await EnrolAsync(Product.Chen, made["id"])).Expect(201);
        await using var stream = await Product.Chen.ListenAsync();
        var slotId = Slots(made)[0]["id"]!.ToString();
        var path = $"classes/{made["id"]}/slots/{slotId}";
        var to = new DateTimeOffset(2031, 1, 6, 19, 30, 0, TimeSpan.Zero);

        var asked = TimeProvider.System.GetTimestamp();
        (await Product.Maya.PatchAsync(
            path, (await Product.Maya.GetAsync(path)).ETag,
            new JsonObject { ["start"] = "2031-01-06T14:30:00" })).Expect(200);
        await RunningProduct.UntilAsync(
            () => Task.FromResult(stream.Changes.Any(IsConfirmed)), "the stream confirms the move");
        var entry = Assert.Single(
            (await Product.Chen.GetAsync("me/schedule")).Expect(200).Body!["items"]!.AsArray())!;
        var truth = await Product.Control.GetTruthAsync(Product.Chen.Email, CancellationToken.None);
        Assert.True(TimeProvider.System.GetElapsedTime(asked) < Soon, "It took longer than 5 s.");

        Assert.Equal(to, Assert.Single(Assert.Single(truth.Calendars).Events).Start);
        Assert.Equal(to, (DateTimeOffset)entry["slot"]!["startAt"]!);
        Assert.Equal("verified", (string?)entry["slot"]!["calendar"]!["state"]);
        Assert.Equal(
            ("America/New_York", "2031-01-06T14:30:00", "Asia/Kolkata", "2031-01-07T01:00:00",
                "2031-01-07T02:00:00"),
            ((string?)entry["slot"]!["timeZone"], (string?)entry["slot"]!["startLocal"],
                (string?)entry["reader"]!["timeZone"],
                (string?)entry["reader"]!["startLocal"], (string?)entry["reader"]!["endLocal"]));
        var moved = Assert.Single(stream.Changes, change => change.Kind == "slot.moved").Data["after"]!;
        Assert.Equal(to, (DateTimeOffset)moved["start"]!);

        bool IsConfirmed(StreamMessage change) => change.Kind == "mirror.verified"
            && (string?)change.Data["after"]!["slotId"] == slotId
            && stream.Changes.FirstOrDefault(earlier => earlier.Kind == "slot.moved") is { } move
            && (long)change.Data["after"]!["verifiedVersion"]! >= (long)move.Data["after"]!["wantedVersion"]!;
    }

    [Fact]
    [Trait("Requirement", "R-CAL-19-P")]
    [Trait("Requirement", "R-CAL-19-A")]
    public async Task Listener_ThatWasAway_GetsEverythingOnceInOrderAndEndsWhereTheResourceIs()
    {
        var made = await NewClassAsync();
        await using var always = await Product.Maya.ListenAsync();
        var first = await Product.Maya.ListenAsync();
        await RenameAsync(made["id"], "One");
        await RunningProduct.UntilAsync(
            () => Task.FromResult(Titles(first).Contains("One")), "the first change came");
        var last = first.LastEventId;
        await first.DisposeAsync();
        foreach (var title in new[] { "Two", "Three", "Four" })
            await RenameAsync(made["id"], title);

        await using var back = await Product.Maya.ListenAsync(last);
        await RunningProduct.UntilAsync(
            () => Task.FromResult(Titles(back).Contains("Four")), "the missed changes came");
        await Product.QuietAsync();
        await RunningProduct.UntilAsync(
            () => Task.FromResult(back.Messages[^1].Id == always.Messages[^1].Id && Ids(back).Length > 0),
            "both are at the end");

        Assert.Equal(["Two", "Three", "Four"], Titles(back));
        Assert.Equal(Ids(always), Ids(first).Concat(Ids(back)));
        Assert.Equal(Ids(always).Order(), Ids(always).AsEnumerable());
        Assert.Equal("Four", (await Product.Maya.GetAsync($"classes/{made["id"]}"))["title"]);
    }

    /// <summary>R-CAL-19-C: the place in the journal outlives the process; a place of another journal is no
    /// place.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-19-C")]
    public async Task LastEventId_OfAnotherJournal_IsAnsweredWithReset()
    {
        await using var stream = await Product.Bea.ListenAsync("999999999");
        var head = await Product.CountAsync("SELECT seq FROM journal_head");

        Assert.Equal("reset", stream.Messages[0].Type);
        Assert.InRange(long.Parse(stream.Messages[0].Id, null), 1, head);
        foreach (var bad in new[] { "-1", "x", "1,2", "99999999999999999999" })
        {
            var refused = await Assert.ThrowsAsync<HttpRequestException>(() => Product.Bea.ListenAsync(bad));
            Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        }
    }

    [Fact]
    public async Task Listeners_AreToldOnlyWhatConcernsThem()
    {
        var made = await NewClassAsync();
        (await EnrolAsync(Product.Chen, made["id"])).Expect(201);
        await using var bea = await Product.Bea.ListenAsync("0");
        await using var chen = await Product.Chen.ListenAsync("0");
        await using var arjun = await Product.Arjun.ListenAsync("0");
        await using var stranger = await Product.Stranger.ListenAsync("0");
        var seat = (await EnrolAsync(Product.Bea, made["id"])).Expect(201);
        var path = $"classes/{made["id"]}/enrollments/{seat["id"]}";
        (await Product.Bea.DeleteAsync(path, (await Product.Bea.GetAsync(path)).ETag)).Expect(200);
        await RenameAsync(made["id"], "Without Bea");
        await Product.QuietAsync();
        await RunningProduct.UntilAsync(
            async () =>
                bea.LastEventId == await Product.TextAsync("SELECT CAST(seq AS text) FROM journal_head"),
            "the heartbeat carries the position past what concerns others");

        Assert.Contains(bea.Changes, change => change.Kind == "enrolment.active");
        // The end of the seat is hers; what the class says afterwards is not.
        Assert.Equal(
            "enrolment.cancelled",
            bea.Changes.Last(change => change.Kind.StartsWith("enrolment.", StringComparison.Ordinal)).Kind);
        Assert.DoesNotContain(bea.Changes, change => change.Kind == "class.updated");
        foreach (var other in new[] { arjun, stranger })
            Assert.DoesNotContain(other.Changes, change => (string?)change.Data["classId"] == made["id"]);
        // Whoever may see everything of a class still sees what Bea sees, and more.
        var all = (await Product.Maya.GetAsync("changes?limit=200")).Body!["items"]!.AsArray()
            .Select(change => (long)change!["seq"]!).ToHashSet();
        Assert.Subset(all, bea.Changes.Where(change => (string?)change.Data["classId"] == made["id"])
            .Select(change => (long)change.Data["seq"]!).ToHashSet());
        // Two students of one class follow it, and never learn of each other.
        Assert.Contains(chen.Changes, change => change.Kind == "class.updated");
        foreach (var (stream, other) in new[] { (bea, Product.Chen), (chen, Product.Bea) })
        {
            var told = string.Concat(stream.Messages.Select(message => message.Data.ToJsonString()));
            Assert.DoesNotContain(other.Email, told, StringComparison.Ordinal);
            Assert.DoesNotContain(other.Id, told, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Streams_ArePerPersonBounded_AndGivenBack()
    {
        var most = Product.Services.GetRequiredService<ApiOptions>().StreamsPerUserMax;
        var streams = new List<EventListener>();
        for (var i = 0; i < most; i++)
            streams.Add(await Product.Bea.ListenAsync());
        var refused = await Product.Bea.GetAsync("me/events");
        Assert.Equal(
            (429, "too-many-streams", "30"),
            (refused.Status, refused["code"], refused.Header("Retry-After")));
        await using (await Product.Chen.ListenAsync())
        {
            // Somebody else's are not counted.
        }

        foreach (var stream in streams)
            await stream.DisposeAsync();
        await RunningProduct.UntilAsync(
            async () => (await Product.Bea.GetAsync("me/events")).Status == 200, "the places are free again");
    }

    [Fact]
    public async Task Stream_OfATokenThatWasRevoked_Ends()
    {
        await using var stream = await Product.Bea.ListenAsync();
        await Product.ExecuteAsync(
            "UPDATE api_tokens SET revoked_at = @now WHERE user_id = @Id",
            new { now = TimeProvider.System.GetUtcNow(), Product.Bea.Id });

        await RunningProduct.UntilAsync(() => Task.FromResult(stream.HasEnded), "the stream ends");
    }

    [Theory]
    [InlineData("GET", "me/events?after=1", null, 400)]
    [InlineData("GET", "me/events", "application/json", 406)]
    [InlineData("GET", "me/events", "text/*", 200)]
    [InlineData("HEAD", "me/events", null, 200)]
    public async Task Stream_AskedInOtherWays_AnswersAndEnds(
        string method, string path, string? accept, int status)
    {
        var answer = await Product.Bea.SendAsync(
            new HttpMethod(method), path, null, accept is null ? [] : [("Accept", accept)]);
        Assert.Equal(status, answer.Status);
    }

    private static long[] Ids(EventListener stream) =>
        [.. stream.Changes.Select(change => (long)change.Data["seq"]!)];

    private static string[] Titles(EventListener stream) =>
        [.. stream.Changes.Where(change => change.Kind == "class.updated")
            .Select(change => change.Data["after"]!["title"]!.ToString())];

    private async Task RenameAsync(string classId, string title) => (await Product.Maya.PatchAsync(
        $"classes/{classId}", (await Product.Maya.GetAsync($"classes/{classId}")).ETag,
        new JsonObject { ["title"] = title }))
        .Expect(200);
}
