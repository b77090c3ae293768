using System.Collections.Immutable;
using CalSync.Calendar.Comparison;
using CalSync.Sync.Pairs.Planning;

namespace CalSync.Sync.Pairs.Execution;

/// <content>The event that must be seen on both sides before a deletion is carried over.</content>
public sealed partial class PairSync
{
    /// <summary>Why a plan's deletions may not be trusted; empty when they may.</summary>
    /// <remarks>
    /// A listing must have it. A delta need not name it, and a tombstone for it says nothing by itself, since
    /// nobody has its address: so the side is asked for it, once in a run that would delete.
    /// </remarks>
    private static async Task<ImmutableArray<string>> UnseenAsync(
        PairLease lease, Dictionary<MergeSide, IRemoteCalendar> remotes, PairRead.Done read, SyncPlan plan,
        CancellationToken cancellation)
    {
        if (!lease.Pair.HasCanary || plan.Steps.All(step => step.Kind != StepKind.Delete))
            return [];
        var reasons = ImmutableArray.CreateBuilder<string>();
        foreach (var (side, remote) in remotes)
        {
            var isListed = read.Canaries.Contains(side)
                || read.On(side).Certificate is not Certificate.Complete;
            var why = !isListed
                ? "is not in what that calendar lists"
                : await remote.FindAsync(Canary.Uid(lease.Pair.Id, side), cancellation) switch
                {
                    ResourceRead.Found => null,
                    ResourceRead.Gone => "is gone",
                    ResourceRead.Failed failed => $"could not be looked for ({failed.Fault.Message})",
                    _ => throw new System.Diagnostics.UnreachableException("Unknown kind of read."),
                };
            if (why is not null)
            {
                reasons.Add(
                    $"The marker event \"{Canary.Title}\" on the {side.Word()} {why}, so nobody knows "
                    + "whether what is missing there was deleted. If it was only the marker, put it back: "
                    + $"calsync pairs canary {Word(lease.Pair)} on");
            }
        }

        return reasons.ToImmutable();
    }

    /// <summary>A pair as one word of a command line.</summary>
    private static string Word(Pair pair) =>
        pair.Name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.')
            ? pair.Name
            : pair.Id;
}
