using System.Collections.Immutable;
using System.Text.Json.Nodes;
using CalSync.App.Demo;
using CalSync.Classes;
using CalSync.Lab.Running;
using CalSync.Sandbox;
using CalSync.Tests.Contracts;
using Xunit;
using Xunit.Abstractions;

namespace CalSync.Tests.Drills;

/// <summary>Fifty people look at one slot while it is moved in a storm, on real processes that share one
/// PostgreSQL.</summary>
/// <remarks>
/// A surface is confirmed when it says so itself: the API when the slot's calendar is verified, a stream from
/// a <c>mirror.verified</c> at or past the slot's <c>wantedVersion</c> until the next <c>slot.moved</c>, a
/// notice once it is written. The API is asked before and after the provider is looked at, so that both are
/// seen at one moment; streams and notices have their place in the journal.
/// </remarks>
[Collection(DrillSuites.Name)]
[Trait("Category", "Slow")]
public sealed class StormDrill(PostgresFixture postgres, ITestOutputHelper output)
{
    private const int StudentCount = 50;
    private const int StillConnected = 15;
    private const int NewHour = 5;

    /// <summary>R-STORM-1: fifty students, the token dies mid-update, only fifteen streams live through
    /// it.</summary>
    [Fact]
    [Trait("Requirement", "R-STORM-1")]
    public async Task Move_InAStormWithFiftyOnlookers_EndsWithOneTimeAndNoTwoConfirmedOnesEver()
    {
        await using var stage = await Stage.SetAsync(await postgres.NewEmptyAsync());
        var apis = new[] { (await stage.ServeAsync(withWorker: false)).Address,
            (await stage.ServeAsync(withWorker: false)).Address };
        await stage.WorkAsync();
        var (made, slotPath, students) = await FillAsync(stage, apis);
        var slotId = slotPath.Split('/')[^1];
        var streams = await ListenAsync(apis, students);
        var admin = stage.Admin(apis[0]);
        var before = (await admin.GetAsync(slotPath, CancellationToken.None)).Expect();

        await stage.Control.SetLatencyAsync(TimeSpan.FromMilliseconds(150), CancellationToken.None);
        await AddStormAsync(stage);
        await stage.Control.ClearCallsAsync(CancellationToken.None);
        var moving = admin.PatchAsync(slotPath, before.ETag!, Stage.Times(NewHour), CancellationToken.None);
        // The token dies while the update is on its way.
        await stage.UntilAsync(
            async () => await CallsAsync(stage, "events.patch") > 0, "the update is on its way");
        await stage.Control.ExpireTokensAsync(Stage.Maya, CancellationToken.None);
        var lastIds = await CutAsync(streams);
        var samples = await WatchAsync(stage, stage.Admin(apis[1]), slotPath);
        Assert.Contains((await moving).Code, new[] { 200, 202 });
        // They come back to the other process: their place is in the journal.
        for (var i = StillConnected; i < StudentCount; i++)
        {
            streams[i] = [.. streams[i],
                await EventListener.OpenAsync(apis[(i + 1) % 2], students[i].Token, lastIds[i])];
        }

        await stage.AssertAgreesAsync();
        await AssertOneTimeEverywhereAsync(stage, apis, made, students);
        await AssertStreamsAsync(stage, streams, slotId);
        await AssertNoticesFollowAsync(stage, slotId);
        output.WriteLine(
            $"{samples.Updating} looks saw it being updated, {samples.Confirmed} saw it confirmed");
        Assert.True(samples.Updating > 0, "Nobody saw that the slot was being updated.");
        foreach (var stream in streams.SelectMany(each => each))
            await stream.DisposeAsync();
    }

    private static async Task<(DemoAnswer Made, string SlotPath, (string Id, string Token)[] Students)>
        FillAsync(Stage stage, Uri[] apis)
    {
        var maya = await stage.AddInstructorAsync(apis[0], Stage.Maya);
        var students = new (string Id, string Token)[StudentCount];
        for (var i = 0; i < StudentCount; i++)
        {
            await stage.Control.AddUserAsync(
                new SandboxUser(
                    Stage.Student(i), $"Student {i}", i % 2 == 0 ? "America/New_York" : "Asia/Kolkata"),
                CancellationToken.None);
            students[i] = await stage.AddPersonAsync(Stage.Student(i), Role.Student);
        }

        var admin = stage.Admin(apis[0]);
        var made = (await admin.PostAsync(
            "classes", Stage.Class("Storm", maya.Id, StudentCount, 1), CancellationToken.None)).Expect();
        await Task.WhenAll(students.Select(async student => (await admin.PostAsync(
            $"classes/{made.Text("id")}/enrollments", new JsonObject { ["studentId"] = student.Id },
            CancellationToken.None, prefer: "respond-async")).Expect()));
        await stage.AssertAgreesAsync();
        return (made, $"classes/{made.Text("id")}/slots/{made.Body!["schedules"]![0]!["slots"]![0]!["id"]}",
            students);
    }

    private static async Task<ImmutableArray<EventListener>[]> ListenAsync(
        Uri[] apis, (string Id, string Token)[] students)
    {
        var opened = await Task.WhenAll(students.Select(
            (student, index) => EventListener.OpenAsync(apis[index % 2], student.Token, null)));
        return [.. opened.Select(stream => ImmutableArray.Create(stream))];
    }

    /// <summary>All but fifteen lose their stream; what they had is what they resume from.</summary>
    private static async Task<string[]> CutAsync(ImmutableArray<EventListener>[] streams)
    {
        foreach (var stream in streams.Skip(StillConnected))
            await stream[0].DisposeAsync();
        return [.. streams.Select(stream => stream[0].LastEventId)];
    }

    private static async Task AddStormAsync(Stage stage)
    {
        foreach (var script in new[]
            {
                new FaultScript(
                    "events.patch", new FaultEffect { DelayMs = 500, Status = 503, Reason = "backendError" }),
                new FaultScript("events.patch", new FaultEffect { Drop = "after" }),
                new FaultScript("token", new FaultEffect { Status = 503 }),
            })
        {
            await stage.Control.AddFaultAsync(script with { Times = 1 }, CancellationToken.None);
        }
    }

    /// <summary>Looks at the API and at all calendars until the move is confirmed, and at every look compares
    /// them.</summary>
    private static async Task<(int Updating, int Confirmed)> WatchAsync(
        Stage stage, DemoApi api, string slotPath)
    {
        var (updating, confirmed) = (0, 0);
        var target = Start(NewHour);
        await stage.UntilAsync(
            async () =>
            {
                var first = (await api.GetAsync(slotPath, CancellationToken.None)).Expect().Body!;
                var shown = Times(await stage.TruthAsync());
                var second = (await api.GetAsync(slotPath, CancellationToken.None)).Expect().Body!;
                var calendar = first["calendar"]!.ToJsonString();
                if ((string?)first["calendar"]!["state"] != "verified")
                {
                    updating++;
                }
                else if (first["version"]!.ToString() == second["version"]!.ToString()
                    && calendar == second["calendar"]!.ToJsonString())
                {
                    // The API was sure all the while; then the organizer and every guest see that time and no
                    // other.
                    Assert.Equal([(DateTimeOffset)first["startAt"]!], shown.Distinct());
                    Assert.Equal(StudentCount + 1, shown.Length);
                    confirmed++;
                }

                return (string?)second["calendar"]!["state"] == "verified"
                    && (DateTimeOffset)second["startAt"]! == target;
            },
            "the move is confirmed");
        return (updating, confirmed);
    }

    private static async Task AssertOneTimeEverywhereAsync(
        Stage stage, Uri[] apis, DemoAnswer made, (string Id, string Token)[] students)
    {
        var target = Start(NewHour);
        const string Slots = "SELECT count(*) FROM slots WHERE start_at = @target AND state = 'scheduled'";
        Assert.Equal(1, await stage.CountAsync(Slots, new { target }));
        var truth = await stage.TruthAsync();
        Assert.Equal(Enumerable.Repeat(target, StudentCount + 1), Times(truth));
        Assert.Single(
            truth.Calendars.SelectMany(calendar => calendar.Events).Select(found => found.ICalUid)
            .Distinct());
        const string Reminders =
            "SELECT count(*) FROM notices WHERE kind = 'reminder' AND state = 'scheduled'";
        Assert.Equal(StudentCount, await stage.CountAsync(Reminders));
        Assert.Equal(
            StudentCount,
            await stage.CountAsync(
                Reminders + " AND due_at = @due AND message LIKE @text",
                new
                {
                    due = target - ClassLimits.ReminderLead,
                    text = $"%{Stage.Start(NewHour).Replace('T', ' ')[..16]}%"
                }));
        Assert.Equal(
            StudentCount,
            await stage.CountAsync("SELECT count(DISTINCT user_id) FROM notices WHERE kind = 'slot_moved'"));
        for (var i = 0; i < StudentCount; i++)
        {
            using var student = Stage.Client(apis[i % 2], students[i].Token);
            var entry = Assert.Single(
                (await student.GetAsync("me/schedule", CancellationToken.None))
                    .Expect().Body!["items"]!.AsArray())!;
            Assert.Equal(made.Text("id"), (string?)entry["classId"]);
            Assert.Equal(
                (target, "verified"),
                ((DateTimeOffset)entry["slot"]!["startAt"]!, (string?)entry["slot"]!["calendar"]!["state"]));
        }
    }

    /// <summary>Every client, cut off or not, was told the same at the same place of the journal.</summary>
    private static async Task AssertStreamsAsync(
        Stage stage, ImmutableArray<EventListener>[] streams, string slotId)
    {
        var told = new List<string>[StudentCount];
        await stage.UntilAsync(
            () =>
            {
                for (var i = 0; i < StudentCount; i++)
                    told[i] = Fold(streams[i].SelectMany(stream => stream.Changes), slotId);
                return Task.FromResult(
                    told.All(
                    each =>
                    each.Count > 0
                    && each[^1].EndsWith($"confirmed {Start(NewHour):O}", StringComparison.Ordinal)));
            },
            "every client was told that the move is confirmed");
        Assert.All(told, each => Assert.Equal(told[0], each));
        // Updating first, then the new time; never the new time confirmed before, never the old one after.
        Assert.Contains("updating", told[0][0], StringComparison.Ordinal);
        Assert.Single(told[0], each => each.Contains("confirmed", StringComparison.Ordinal));
    }

    /// <summary>What a client would show of the slot, at each place of the journal where that
    /// changes.</summary>
    private static List<string> Fold(IEnumerable<StreamMessage> changes, string slotId)
    {
        var shown = new List<string>();
        var (start, wanted, last) = (default(DateTimeOffset), long.MaxValue, -1L);
        foreach (var change in changes.Select(change => change.Data))
        {
            var seq = (long)change["seq"]!;
            Assert.True(seq > last, $"Entry {seq} came after {last}.");
            last = seq;
            if ((string?)change["kind"] == "slot.moved" && (string?)change["subjectId"] == slotId)
            {
                (start, wanted) =
                    ((DateTimeOffset)change["after"]!["start"]!, (long)change["after"]!["wantedVersion"]!);
                shown.Add($"{seq} updating");
            }
            else if ((string?)change["kind"] == "mirror.verified"
                && (string?)change["after"]?["slotId"] == slotId
                && (long)change["after"]!["verifiedVersion"]! >= wanted)
            {
                shown.Add($"{seq} confirmed {start.ToUniversalTime():O}");
                wanted = long.MaxValue;
            }
        }

        return shown;
    }

    /// <summary>Nobody was told the new time before the calendar showed it.</summary>
    private static async Task AssertNoticesFollowAsync(Stage stage, string slotId)
    {
        var moved = await stage.CountAsync(
            "SELECT max(seq) FROM journal WHERE subject_id = @slotId AND kind = 'slot.moved'",
            new { slotId });
        var verified = await stage.CountAsync(
            """
            SELECT min(j.seq) FROM journal j JOIN mirrors m ON m.id = j.subject_id
            WHERE m.slot_id = @slotId AND j.kind = 'mirror.verified' AND j.seq > @moved
            """,
            new { slotId, moved });
        var written = await stage.CountAsync(
            "SELECT min(seq) FROM journal WHERE kind = 'notices.written' AND seq > @moved", new { moved });
        Assert.True(
            moved < verified && verified < written, $"moved {moved}, verified {verified}, written {written}");
    }

    private static DateTimeOffset[] Times(SandboxTruth truth) =>
        [.. truth.Calendars.SelectMany(calendar => calendar.Events)
            .Where(found => found.Status != "cancelled").Select(found => found.Start)];

    private static DateTimeOffset Start(int hour) =>
        new DateTimeOffset(2030, 1, 7, 14, 0, 0, TimeSpan.Zero).AddHours(hour);

    private static async Task<int> CallsAsync(Stage stage, string operation) =>
        (await stage.Control.GetCallsAsync(CancellationToken.None))
            .Count(call => call.Operation == operation);
}
