using System.Text.Json.Nodes;
using CalSync.Sandbox;
using CalSync.Sync.Pairs;
using CalSync.Tests.Contracts;
using Xunit;

namespace CalSync.Tests.Remotes.Pairs;

/// <summary>Goal: every read is whole or says that it is not, whatever Google answers.</summary>
public sealed class GooglePairReadTests : GooglePairTest
{
    /// <summary>A delta that names one instance gives the whole series.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-5-A")]
    [Trait("Requirement", "R-SYNC-5-C")]
    public async Task Delta_NamingOneInstance_GivesTheWholeSeries()
    {
        var address = await SeriesAsync();
        var first = await ReadAsync(null);
        await Rig.ByHandAsync("PATCH", $"{Main}/{address}_20260518T070000Z", new JsonObject
        {
            ["summary"] = "Moved",
        });
        await Rig.ByHandAsync("DELETE", $"{Main}/{address}_20260525T070000Z");
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
        await Rig.ByHandAsync("PATCH", $"{Main}/{address}", new JsonObject { ["location"] = "Hall" });
        var found = Assert.Single((await ReadAsync(first.Next)).Upserts);
        Assert.Contains("RECURRENCE-ID", found.Content!.ToString(), StringComparison.Ordinal);
    }

    /// <summary>R-SYNC-1-A: after a run that wrote many series, all of them are seen in two calls.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-1-A")]
    public async Task Delta_OfManySeries_ListsTheCalendarOnce()
    {
        var before = (await ReadAsync(null)).Next;
        for (var number = 0; number < 3; number++)
            await CreateAsync(RemoteCalendarSamples.Series($"series-{number}"), $"series-{number}");
        var known = (await ReadAsync(null)).Upserts.ToDictionary(one => one.Address, one => one.Version!);
        await Rig.Control.ClearCallsAsync(None);
        var read = await Calendar.ReadChangesAsync(before, known, None);
        var changes = Assert.IsType<ChangeRead.Done>(read).Changes;
        Assert.Equal(3, changes.Upserts.Length);
        Assert.All(changes.Upserts, one => Assert.Null(one.Content));
        Assert.Equal(
            ["events.list", "events.list"], (await Rig.CallsAsync()).Select(call => call.Operation));
    }

    /// <summary>R-SYNC-1-A: nothing changed is one call and nothing read.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-1-A")]
    [Trait("Requirement", "R-SYNC-1-C")]
    public async Task Delta_OfNothing_IsOneCall()
    {
        await SeriesAsync();
        var first = await ReadAsync(null);
        await Rig.Control.ClearCallsAsync(None);
        Assert.Empty((await ReadAsync(first.Next)).Upserts);
        Assert.Equal("events.list", Assert.Single(await Rig.CallsAsync()).Operation);
    }

    [Fact]
    [Trait("Requirement", "R-SYNC-2-A")]
    public async Task Delta_AfterTheSeriesWasDeleted_IsOneTombstone()
    {
        var address = await SeriesAsync();
        var first = await ReadAsync(null);
        await Rig.ByHandAsync("DELETE", $"{Main}/{address}");
        var second = await ReadAsync(first.Next);
        Assert.Empty(second.Upserts);
        Assert.Equal(address, Assert.Single(second.Tombstones).Value);
    }

    /// <summary>R-SYNC-1-D: a dead token is said to be dead, by its reason.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-1-D")]
    public async Task Read_WithADeadToken_IsAnInvalidCursor()
    {
        await SeriesAsync();
        var first = await ReadAsync(null);
        await Rig.Control.InvalidateSyncTokensAsync(Maya, null, None);
        Assert.IsType<ChangeRead.CursorInvalid>(
            await Calendar.ReadChangesAsync(first.Next, NothingKnown, None));
        foreach (var (reason, isCursor) in
            new[] { ("updatedMinTooLongAgo", true), ("deleted", false), ("unheardOf", false) })
        {
            await Rig.Control.AddFaultAsync(
                new("events.list", new() { Status = 410, Reason = reason }) { Times = 9 }, None);
            var read = await PatientAsync(Calendar.ReadChangesAsync(null, NothingKnown, None));
            Assert.True(isCursor ? read is ChangeRead.CursorInvalid : read is ChangeRead.Failed, $"{read}");
            await Rig.Control.ClearFaultsAsync(None);
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
        await Rig.Control.AddFaultAsync(
            new("events.list", new() { Status = status, Reason = "forbidden" }) { Times = 9 }, None);
        var read = await PatientAsync(Calendar.ReadChangesAsync(null, NothingKnown, None));
        Assert.IsType<ChangeRead.Failed>(read);
    }

    [Fact]
    public async Task Read_OfACalendarThatIsNotThere_SaysSo()
    {
        var gone = await Rig.OpenAsync("nobody@studio.test", "UTC");
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

        await Rig.Control.SetSettingsAsync(new SandboxSettings(EmptyPages: true), None);
        var paged = await Rig.MainCalendarAsync(new() { SyncPageCountMax = 2, PageCountMax = 2 });
        var read = Assert.IsType<ChangeRead.Done>(
            await paged.ReadChangesAsync(null, NothingKnown, None)).Changes;
        Assert.Equal(7, read.Upserts.Length);
        Assert.Equal(5, Assert.IsType<Certificate.Complete>(read.Certificate).Pages);
        Assert.NotNull(read.Next);
    }

    /// <summary>A kind of event that only Google has is named, with its text, and stops nothing.</summary>
    [Fact]
    public async Task Read_WithAnEventThatCannotBeSynced_NamesItAndGoesOn()
    {
        await Rig.ByHandAsync("POST", Main, new JsonObject
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
        await Rig.ByHandAsync("PATCH", $"{Main}/{address}", new JsonObject
        {
            ["recurrence"] = new JsonArray("RRULE:FREQ=WEEKLY;UNTIL=20260531T215959Z"),
        });
        await Rig.ByHandAsync("POST", Main, new JsonObject
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
}
