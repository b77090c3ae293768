using System.Globalization;
using Xunit;

namespace CalSync.Tests.Commands;

/// <summary>
/// What happened, why, and taking it back, as a self-hoster types it: through the command line, over HTTP,
/// against the practice Google and the practice iCloud. Every test ends with the mail log.
/// </summary>
public sealed class HistoryVerbTests : IAsyncLifetime
{
    private PairShell _world = null!;

    public async Task InitializeAsync() => _world = await PairShell.StartAsync(9);

    public async Task DisposeAsync()
    {
        await _world.AssertNoMailAsync();
        await _world.DisposeAsync();
    }

    [Fact]
    [Trait("Requirement", "R-SYNC-6-A")]
    [Trait("Requirement", "R-SYNC-C-4")]
    public async Task Undo_OfARunWithEverything_TakesItBackAndStays()
    {
        var run = await EverythingAsync();
        var planned = await _world.RunAsync("undo", run, "--dry-run");
        Assert.Equal(1, planned.Code);
        Assert.Contains("the run that is undone wrote it", planned.Out, StringComparison.Ordinal);
        Assert.Contains($"do it: calsync undo {run}", planned.Out, StringComparison.Ordinal);
        Assert.Contains("Yoga", (await _world.GoogleAsync()).Keys);

        var (code, undone) = await _world.JsonAsync("undo", run);
        Assert.Equal((0, "synced", $"undo of {run}"), (
            code, (string?)undone[0]!["outcome"], (string?)undone[0]!["takeBack"]));
        var google = await _world.GoogleAsync();
        Assert.Contains("Lesson 1", google.Keys);
        Assert.DoesNotContain("Yoga", google.Keys);
        Assert.Equal((9, 9), (google["Lesson 3, moved"].Start.UtcDateTime.Hour, google.Count));
        var apple = await _world.AppleAsync();
        Assert.DoesNotContain("lesson-1@studio.test", apple.Keys);
        Assert.Contains("SUMMARY:Lesson 3", apple["lesson-3@studio.test"], StringComparison.Ordinal);
        Assert.Contains("T100000Z", apple["lesson-3@studio.test"], StringComparison.Ordinal);

        foreach (var verb in (string[][])[["sync"], ["sync", "--force-full-sync"], ["verify"], ["undo", run]])
            Assert.Equal(0, (await _world.RunAsync(verb)).Code);
        Assert.Equal(google.Keys.Order(), (await _world.GoogleAsync()).Keys.Order());
        Assert.Equal(apple.Keys, (await _world.AppleAsync()).Keys);

        // The undo taken back: as if nothing had been taken back.
        Assert.Equal(0, (await _world.RunAsync("undo", (string)undone[0]!["run"]!)).Code);
        Assert.Contains("Yoga", (await _world.GoogleAsync()).Keys);
        Assert.Contains("SUMMARY:Lesson 3\\, moved", (await _world.AppleAsync())["lesson-3@studio.test"],
            StringComparison.Ordinal);
        Assert.Equal(0, (await _world.RunAsync("sync")).Code);
        Assert.Equal(0, (await _world.RunAsync("verify")).Code);
    }

    [Fact]
    public async Task HistoryAndExplain_SayWhoChangedWhatAndWhichRuleDecided()
    {
        var run = await EverythingAsync();
        var (code, runs) = await _world.JsonAsync("history");
        Assert.Equal((0, run, "sync", 1, 2, 1), (
            code, (string?)runs[0]!["run"], (string?)runs[0]!["what"], (int)runs[0]!["created"]!,
            (int)runs[0]!["updated"]!, (int)runs[0]!["deleted"]!));
        var listed = await _world.RunAsync("history");
        Assert.Contains(run, listed.Out, StringComparison.Ordinal);

        var told = await _world.RunAsync("history", "Lesson 3, moved");
        Assert.Equal(0, told.Code);
        Assert.Contains("title changed on the left", told.Out, StringComparison.Ordinal);
        Assert.Contains("written: title changed on the right", told.Out, StringComparison.Ordinal);
        var (_, story) = await _world.JsonAsync("history", "lesson-3@studio.test");
        Assert.Equal(2, story[0]!["versions"]!.AsArray().Count);

        var why = await _world.RunAsync("explain", "lesson-3@studio.test");
        Assert.Equal(0, why.Code);
        foreach (var words in (string[])[
            $"somebody changed title in {PairShell.Google}/", "title: Lesson 3 -> Lesson 3, moved",
            $"somebody changed start, end in {PairShell.ICloud}/", $"by {run}, started by cli",
            "both sides were edited, in different fields: both edits stay",
            "written:     title on the right", "discarded:   nothing", $"calsync undo {run}"])
        {
            Assert.Contains(words, why.Out, StringComparison.Ordinal);
        }

        var gone = await _world.RunAsync("explain", "Lesson 1");
        Assert.Contains("somebody deleted it in", gone.Out, StringComparison.Ordinal);
        Assert.Contains("It was deleted on both sides.", gone.Out, StringComparison.Ordinal);
        var (_, explained) = await _world.JsonAsync("explain", "Lesson 1", "--run", run);
        Assert.Equal("Deleted", (string?)explained[0]!["version"]!["rule"]);
    }

    /// <summary>The loser of a conflict is named, and the undo gives it back.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-6-A")]
    public async Task Explain_OfAConflict_NamesTheLoserAndUndoGivesItBack()
    {
        await _world.PatchAsync("Lesson 5", "summary", "By Google");
        await _world.PutAsync(5, PairShell.Event(5, "By Apple", "T09", "SEQUENCE:7\n"));
        var (code, decided) = await _world.JsonAsync("sync", "home");
        Assert.Equal((0, 1), (code, (int)decided[0]!["conflicts"]!));
        var why = await _world.RunAsync("explain", "lesson-5@studio.test");
        Assert.Contains("discarded:   title of the left: By Google", why.Out, StringComparison.Ordinal);
        Assert.Contains("counted more revisions wins", why.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("By Google", (await _world.GoogleAsync()).Keys);
        Assert.Equal(0, (await _world.RunAsync("undo", (string)decided[0]!["run"]!)).Code);
        Assert.Contains("By Google", (await _world.GoogleAsync()).Keys);
        Assert.Contains(
            "SUMMARY:By Apple", (await _world.AppleAsync())["lesson-5@studio.test"],
            StringComparison.Ordinal);
        Assert.Equal(0, (await _world.RunAsync("sync")).Code);
    }

    /// <summary>R-SYNC-2-D: a mass deletion was approved by mistake; the whole calendar comes back.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-2-D")]
    public async Task Restore_AfterAMassDeletion_BringsTheCalendarBackOnBothSides()
    {
        var before = await AtLastAsync();
        for (var index = 0; index < 8; index++)
            await _world.DeleteAsync(index);
        var held = await _world.RunAsync("sync", "home");
        Assert.Equal(2, held.Code);
        Assert.Equal(0, (await _world.RunPrintedAsync(Approval(held.Out))).Code);
        Assert.Equal(["Lesson 8"], (await _world.GoogleAsync()).Keys);

        string[] restore = ["restore", "--calendar", $"{PairShell.ICloud}/home", "--at", before];
        Assert.Equal(1, (await _world.RunAsync([.. restore, "--dry-run"])).Code);
        // A pair that is paused while somebody looks into it can be put right.
        Assert.Equal(0, (await _world.RunAsync("pairs", "pause", "home")).Code);
        var asked = await _world.RunAsync(restore);
        Assert.Equal(2, asked.Code);
        var restored = await _world.RunPrintedAsync(Approval(asked.Out));
        Assert.True(restored.Code == 0, restored.Out + restored.Error);
        Assert.Equal((9, 9), ((await _world.GoogleAsync()).Count, (await _world.AppleAsync()).Count));
        Assert.Equal(0, (await _world.RunAsync("pairs", "resume", "home")).Code);
        Assert.Equal(0, (await _world.RunAsync("sync", "home")).Code);
        Assert.Equal(0, (await _world.RunAsync("verify")).Code);
        Assert.Equal(0, (await _world.RunAsync([.. restore, "--dry-run"])).Code);
        Assert.Equal((9, 9), ((await _world.GoogleAsync()).Count, (await _world.AppleAsync()).Count));
    }

    [Fact]
    public async Task Restore_OfOneEvent_BringsBackWhatItSaidThen()
    {
        var before = await AtAsync("lesson-2@studio.test");
        await _world.PatchAsync("Lesson 2", "summary", "Wrong");
        await _world.PatchAsync("Lesson 4", "summary", "Right");
        Assert.Equal(0, (await _world.RunAsync("sync")).Code);
        var restored = await _world.RunAsync("restore", "--event", "Wrong", "--at", before);
        Assert.True(restored.Code == 0, restored.Out + restored.Error);
        var google = await _world.GoogleAsync();
        Assert.Contains("Lesson 2", google.Keys);
        Assert.Contains("Right", google.Keys);
        Assert.Contains(
            "SUMMARY:Lesson 2", (await _world.AppleAsync())["lesson-2@studio.test"],
            StringComparison.Ordinal);
        Assert.Equal(0, (await _world.RunAsync("sync")).Code);
    }

    /// <summary>Where the server would write to guests by itself, the write is refused and named; Google is
    /// asked to mail nobody.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-6-B")]
    public async Task Undo_OfEventsWithGuests_IsRefusedRatherThanMailed()
    {
        const string Guests = $"ORGANIZER:mailto:{PairShell.ICloud}\nATTENDEE:mailto:ada@example.test\n";
        await _world.PutAsync(6, PairShell.Event(6, "Lesson 6", "T09", Guests));
        Assert.Equal(0, (await _world.RunAsync("sync")).Code);
        var before = await AtAsync("lesson-6@studio.test");
        await _world.PutAsync(6, PairShell.Event(6, "Lesson 6 moved", "T11", Guests));
        var (_, run) = await _world.JsonAsync("sync", "home");
        await _world.AssertNoMailAsync();

        // What the run wrote is at Google: taken back without a mail.
        Assert.Equal(0, (await _world.RunAsync("undo", (string)run[0]!["run"]!)).Code);
        Assert.Contains("Lesson 6", (await _world.GoogleAsync()).Keys);
        await _world.AssertNoMailAsync();

        // What was there is also to come back at iCloud, which would write to Ada.
        var (code, refused) = await _world.JsonAsync(
            "restore", "--event", "lesson-6@studio.test", "--at", before);
        Assert.Equal(1, code);
        var left = Assert.Single(refused[0]!["untouched"]!.AsArray())!;
        Assert.Equal(("right", true), (
            (string?)left["side"],
            ((string)left["why"]!).Contains("would write to the guests", StringComparison.Ordinal)));
        Assert.Contains(
            "Lesson 6 moved", (await _world.AppleAsync())["lesson-6@studio.test"],
            StringComparison.Ordinal);
        Assert.Equal(0, (await _world.RunAsync("sync")).Code);
        await _world.AssertNoMailAsync();
    }

    [Fact]
    public async Task HistoryOfADetachedPair_IsStillTold()
    {
        var (_, runs) = await _world.JsonAsync("history");
        var run = (string)runs[0]!["run"]!;
        Assert.Equal(0, (await _world.RunAsync("pairs", "detach", "home")).Code);
        foreach (var verb in (string[][])[["history"], ["history", "Lesson 2"], ["explain", "Lesson 2"]])
        {
            var told = await _world.RunAsync(verb);
            Assert.Equal(0, told.Code);
            Assert.Contains(run, told.Out, StringComparison.Ordinal);
        }

        foreach (var verb in (string[][])[
            ["undo", run], ["restore", "--event", "Lesson 2", "--at", "1m"],
            ["restore", "--calendar", "home", "--at", "1m"]])
        {
            Assert.Equal(4, (await _world.RunAsync(verb)).Code);
        }

        Assert.Equal(9, (await _world.GoogleAsync()).Count);
    }

    /// <summary>Wrong words end with a code of their own; a title that several have names them.</summary>
    [Theory]
    [InlineData(64, "undo")]
    [InlineData(64, "restore", "--at", "1h")]
    [InlineData(64, "restore", "--event", "Lesson 1")]
    [InlineData(64, "restore", "--event", "Lesson 1", "--calendar", "home", "--at", "1h")]
    [InlineData(64, "restore", "--event", "Lesson 1", "--at", "yesterday")]
    [InlineData(64, "restore", "--event", "Lesson 1", "--at", "2999-01-01T00:00Z")]
    [InlineData(64, "restore", "--event", "Lesson 1", "--at", "1h", "--side", "middle")]
    [InlineData(64, "undo", "run_1", "--dry-run", "--apply-plan", "pln_1")]
    [InlineData(4, "restore", "--event", "Lesson 1", "--at", "2020-01-01")]
    [InlineData(4, "restore", "--event", "Lesson 1", "--at", "1d")]
    [InlineData(4, "restore", "--calendar", "nothing", "--at", "1h")]
    [InlineData(4, "undo", "run_nothing")]
    [InlineData(4, "history", "nothing")]
    [InlineData(4, "explain", "nothing")]
    [InlineData(4, "explain", "Lesson 1", "--run", "run_nothing")]
    [InlineData(4, "history", "Lesson")]
    public async Task Verbs_WithWrongWords_SayWhatToDo(int code, params string[] words)
    {
        var ended = await _world.RunAsync(words);
        Assert.Equal((code, ""), (ended.Code, ended.Out));
        Assert.Contains("  do:    ", ended.Error, StringComparison.Ordinal);
        if (words is ["history", "Lesson"])
            Assert.Contains("@studio.test' (Lesson ", ended.Error, StringComparison.Ordinal);
    }

    /// <summary>A run that made, changed on both sides and deleted; its id.</summary>
    private async Task<string> EverythingAsync()
    {
        await _world.PatchAsync("Lesson 3", "summary", "Lesson 3, moved");
        await _world.PutAsync(3, PairShell.Event(3, "Lesson 3", "T10"));
        await _world.DeleteAsync(1);
        await _world.PutAsync(20, PairShell.Event(20, "Yoga", "T09"));
        var (code, run) = await _world.JsonAsync("sync", "home");
        Assert.Equal((0, "synced"), (code, (string?)run[0]!["outcome"]));
        return (string)run[0]!["run"]!;
    }

    /// <summary>When the latest version of an event was recorded.</summary>
    private async Task<string> AtAsync(string uid)
    {
        var (_, told) = await _world.JsonAsync("history", uid);
        return (string)told[0]!["versions"]!.AsArray().Last()!["at"]!;
    }

    // Events of one run are recorded in groups, in any order.
    private async Task<string> AtLastAsync()
    {
        var moments = new List<string>();
        for (var index = 0; index < 9; index++)
            moments.Add(await AtAsync($"lesson-{index}@studio.test"));
        return moments.MaxBy(moment => DateTimeOffset.Parse(moment, CultureInfo.InvariantCulture))!;
    }

    private static string Approval(string text) =>
        text.Split("if that is what you want: ")[1].Split('\n')[0];
}
