using System.Text.Json.Nodes;
using CalSync.Lab.Running;
using CalSync.Sandbox;
using CalSync.Tests.Contracts;
using Xunit;

namespace CalSync.Tests.Api;

/// <summary>A seat is active only when every event was read back with the student on it. Over real loopback
/// HTTP.</summary>
[Trait("Category", "Slow")]
public abstract class SeatApiContract(TestDatabase database) : ProductTest(database)
{
    [Fact]
    [Trait("Requirement", "R-FIX-3-A")]
    [Trait("Requirement", "R-FIX-3-C")]
    public async Task Enrol_InThreeSlots_AddsOneGuestToEach_AndLeavesTheOthersAsTheyAre()
    {
        var made = await NewClassAsync(slots: 3);
        (await EnrolAsync(Product.Chen, made["id"])).Expect(201);
        foreach (var found in await Product.EventsAsync())
        {
            await Product.Control.EditEventAsync(
                new HandEdit("maya@studio.test", found.Id, "answer")
                {
                    Attendee = "chen@mail.test",
                    Answer = "accepted"
                },
                CancellationToken.None);
        }

        (await EnrolAsync(Product.Bea, made["id"])).Expect(201);

        var events = await Product.EventsAsync();
        Assert.Equal(3, events.Count);
        Assert.All(events, found => Assert.Equal("needsAction", found.Attendees["bea@mail.test"]));
        Assert.All(events, found => Assert.Equal("accepted", found.Attendees["chen@mail.test"]));
        Assert.Empty(await Product.DifferencesAsync());
    }

    [Fact]
    [Trait("Requirement", "R-FIX-3-B")]
    [Trait("Requirement", "R-FIX-3-G")]
    public async Task Enrol_Twice_WhateverTheCase_IsOneGuestAndOneSetOfNotices()
    {
        var made = await NewClassAsync();
        var path = $"classes/{made["id"]}/enrollments";
        var first = (await Product.Bea.PostAsync(path, new JsonObject())).Expect(201);
        var notices = await Product.CountAsync("SELECT count(*) FROM notices");

        var again = (await Product.Bea.PostAsync(
            path, new JsonObject { ["calendarEmail"] = "BEA@Mail.Test" })).Expect(200);

        Assert.Equal(("true", first["id"]), (again["alreadyAdded"], again["id"]));
        Assert.Equal(["bea@mail.test"], (await EventAsync("Drawing")).Attendees.Keys);
        Assert.True(notices > 0, "nobody was told");
        Assert.Equal(notices, await Product.CountAsync("SELECT count(*) FROM notices"));
    }

    /// <summary>R-CAL-04-C: the answer says which address was invited, whatever is asked for later.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-04-C")]
    public async Task Enrol_WithAnotherCalendarAddress_NamesTheOneThatWasInvited()
    {
        var made = await NewClassAsync();
        var path = $"classes/{made["id"]}/enrollments";

        var own = (await EnrolAsync(Product.Bea, made["id"])).Expect(201);
        var other = (await Product.Chen.PostAsync(
            path, new JsonObject { ["calendarEmail"] = "Chen@Work.Test" })).Expect(201);
        var again = (await Product.Chen.PostAsync(
            path, new JsonObject { ["calendarEmail"] = "chen@home.test" })).Expect(200);

        Assert.Equal(
            ["bea@mail.test", "chen@work.test", "chen@work.test"],
            new[] { own, other, again }.Select(answer => answer["calendarEmail"]));
        Assert.Equal("true", again["alreadyAdded"]);
        Assert.Equal(
            ["bea@mail.test", "chen@work.test"],
            (await EventAsync("Drawing")).Attendees.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(
            "chen@work.test", (await Product.Maya.GetAsync($"{path}/{other["id"]}"))["calendarEmail"]);
    }

    [Fact]
    [Trait("Requirement", "R-FIX-3-D")]
    [Trait("Requirement", "R-FIX-3-F")]
    public async Task Strict_WhenTheProviderIgnoresTheWrite_RollsBackWithTheFixedMessage()
    {
        var made = await NewClassAsync();
        await SetModeAsync("strict");
        await SwallowWritesAsync(null);

        var answer = (await EnrolAsync(Product.Bea, made["id"])).Expect(504);

        Assert.Equal("enrolment-failed", answer["code"]);
        Assert.StartsWith(
            "Failed to add you to the calendar event. ", answer["detail"], StringComparison.Ordinal);
        Assert.EndsWith(
            "Please try enrolling again or contact support.", answer["detail"], StringComparison.Ordinal);
        Assert.NotEmpty(answer["correlationId"]);
        Assert.Equal(0, await Product.CountAsync("SELECT count(*) FROM enrolments WHERE state = 'active'"));
        await Product.Control.ClearFaultsAsync(CancellationToken.None);
        await RolledBackAsync();
    }

    [Fact]
    [Trait("Requirement", "R-FIX-3-E")]
    public async Task Strict_WhenTheThirdSlotFails_TakesTheStudentOffTheOtherTwo()
    {
        var made = await NewClassAsync(slots: 3);
        await SetModeAsync("strict");
        await SwallowWritesAsync((string?)Slots(made)[2]["calendar"]!["eventId"]);

        (await EnrolAsync(Product.Bea, made["id"])).Expect(504);

        Assert.Equal(0, await Product.CountAsync("SELECT count(*) FROM enrolments WHERE state = 'active'"));
        await Product.Control.ClearFaultsAsync(CancellationToken.None);
        await RolledBackAsync();
        Assert.Equal(3, (await Product.EventsAsync()).Count);
    }

    [Fact]
    [Trait("Requirement", "R-FIX-3-RB")]
    public async Task Deferred_SeatIsActiveAtOnce_AndIsMendedLater()
    {
        var made = await NewClassAsync();
        await SetModeAsync("deferred");
        await Product.Control.AddFaultAsync(
            new FaultScript("events.*", new FaultEffect { Status = 503 }) { Times = 2 },
            CancellationToken.None);

        var seat = (await EnrolAsync(Product.Bea, made["id"]));

        Assert.Contains(seat.Status, new[] { 200, 201 });
        Assert.Contains(seat["state"], new[] { "active_without_calendar", "active" });
        await RunningProduct.UntilAsync(
            async () =>
                (await Product.Bea.GetAsync($"classes/{made["id"]}/enrollments/{seat["id"]}"))["state"] ==
                "active",
            "the seat is mended");
        Assert.Empty(await Product.DifferencesAsync());
    }

    private async Task SetModeAsync(string mode) =>
        (await Product.Operator.PutAsync("admin/switches/enrollment-calendar", new JsonObject
        {
            ["value"] = mode,
            ["reason"] = "rehearsal",
            ["ttlMinutes"] = 10,
        })).Expect(200);

    private async Task SwallowWritesAsync(string? eventId)
    {
        foreach (var write in new[] { "events.patch", "events.update" })
        {
            await Product.Control.AddFaultAsync(
                new FaultScript(write, new FaultEffect { Swallow = true }) { EventId = eventId },
                CancellationToken.None);
        }
    }

    private async Task RolledBackAsync()
    {
        await RunningProduct.UntilAsync(
            async () => await Product.TextAsync("SELECT state FROM enrolments") == "failed_rolled_back",
            "the seat is rolled back");
        Assert.All(
            await Product.EventsAsync(),
            found => Assert.DoesNotContain("bea@mail.test", found.Attendees.Keys));
        Assert.Equal(0, await Product.CountAsync("SELECT seats_taken FROM classes"));
    }
}

public sealed class SqliteSeatApiTests(SqliteTestDatabase database)
    : SeatApiContract(database), IClassFixture<SqliteTestDatabase>;

[Collection(PostgresFixture.Collection)]
public sealed class PostgresSeatApiTests(PostgresTestDatabase database)
    : SeatApiContract(database), IClassFixture<PostgresTestDatabase>;
