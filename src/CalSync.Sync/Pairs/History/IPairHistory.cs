using System.Collections.Immutable;
using CalSync.Calendar.Comparison;
using CalSync.Calendar.Document;
using CalSync.Sync.Pairs.Planning;

namespace CalSync.Sync.Pairs.History;

/// <summary>What both sides of a pair held over time, as its runs saw and left it.</summary>
/// <remarks>
/// A version is kept in the transaction that records what a run did to an event, so there is none that did
/// not happen. Nothing is known of what a person made and unmade between two runs.
/// </remarks>
public interface IPairHistory
{
    /// <summary>All versions of one event, the oldest first.</summary>
    /// <param name="pairId">Of which pair.</param>
    /// <param name="uid">The common UID.</param>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    Task<ImmutableArray<EventVersion>> VersionsAsync(
        string pairId, string uid, CancellationToken cancellation);

    /// <summary>The version of each event that was in force at a moment; without those that came
    /// later.</summary>
    /// <param name="pairId">Of which pair.</param>
    /// <param name="uid">Of one event; null for all.</param>
    /// <param name="at">UTC.</param>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    Task<ImmutableArray<EventVersion>> StateAsync(
        string pairId, string? uid, DateTimeOffset at, CancellationToken cancellation);
}

/// <summary>One event on both sides from one run until the next version.</summary>
/// <param name="Uid">The common UID.</param>
/// <param name="RunId">The run that saw or made it; empty for what was known before versions were
/// kept.</param>
/// <param name="Actor">Who started the run; empty when that is not known any more.</param>
/// <param name="At">When it was recorded, UTC.</param>
/// <param name="Rule">Which rule decided.</param>
/// <param name="Status">How the event stood.</param>
/// <param name="Base">What both sides agreed on; null when that is not known.</param>
/// <param name="Left">The left.</param>
/// <param name="Right">The right.</param>
public sealed record EventVersion(
    string Uid, string RunId, string Actor, DateTimeOffset At, SyncRule Rule, MappingStatus Status,
    CalendarDocument? Base, SideVersion Left, SideVersion Right)
{
    /// <summary>One side.</summary>
    public SideVersion On(MergeSide side) => side == MergeSide.Left ? Left : Right;
}

/// <summary>One event on one side in one version.</summary>
/// <param name="Found">What the run found there; null when nothing.</param>
/// <param name="Held">What was there when the run was done with it; null when nothing.</param>
/// <param name="Uid">The UID it had there; null when it was not there.</param>
public sealed record SideVersion(CalendarDocument? Found, CalendarDocument? Held, string? Uid);
