using CalSync.Calendar;

namespace CalSync.Classes;

/// <summary>What somebody did to the event of a slot on the calendar, put to its instructor.</summary>
/// <param name="Id">The proposal.</param>
/// <param name="SlotId">The slot.</param>
/// <param name="Kind">See <see cref="ProposalKind"/>.</param>
/// <param name="State">See <see cref="ProposalState"/>.</param>
/// <param name="Start">Where the event was moved to; null unless it was moved.</param>
/// <param name="End">As <paramref name="Start"/>.</param>
/// <param name="SlotVersion">The slot as it was when this was found; another version makes it moot.</param>
/// <param name="Version">Rises with every change.</param>
public sealed record Proposal(
    string Id, string SlotId, ProposalKind Kind, ProposalState State, ZonedTime? Start, ZonedTime? End,
    long SlotVersion, long Version);

/// <summary>What was done. Numbers are append only; stored by <see cref="StateText"/>.</summary>
public enum ProposalKind
{
    /// <summary>The event has other times.</summary>
    Moved = 0,

    /// <summary>The event was deleted.</summary>
    Deleted = 1,

    /// <summary>The event was made again under another id; nothing is asked.</summary>
    Relinked = 2,
}

/// <summary>How a proposal stands. Numbers are append only; stored by <see cref="StateText"/>.</summary>
public enum ProposalState
{
    /// <summary>Not decided.</summary>
    Pending = 0,

    /// <summary>The slot follows the calendar.</summary>
    Accepted = 1,

    /// <summary>The calendar follows the slot.</summary>
    Refused = 2,

    /// <summary>A later change has answered it.</summary>
    Withdrawn = 3,

    /// <summary>Nothing was to be decided: a rule said what to do, and it is on record.</summary>
    Settled = 4,
}
