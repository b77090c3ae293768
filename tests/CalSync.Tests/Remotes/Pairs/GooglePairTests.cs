using System.Collections.Immutable;
using System.Text.Json.Nodes;
using CalSync.Calendar.Document;
using CalSync.Sandbox;
using CalSync.Sync.Pairs;
using CalSync.Tests.Contracts;
using CalSync.Tests.Remotes.Mapping;
using Xunit;

namespace CalSync.Tests.Remotes.Pairs;

/// <summary>
/// Goal: a Google calendar as the sync engine sees it, with series, instances, faults and other writers, over
/// HTTP against the sandbox. Nothing in any of it mails anyone.
/// </summary>
public sealed class GooglePairTests : IAsyncLifetime, IDisposable
{
    private const string Maya = "maya@studio.test";
    private const string Main = "calendars/" + Maya + "/events";

    private static readonly ImmutableDictionary<ResourceAddress, string> NothingKnown =
        ImmutableDictionary<ResourceAddress, string>.Empty;

    private readonly GoogleRig _rig = new();
    private IRemoteCalendar _calendar = null!;

    private static CancellationToken None => CancellationToken.None;

    public async Task InitializeAsync()
    {
        await _rig.InitializeAsync();
        _calendar = await _rig.MainCalendarAsync();
    }

    public async Task DisposeAsync()
    {
        Assert.Equal(0, await _rig.MailCountAsync());
        Assert.All(
            (await _rig.CallsAsync()).Where(call => call.Operation is "events.patch" or "events.delete"
                && call.User == Maya && call.Detail is not null),
            call => Assert.Equal("none", call.Detail));
        await _rig.DisposeAsync();
    }

    public void Dispose() => _rig.Dispose();

    /// <summary>A delta that names one instance gives the whole series.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-5-A")]
    [Trait("Requirement", "R-SYNC-5-C")]
    public async Task Delta_NamingOneInstance_GivesTheWholeSeries()
    {
        var address = await SeriesAsync();
        var first = await ReadAsync(null);
        await _rig.ByHandAsync("PATCH", $"{Main}/{address}_20260518T070000Z", new JsonObject
        {
            ["summary"] = "Moved",
        });
        await _rig.ByHandAsync("DELETE", $"{Main}/{address}_20260525T070000Z");
        var second = await ReadAsync(first.Next);
        var found = Assert.Single(second.Upserts);
        Assert.Equal(address, found.Address.Value);
        Assert.IsType<Certificate.Delta>(second.Certificate);
        var text = found.Content!.ToString();
        Assert.Contains("RRULE:FREQ=WEEKLY;COUNT=10", text, StringComparison.Ordinal);
        Assert.Contains("EXDATE;TZID=Europe/Berlin:20260525T090000", text, StringComparison.Ordinal);
        Assert.Contains("EXDATE;TZID=Europe/Berlin:20260601T090000", text, StringComparison.Ordinal);
        Assert.Contains("SUMMARY:Moved", text, StringComparison.Ordinal);
        Assert.NotEqual(Assert.Single(first.Upserts).Version, found.Version);
        Assert.Empty((await ReadAsync(second.Next)).Upserts);
    }

    /// <summary>A delta that names only the master gives its exceptions too.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-5-A")]
    public async Task Delta_NamingOnlyTheMaster_GivesItsExceptionsToo()
    {
        var address = await SeriesAsync();
        var first = await ReadAsync(null);
        await _rig.ByHandAsync("PATCH", $"{Main}/{address}", new JsonObject { ["location"] = "Hall" });
        var found = Assert.Single((await ReadAsync(first.Next)).Upserts);
        Assert.Contains("RECURRENCE-ID", found.Content!.ToString(), StringComparison.Ordinal);
    }

    /// <summary>R-SYNC-1-A: nothing changed is one call and nothing read.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-1-A")]
    [Trait("Requirement", "R-SYNC-1-C")]
    public async Task Delta_OfNothing_IsOneCall()
    {
        await SeriesAsync();
        var first = await ReadAsync(null);
        await _rig.Control.ClearCallsAsync(None);
        Assert.Empty((await ReadAsync(first.Next)).Upserts);
        Assert.Equal("events.list", Assert.Single(await _rig.CallsAsync()).Operation);
    }

    [Fact]
    [Trait("Requirement", "R-SYNC-2-A")]
    public async Task Delta_AfterTheSeriesWasDeleted_IsOneTombstone()
    {
        var address = await SeriesAsync();
        var first = await ReadAsync(null);
        await _rig.ByHandAsync("DELETE", $"{Main}/{address}");
        var second = await ReadAsync(first.Next);
        Assert.Empty(second.Upserts);
        Assert.Equal(address, Assert.Single(second.Tombstones).Value);
    }

    /// <summary>R-SYNC-1-D: a dead token is said to be dead, by its reason; an empty calendar never.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-1-D")]
    public async Task Read_WithADeadToken_IsAnInvalidCursor()
    {
        await SeriesAsync();
        var first = await ReadAsync(null);
        await _rig.Control.InvalidateSyncTokensAsync(Maya, null, None);
        Assert.IsType<ChangeRead.CursorInvalid>(
            await _calendar.ReadChangesAsync(first.Next, NothingKnown, None));
        foreach (var (reason, isCursor) in
            new[] { ("updatedMinTooLongAgo", true), ("deleted", false), ("unheardOf", false) })
        {
            await _rig.Control.AddFaultAsync(
                new("events.list", new() { Status = 410, Reason = reason }) { Times = 9 }, None);
            var read = await PatientAsync(_calendar.ReadChangesAsync(null, NothingKnown, None));
            Assert.True(isCursor ? read is ChangeRead.CursorInvalid : read is ChangeRead.Failed, $"{read}");
            await _rig.Control.ClearFaultsAsync(None);
        }
    }

    /// <summary>What is no listing is never an empty one.</summary>
    [Theory]
    [InlineData(500)]
    [InlineData(503)]
    [InlineData(403)]
    [InlineData(429)]
    [Trait("Requirement", "R-SYNC-2-A")]
    public async Task Read_ThatFails_ConcludesNothing(int status)
    {
        await SeriesAsync();
        await _rig.Control.AddFaultAsync(
            new("events.list", new() { Status = status, Reason = "forbidden" }) { Times = 9 }, None);
        var read = await PatientAsync(_calendar.ReadChangesAsync(null, NothingKnown, None));
        Assert.IsType<ChangeRead.Failed>(read);
    }

    [Fact]
    public async Task Read_OfACalendarThatIsNotThere_SaysSo()
    {
        var gone = await _rig.OpenAsync("nobody@studio.test", "UTC");
        Assert.IsType<ChangeRead.CalendarGone>(await gone.ReadChangesAsync(null, NothingKnown, None));
    }

    /// <summary>Pages may be empty and go on; the token is on the last.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-1-E")]
    public async Task Read_InPages_IsWholeAndTakesTheTokenOfTheLast()
    {
        for (var number = 0; number < 7; number++)
        {
            var uid = $"page-{number}";
            await CreateAsync(RemoteCalendarSamples.Event(uid), uid);
        }

        await _rig.Control.SetSettingsAsync(new SandboxSettings(EmptyPages: true), None);
        var paged = await _rig.MainCalendarAsync(new() { SyncPageCountMax = 2, PageCountMax = 2 });
        var read = Assert.IsType<ChangeRead.Done>(
            await paged.ReadChangesAsync(null, NothingKnown, None)).Changes;
        Assert.Equal(7, read.Upserts.Length);
        Assert.Equal(5, Assert.IsType<Certificate.Complete>(read.Certificate).Pages);
        Assert.NotNull(read.Next);
    }

    /// <summary>R-SYNC-6-C: the same content again is no request at all.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-6-C")]
    public async Task Update_ThatChangesNothing_SendsNothing()
    {
        var stored = await CreateAsync(RemoteCalendarSamples.Event("same"), "same");
        var held = await FoundAsync(stored.Address);
        await _rig.Control.ClearCallsAsync(None);
        Assert.IsType<ResourceWrite.Stored>(await UpdateAsync(held, held.Content!, "same"));
        Assert.Empty(await _rig.CallsAsync());
    }

    /// <summary>
    /// R-SYNC-3-B: one field is one PATCH of that field with If-Match; what only Google has stays.
    /// </summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-3-B")]
    [Trait("Requirement", "R-SYNC-6-B")]
    public async Task Update_OfOneField_LeavesWhatOnlyGoogleHas()
    {
        var made = await _rig.ByHandAsync("POST", $"{Main}?conferenceDataVersion=1", new JsonObject
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
        await _rig.Control.ClearCallsAsync(None);
        var uid = made["iCalUID"]!.GetValue<string>();
        var write = Assert.IsType<ResourceWrite.Stored>(await UpdateAsync(held, content, uid));
        var call = Assert.Single(await _rig.CallsAsync());
        Assert.Equal(("events.patch", true, "none"), (call.Operation, call.IfMatch, call.Detail));
        var now = await _rig.ByHandAsync("GET", $"{Main}/rich1");
        Assert.Equal("After", now["summary"]!.GetValue<string>());
        foreach (var name in (string[])["extendedProperties", "conferenceData", "guestsCanModify", "reminders"])
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
            var before = (await _rig.CallsAsync()).Count(call => call.Operation == "events.patch");
            Assert.IsType<ResourceWrite.Stored>(await UpdateAsync(found, found.Content, Uid));
            Assert.Equal(before, (await _rig.CallsAsync()).Count(call => call.Operation == "events.patch"));
        }
    }

    /// <summary>R-SYNC-6-B: an instance changed since is a change of the series.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-6-B")]
    public async Task Write_WhenAnInstanceWasChangedSince_WritesNothing()
    {
        var address = new ResourceAddress(await SeriesAsync());
        var held = await FoundAsync(address);
        await _rig.ByHandAsync("PATCH", $"{Main}/{address}_20260608T070000Z", new JsonObject
        {
            ["summary"] = "By somebody else",
        });
        var content = Replaced(held.Content!, "SUMMARY", "Too late");
        Assert.IsType<ResourceWrite.Changed>(await UpdateAsync(held, content, "series"));
        Assert.IsType<ResourceDelete.Changed>(await _calendar.DeleteAsync(address, held.Version, None));
        var now = await FoundAsync(address);
        Assert.DoesNotContain("Too late", now.Content!.ToString(), StringComparison.Ordinal);
        Assert.IsType<ResourceDelete.Deleted>(await _calendar.DeleteAsync(address, now.Version, None));
        Assert.IsType<ResourceRead.Gone>(await _calendar.ReadAsync(address, None));
        Assert.IsType<ResourceDelete.AlreadyGone>(await _calendar.DeleteAsync(address, now.Version, None));
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
        await _rig.Control.EditEventAsync(
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
        await _rig.Control.AddFaultAsync(new(operation, new() { Drop = drop }) { Times = 1 }, None);
        var lost = Assert.IsType<ResourceWrite.Failed>(
            await _calendar.CreateAsync(new("series", content, null), None)).Fault;
        Assert.True(lost.OutcomeUnknown);
        var again = await _calendar.CreateAsync(new("series", content, null), None);
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

    /// <summary>D-12: the whole list is written, over the list just seen, and nobody's answer is lost.</summary>
    [Fact]
    public async Task Update_OfGuests_KeepsTheAnswersOfOthers()
    {
        await _rig.ByHandAsync("POST", Main, new JsonObject
        {
            ["id"] = "guests1",
            ["start"] = Time("2026-05-04T09:00:00Z"),
            ["end"] = Time("2026-05-04T10:00:00Z"),
            ["attendees"] = new JsonArray(new JsonObject { ["email"] = "ann@example.test" }),
        });
        var held = await FoundAsync(new("guests1"));
        await _rig.Control.EditEventAsync(
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
        var guests = (await _rig.ByHandAsync("GET", $"{Main}/guests1"))["attendees"]!.AsArray();
        Assert.Equal(
            ["ann@example.test accepted", "bob@example.test needsAction"],
            guests.Select(guest => $"{guest!["email"]} {guest["responseStatus"]}"));
    }

    /// <summary>A guest changes the own answer and reminders; the rest is said to be the organizer's.</summary>
    [Fact]
    public async Task Update_OfSomebodyElsesEvent_ChangesWhatIsOursAndNamesTheRest()
    {
        await _rig.ByHandAsync("POST", "calendars/arjun@studio.test/events", new JsonObject
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
        var now = await _rig.ByHandAsync("GET", $"{Main}/theirs1");
        Assert.Equal("Theirs", now["summary"]!.GetValue<string>());
        Assert.Equal("accepted", now["attendees"]![0]!["responseStatus"]!.GetValue<string>());
        Assert.False(now["reminders"]!["useDefault"]!.GetValue<bool>());
    }

    /// <summary>A kind of event that only Google has is named, with its text, and stops nothing.</summary>
    [Fact]
    public async Task Read_WithAnEventThatCannotBeSynced_NamesItAndGoesOn()
    {
        await _rig.ByHandAsync("POST", Main, new JsonObject
        {
            ["id"] = "focus1",
            ["eventType"] = "focusTime",
            ["start"] = Time("2026-05-04T09:00:00Z"),
            ["end"] = Time("2026-05-04T10:00:00Z"),
        });
        await CreateAsync(RemoteCalendarSamples.Event("fine"), "fine");
        var read = await ReadAsync(null);
        var odd = Assert.Single(read.Upserts, one => one.Problem is not null);
        Assert.Contains("focusTime", odd.Problem, StringComparison.Ordinal);
        Assert.Contains("\"focus1\"", odd.Raw, StringComparison.Ordinal);
        Assert.Null(odd.Content);
        Assert.NotNull(Assert.Single(read.Upserts, one => one.Problem is null).Content);
    }

    /// <summary>R-SYNC-5-D: a split is a shorter series and another one, each once.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-5-D")]
    public async Task Delta_AfterASplit_IsTwoSeries()
    {
        var address = await SeriesAsync();
        var first = await ReadAsync(null);
        await _rig.ByHandAsync("PATCH", $"{Main}/{address}", new JsonObject
        {
            ["recurrence"] = new JsonArray("RRULE:FREQ=WEEKLY;UNTIL=20260531T215959Z"),
        });
        await _rig.ByHandAsync("POST", Main, new JsonObject
        {
            ["iCalUID"] = $"{address}_R20260608T070000@google.com",
            ["summary"] = "From here on",
            ["start"] = Time("2026-06-08T09:00:00+02:00", "Europe/Berlin"),
            ["end"] = Time("2026-06-08T10:00:00+02:00", "Europe/Berlin"),
            ["recurrence"] = new JsonArray("RRULE:FREQ=WEEKLY;COUNT=5"),
        });
        var second = await ReadAsync(first.Next);
        Assert.Equal(2, second.Upserts.Length);
        Assert.Equal(2, second.Upserts.Select(one => Uid(one.Content!)).Distinct().Count());
        Assert.Empty(second.Tombstones);
    }

    [Fact]
    public async Task Write_ToACalendarThatMayOnlyBeRead_IsRefusedUnsent()
    {
        var calendar = await _rig.OpenAsync(Maya, "UTC", isReadOnly: true);
        await _rig.Control.ClearCallsAsync(None);
        var draft = new ResourceDraft("x", RemoteCalendarSamples.Event("x"), null);
        Assert.IsType<ResourceWrite.Refused>(await calendar.CreateAsync(draft, None));
        Assert.IsType<ResourceWrite.Refused>(await calendar.UpdateAsync(new("x"), "\"1\"", draft, None));
        Assert.IsType<ResourceDelete.Failed>(await calendar.DeleteAsync(new("x"), "\"1\"", None));
        Assert.Empty(await _rig.CallsAsync());
    }

    private async Task<string> SeriesAsync() =>
        (await CreateAsync(RemoteCalendarSamples.Series("series"), "series")).Address.Value;

    private async Task<ResourceWrite.Stored> CreateAsync(CalendarDocument content, string uid)
    {
        var write = await _calendar.CreateAsync(new(uid, content, null), None);
        Assert.True(write is ResourceWrite.Stored, write.ToString());
        return (ResourceWrite.Stored)write;
    }

    private Task<ResourceWrite> UpdateAsync(RemoteResource held, CalendarDocument content, string uid) =>
        _calendar.UpdateAsync(held.Address, held.Version, new(uid, content, held.Content), None);

    private async Task<RemoteResource> FoundAsync(ResourceAddress address) =>
        Assert.IsType<ResourceRead.Found>(await _calendar.ReadAsync(address, None)).Resource;

    private async Task<ChangeSet> ReadAsync(SyncCursor? since) =>
        Assert.IsType<ChangeRead.Done>(await _calendar.ReadChangesAsync(since, NothingKnown, None)).Changes;

    /// <summary>Lets time pass until the client's waits between attempts are over.</summary>
    private async Task<ChangeRead> PatientAsync(Task<ChangeRead> reading)
    {
        while (!reading.IsCompleted)
        {
            _rig.Clock.Advance(TimeSpan.FromSeconds(1));
            await Task.WhenAny(reading, Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System));
        }

        return await reading;
    }

    private static CalendarDocument Replaced(CalendarDocument content, string name, string value) =>
        content.Edit().Set(
            content.AllComponents.First(each => each.Is("VEVENT"u8)), new PropertyContent(name, value)).Apply();

    private static string Uid(CalendarDocument content) =>
        content.AllComponents.First(each => each.Is("VEVENT"u8)).Property("UID"u8)!.Value.RawValue;

    private static JsonObject Time(string moment, string zone = "UTC") =>
        new() { ["dateTime"] = moment, ["timeZone"] = zone };
}
