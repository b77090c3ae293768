using System.Diagnostics;
using System.Diagnostics.Metrics;
using CalSync.Calendar.Comparison;
using CalSync.Storage.Pairs;
using CalSync.Sync;
using CalSync.Sync.Pairs.Execution;
using CalSync.Sync.Pairs.Planning;

namespace CalSync.App.Pairs;

/// <summary>What one run of a pair came to.</summary>
/// <param name="Pair">The pair, as it was before.</param>
/// <param name="Report">What the engine did; null when a calendar could not even be opened.</param>
/// <param name="Trouble">Why it did not work; null when it did.</param>
internal sealed record PairRun(PairListing Pair, RunReport? Report, RunTrouble? Trouble)
{
    /// <summary>How it ended.</summary>
    public RunOutcome Outcome => Report?.Outcome
        ?? (Trouble!.NeedsConsent ? RunOutcome.NeedsConsent : RunOutcome.Failed);
}

/// <summary>Why a run did not work.</summary>
/// <param name="Side">The side it is about; null for the pair.</param>
/// <param name="Why">One sentence.</param>
/// <param name="Advice">What to do, a command where there is one.</param>
/// <param name="NeedsConsent">Whether only the account's owner can help.</param>
internal sealed record RunTrouble(MergeSide? Side, string Why, string Advice, bool NeedsConsent);

/// <summary>Runs a pair once, for the worker and for whoever types a command.</summary>
/// <remarks>
/// Opens the calendars, runs the engine, marks the connection of a side that was not let in, and counts.
/// Thread-safe; two runs of one pair exclude each other by the ledger's lease.
/// </remarks>
/// <param name="calendars">Opens calendars.</param>
/// <param name="sync">The engine.</param>
/// <param name="meter">Counts.</param>
internal sealed class PairRunner(PairCalendars calendars, PairSync sync, SyncMeter meter)
{
    /// <summary>Runs a pair.</summary>
    /// <param name="pair">Which.</param>
    /// <param name="request">What is asked.</param>
    /// <param name="cancellation">What was written stays written and recorded; the lease is given
    /// back.</param>
    public async Task<PairRun> RunAsync(
        PairListing pair, RunRequest request, CancellationToken cancellation)
    {
        switch (await calendars.OpenAsync(pair.ToPair(), cancellation))
        {
            case PairOpening.Blocked blocked:
                var (why, advice, needsConsent) = blocked.Reason;
                Count(needsConsent ? RunOutcome.NeedsConsent : RunOutcome.Failed);
                return new PairRun(pair, null, new RunTrouble(blocked.Side, why, advice, needsConsent));
            case PairOpening.Opened opened:
                var report = await sync.RunAsync(
                    pair.Id, opened.Left.Calendar, opened.Right.Calendar, request, cancellation);
                return await ConcludeAsync(pair, opened, report, cancellation);
            default:
                throw new UnreachableException("Unknown kind of opening.");
        }
    }

    private async Task<PairRun> ConcludeAsync(
        PairListing pair, PairOpening.Opened opened, RunReport report, CancellationToken cancellation)
    {
        Count(report);
        if (report is not { Fault: { } fault, FaultSide: { } side })
            return new PairRun(pair, report, Trouble(pair, report));
        var place = opened.On(side).Place;
        var needsConsent = report.Outcome == RunOutcome.NeedsConsent;
        if (needsConsent)
            await calendars.MarkRefusedAsync(place, fault.Reason, cancellation);
        return new PairRun(pair, report, new RunTrouble(
            side, $"{place.Summary} ({place.AccountEmail}): {fault.Message}",
            needsConsent ? PairCalendars.ConnectAgain(place)
                : report.Command ?? $"calsync sync {Quoted(pair.Name)}",
            needsConsent));
    }

    private static RunTrouble? Trouble(PairListing pair, RunReport report) => report.Outcome switch
    {
        RunOutcome.Busy when !pair.Enabled && report.TakeBack is null => new(
            null, "The pair is paused.", $"calsync pairs resume {Quoted(pair.Name)}", false),
        RunOutcome.Busy => new(
            null, "Another run holds the pair; one that was killed holds it until its lease ends.",
            "calsync status", false),
        RunOutcome.PlanMoved => new(
            null, "The calendars have changed since that plan was made: it is not what would be done now.",
            (report.Command ?? $"calsync sync {Quoted(pair.Name)}") + " --dry-run", false),
        RunOutcome.LeaseLost => new(
            null, "The run took longer than its lease and another one went on; what was written is recorded.",
            $"calsync sync {Quoted(pair.Name)}", false),
        _ => null,
    };

    /// <summary>A name as a word of a command line.</summary>
    public static string Quoted(string name) =>
        name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.')
            ? name
            : $"'{name.Replace("'", @"'\''", StringComparison.Ordinal)}'";

    private void Count(RunReport report)
    {
        Count(report.Outcome);
        Add(meter.PairWrites, report.Created, "operation", "create");
        Add(meter.PairWrites, report.Updated, "operation", "update");
        Add(meter.PairWrites, report.Deleted, "operation", "delete");
        meter.FullReads.Add(report.IsFullRead ? 1 : 0);
        if (report.Outcome == RunOutcome.Planned || report.Plan is not { } plan)
            return;
        foreach (var (rule, conflicts) in plan.Steps.Where(step => !step.Discarded.IsEmpty)
            .DistinctBy(step => step.Uid).GroupBy(step => step.Rule)
            .Select(group => (group.Key, group.Sum(step => step.Discarded.Length))))
        {
            Add(meter.PairConflicts, conflicts, "rule", rule.ToString());
        }

        foreach (var proved in plan.Steps.Where(step => step.Kind == StepKind.Delete).Take(report.Deleted)
            .GroupBy(step => step.Proof))
        {
            Add(meter.PairDeletions, proved.Count(), "proof", proved.Key?.ToString() ?? "none");
        }
    }

    private static void Add(Counter<long> counter, int count, string label, string value)
    {
        if (count > 0)
            counter.Add(count, new KeyValuePair<string, object?>(label, value));
    }

    private void Count(RunOutcome outcome) => meter.PairRuns.Add(
        1, new KeyValuePair<string, object?>("outcome", outcome.ToString()));
}
