using CalSync.Calendar.Comparison;
using CalSync.Sync.Pairs.Planning;

namespace CalSync.Sync.Pairs.History;

/// <summary>Takes writes into account that took something back and that the ledger does not know the end of.
/// Pure.</summary>
/// <remarks>
/// They were wanted on one side only. Taken for an ordinary write, an event brought back would be copied to
/// the other side; a copy taken away would be taken for a person's deletion, and the original deleted after
/// it.
/// </remarks>
internal static class TakeBackEcho
{
    /// <summary>The facts with a write of an earlier run, if the side shows that it has arrived.</summary>
    public static ItemFacts WithOpen(ItemFacts facts, OpenWrite write)
    {
        if (facts.Mapping is null)
            return facts;
        switch (write.Sent, facts.On(write.Side))
        {
            case (null, SideFact.Gone):
                return WithDone(facts, write, null);
            case ({ } sent, SideFact.Present { Place: var now })
                when WriteEcho.IsApplied(write.Held, sent, now.Seen):
                var place = now with
                {
                    Seen = WriteEcho.Seen(write.Held, sent, now.Seen, EchoVersion.Unknown),
                };
                // What somebody wrote since is an edit.
                return WithDone(facts, write, place).With(write.Side, new SideFact.Present(now));
            default:
                return facts;
        }
    }

    /// <summary>The facts with a write that has arrived; the other side is as it was.</summary>
    /// <param name="facts">What is known.</param>
    /// <param name="write">The write.</param>
    /// <param name="place">What the side held after it; null after a deletion.</param>
    public static ItemFacts WithDone(ItemFacts facts, OpenWrite write, SidePlace? place)
    {
        var known = facts.Mapping!;
        var after = (known.Status == MappingStatus.Deleted ? known with { Left = null, Right = null } : known)
            .With(write.Side, place is null ? null : Remembered(facts, write, place));
        return facts.With(
            write.Side, place is null ? new SideFact.Nothing() : new SideFact.Present(place)) with
        {
            IsUnrecorded = true,
            Arrived = facts.Arrived.Add(new ArrivedWrite(write, place)),
            Mapping = after with
            {
                Base = write.Base,
                Status = TakeBackDecision.Status(after.Left is not null, after.Right is not null),
            },
        };
    }

    /// <summary>
    /// What the side is to be remembered as having held: an undo leaves what a person did there before it
    /// for the next run to carry over, under a version that makes that run read it.
    /// </summary>
    public static SidePlace Remembered(ItemFacts facts, OpenWrite write, SidePlace place)
    {
        if (write.Rule != SyncRule.Undone || write.Held is null
            || SidePlan.Known(facts, write.Side) is not { } known
            || ResourceContent.IsSame(known.Seen, write.Held))
        {
            return place;
        }

        return place with
        {
            Version = known.Version,
            Seen = CalendarMerge.Merge(
                write.Held, known.Seen, place.Seen, MergePreference.Right, ResourceContent.Noise).Document,
        };
    }
}
