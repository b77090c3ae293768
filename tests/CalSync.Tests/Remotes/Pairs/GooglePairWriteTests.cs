using System.Text.Json.Nodes;
using CalSync.Calendar.Document;
using CalSync.Sync.Pairs;
using CalSync.Tests.Contracts;
using CalSync.Tests.Remotes.Mapping;
using Xunit;

namespace CalSync.Tests.Remotes.Pairs;

/// <summary>Goal: every write is what was asked for, once, or says what it is not.</summary>
public sealed class GooglePairWriteTests : GooglePairTest
{
    /// <summary>R-SYNC-6-C: the same content again is no request at all.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-6-C")]
    public async Task Update_ThatChangesNothing_SendsNothing()
    {
        var stored = await CreateAsync(RemoteCalendarSamples.Event("same"), "same");
        var held = await FoundAsync(stored.Address);
        await Rig.Control.ClearCallsAsync(None);
        Assert.IsType<ResourceWrite.Stored>(await UpdateAsync(held, held.Content!, "same"));
        Assert.Empty(await Rig.CallsAsync());
    }

    /// <summary>
    /// R-SYNC-3-B: one field is one PATCH of that field with If-Match; what only Google has stays.
    /// </summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-3-B")]
    [Trait("Requirement", "R-SYNC-6-B")]
    public async Task Update_OfOneField_LeavesWhatOnlyGoogleHas()
    {
        var made = await Rig.ByHandAsync("POST", $"{Main}?conferenceDataVersion=1", new JsonObject
        {
            ["id"] = "rich1",
            ["summary"] = "Before",
            ["start"] = Time("2026-05-04T09:00:00Z"),
            ["end"] = Time("2026-05-04T10:00:00Z"),
            ["extendedProperties"] = new JsonObject { ["private"] = new JsonObject { ["k"] = "v" } },
            ["conferenceData"] = new JsonObject
            {
                ["createRequest"] = new JsonObject { ["requestId"] = "r1" },
            },
            ["guestsCanModify"] = true,
        });
        var held = await FoundAsync(new("rich1"));
        Assert.Contains("X-GOOGLE-CONFERENCE", held.Content!.ToString(), StringComparison.Ordinal);
        var content = Replaced(held.Content, "SUMMARY", "After");
        await Rig.Control.ClearCallsAsync(None);
        var uid = made["iCalUID"]!.GetValue<string>();
        var write = Assert.IsType<ResourceWrite.Stored>(await UpdateAsync(held, content, uid));
        var call = Assert.Single(await Rig.CallsAsync());
        Assert.Equal(("events.patch", true, "none"), (call.Operation, call.IfMatch, call.Detail));
        var now = await Rig.ByHandAsync("GET", $"{Main}/rich1");
        Assert.Equal("After", now["summary"]!.GetValue<string>());
        string[] kept = ["extendedProperties", "conferenceData", "guestsCanModify", "reminders"];
        foreach (var name in kept)
            Assert.True(JsonNode.DeepEquals(made[name], now[name]), name);
        Assert.Equal(now["etag"]!.GetValue<string>(), write.Version);
    }

    /// <summary>
    /// R-SYNC-5-A: every kind of change of a series, one after the other, comes back as it was written.
    /// </summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-5-A")]
    [Trait("Requirement", "R-SYNC-5-C")]
    public async Task Update_OfASeries_ComesBackAsWritten()
    {
        const string Uid = "u1";
        const string Rule = "DTSTART;TZID=Europe/Berlin:20260504T090000\n"
            + "DTEND;TZID=Europe/Berlin:20260504T100000\nRRULE:FREQ=WEEKLY;COUNT=10\n";
        const string Moved = "\n\nRECURRENCE-ID;TZID=Europe/Berlin:20260518T090000\n"
            + "DTSTART;TZID=Europe/Berlin:20260518T110000\nDTEND;TZID=Europe/Berlin:20260518T120000\n";
        string[] states =
        [
            Rule + "SUMMARY:S",
            Rule + "SUMMARY:S\nLOCATION:Hall",
            Rule + "SUMMARY:S" + Moved + "SUMMARY:Later",
            Rule + "SUMMARY:S\nEXDATE;TZID=Europe/Berlin:20260525T090000" + Moved + "SUMMARY:Even later",
            Rule + "SUMMARY:S\nEXDATE;TZID=Europe/Berlin:20260518T090000,20260525T090000",
            Rule + "SUMMARY:S\nEXDATE;TZID=Europe/Berlin:20260525T090000" + Moved + "LOCATION:Hall",
            Rule + "SUMMARY:T",
            Rule.Replace("COUNT=10", "COUNT=4", StringComparison.Ordinal) + "SUMMARY:T" + Moved + "SUMMARY:X",
            "DTSTART:20260504T090000Z\nDTEND:20260504T100000Z\nSUMMARY:Single",
            Rule + "SUMMARY:S\nEXDATE;TZID=Europe/Berlin:20260511T090000",
            "DTSTART;VALUE=DATE:20260504\nSUMMARY:Day",
        ];
        var address = (await CreateAsync(GoogleSamples.Calendar(states[0]), Uid)).Address;
        foreach (var state in states.Skip(1))
        {
            var content = GoogleSamples.Calendar(state);
            var held = await FoundAsync(address);
            var write = await UpdateAsync(held, content, Uid);
            var stored = write as ResourceWrite.Stored;
            Assert.True(stored is not null, $"{state}\n{write}");
            var found = await FoundAsync(address);
            Assert.True(found.Content is not null, $"{state}\n{found.Problem}");
            var changes = GoogleSamples.Unannounced(content, found.Content, stored.Lost);
            Assert.True(changes.Count == 0, $"{state}\n{string.Join('\n', changes)}\n{found.Content}");

            // Nothing flaps: what was read, written again, is no write.
            var before = (await Rig.CallsAsync()).Count(call => call.Operation == "events.patch");
            Assert.IsType<ResourceWrite.Stored>(await UpdateAsync(found, found.Content, Uid));
            Assert.Equal(before, (await Rig.CallsAsync()).Count(call => call.Operation == "events.patch"));
        }
    }

    /// <summary>R-SYNC-6-B: an instance changed since is a change of the series.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-6-B")]
    public async Task Write_WhenAnInstanceWasChangedSince_WritesNothing()
    {
        var address = new ResourceAddress(await SeriesAsync());
        var held = await FoundAsync(address);
        await Rig.ByHandAsync("PATCH", $"{Main}/{address}_20260608T070000Z", new JsonObject
        {
            ["summary"] = "By somebody else",
        });
        var content = Replaced(held.Content!, "SUMMARY", "Too late");
        Assert.IsType<ResourceWrite.Changed>(await UpdateAsync(held, content, "series"));
        Assert.IsType<ResourceDelete.Changed>(await Calendar.DeleteAsync(address, held.Version, None));
        var now = await FoundAsync(address);
        Assert.DoesNotContain("Too late", now.Content!.ToString(), StringComparison.Ordinal);
        Assert.IsType<ResourceDelete.Deleted>(await Calendar.DeleteAsync(address, now.Version, None));
        Assert.IsType<ResourceRead.Gone>(await Calendar.ReadAsync(address, None));
        Assert.IsType<ResourceDelete.AlreadyGone>(await Calendar.DeleteAsync(address, now.Version, None));
    }

    /// <summary>R-SYNC-4-C: a series deleted and created again has the instances wanted, no others.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    [Trait("Requirement", "R-SYNC-4-C")]
    public async Task Create_OfADeletedSeries_BringsItBackWhole(bool isUndeleteForbidden)
    {
        var content = RemoteCalendarSamples.Series("series");
        var address = await SeriesAsync();
        await Rig.Control.EditEventAsync(
            new(Maya, address, "delete") { ForbidUndelete = isUndeleteForbidden }, None);
        var stored = await CreateAsync(content, "series");
        Assert.Equal(isUndeleteForbidden, stored.Address.Value != address);
        var found = await FoundAsync(stored.Address);
        Assert.Empty(GoogleSamples.Unannounced(content, found.Content!, stored.Lost));
        Assert.Single((await ReadAsync(null)).Upserts);
    }

    /// <summary>
    /// R-SYNC-4-A: a create whose answer was lost, in whichever of its calls, makes one event in the end.
    /// </summary>
    [Theory]
    [InlineData("events.import", "after")]
    [InlineData("events.import", "before")]
    [InlineData("events.patch", "after")]
    [InlineData("events.patch", "before")]
    [Trait("Requirement", "R-SYNC-4-A")]
    public async Task Create_WithALostAnswer_IsFinishedByTheNextAttempt(string operation, string drop)
    {
        var content = RemoteCalendarSamples.Series("series");
        await Rig.Control.AddFaultAsync(new(operation, new() { Drop = drop }) { Times = 1 }, None);
        var lost = Assert.IsType<ResourceWrite.Failed>(
            await Calendar.CreateAsync(new("series", content, null), None)).Fault;
        Assert.True(lost.OutcomeUnknown);
        var again = await Calendar.CreateAsync(new("series", content, null), None);
        if (again is ResourceWrite.Exists { Address: { } address })
        {
            var held = await FoundAsync(address);
            again = await UpdateAsync(held, content, "series");
        }

        var stored = Assert.IsType<ResourceWrite.Stored>(again);
        var found = Assert.Single((await ReadAsync(null)).Upserts);
        Assert.Empty(GoogleSamples.Unannounced(content, found.Content!, stored.Lost));
    }

    /// <summary>Guests of a calendar whose owner is none of them are left out, and that is said.</summary>
    [Fact]
    public async Task Create_WithGuestsOfSomebodyElse_LeavesThemOutAndSaysSo()
    {
        const string Guests = "ORGANIZER:mailto:kim@else.test\r\nATTENDEE:mailto:lee@else.test\r\n";
        var content = RemoteCalendarSamples.Event("foreign", "Theirs", Guests);
        var stored = await CreateAsync(content, "foreign");
        Assert.Equal(
            ["ATTENDEE", "ORGANIZER"],
            stored.Lost.Select(loss => loss.What).Order(StringComparer.Ordinal));
        Assert.Empty(GoogleSamples.Unannounced(
            content, (await FoundAsync(stored.Address)).Content!, stored.Lost));
    }

    /// <summary>D-12: the whole list is written over the list just seen: nobody's answer is lost.</summary>
    [Fact]
    public async Task Update_OfGuests_KeepsTheAnswersOfOthers()
    {
        await Rig.ByHandAsync("POST", Main, new JsonObject
        {
            ["id"] = "guests1",
            ["start"] = Time("2026-05-04T09:00:00Z"),
            ["end"] = Time("2026-05-04T10:00:00Z"),
            ["attendees"] = new JsonArray(new JsonObject { ["email"] = "ann@example.test" }),
        });
        var held = await FoundAsync(new("guests1"));
        await Rig.Control.EditEventAsync(
            new(Maya, "guests1", "answer") { Attendee = "ann@example.test", Answer = "accepted" }, None);
        var component = held.Content!.AllComponents.Single(each => each.Is("VEVENT"u8));
        var bob = held.Content.Edit()
            .Add(component, new PropertyContent("ATTENDEE", "mailto:bob@example.test")).Apply();
        Assert.IsType<ResourceWrite.Changed>(await UpdateAsync(held, bob, "guests1@google.com"));

        var now = await FoundAsync(new("guests1"));
        component = now.Content!.AllComponents.Single(each => each.Is("VEVENT"u8));
        bob = now.Content.Edit()
            .Add(component, new PropertyContent("ATTENDEE", "mailto:bob@example.test")).Apply();
        Assert.IsType<ResourceWrite.Stored>(await UpdateAsync(now, bob, "guests1@google.com"));
        var guests = (await Rig.ByHandAsync("GET", $"{Main}/guests1"))["attendees"]!.AsArray();
        Assert.Equal(
            ["ann@example.test accepted", "bob@example.test needsAction"],
            guests.Select(guest => $"{guest!["email"]} {guest["responseStatus"]}"));
    }

    /// <summary>A guest changes the own answer and reminders; the rest is the organizer's.</summary>
    [Fact]
    public async Task Update_OfSomebodyElsesEvent_ChangesWhatIsOursAndNamesTheRest()
    {
        await Rig.ByHandAsync("POST", "calendars/arjun@studio.test/events", new JsonObject
        {
            ["id"] = "theirs1",
            ["summary"] = "Theirs",
            ["start"] = Time("2026-05-04T09:00:00Z"),
            ["end"] = Time("2026-05-04T10:00:00Z"),
            ["attendees"] = new JsonArray(new JsonObject { ["email"] = Maya }),
        }, "arjun@studio.test");
        var held = await FoundAsync(new("theirs1"));
        var text = held.Content!.ToString()
            .Replace("SUMMARY:Theirs", "SUMMARY:Mine", StringComparison.Ordinal)
            .Replace("ATTENDEE:mailto", "ATTENDEE;PARTSTAT=ACCEPTED:mailto", StringComparison.Ordinal)
            .Replace("X-GOOGLE-REMINDERS:DEFAULT\r\n", "", StringComparison.Ordinal);
        var write = Assert.IsType<ResourceWrite.Stored>(
            await UpdateAsync(held, CalendarDocument.Parse(text), "theirs1@google.com"));
        Assert.Equal("SUMMARY", Assert.Single(write.Lost).What);
        var now = await Rig.ByHandAsync("GET", $"{Main}/theirs1");
        Assert.Equal("Theirs", now["summary"]!.GetValue<string>());
        Assert.Equal("accepted", now["attendees"]![0]!["responseStatus"]!.GetValue<string>());
        Assert.False(now["reminders"]!["useDefault"]!.GetValue<bool>());
    }

    [Fact]
    public async Task Write_ToACalendarThatMayOnlyBeRead_IsRefusedUnsent()
    {
        var calendar = await Rig.OpenAsync(Maya, "UTC", isReadOnly: true);
        await Rig.Control.ClearCallsAsync(None);
        var draft = new ResourceDraft("x", RemoteCalendarSamples.Event("x"), null);
        Assert.IsType<ResourceWrite.Refused>(await calendar.CreateAsync(draft, None));
        Assert.IsType<ResourceWrite.Refused>(await calendar.UpdateAsync(new("x"), "\"1\"", draft, None));
        Assert.IsType<ResourceDelete.Failed>(await calendar.DeleteAsync(new("x"), "\"1\"", None));
        Assert.Empty(await Rig.CallsAsync());
    }
}
