using System.Collections.Immutable;
using System.Globalization;
using CalSync.Calendar.Comparison;

namespace CalSync.Sync.Pairs.Planning;

/// <summary>How many deletions one run may make on a side, instead of the options' share and
/// count.</summary>
/// <param name="Count">Events; null when a share is given.</param>
/// <param name="Percent">Share of the side's events; null when a count is given.</param>
public sealed record DeletionLimit(int? Count, int? Percent)
{
    /// <summary>The limit for a side of so many events.</summary>
    public int For(int events) => Count ?? (int)((long)events * (Percent ?? 0) / 100);
}

/// <summary>Why a run was stopped before its first write.</summary>
/// <param name="Reasons">One sentence for each limit that was passed.</param>
/// <param name="Safe">What is safe meanwhile.</param>
/// <param name="Approval">The one command that approves exactly this plan.</param>
public sealed record BrakeVerdict(ImmutableArray<string> Reasons, string Safe, string Approval);

/// <summary>Stops runs that would delete or create unusually much. Pure.</summary>
public static class Brake
{
    /// <summary>Judges a plan.</summary>
    /// <param name="plan">What a run intends.</param>
    /// <param name="pairName">As the command names the pair.</param>
    /// <param name="events">Events the pair holds on both sides.</param>
    /// <param name="isFirst">True until a run has ended with both cursors kept: copying is then the
    /// purpose.</param>
    /// <param name="options">The limits.</param>
    /// <param name="deletions">The caller's own limit for deletions; null for the options'.</param>
    /// <param name="command">The command to be repeated with the plan; null for a run of the pair.</param>
    /// <param name="unseen">Why deletions may not be trusted, whatever their number; none by
    /// default.</param>
    /// <returns>Null when the run may go on.</returns>
    public static BrakeVerdict? Judge(
        SyncPlan plan, string pairName, int events, bool isFirst, PairOptions options,
        DeletionLimit? deletions = null, string? command = null, ImmutableArray<string> unseen = default)
    {
        var reasons = ImmutableArray.CreateBuilder<string>();
        reasons.AddRange(unseen.IsDefault ? [] : unseen);
        foreach (var side in new[] { MergeSide.Left, MergeSide.Right })
        {
            var deleted = plan.Count(StepKind.Delete, side);
            var limit = deletions?.For(events) ?? options.BrakeAt(events);
            if (deleted > limit)
            {
                reasons.Add(string.Create(
                    CultureInfo.InvariantCulture,
                    $"It would delete {deleted} of {events} events on the {side.Word()}, because ")
                    + string.Create(
                        CultureInfo.InvariantCulture,
                        $"{Cause(plan, side)}; {limit} are allowed unasked."));
            }

            var created = plan.Count(StepKind.Create, side);
            if (!isFirst && created > options.BrakeAt(events))
            {
                reasons.Add(string.Create(
                    CultureInfo.InvariantCulture,
                    $"It would create {created} events on the {side.Word()}, which holds {events}; ")
                    + string.Create(
                        CultureInfo.InvariantCulture,
                        $"{options.BrakeAt(events)} are allowed unasked."));
            }
        }

        return reasons.Count == 0
            ? null
            : new BrakeVerdict(
                reasons.ToImmutable(),
                "Nothing was written. Both calendars are as they were, and every version is in the history.",
                $"{command ?? $"calsync sync {pairName}"} --apply-plan {plan.Id}");
    }

    private static string Cause(SyncPlan plan, MergeSide side) =>
        plan.Steps.Any(step => step.Side == side && step.Proof == DeletionProof.Undone)
            ? "the run that is undone created them"
            : $"they are gone on the {side.Other().Word()}";
}
