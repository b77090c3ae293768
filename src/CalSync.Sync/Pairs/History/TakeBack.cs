using System.Globalization;
using CalSync.Calendar.Comparison;
using CalSync.Calendar.Document;
using CalSync.Sync.Pairs.Planning;

namespace CalSync.Sync.Pairs.History;

/// <summary>What a person wants taken back. A closed list.</summary>
public abstract record TakeBack
{
    private TakeBack()
    {
    }

    /// <summary>What one run wrote. What people did before and after it stays.</summary>
    /// <param name="RunId">The run; an undo is a run too.</param>
    public sealed record Run(string RunId) : TakeBack
    {
        /// <inheritdoc/>
        public override string Words => $"undo of {RunId}";
    }

    /// <summary>Everything since a moment: what the sides held then is brought back. Deletes
    /// nothing.</summary>
    /// <param name="At">The moment, UTC: what runs had seen and written until then counts.</param>
    /// <param name="Uid">Of one event; null for the whole calendar.</param>
    /// <param name="Side">On one side; null for both.</param>
    public sealed record Since(DateTimeOffset At, string? Uid, MergeSide? Side) : TakeBack
    {
        /// <inheritdoc/>
        public override string Words => "restore of "
            + At.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);
    }

    /// <summary>Which rule its writes are made by.</summary>
    public SyncRule Rule => this is Run ? SyncRule.Undone : SyncRule.Restored;

    /// <summary>What it is, for the record of the run.</summary>
    public abstract string Words { get; }
}

/// <summary>What is to be taken back of one event.</summary>
/// <param name="Uid">Its common UID.</param>
/// <param name="Rule">Which rule decides.</param>
/// <param name="Left">On the left; null for nothing.</param>
/// <param name="Right">On the right; null for nothing.</param>
/// <param name="Base">Of what both sides agree on; null to leave it.</param>
public sealed record ItemTakeBack(
    string Uid, SyncRule Rule, SideTakeBack? Left, SideTakeBack? Right, SideTakeBack? Base)
{
    /// <summary>On one side.</summary>
    public SideTakeBack? On(MergeSide side) => side == MergeSide.Left ? Left : Right;
}

/// <summary>What is to be taken back of one event on one side, or of what both agree on. A closed
/// list.</summary>
public abstract record SideTakeBack
{
    private SideTakeBack()
    {
    }

    /// <summary>A run's write.</summary>
    /// <param name="Found">What the run found there; null when nothing.</param>
    /// <param name="Written">What it left there; null when nothing.</param>
    /// <param name="Uid">The UID the event had there; null for the common one.</param>
    public sealed record Write(CalendarDocument? Found, CalendarDocument? Written, string? Uid)
        : SideTakeBack;

    /// <summary>Everything since a moment.</summary>
    /// <param name="Content">What the side held then; null when nothing.</param>
    /// <param name="Uid">The UID the event had there; null for the common one.</param>
    public sealed record ToThen(CalendarDocument? Content, string? Uid) : SideTakeBack;
}

/// <summary>Something that was to be taken back and stays as it is.</summary>
/// <param name="Uid">The event.</param>
/// <param name="Title">What it is called.</param>
/// <param name="Side">On which side; null for both.</param>
/// <param name="Why">One sentence for a person.</param>
public sealed record Untouched(string Uid, string Title, MergeSide? Side, string Why);
