using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Text.Json.Nodes;
using CalSync.Sandbox;
using CalSync.Storage.Running;
using CalSync.Sync;
using Xunit;

namespace CalSync.Tests.Sync.Truth;

/// <summary>
/// Goal: a write counts as done only when it was read back and says what it should; whatever the provider
/// does, nothing is doubled, deleted on suspicion, or claimed. Method: the whole product against a practice
/// Google that misbehaves.
/// </summary>
public sealed class VerifiedWriteTests
{
    /// <summary>R-FIX-1-A: each field that reads back wrong is named with what was wanted and what was
    /// read.</summary>
    [Theory]
    [Trait("Requirement", "R-FIX-1-A")]
    [InlineData("summary", "summary", "\"Sculpture\"")]
    [InlineData("description", "description", "\"Other words\"")]
    [InlineData("location", "location", null)]
    [InlineData("start.dateTime", "start", "\"2030-01-01T14:30:00+05:30\"")]
    [InlineData("end.dateTime", "end", "\"2030-01-01T18:30:00+05:30\"")]
    [InlineData(
        "extendedProperties.private.calsyncSlot", "extendedProperties.private.calsyncSlot", "\"slt_0\"")]
    public async Task Create_WhenAFieldReadsBackWrong_NamesIt(string path, string field, string? value)
    {
        await using var world = await SyncWorld.StartAsync();
        await world.SpoilAsync(
            "events.get",
            new FaultEffect
            {
                ChangeField = new FaultField(
            path, value is null ? null : JsonNode.Parse(value))
            });
        var made = await world.BeginAsync();
        var detail = SyncWorld.Detail(await world.WaitAsync(made, "needs_attention"));
        var mismatch = Assert.Single(detail["verificationDetails"]!["mismatches"]!.AsArray())!;
        Assert.Equal(field, (string?)mismatch["field"]);
        Assert.NotEqual((string?)mismatch["expected"], (string?)mismatch["actual"]);
        Assert.Equal("VERIFICATION_FAILED", (string?)detail["code"]);
        await AssertInJournalAsync(world, field, (string?)mismatch["expected"], (string?)mismatch["actual"]);
    }

    /// <summary>R-FIX-1-A: so are guests; and what a repair has ended is still told.</summary>
    [Theory]
    [Trait("Requirement", "R-FIX-1-A")]
    [InlineData("attendees.0.email", "\"someone@else.test\"")]
    [InlineData("attendees", null)]
    public async Task Enrol_WhenTheGuestsReadBackWrong_NamesThemAndRepairs(string path, string? value)
    {
        await using var world = await SyncWorld.StartAsync();
        var made = await world.CreateAsync();
        using var sam = await world.PersonAsync("sam@student.test", CalSync.Classes.Role.Student);
        await world.SpoilAsync(
            "events.patch",
            new FaultEffect
            {
                ChangeField = new FaultField(
            path, value is null ? null : JsonNode.Parse(value))
            }, times: 1);
        var seat = (await sam.PostAsync(
            $"classes/{made.Text("id")}/enrollments", new JsonObject(), CancellationToken.None)).Expect();
        var findings = SyncWorld.Detail(await world.WaitAsync(seat, "verified"))["verificationDetails"]!;
        var mismatch = Assert.Single(findings["mismatches"]!.AsArray())!;
        Assert.Equal(
            ("attendees", "sam@student.test"), ((string?)mismatch["field"], (string?)mismatch["expected"]));
        Assert.True((bool)findings["repaired"]!);
        await AssertInJournalAsync(
            world, "attendees", (string?)mismatch["expected"], (string?)mismatch["actual"]);
        Assert.Contains("sam@student.test", (await world.OnlyEventAsync()).Attendees.Keys);
    }

    /// <summary>R-FIX-1-A: so is the room; asking again for it is tried before a person is asked.</summary>
    [Fact]
    [Trait("Requirement", "R-FIX-1-A")]
    public async Task Create_WhenTheRoomReadsBackMissing_NamesIt()
    {
        await using var world = await SyncWorld.StartAsync();
        var effect = new FaultEffect { ChangeField = new FaultField("conferenceData", null) };
        await world.SpoilAsync("events.insert", effect);
        await world.SpoilAsync("events.patch", effect);
        var body = SyncWorld.Class(1);
        body["conference"] = true;
        var made = (await world.Maya.PostAsync("classes", body, CancellationToken.None)).Expect();
        var detail = SyncWorld.Detail(await world.WaitAsync(made, "needs_attention"));
        var mismatch = Assert.Single(detail["verificationDetails"]!["mismatches"]!.AsArray())!;
        Assert.Equal(
            ("conferenceData", "requested"), ((string?)mismatch["field"], (string?)mismatch["expected"]));
        await AssertInJournalAsync(world, "conferenceData", "requested", null);
    }

    private static async Task AssertInJournalAsync(
        SyncWorld world, string field, string? expected, string? actual)
    {
        var text = await world.ReadAsync<string>(
            "SELECT after FROM journal WHERE kind = 'mirror.mismatched' ORDER BY seq LIMIT 1");
        var found = Assert.Single(JsonNode.Parse(text!)!["mismatches"]!.AsArray())!;
        Assert.Equal(
            (field, expected, actual),
            ((string?)found["field"], (string?)found["expected"], (string?)found["actual"]));
    }

    /// <summary>R-FIX-1-B: the same instant written in another way is the same.</summary>
    [Fact]
    [Trait("Requirement", "R-FIX-1-B")]
    public async Task Create_WhenTheInstantReadsBackInAnotherNotation_IsVerified()
    {
        await using var world = await SyncWorld.StartAsync();
        await world.SpoilAsync(
            "events.get",
            new FaultEffect { ChangeField = new FaultField("start.dateTime", "2030-01-01T10:00:00Z") });
        await world.CreateAsync();
        Assert.Empty(await world.CallsAsync("events.patch"));
    }

    /// <summary>R-FIX-1-C, R-CAL-03-A: old reads for a while are waited out; nothing is doubled and nothing
    /// deleted.</summary>
    [Theory]
    [Trait("Requirement", "R-FIX-1-C")]
    [Trait("Requirement", "R-CAL-03-A")]
    [InlineData(2)]
    [InlineData(4)]
    public async Task Create_WhenReadsAreStaleForAWhile_IsVerifiedLaterWithoutADuplicate(int seconds)
    {
        await using var world = await SyncWorld.StartAsync();
        await world.SpoilAsync("events.insert", new FaultEffect { StaleSeconds = seconds });
        var made = await world.BeginAsync();
        Assert.Equal(202, made.Code);
        Assert.NotEqual("verified", (string?)(await world.SlotAsync(made)).Body!["calendar"]!["state"]);
        await world.WaitAsync(made, "verified");
        Assert.Equal("verified", (string?)(await world.SlotAsync(made)).Body!["calendar"]!["state"]);
        await world.OnlyEventAsync();
        Assert.Empty(await world.CallsAsync("events.delete"));
        Assert.All(
            await world.CallsAsync("events.insert"),
            (call, i) => Assert.Equal(i == 0 ? 200 : 409, call.Status));
    }

    /// <summary>R-FIX-1-C: an old read of a changed event does not lead to another write.</summary>
    [Fact]
    [Trait("Requirement", "R-FIX-1-C")]
    public async Task Move_WhenReadsAreStaleForAWhile_IsVerifiedLaterWithOnePatch()
    {
        await using var world = await SyncWorld.StartAsync(options => options with
        {
            Mirrors = SyncWorld.QuickMirrors with
            {
                ConsistencyWaits = [TimeSpan.FromMilliseconds(300), TimeSpan.FromMilliseconds(900)],
            },
        });
        var made = await world.CreateAsync();
        await world.SpoilAsync("events.patch", new FaultEffect { StaleSeconds = 1 });
        var moved = (await world.MoveAsync(made, 2, 9)).Expect();
        await world.WaitAsync(moved, "verified");
        Assert.Single(await world.CallsAsync("events.patch"));
        Assert.Equal(1, (await world.OnlyEventAsync()).Sequence);
    }

    /// <summary>R-FIX-1-D, R-FIX-1-G: what a finished operation tells.</summary>
    [Fact]
    [Trait("Requirement", "R-FIX-1-D")]
    [Trait("Requirement", "R-FIX-1-G")]
    public async Task Create_TellsWhatWasFound()
    {
        await using var world = await SyncWorld.StartAsync();
        var made = await world.CreateAsync();
        var detail = SyncWorld.Detail(await world.OperationAsync(made));
        var shown = await world.OnlyEventAsync();
        Assert.True((bool)detail["success"]!);
        Assert.True((bool)detail["verified"]!);
        Assert.Null(detail["code"]);
        Assert.Equal(shown.Id, (string?)detail["eventId"]);
        Assert.Equal("Pottery", (string?)detail["event"]!["summary"]);
        Assert.Empty(detail["verificationDetails"]!["mismatches"]!.AsArray());
        Assert.Equal("PRIMARY", (string?)detail["calendarType"]);
        var keys = detail.AsObject().Select(pair => pair.Key).ToList();
        Assert.Contains("secondaryCalendarId", keys);
        Assert.Contains("subscriptionPlan", keys);
        Assert.Equal(64, ((string)detail["eventHash"]!).Length);
    }

    /// <summary>R-FIX-1-G: a class with a room has a link, and keeps the same one through every
    /// move.</summary>
    [Fact]
    [Trait("Requirement", "R-FIX-1-G")]
    public async Task Move_OfAClassWithARoom_KeepsTheLink()
    {
        await using var world = await SyncWorld.StartAsync();
        var body = SyncWorld.Class(1);
        body["conference"] = true;
        var made = (await world.Maya.PostAsync("classes", body, CancellationToken.None)).Expect();
        await world.WaitAsync(made, "verified");
        var link = (string?)(await world.OnlyEventAsync()).Body["hangoutLink"];
        Assert.NotNull(link);
        for (var day = 2; day < 5; day++)
        {
            await world.WaitAsync((await world.MoveAsync(made, day, 9)).Expect(), "verified");
            Assert.Equal(link, (string?)(await world.OnlyEventAsync()).Body["hangoutLink"]);
        }
    }

    /// <summary>R-FIX-1-E: reads that fail prove nothing, so nothing is deleted or made twice because of
    /// them.</summary>
    [Theory]
    [Trait("Requirement", "R-FIX-1-E")]
    [InlineData(503)]
    [InlineData(403)]
    public async Task Create_WhenReadsFail_DeletesNothing(int status)
    {
        await using var world = await SyncWorld.StartAsync();
        await world.SpoilAsync(
            "events.get",
            new FaultEffect { Status = status, Reason = status == 403 ? "rateLimitExceeded" : null });
        var made = await world.BeginAsync();
        await world.WaitAsync(made, "retry_wait");
        await world.UntilAsync(
            async () => (await world.CallsAsync("events.get")).Count >= 3, "the event is looked for again");
        await world.Control.ClearFaultsAsync(CancellationToken.None);
        await world.WaitAsync(made, "verified");
        Assert.Empty(await world.CallsAsync("events.delete"));
        Assert.Single(await world.CallsAsync("events.insert"));
        await world.OnlyEventAsync();
    }

    /// <summary>R-FIX-1-E: only an event that is proven ours and wrong after repairs is deleted,
    /// once.</summary>
    [Fact]
    [Trait("Requirement", "R-FIX-1-E")]
    public async Task Create_WhenItStaysWrongAfterRepairs_IsMadeAgainOnce()
    {
        await using var world = await SyncWorld.StartAsync();
        var effect = new FaultEffect { ChangeField = new FaultField("summary", "Sculpture") };
        await world.SpoilAsync("events.insert", effect);
        await world.SpoilAsync("events.patch", effect);
        var made = await world.BeginAsync();
        await world.WaitAsync(made, "needs_attention");
        var delete = Assert.Single(await world.CallsAsync("events.delete"));
        Assert.True(delete.IfMatch);
        var calls = await world.Control.GetCallsAsync(CancellationToken.None);
        var earlier = calls.Where(call => call.Number < delete.Number).ToList();
        Assert.Equal(3, earlier.Count(call => call.Operation == "events.patch"));
        Assert.Equal("events.get", earlier[^1].Operation);
        await world.OnlyEventAsync();
    }

    /// <summary>R-FIX-1-F: a creation is recorded with how long it took and whether it was
    /// verified.</summary>
    [Fact]
    [Trait("Requirement", "R-FIX-1-F")]
    [Trait("Requirement", "R-CAL-03-P")]
    public async Task Create_IsRecordedWithItsDuration()
    {
        await using var world = await SyncWorld.StartAsync();
        var meter = world.Service<SyncMeter>();
        var seen = new ConcurrentQueue<(string Name, string? Operation, double Value)>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, to) =>
        {
            if (instrument == meter.OperationDuration || instrument == meter.EventsCreated
                || instrument == meter.EventsVerified)
            {
                to.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) =>
            seen.Enqueue((instrument.Name, tags.Length > 0 ? tags[0].Value?.ToString() : null, value)));
        listener.SetMeasurementEventCallback<long>(
            (instrument, value, _, _) => seen.Enqueue((instrument.Name, null, value)));
        listener.Start();
        var made = await world.CreateAsync(slots: 3);
        Assert.Equal(
            3,
            seen.Count(one =>
                one is { Name: "calendar_operation_duration_seconds", Operation: "create", Value: > 0 }));
        Assert.Equal(3, seen.Where(one => one.Name == "events_created_total").Sum(one => one.Value));
        Assert.Equal(3, seen.Where(one => one.Name == "events_verified_total").Sum(one => one.Value));
        var detail = SyncWorld.Detail(await world.OperationAsync(made));
        Assert.True((long)detail["executionTimeMs"]! > 0);
        var journal = await world.ReadAsync<string>(
            "SELECT after FROM journal WHERE kind = 'mirror.verified' LIMIT 1");
        Assert.Contains("events.insert", journal, StringComparison.Ordinal);
    }

    /// <summary>R-FIX-1-RB: with verification off a creation ends unverified, and is verified once it is on
    /// again.</summary>
    [Fact]
    [Trait("Requirement", "R-FIX-1-RB")]
    public async Task Create_WithVerificationOff_IsVerifiedWhenItIsOnAgain()
    {
        await using var world = await SyncWorld.StartAsync();
        await world.SwitchAsync("verification", "off");
        var made = await world.BeginAsync();
        await world.WaitAsync(made, "unverified");
        Assert.Empty(await world.CallsAsync("events.get"));
        await world.Service<SwitchStore>()
            .ClearAsync("verification", "usr_test", "cor_test", CancellationToken.None);
        await world.WaitAsync(made, "verified");
        Assert.NotEmpty(await world.CallsAsync("events.get"));
        Assert.Single(await world.CallsAsync("events.insert"));
    }

    /// <summary>R-CAL-03-B: an event acknowledged and not stored is made again under its own id.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-03-B")]
    public async Task Create_WhenAcknowledgedAndNotStored_IsMadeAgainUnderTheSameId()
    {
        await using var world = await SyncWorld.StartAsync();
        await world.SpoilAsync("events.insert", new FaultEffect { Swallow = true }, times: 1);
        await world.CreateAsync();
        var inserts = await world.CallsAsync("events.insert");
        Assert.Equal(2, inserts.Count);
        Assert.Single(inserts.Select(call => call.EventId).Distinct());
        Assert.Equal(inserts[0].EventId, (await world.OnlyEventAsync()).Id);
    }

    /// <summary>R-CAL-03-B: an event that never appears is a matter for a person, and never
    /// verified.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-03-B")]
    public async Task Create_WhenNeverStored_NeedsAttention()
    {
        await using var world = await SyncWorld.StartAsync();
        await world.SpoilAsync("events.insert", new FaultEffect { Swallow = true });
        var made = await world.BeginAsync();
        var operation = await world.WaitAsync(made, "needs_attention");
        Assert.Equal("not_stored", (string?)operation["reason"]);
        Assert.Empty(await world.EventsAsync());
        Assert.Equal(0, await world.ReadAsync<long>("SELECT verified_version FROM mirrors"));
        Assert.Equal(
            0, await world.ReadAsync<long>("SELECT count(*) FROM journal WHERE kind = 'mirror.verified'"));
    }

    /// <summary>R-CAL-03-C: an event stored in another calendar is found there, and the organizer
    /// told.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-03-C")]
    public async Task Create_WhenStoredInAnotherCalendar_SaysSo()
    {
        var other = "";
        await using var world = await SyncWorld.StartAsync(before: async control =>
            other = await control.AddCalendarAsync(
                SyncWorld.Teacher, "Other", "Asia/Kolkata", CancellationToken.None));
        await world.SpoilAsync("events.insert", new FaultEffect { StoreIn = other });
        var made = await world.BeginAsync();
        var operation = await world.WaitAsync(made, "needs_attention");
        Assert.Equal("wrong_calendar", (string?)operation["reason"]);
        var mismatch = SyncWorld.Detail(operation)["verificationDetails"]!["mismatches"]![0]!;
        Assert.Equal(("calendar", other), ((string?)mismatch["field"], (string?)mismatch["actual"]));
        await world.UntilAsync(
            async () =>
                await world.ReadAsync<long>(
                "SELECT count(*) FROM notices WHERE kind = 'calendar_problem'") == 1,
            "the organizer is told");
        Assert.Empty(await world.CallsAsync("events.delete"));
    }
}
