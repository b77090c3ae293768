using System.Collections.Immutable;
using CalSync.Calendar.Comparison;
using CalSync.Calendar.Document;
using CalSync.Lab.Simulation;
using CalSync.Sync.Pairs;
using CalSync.Sync.Pairs.Execution;
using CalSync.Sync.Pairs.Planning;
using CalSync.Sync.Pairs.Verification;
using Xunit;

namespace CalSync.Tests.Sync.Pairs;

/// <summary>
/// One side shows only busy and is still a calendar one can work in. Method: two simulated calendars and
/// whole runs; the right shows only busy.
/// </summary>
public sealed class BusySideTests
{
    private const string Secret =
        "SUMMARY:Dentist|DESCRIPTION:root canal|LOCATION:Dr. Grau|CATEGORIES:health|URL:https://grau.example|"
        + "ORGANIZER:mailto:maya@example.com|ATTENDEE:mailto:grau@example.com|X-NOTE:insurance|"
        + "CLASS:PRIVATE|TRANSP:OPAQUE|STATUS:TENTATIVE|"
        + "BEGIN:VALARM|ACTION:DISPLAY|TRIGGER:-PT15M|DESCRIPTION:bring the card|END:VALARM|";

    private static readonly string[] SecretWords =
        ["Dentist", "canal", "Grau", "grau", "health", "maya", "insurance", "card", "VALARM"];

    [Fact]
    [Trait("Requirement", "R-SYNC-7-A")]
    public async Task AnEvent_OnTheBusySide_SaysWhenAndNothingElse()
    {
        var world = await WorldAsync();
        var shown = PairWorld.Text(world.Right, "e");
        Assert.All(SecretWords, word => Assert.DoesNotContain(word, shown, StringComparison.Ordinal));
        Assert.Contains("SUMMARY:Busy", shown, StringComparison.Ordinal);
        Assert.Contains("DTSTART:20260302T090000Z", shown, StringComparison.Ordinal);
        Assert.Contains("STATUS:TENTATIVE", shown, StringComparison.Ordinal);
        await world.QuietAsync(isFull: true);
    }

    [Fact]
    [Trait("Requirement", "R-SYNC-7-B")]
    public async Task AMoveOnTheBusySide_ArrivesAndTheTextStays()
    {
        var world = await WorldAsync();
        PairWorld.Edit(world.Right, "e", "T090000Z", "T083000Z");
        await world.RunAsync();
        Assert.Equal(
            PairWorld.Event("e", Secret).ToString().Replace("T090000Z", "T083000Z", StringComparison.Ordinal),
            PairWorld.Text(world.Left, "e"));
        await world.QuietAsync();

        PairWorld.Edit(world.Left, "e", "Dentist", "Dentist, moved");
        PairWorld.Edit(world.Right, "e", "T083000Z", "T084500Z");
        await world.RunAsync();
        Assert.Contains("T084500Z", PairWorld.Text(world.Left, "e"), StringComparison.Ordinal);
        Assert.Contains("Dentist, moved", PairWorld.Text(world.Left, "e"), StringComparison.Ordinal);
        await world.QuietAsync();
    }

    [Fact]
    [Trait("Requirement", "R-SYNC-7-B")]
    public async Task ADeletionOnTheBusySide_DeletesTheEvent()
    {
        var world = await WorldAsync();
        PairWorld.Delete(world.Right, "e");
        await world.RunAsync();
        Assert.False(PairWorld.Has(world.Left, "e"));
    }

    [Fact]
    [Trait("Requirement", "R-SYNC-7-A")]
    [Trait("Requirement", "R-SYNC-7-C")]
    public async Task WordsWrittenIntoACopy_ArePutBackAndSaidAndNotCarried()
    {
        var world = await WorldAsync();
        PairWorld.Edit(world.Right, "e", "SUMMARY:Busy", "LOCATION:here\r\nSUMMARY:Mine");
        PairWorld.Edit(world.Right, "e", "T090000Z", "T083000Z");
        var report = await world.RunAsync();
        Assert.Equal(["LOCATION", "SUMMARY"], report.Losses.Select(each => each.Loss.What).Order());
        Assert.All(
            report.Losses, loss => Assert.Equal((MergeSide.Right, "Dentist"), (loss.Side, loss.Title)));
        Assert.Contains("SUMMARY:Busy", PairWorld.Text(world.Right, "e"), StringComparison.Ordinal);
        Assert.DoesNotContain("LOCATION", PairWorld.Text(world.Right, "e"), StringComparison.Ordinal);
        Assert.Contains("SUMMARY:Dentist", PairWorld.Text(world.Left, "e"), StringComparison.Ordinal);
        Assert.Contains("T083000Z", PairWorld.Text(world.Left, "e"), StringComparison.Ordinal);
        await world.QuietAsync();

        PairWorld.Edit(world.Right, "e", "SUMMARY:Busy", "SUMMARY:Mine");
        var plan = (await world.RunAsync(new RunRequest { IsDryRun = true })).Plan!;
        Assert.Equal(SyncRule.PutBack, Assert.Single(plan.Steps).Rule);
        var putBack = await world.RunAsync();
        Assert.Equal((1, 0), (putBack.Updated, putBack.Conflicts));
        Assert.Contains(
            world.Store.Contents, text => text.Contains("SUMMARY:Mine", StringComparison.Ordinal));
        await world.QuietAsync();
    }

    /// <summary>Both sides edit one field each, and the same one: the busy text is in no conflict.</summary>
    [Fact]
    public async Task EditsOnBothSides_AreDecidedByTimesAlone()
    {
        var world = await WorldAsync(ConflictPolicy.Right);
        PairWorld.Edit(world.Left, "e", "T090000Z", "T093000Z");
        PairWorld.Edit(world.Left, "e", "Dentist", "Surgeon");
        PairWorld.Edit(world.Right, "e", "T090000Z", "T080000Z");
        PairWorld.Edit(world.Right, "e", "SUMMARY:Busy", "SUMMARY:Mine");
        var report = await world.RunAsync();
        Assert.Equal("DTSTART", string.Join(
            ',', world.Store.Conflicts.SelectMany(each => each.Property!.Split(',')).Order()));
        Assert.Equal(1, report.Conflicts);
        Assert.Contains("Surgeon", PairWorld.Text(world.Left, "e"), StringComparison.Ordinal);
        Assert.Contains("T080000Z", PairWorld.Text(world.Left, "e"), StringComparison.Ordinal);
        Assert.Contains("SUMMARY:Busy", PairWorld.Text(world.Right, "e"), StringComparison.Ordinal);
        await world.QuietAsync();
    }

    [Fact]
    [Trait("Requirement", "R-SYNC-7-B")]
    public async Task OneOccurrence_MovedAndAnotherDeletedOnTheBusySide_KeepTheSeriesText()
    {
        var world = await WorldAsync(lines: "RRULE:FREQ=DAILY;COUNT=5|" + Secret);
        PairWorld.Edit(
            world.Right, "e", "END:VEVENT",
            "EXDATE:20260304T090000Z\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:e\r\n"
            + "RECURRENCE-ID:20260303T090000Z\r\nDTSTART:20260303T150000Z\r\nDTEND:20260303T160000Z\r\n"
            + "SUMMARY:Busy\r\nEND:VEVENT");
        await world.RunAsync();
        var full = PairWorld.Text(world.Left, "e");
        Assert.Contains("EXDATE:20260304T090000Z", full, StringComparison.Ordinal);
        var moved = full[full.LastIndexOf("BEGIN:VEVENT", StringComparison.Ordinal)..];
        Assert.Contains("DTSTART:20260303T150000Z", moved, StringComparison.Ordinal);
        Assert.All(SecretWords, word => Assert.Contains(word, moved, StringComparison.Ordinal));
        Assert.DoesNotContain("Busy", full, StringComparison.Ordinal);
        Assert.DoesNotContain("RRULE", moved, StringComparison.Ordinal);
        await world.QuietAsync();

        PairWorld.Edit(world.Left, "e", "END:VEVENT", "COMMENT:word\r\nEND:VEVENT");
        await world.RunAsync();
        Assert.DoesNotContain("word", PairWorld.Text(world.Right, "e"), StringComparison.Ordinal);
        await world.QuietAsync();
    }

    /// <summary>This and all following, as programs do it: the old series ends and a copy goes on.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    [Trait("Requirement", "R-SYNC-7-B")]
    public async Task ASeriesSplitOnTheBusySide_KeepsItsTextInBothHalves(bool isLedgerLost)
    {
        var world = await WorldAsync(lines: "RRULE:FREQ=DAILY;COUNT=5|" + Secret);
        var shown = PairWorld.Text(world.Right, "e");
        PairWorld.Edit(world.Right, "e", "COUNT=5", "COUNT=2");
        world.Right.Put("/icloud/f.ics", CalendarDocument.Parse(
            shown.Replace("UID:e", "UID:f", StringComparison.Ordinal)
                .Replace("20260302T", "20260304T", StringComparison.Ordinal)
                .Replace("COUNT=5", "COUNT=3", StringComparison.Ordinal)));
        if (isLedgerLost)
            world.LoseLedger();
        await world.RunAsync();
        var (first, second) = (PairWorld.Text(world.Left, "e"), PairWorld.Text(world.Left, "f"));
        Assert.All(SecretWords, word =>
        {
            Assert.Contains(word, first, StringComparison.Ordinal);
            Assert.Contains(word, second, StringComparison.Ordinal);
        });
        Assert.Contains("COUNT=3", second, StringComparison.Ordinal);
        Assert.DoesNotContain("Busy", first + second, StringComparison.Ordinal);
        await world.QuietAsync(isFull: true);
    }

    [Fact]
    [Trait("Requirement", "R-SYNC-7-C")]
    public async Task AnEventMadeOnTheBusySide_GoesOverInFullAndKeepsItsWordsThere()
    {
        var world = await WorldAsync();
        PairWorld.Put(world.Right, "own", "SUMMARY:Review|LOCATION:Room 4|");
        await world.RunAsync();
        Assert.Contains("LOCATION:Room 4", PairWorld.Text(world.Left, "own"), StringComparison.Ordinal);
        Assert.Contains("SUMMARY:Review", PairWorld.Text(world.Right, "own"), StringComparison.Ordinal);
        await world.QuietAsync();

        PairWorld.Edit(world.Right, "own", "Review", "Review 2");
        await world.RunAsync();
        Assert.Contains("SUMMARY:Review 2", PairWorld.Text(world.Left, "own"), StringComparison.Ordinal);
        PairWorld.Edit(world.Left, "own", "Review 2", "Review, boring");
        PairWorld.Edit(world.Left, "own", "T090000Z", "T093000Z");
        await world.RunAsync();
        Assert.Contains("SUMMARY:Review 2", PairWorld.Text(world.Right, "own"), StringComparison.Ordinal);
        Assert.Contains("T093000Z", PairWorld.Text(world.Right, "own"), StringComparison.Ordinal);
        await world.QuietAsync();
    }

    /// <summary>The first run again: nothing is doubled and no busy text reaches the full side.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-7-A")]
    [Trait("Requirement", "R-SYNC-7-B")]
    public async Task ALostLedger_LinksCopiesByTheirMark()
    {
        var world = await WorldAsync();
        PairWorld.Put(world.Left, "series", "RRULE:FREQ=DAILY;COUNT=5|SUMMARY:Secret|");
        PairWorld.Put(world.Right, "own", "SUMMARY:Review|");
        await world.RunAsync();
        PairWorld.Edit(world.Right, "series", "T090000Z", "T070000Z");
        PairWorld.Edit(world.Right, "e", "SUMMARY:Busy", "SUMMARY:Mine");
        PairWorld.Edit(world.Left, "own", "Review", "Review, boring");
        // A server may have given the copy another UID, and a copy may have outlived its event.
        var copy = PairWorld.Text(world.Right, "series").Replace(
            "UID:series", "UID:other", StringComparison.Ordinal);
        PairWorld.Delete(world.Right, "series");
        world.Right.Put("/icloud/other.ics", CalendarDocument.Parse(copy));
        world.Right.Put("/icloud/gone.ics", BusyView.Of(PairWorld.Event("gone", "SUMMARY:Gone|")));
        world.LoseLedger();
        var report = await world.RunAsync();
        Assert.Equal(0, report.Created);
        Assert.Equal((3, 4), (world.Left.Events.Count, world.Right.Events.Count));
        Assert.DoesNotContain(
            "Busy", string.Concat(world.Left.Events.Values.Select(each => each.ToString())),
            StringComparison.Ordinal);
        Assert.Contains("SUMMARY:Secret", PairWorld.Text(world.Left, "series"), StringComparison.Ordinal);
        Assert.Contains("SUMMARY:Dentist", PairWorld.Text(world.Left, "e"), StringComparison.Ordinal);
        Assert.Contains("SUMMARY:Busy", PairWorld.Text(world.Right, "e"), StringComparison.Ordinal);
        Assert.Contains("Review, boring", PairWorld.Text(world.Left, "own"), StringComparison.Ordinal);
        Assert.Contains("SUMMARY:Review\r", PairWorld.Text(world.Right, "own"), StringComparison.Ordinal);
        await world.QuietAsync(isFull: true);

        PairWorld.Edit(world.Left, "e", "T090000Z", "T111500Z");
        await world.RunAsync();
        Assert.Contains("T111500Z", PairWorld.Text(world.Right, "e"), StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Requirement", "R-SYNC-7-B")]
    public async Task UndoAndRestore_GiveEachSideItsOwn()
    {
        var world = await WorldAsync();
        world.Started = world.Clock.GetUtcNow();
        PairWorld.Edit(world.Right, "e", "T090000Z", "T083000Z");
        var moved = await world.RunAsync();
        await world.UndoAsync(moved.RunId);
        Assert.Equal(PairWorld.Event("e", Secret).ToString(), PairWorld.Text(world.Left, "e"));
        await world.QuietAsync();

        PairWorld.Delete(world.Right, "e");
        var deleted = await world.RunAsync();
        Assert.False(PairWorld.Has(world.Left, "e"));
        await world.RestoreAsync(world.Started);
        Assert.Contains("Dentist", PairWorld.Text(world.Left, "e"), StringComparison.Ordinal);
        Assert.Contains("SUMMARY:Busy", PairWorld.Text(world.Right, "e"), StringComparison.Ordinal);
        Assert.All(SecretWords, word => Assert.DoesNotContain(
            word, PairWorld.Text(world.Right, "e"), StringComparison.Ordinal));
        Assert.Equal(1, deleted.Deleted);
        await world.QuietAsync();
    }

    [Fact]
    public async Task EditBeatsDelete_MakesTheEventAnewFromTheFullText()
    {
        var world = await WorldAsync();
        PairWorld.Delete(world.Left, "e");
        PairWorld.Edit(world.Right, "e", "T090000Z", "T083000Z");
        PairWorld.Edit(world.Right, "e", "SUMMARY:Busy", "SUMMARY:Mine");
        await world.RunAsync();
        Assert.Contains("SUMMARY:Busy", PairWorld.Text(world.Right, "e"), StringComparison.Ordinal);
        Assert.All(SecretWords, word => Assert.Contains(
            word, PairWorld.Text(world.Left, "e"), StringComparison.Ordinal));
        PairWorld.Delete(world.Right, "e");
        PairWorld.Edit(world.Left, "e", "Dentist", "Surgeon");
        await world.RunAsync();
        Assert.DoesNotContain("Surgeon", PairWorld.Text(world.Right, "e"), StringComparison.Ordinal);
        Assert.Contains("SUMMARY:Busy", PairWorld.Text(world.Right, "e"), StringComparison.Ordinal);
        await world.QuietAsync();
    }

    /// <summary>Killed between the copy and its record, and the event deleted meanwhile: what the copy is of
    /// is known, so the event comes back rather than a stray copy staying.</summary>
    [Fact]
    public async Task ACopyNobodyRecorded_WhoseEventIsDeleted_BringsTheEventBackInFull()
    {
        var world = new PairWorld(busy: MergeSide.Right);
        PairWorld.Put(world.Left, "e", Secret);
        world.Right.OnWritten = _ => throw new SimulatedCrashException();
        await Assert.ThrowsAsync<SimulatedCrashException>(() => world.RunAsync());
        world.Right.OnWritten = _ => { };
        PairWorld.Delete(world.Left, "e");
        await world.RunAsync();
        Assert.Equal(PairWorld.Event("e", Secret).ToString(), PairWorld.Text(world.Left, "e"));
        await world.QuietAsync();
    }

    /// <summary>A server or program that drops what it does not know drops the mark too.</summary>
    [Fact]
    public async Task ACopyWhoseMarkIsDropped_StaysACopy()
    {
        var world = await WorldAsync();
        var mark = PairWorld.Text(world.Right, "e").Split("\r\n").Single(line =>
            line.StartsWith("X-CALSYNC-BUSY", StringComparison.Ordinal));
        PairWorld.Edit(world.Right, "e", mark + "\r\n", "");
        PairWorld.Edit(world.Right, "e", "SUMMARY:Busy", "SUMMARY:Mine");
        await world.RunAsync();
        Assert.Contains("SUMMARY:Dentist", PairWorld.Text(world.Left, "e"), StringComparison.Ordinal);
        Assert.Contains("SUMMARY:Busy", PairWorld.Text(world.Right, "e"), StringComparison.Ordinal);
        Assert.Contains(mark, PairWorld.Text(world.Right, "e"), StringComparison.Ordinal);
        await world.QuietAsync();
    }

    [Fact]
    public async Task Verify_OfSuchAPair_ComparesWhatMayBeSaid()
    {
        var world = await WorldAsync();
        PairWorld.Put(world.Right, "own", "SUMMARY:Review|");
        await world.RunAsync();
        PairWorld.Edit(world.Left, "own", "Review", "Review, boring");
        await world.RunAsync();
        Assert.Equal(2, Compare(world).Equal);
        PairWorld.Edit(world.Right, "e", "T090000Z", "T083000Z");
        var difference = Assert.Single(Compare(world).Differences);
        Assert.Equal(("Dentist", DifferenceClass.Edited), (difference.Title, difference.Class));
        Assert.DoesNotContain(difference.Changes, change => change.Property == "SUMMARY");
    }

    private static PairComparison Compare(PairWorld world) => PairComparison.Of(
        Resources(world.Left), Resources(world.Right), [.. world.Store.Mappings], [], MergeSide.Right);

    private static ImmutableArray<RemoteResource> Resources(SimulatedCalendar side) =>
        [.. side.Events.Select(each => new RemoteResource(new ResourceAddress(each.Key), null, each.Value))];

    private static async Task<PairWorld> WorldAsync(
        ConflictPolicy policy = ConflictPolicy.Newest, string lines = Secret)
    {
        var world = new PairWorld(policy, busy: MergeSide.Right);
        PairWorld.Put(world.Left, "e", lines);
        await world.RunAsync();
        await world.RunAsync();
        return world;
    }
}
