using System.Collections.Immutable;
using CalSync.Sync.Pairs;
using CalSync.Sync.Pairs.History;

namespace CalSync.Lab.Simulation;

/// <content>What both sides held over time.</content>
public sealed partial class MemoryPairStore
{
    /// <inheritdoc/>
    public Task<ImmutableArray<EventVersion>> VersionsAsync(
        string pairId, string uid, CancellationToken cancellation) =>
        Task.FromResult<ImmutableArray<EventVersion>>([.. _state.Versions.Where(each => each.Uid == uid)]);

    /// <inheritdoc/>
    public Task<ImmutableArray<EventVersion>> StateAsync(
        string pairId, string? uid, DateTimeOffset at, CancellationToken cancellation) =>
        Task.FromResult<ImmutableArray<EventVersion>>(
        [
            .. _state.Versions.Where(each => each.At <= at && (uid is null || each.Uid == uid))
                .GroupBy(each => each.Uid, StringComparer.Ordinal)
                .Select(group => group.Last()).OrderBy(each => each.Uid, StringComparer.Ordinal),
        ]);

    private static EventVersion Version(PairLease lease, LedgerChange change, DateTimeOffset now) => new(
        change.Mapping.Uid, lease.RunId, lease.Actor, now, change.Rule, change.Mapping.Status,
        change.Mapping.Base,
        new SideVersion(change.Left, change.Mapping.Left?.Seen, change.Mapping.Left?.Uid),
        new SideVersion(change.Right, change.Mapping.Right?.Seen, change.Mapping.Right?.Uid));

    /// <summary>A write of an earlier run that turned out to have been made; null when it is
    /// another.</summary>
    private static WriteRecord? Arrived(LedgerChange change, WriteRecord write) =>
        write.State == "open"
        && change.Arrived.FirstOrDefault(each => each.Write.Id == write.Id) is { } arrived
            ? write with
            {
                State = "done",
                After = arrived.Place?.Seen,
                Address = arrived.Place?.Address ?? write.Address,
            }
            : null;
}
