using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using CalSync.Calendar.Comparison;
using CalSync.Calendar.Document;
using CalSync.Sync.Pairs.History;

namespace CalSync.Sync.Pairs.Planning;

/// <summary>What a step does to its side. A closed list, stored by name.</summary>
public enum StepKind
{
    /// <summary>Creates the event.</summary>
    Create = 1,

    /// <summary>Changes it.</summary>
    Update = 2,

    /// <summary>Deletes it.</summary>
    Delete = 3,
}

/// <summary>One write a run intends, as a person reads it before approving.</summary>
/// <param name="Kind">What it does.</param>
/// <param name="Side">To which side.</param>
/// <param name="Uid">To which event.</param>
/// <param name="Named">The content it is called after.</param>
/// <param name="Rule">Which rule decided.</param>
/// <param name="Proof">For a deletion, why it counts as deleted on the other side.</param>
/// <param name="Discarded">Values of both sides' edits that lose, with who won.</param>
/// <param name="Before">What the side holds; null for a creation.</param>
/// <param name="After">What it is to hold; null for a deletion.</param>
public sealed record PlanStep(
    StepKind Kind, MergeSide Side, string Uid, CalendarDocument? Named, SyncRule Rule, DeletionProof? Proof,
    ImmutableArray<MergeConflict> Discarded, CalendarDocument? Before, CalendarDocument? After)
{
    /// <summary>What the event is called; found out when it is asked for.</summary>
    public string Title => ResourceContent.Title(Named);

    /// <summary>What it changes, field by field; found out when it is asked for.</summary>
    public ImmutableArray<CalendarChange> Changes => CalendarDiff.Compare(
        Before ?? ResourceContent.Nothing, After ?? ResourceContent.Nothing, ResourceContent.Noise);
}

/// <summary>What a run intends, as data.</summary>
/// <remarks>
/// The id is a digest of the steps: approving it approves exactly them, and a run that would do anything
/// else has another id. So a plan whose base has moved is refused without a rule of its own.
/// </remarks>
/// <param name="PairId">Whose plan.</param>
/// <param name="At">When it was made, UTC.</param>
/// <param name="Steps">Every write, in the order of UIDs, left before right.</param>
/// <param name="Linked">Events found on both sides and linked without writing.</param>
/// <param name="Waiting">Events that wait for something, with the reason.</param>
public sealed record SyncPlan(
    string PairId, DateTimeOffset At, ImmutableArray<PlanStep> Steps, int Linked,
    ImmutableArray<string> Waiting)
{
    /// <summary><c>pln_</c> and 26 digits of the digest; found out when it is asked for.</summary>
    public string Id
    {
        get => field ??= "pln_" + Digest(PairId, Steps);
        init;
    }

    /// <summary>What was to be taken back and stays as it is, with the reason.</summary>
    public ImmutableArray<Untouched> Untouched { get; init; } = [];

    /// <summary>Puts decided events into words.</summary>
    public static SyncPlan Of(
        string pairId, DateTimeOffset at, ImmutableArray<ItemPlan> items,
        ImmutableArray<SideTrouble> troubles)
    {
        ImmutableArray<PlanStep> steps =
        [
            .. items.Where(item => item.IsWrite).SelectMany(StepsOf),
        ];
        return new SyncPlan(
            pairId, at, steps,
            items.Count(item => item is { IsWrite: false, Trouble: null }
                && item.Rule is SyncRule.LinkedByUid or SyncRule.LinkedByContent),
            [
                .. troubles.Select(each => each.Trouble.Why),
                .. items.Select(item => item.Trouble?.Why).OfType<string>(),
            ]);
    }

    /// <summary>How many steps of one kind one side gets.</summary>
    public int Count(StepKind kind, MergeSide side) =>
        Steps.Count(step => step.Kind == kind && step.Side == side);

    private static IEnumerable<PlanStep> StepsOf(ItemPlan item)
    {
        if (Step(item, MergeSide.Left) is { } left)
            yield return left;
        if (Step(item, MergeSide.Right) is { } right)
            yield return right;
    }

    private static PlanStep? Step(ItemPlan item, MergeSide side)
    {
        return item.On(side) switch
        {
            SideAct.Create create => New(StepKind.Create, null, create.Content, null),
            SideAct.Update update => New(StepKind.Update, update.Held.Seen, update.Content, null),
            SideAct.Delete delete => New(StepKind.Delete, delete.Held.Seen, null, delete.Proof),
            _ => null,
        };

        PlanStep New(
            StepKind kind, CalendarDocument? before, CalendarDocument? after, DeletionProof? proof) => new(
            kind, side, item.Uid, item.Named(side, after ?? before), item.Rule, proof,
            item.Conflicts, before, after);
    }

    private static string Digest(string pairId, ImmutableArray<PlanStep> steps)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        void Add(string text) => hash.AppendData(Encoding.UTF8.GetBytes(text + "\n"));
        Add(pairId);
        foreach (var step in steps)
        {
            Add($"{step.Kind} {step.Side} {step.Uid}");
            Add(step.Before is null ? "" : ResourceContent.Digest(step.Before));
            Add(step.After is null ? "" : ResourceContent.Digest(step.After));
        }

        return IdSource.Encode(hash.GetHashAndReset().AsSpan(0, 16));
    }
}
