using CalSync.Calendar.Comparison;
using CalSync.Calendar.Document;
using CalSync.Sync.Pairs;
using CalSync.Sync.Pairs.Execution;
using CalSync.Sync.Pairs.Planning;
using CalSync.Tests.Contracts;
using Xunit;

namespace CalSync.Tests.Peers.Pairs;

/// <summary>What is done with each pair, and what must come of it.</summary>
internal static class PairScript
{
    private const int CorpusCount = 40;

    private static CancellationToken None => CancellationToken.None;

    /// <summary>Events that other programs wrote, half of them on each side.</summary>
    public static async Task CorpusAsync(RealPair pair, int number)
    {
        var (index, stored, refused) = (0, 0, 0);
        foreach (var (uid, content) in PairContent.Of(CorpusCount, number))
        {
            var side = index++ % 2 == 0 ? pair.Left : pair.Right;
            switch (await side.Calendar.CreateAsync(new(uid, content, null), None))
            {
                case ResourceWrite.Stored:
                    stored++;
                    break;
                // One server fails on what it should refuse.
                case ResourceWrite.Refused or ResourceWrite.Failed { Fault.Status: 500 }:
                    refused++;
                    break;
                case var other:
                    Assert.Fail($"{side.Name} {uid}: {other}");
                    break;
            }
        }

        var first = await pair.RunAsync();
        Assert.Null(first.Fault);
        if (first.Deferred > 0)
            await pair.SettleAsync();
        await pair.AssertQuietAsync();
        var waiting = await pair.WaitingAsync();
        Assert.All(waiting, item => Assert.NotEqual("", item.Trouble.Why));
        var same = await pair.AssertSameAsync();
        Assert.True(
            same > refused && same > waiting.Length,
            $"{stored} stored, {refused} refused, {same} the same: "
            + string.Join('\n', waiting.Select(item => item.Trouble.Why)));
        await pair.AssertQuietAsync();
    }

    /// <summary>Copied, linked, edited on both sides, deleted, brought back.</summary>
    public static async Task LifeAsync(RealPair pair)
    {
        var (left, right) = (pair.Left, pair.Right);
        await PutAsync(left, "series", RemoteCalendarSamples.Series("series"));
        await PutAsync(right, "camp", RemoteCalendarSamples.AllDay("camp"));
        foreach (var uid in new[] { "moved", "gone-here", "gone-there", "both" })
            await PutAsync(left, uid, RemoteCalendarSamples.Event(uid, "Title of " + uid));
        await PutAsync(right, "both", RemoteCalendarSamples.Event("both", "Title of both"));
        var first = await pair.RunAsync();
        Assert.Equal((RunOutcome.Synced, 5, 1), (first.Outcome, first.Created, first.Linked));
        await pair.AssertQuietAsync();
        Assert.Equal(6, await pair.AssertSameAsync());

        // A title here and a time there; an instance moved here and another left out there.
        await EditAsync(left, "moved", "SUMMARY:Title of moved", "SUMMARY:New title");
        await EditAsync(right, "moved", "T090000Z", "T083000Z");
        await EditAsync(left, "series", "20260518T100000", "20260518T093000");
        await EditAsync(
            right, "series", "SUMMARY:Series\r\n",
            "SUMMARY:Series\r\nEXDATE;TZID=Europe/Berlin:20260608T090000\r\n");
        await DeleteAsync(left, "gone-here");
        await DeleteAsync(right, "gone-there");
        var second = await pair.RunAsync();
        Assert.Equal((RunOutcome.Synced, 4, 2), (second.Outcome, second.Updated, second.Deleted));
        await pair.AssertQuietAsync();
        Assert.Equal(4, await pair.AssertSameAsync());
        foreach (var side in new[] { left, right })
        {
            var held = await side.HoldsAsync();
            Assert.Equal(["both", "camp", "moved", "series"], held.Keys.Order());
            Assert.Equal(
                ["2026-05-04 08:30:00Z 2026-05-04 10:00:00Z False"],
                PairContent.Moments(held["moved"].Content!));
            Assert.Contains("New title", held["moved"].Content!.ToString(), StringComparison.Ordinal);
            var moments = PairContent.Moments(held["series"].Content!);
            Assert.Equal(8, moments.Count);
            Assert.Contains("2026-05-18 07:30:00Z 2026-05-18 09:00:00Z False", moments);
            Assert.DoesNotContain(moments, moment => moment.Contains("-06-08", StringComparison.Ordinal));
        }

        // The ledger keeps what was deleted, and why.
        foreach (var (uid, proofSide) in new[] { ("gone-here", left), ("gone-there", right) })
        {
            var mapping = Assert.Single(await pair.MappingsAsync(), one => one.Uid == uid);
            Assert.Equal(MappingStatus.Deleted, mapping.Status);
            var deletion = Assert.Single(await pair.WritesAsync(uid), write => write.Kind == StepKind.Delete);
            Assert.NotNull(deletion.Proof);
            Assert.NotNull(deletion.Before);
            Assert.NotEqual(proofSide == left ? MergeSide.Left : MergeSide.Right, deletion.Side);
        }

        // Deleted here and made again here under the same UID.
        await PutAsync(left, "gone-here", RemoteCalendarSamples.Event("gone-here", "Back"));
        await pair.SettleAsync();
        Assert.Equal(5, await pair.AssertSameAsync());
        Assert.Contains(
            "Back", (await right.HoldsAsync())["gone-here"].Content!.ToString(), StringComparison.Ordinal);
        await pair.AssertQuietAsync();
    }

    /// <summary>This and all later instances are split off on one side.</summary>
    public static async Task SplitAsync(RealPair pair)
    {
        const string Weekly = "RRULE:FREQ=WEEKLY;COUNT=6\r\n";
        await PutAsync(pair.Left, "split", RemoteCalendarSamples.Event("split", "Yoga", Weekly));
        await PutAsync(pair.Left, "other", RemoteCalendarSamples.Event("other", "Other"));
        await pair.RunAsync();
        await pair.AssertQuietAsync();
        var before = PairContent.Moments((await pair.Right.HoldsAsync())["split"].Content!);
        var held = await FindAsync(pair.Left, "split");
        var rule = held.Content!.AllComponents.First(one => one.Is("VEVENT"u8)).Property("RRULE"u8)!.Value;
        var until = held.Content.Edit();
        until.Replace(rule, new PropertyContent("RRULE", "FREQ=WEEKLY;UNTIL=20260518T090000Z"));
        Assert.IsType<ResourceWrite.Stored>(await pair.Left.Calendar.UpdateAsync(
            held.Address, held.Version, new("split", until.Apply(), held.Content), None));
        var rest = RemoteCalendarSamples.Event("split-rest", "Yoga", Weekly).ToString()
            .Replace("20260504", "20260525", StringComparison.Ordinal)
            .Replace("COUNT=6", "COUNT=3", StringComparison.Ordinal);
        await PutAsync(pair.Left, "split-rest", CalendarDocument.Parse(rest));
        var report = await pair.RunAsync();
        Assert.Equal((1, 1, 0), (report.Updated, report.Created, report.Deleted));
        await pair.AssertQuietAsync();
        await pair.AssertSameAsync();
        var after = await pair.Right.HoldsAsync();
        Assert.Equal(["other", "split", "split-rest"], after.Keys.Order());
        Assert.Equal(
            before,
            PairContent.Moments(after["split"].Content!)
                .Concat(PairContent.Moments(after["split-rest"].Content!)));
    }

    /// <summary>The process dies after a write and before its record.</summary>
    public static async Task CrashAsync(RealPair pair, PairSide from)
    {
        const int Count = 12;
        for (var number = 0; number < Count; number++)
            await PutAsync(from, $"e{number}", RemoteCalendarSamples.Event($"e{number}", $"Title {number}"));
        var writes = 0;
        await Assert.ThrowsAnyAsync<Exception>(() => pair.RunAsync(side => side == from
            ? side.Calendar
            : new WatchedCalendar(side.Calendar)
            {
                After = () =>
                {
                    if (Interlocked.Increment(ref writes) >= Count / 2)
                        throw new KilledException();
                },
            }));
        var to = from == pair.Left ? pair.Right : pair.Left;
        Assert.InRange((await to.HoldsAsync()).Count, Count / 2, Count);
        await pair.SettleAsync();
        Assert.Equal(Count, await pair.AssertSameAsync());
        Assert.Equal((Count, Count), ((await from.HoldsAsync()).Count, (await to.HoldsAsync()).Count));
        await pair.AssertQuietAsync();
    }

    /// <summary>Somebody writes between our reading and our writing.</summary>
    public static async Task InterfereAsync(RealPair pair)
    {
        foreach (var uid in new[] { "meanwhile", "other" })
            await PutAsync(pair.Left, uid, RemoteCalendarSamples.Event(uid, "Title of " + uid));
        await pair.RunAsync();
        await pair.AssertQuietAsync();
        await EditAsync(pair.Left, "meanwhile", "Title of", "New title of");
        var isFirst = true;
        var report = await pair.RunAsync(side => side == pair.Left
            ? side.Calendar
            : new WatchedCalendar(side.Calendar)
            {
                Before = async () =>
                {
                    if (!isFirst)
                        return;
                    isFirst = false;
                    await EditAsync(side, "meanwhile", "T100000Z", "T103000Z");
                },
            });
        Assert.Equal(0, report.Conflicts);
        await pair.SettleAsync();
        await pair.AssertSameAsync();
        foreach (var side in new[] { pair.Left, pair.Right })
        {
            var content = (await side.HoldsAsync())["meanwhile"].Content!;
            Assert.Contains("New title of", content.ToString(), StringComparison.Ordinal);
            Assert.Equal(
                ["2026-05-04 09:00:00Z 2026-05-04 10:30:00Z False"], PairContent.Moments(content));
        }
    }

    private static async Task PutAsync(PairSide side, string uid, CalendarDocument content) =>
        Assert.IsType<ResourceWrite.Stored>(
            await side.Calendar.CreateAsync(new(uid, content, null), None));

    private static async Task EditAsync(PairSide side, string uid, string from, string to)
    {
        var held = await FindAsync(side, uid);
        var text = held.Content!.ToString();
        Assert.Contains(from, text, StringComparison.Ordinal);
        var content = CalendarDocument.Parse(text.Replace(from, to, StringComparison.Ordinal));
        Assert.IsType<ResourceWrite.Stored>(await side.Calendar.UpdateAsync(
            held.Address, held.Version, new(uid, content, held.Content), None));
    }

    private static async Task DeleteAsync(PairSide side, string uid)
    {
        var held = await FindAsync(side, uid);
        Assert.IsType<ResourceDelete.Deleted>(
            await side.Calendar.DeleteAsync(held.Address, held.Version, None));
    }

    private static async Task<RemoteResource> FindAsync(PairSide side, string uid) =>
        (await side.HoldsAsync())[uid];
}
