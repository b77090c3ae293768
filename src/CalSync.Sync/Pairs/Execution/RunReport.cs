using System.Collections.Immutable;
using CalSync.Calendar.Comparison;
using CalSync.Sync.Pairs.History;
using CalSync.Sync.Pairs.Planning;
using CalSync.Sync.Providers;

namespace CalSync.Sync.Pairs.Execution;

/// <summary>What a caller asks of a run.</summary>
public sealed record RunRequest
{
    /// <summary>Only plan; nothing is written.</summary>
    public bool IsDryRun { get; init; }

    /// <summary>Read everything although the cursors work. Nothing else changes.</summary>
    public bool IsFullRead { get; init; }

    /// <summary>Apply exactly this plan although the brake held it; refused when it would do anything
    /// else.</summary>
    public string? PlanId { get; init; }

    /// <summary>Another limit for deletions than the options'.</summary>
    public DeletionLimit? Deletions { get; init; }

    /// <summary>Try everything that waits again.</summary>
    public bool IsRetry { get; init; }

    /// <summary>A person's choices in conflicts, by UID.</summary>
    public IReadOnlyDictionary<string, MergeSide> Choices { get; init; } =
        new Dictionary<string, MergeSide>();

    /// <summary>Told how far the run is; null for nobody.</summary>
    public IProgress<RunProgress>? Progress { get; init; }

    /// <summary>Who asks, for the journal. Default <c>worker</c>.</summary>
    public string Actor { get; init; } = "worker";

    /// <summary>Take this back, and do nothing else; null keeps both sides equal. A paused pair is run
    /// too.</summary>
    public TakeBack? TakeBack { get; init; }

    /// <summary>The command that asks this, to be repeated with a plan that is approved; null for a run of
    /// the pair.</summary>
    public string? Command { get; init; }
}

/// <summary>How far a run is.</summary>
/// <param name="Done">Events done; 0 while both sides are read.</param>
/// <param name="Total">Events there are to do; null while that is not known.</param>
public sealed record RunProgress(int Done, int? Total);

/// <summary>How a run ended. A closed list, stored by name.</summary>
public enum RunOutcome
{
    /// <summary>Both sides agree; nothing had to be written.</summary>
    Equal = 1,

    /// <summary>Everything was written that had to be.</summary>
    Synced = 2,

    /// <summary>Done as far as possible; some events wait or were not reached.</summary>
    Partly = 3,

    /// <summary>Planned only.</summary>
    Planned = 4,

    /// <summary>The brake stopped it before the first write.</summary>
    Held = 5,

    /// <summary>The plan that was approved is not what would be done now.</summary>
    PlanMoved = 6,

    /// <summary>Another run holds the pair, or it is paused.</summary>
    Busy = 7,

    /// <summary>A side could not be read or written.</summary>
    Failed = 8,

    /// <summary>A side needs its owner's consent.</summary>
    NeedsConsent = 9,

    /// <summary>The lease was lost to another run; what was recorded stands.</summary>
    LeaseLost = 10,
}

/// <summary>Something that a side does not hold as it was written to it.</summary>
/// <remarks>
/// Nothing is gone: the base and the other side keep it, no edit of this side takes it away there, and an
/// event that is made anew on any side is made from the base.
/// </remarks>
/// <param name="Side">The side that does not hold it.</param>
/// <param name="Uid">The event's common UID.</param>
/// <param name="Title">What the event is called.</param>
/// <param name="Loss">What, and why.</param>
public sealed record RunLoss(MergeSide Side, string Uid, string Title, CarryLoss Loss);

/// <summary>What a run did.</summary>
/// <param name="RunId">The run.</param>
/// <param name="Outcome">How it ended.</param>
/// <param name="Plan">What it intended; null when it did not come so far.</param>
public sealed record RunReport(string RunId, RunOutcome Outcome, SyncPlan? Plan = null)
{
    /// <summary>The plan a person had approved; null for a run that plans for itself.</summary>
    public string? ApprovedPlanId { get; init; }

    /// <summary>Why the brake held it.</summary>
    public BrakeVerdict? Verdict { get; init; }

    /// <summary>What went wrong with a side.</summary>
    public ProviderFault? Fault { get; init; }

    /// <summary>Which side it went wrong with.</summary>
    public MergeSide? FaultSide { get; init; }

    /// <summary>Whether a side was read completely instead of what changed.</summary>
    public bool IsFullRead { get; init; }

    /// <summary>Events created.</summary>
    public int Created { get; init; }

    /// <summary>Events changed.</summary>
    public int Updated { get; init; }

    /// <summary>Events deleted.</summary>
    public int Deleted { get; init; }

    /// <summary>Events linked without writing.</summary>
    public int Linked { get; init; }

    /// <summary>Events that wait for a person, a change or a provider.</summary>
    public int Waiting { get; init; }

    /// <summary>Events not done that the next run does.</summary>
    public int Deferred { get; init; }

    /// <summary>Fields both sides had edited.</summary>
    public int Conflicts { get; init; }

    /// <summary>What was to be taken back and stays as it is, with the reason.</summary>
    public ImmutableArray<Untouched> Untouched { get; init; } = [];

    /// <summary>What was taken back; null for a run that keeps both sides equal.</summary>
    public TakeBack? TakeBack { get; init; }

    /// <summary>What the sides did not keep of what was written, by event.</summary>
    public ImmutableArray<RunLoss> Losses { get; init; } = [];

    /// <summary>The command that asked for it; null for a run of the pair.</summary>
    public string? Command { get; init; }

    /// <summary>All writes made.</summary>
    public int Written => Created + Updated + Deleted;
}
