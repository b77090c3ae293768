using System.Globalization;
using CalSync.Calendar.Comparison;
using CalSync.Calendar.Document;
using CalSync.Sync.Pairs.Execution;
using CalSync.Sync.Pairs.History;
using CalSync.Sync.Pairs.Planning;

namespace CalSync.Lab.Simulation;

/// <content>
/// Takes back a run, or a stretch of time, among troubles, and then that again: in the end all must be as if
/// nothing had been taken back.
/// </content>
public sealed partial class PairSimulation
{
    private const int TryCountMax = 5;
    private readonly List<(DateTimeOffset At, Held Content)> _moments = [];
    private bool _isTakingBack;

    /// <summary>What both sides hold, by side and common UID.</summary>
    private sealed class Held : Dictionary<(MergeSide Side, string Uid), CalendarDocument>;

    private async Task TakeBackAsync(LifeStep.TakeBack step)
    {
        await SettleAsync(new LifeStep.Settle(0), isLast: false);
        var (before, earlier) = (Look(), _moments.SkipLast(1).ToList());
        var runs = _store.Writes.Where(write => write is { State: "done", Kind: not null })
            .Select(write => write.RunId).Distinct(StringComparer.Ordinal).ToList();
        var isRestore = step.Pick % 3 == 0;
        if (isRestore ? earlier.Count == 0 : runs.Count == 0)
            return;
        var moment = isRestore ? earlier[step.Pick % earlier.Count] : default;
        TakeBack wanted = isRestore
            ? new TakeBack.Since(moment.At, null, null)
            : new TakeBack.Run(runs[step.Pick % runs.Count]);
        Trace($"takes back: {wanted.Words}");
        var known = _store.Writes.Length;
        await AskAsync(wanted, step);
        var report = await ConvergeAsync(wanted);
        var stays = report.Untouched.Select(each => (each.Side, each.Uid)).ToHashSet();
        var expected = isRestore
            ? Restored(before, moment.Content)
            : Undone(before, runs[step.Pick % runs.Count]);
        Compare(expected, before, Look(), stays);
        var mine = _store.Writes[known..].Where(write => write is { State: "done", Kind: not null })
            .Select(write => write.RunId).Distinct(StringComparer.Ordinal).Reverse().ToList();
        foreach (var run in mine)
            await ConvergeAsync(new TakeBack.Run(run));
        Compare(before, before, Look(), []);
        Trace("took it back, and that too");
    }

    /// <summary>Once among troubles; whatever became of it, the next ordinary run carries nothing
    /// over.</summary>
    private async Task AskAsync(TakeBack wanted, LifeStep.TakeBack step)
    {
        _clock.Advance(TimeSpan.FromMinutes(3));
        _promises.WasTroubled |= step.Troubles.Length > 0;
        _troubles = new Queue<LifeTrouble>(step.Troubles.Where(each => each.Kind != LifeTroubleKind.Edit));
        _passed.Clear();
        (_isTakingBack, _isPassing) = (true, true);
        await RunOnceAsync(new RunRequest { TakeBack = wanted });
        (_isTakingBack, _isPassing) = (false, false);
        var report = await QuietAsync(new RunRequest { IsRetry = true, IsFullRead = _isMisled });
        _isMisled = false;
        PairPromises.Require(report is { Written: 0 }, "What was taken back in part is not carried over.");
    }

    /// <summary>Without troubles it is done; a second time does nothing, and neither does the next
    /// run.</summary>
    private async Task<RunReport> ConvergeAsync(TakeBack wanted)
    {
        RunReport? report = null;
        var untouched = new HashSet<Untouched>();
        for (var count = 0; report is not { Written: 0 }; count++)
        {
            PairPromises.Require(count < TryCountMax, $"{wanted.Words} does not end.");
            _isTakingBack = true;
            report = await QuietAsync(new RunRequest { TakeBack = wanted });
            _isTakingBack = false;
            PairPromises.Require(
                report?.Outcome is RunOutcome.Equal or RunOutcome.Synced or RunOutcome.Partly,
                $"{wanted.Words} ends {report?.Outcome} {report?.Fault?.Message}.");
            untouched.UnionWith(report!.Untouched);
        }

        var after = await QuietAsync(new RunRequest());
        PairPromises.Require(after is { Written: 0 }, $"After {wanted.Words} the next run writes nothing.");
        return report! with { Untouched = [.. untouched] };
    }

    private Held Look()
    {
        var held = new Held();
        foreach (var side in Sides)
        {
            var names = _store.Mappings.Where(each => each.On(side) is not null)
                .ToDictionary(each => each.On(side)!.Uid, each => each.Uid, StringComparer.Ordinal);
            foreach (var content in _calendars[side].Events.Values)
            {
                var uid = ResourceContent.Uid(content, out _)!;
                uid = names.GetValueOrDefault(uid, uid);
                held[(side, uid)] = ResourceContent.WithUid(content, uid);
            }
        }

        return held;
    }

    /// <summary>What the sides hold once a run is taken back: only what still is as the run left
    /// it.</summary>
    private Held Undone(Held before, string runId)
    {
        var expected = Copy(before);
        foreach (var group in _store.Writes
            .Where(write => write.RunId == runId && write is { State: "done", Kind: not null })
            .GroupBy(write => (write.Side, write.Uid)))
        {
            var (found, last) = (group.First().Before, group.Last());
            var written = last.Kind == StepKind.Delete ? null : last.After ?? last.Sent;
            var now = before.GetValueOrDefault(group.Key);
            switch (found, written, now)
            {
                case (null, { }, { }) when ResourceContent.IsSame(written, now):
                    expected.Remove(group.Key);
                    break;
                case ({ }, null, null):
                    expected[group.Key] = found;
                    break;
                case ({ }, { }, { }):
                    expected[group.Key] = CalendarMerge.Merge(
                        written, now, found, MergePreference.Left, ResourceContent.Noise).Document;
                    break;
            }
        }

        return expected;
    }

    /// <summary>What the sides hold once they were restored: what they held then, and what came
    /// later.</summary>
    private static Held Restored(Held before, Held then)
    {
        var expected = Copy(before);
        foreach (var (key, content) in then)
            expected[key] = content;
        return expected;
    }

    private static Held Copy(Held held)
    {
        var copy = new Held();
        foreach (var (key, content) in held)
            copy[key] = content;
        return copy;
    }

    private void Compare(
        Held expected, Held before, Held now, HashSet<(MergeSide? Side, string Uid)> stays)
    {
        foreach (var key in expected.Keys.Union(now.Keys).Union(before.Keys))
        {
            var isLeft = stays.Contains((key.Side, key.Uid)) || stays.Contains((null, key.Uid));
            var (wanted, have, was) = (
                expected.GetValueOrDefault(key), now.GetValueOrDefault(key), before.GetValueOrDefault(key));
            PairPromises.Require(
                Same(key.Side, wanted, have) || (isLeft && Same(key.Side, was, have)),
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{key.Uid} on the {key.Side} side is\n{have}\nand not\n{wanted}"));
        }
    }

    private bool Same(MergeSide side, CalendarDocument? one, CalendarDocument? other) =>
        one is null || other is null
            ? one is null && other is null
            : PairPromises.IsSame(_calendars[side].Carried(one), _calendars[side].Carried(other));
}
