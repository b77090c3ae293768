using System.Collections.Immutable;
using CalSync.Sync.HandEdits;
using CalSync.Sync.Mirroring;
using CalSync.Sync.Providers;
using Xunit;
using static CalSync.Tests.Sync.Mirroring.MirrorSamples;

namespace CalSync.Tests.Sync.Mirroring;

/// <summary>Goal: only what a later, direct read proves is a person's change, and a listing proves nothing
/// but that a read is due. Method: case by case.</summary>
public sealed class HandEditJudgeTests
{
    private static readonly ProviderEvent Last = At(10, updated: 5);
    private static readonly OpenProposal MovedTo12 =
        new() { Kind = "moved", ToStart = Time(12).Instant, ToEnd = Time(13).Instant };

    private static readonly OpenProposal DeletionOpen = new() { Kind = "deleted" };
    private static readonly HandEditFacts Known = new(
        Desired(), null, Last, TimesVerified: true, HasWritten: false);

    private static readonly HandEditFacts Asked = Known with { Open = MovedTo12, Last = At(12, updated: 6) };

    [Fact]
    public void Judge_OtherTimesInALaterRead_IsMoved() => Assert.Equal(
        HandEdit.Moved, Judge(Known, At(12, updated: 6)));

    [Fact]
    public void Judge_OtherTimesOutOfThePast_IsNothing()
    {
        Assert.Equal(HandEdit.None, Judge(Known, At(12, updated: 5)));
        Assert.Equal(HandEdit.None, Judge(Known, At(12, updated: 4)));
        Assert.Equal(HandEdit.None, Judge(Known, At(12, updated: 6) with { Json = "{}" }));
    }

    [Fact]
    public void Judge_ACopyOrAWritesAnswer_IsNothing() => Assert.Equal(
        HandEdit.None,
        HandEditJudge.Judge(Known, new Sighting.Seen(At(12, updated: 6), FromRead: false)));

    /// <summary>What the platform has asked for and not yet seen is not undone by anybody.</summary>
    [Fact]
    public void Judge_WhileThePlatformsTimesAreNotVerified_IsNothing()
    {
        var facts = Known with { TimesVerified = false };
        Assert.Equal(HandEdit.None, Judge(facts, At(12, updated: 6)));
        Assert.Equal(HandEdit.None, HandEditJudge.Judge(facts, new Sighting.Missing()));
        Assert.Equal(HandEdit.None, Judge(Known with { Last = At(9, updated: 5) }, At(12, updated: 6)));
    }

    [Fact]
    public void Judge_AnotherMirrorsEvent_IsNothing() => Assert.Equal(
        HandEdit.None,
        Judge(Known, At(12, updated: 6) with { Mark = EventIdentity.Mark("mir_2", "slt_1", "ten_1") }));

    [Fact]
    public void Judge_AllDay_IsNothingToPropose() => Assert.Equal(
        HandEdit.None, Judge(Known, At(12, updated: 6) with { Start = null }));

    [Fact]
    public void Judge_AfterAWriteOfOurs_SeesALaterMoveAndNoDeletion()
    {
        var facts = Known with { HasWritten = true };
        Assert.Equal(HandEdit.Moved, Judge(facts, At(12, updated: 6)));
        Assert.Equal(HandEdit.None, HandEditJudge.Judge(facts, new Sighting.Missing()));
        Assert.Equal(HandEdit.None, Judge(facts, At(10, updated: 6) with { Status = "cancelled" }));
    }

    [Fact]
    public void Judge_AnOpenMove_IsKeptMovedOnOrMovedBack()
    {
        Assert.Equal(HandEdit.None, Judge(Asked, At(12, updated: 6)));
        Assert.Equal(HandEdit.Moved, Judge(Asked, At(14, updated: 7)));
        Assert.Equal(HandEdit.MovedBack, Judge(Asked, At(10, updated: 7)));
        Assert.Equal(HandEdit.None, Judge(Asked, At(10, updated: 5)));
    }

    [Fact]
    public void Judge_Gone_IsDeletedOnce()
    {
        var cancelled = At(10, updated: 6) with { Status = "cancelled" };
        Assert.Equal(HandEdit.Deleted, Judge(Known, cancelled));
        Assert.Equal(HandEdit.Deleted, HandEditJudge.Judge(Known, new Sighting.Missing()));
        Assert.Equal(HandEdit.None, Judge(Known with { Last = cancelled }, cancelled));
        Assert.Equal(HandEdit.None, HandEditJudge.Judge(Known with { Last = null }, new Sighting.Missing()));
        Assert.Equal(
            HandEdit.None, Judge(Known, At(10, updated: 4) with { Status = "cancelled" }));
    }

    [Fact]
    public void Judge_AnOpenDeletion_StaysUntilTheEventIsThere()
    {
        var facts = Known with { Open = DeletionOpen, Last = null };
        Assert.Equal(HandEdit.StillDeleted, HandEditJudge.Judge(facts, new Sighting.Missing()));
        Assert.Equal(HandEdit.Restored, Judge(facts, At(10, updated: 9)));
    }

    [Fact]
    public void Judge_AnEventThatIsNotWanted_IsNothing() => Assert.Equal(
        HandEdit.None,
        HandEditJudge.Judge(
            Known with { Desired = Desired() with { Present = false } }, new Sighting.Missing()));

    [Fact]
    public void Suspects_OfADelta_AreTombstonesOtherTimesAndReplacements()
    {
        WatchedMirror[] mirrors =
            [Mirror("mir_a"), Mirror("mir_b"), Mirror("mir_c"), Mirror("mir_d"), Mirror("mir_e")];
        ImmutableArray<ListedEvent> listed =
        [
            new("mir_a.event", true, null, null, null, null),
            new("mir_b.event", false, null, null, Time(12), Time(13)),
            new("mir_c.event", false, null, null, Last.Start, Last.End),
            new("new1", false, null, "mir_d", null, null),
            new("new2", false, "mir_e.uid", null, null, null),
            new("somebody's", false, "another", "mir_z", Time(8), Time(9)),
            new("gone", true, "mir_c.uid", "mir_c", null, null),
        ];
        Assert.Equal<string>(
            ["mir_a", "mir_b", "mir_d", "mir_e"],
            ListingComparison.Suspects(mirrors, new EventChanges.Read(listed, false, "t")));
        Assert.Equal<string>(
            ["mir_a", "mir_b", "mir_d", "mir_e"],
            ListingComparison.Suspects(mirrors, new EventChanges.Read(listed, true, "t")));
        Assert.Empty(ListingComparison.Suspects(mirrors, new EventChanges.Read([], false, "t")));
        Assert.Equal<string>(
            mirrors.Select(mirror => mirror.Id),
            ListingComparison.Suspects(mirrors, new EventChanges.Read([], true, "t")));
    }

    private static HandEdit Judge(HandEditFacts facts, ProviderEvent shown) =>
        HandEditJudge.Judge(facts, new Sighting.Seen(shown, FromRead: true));

    private static ProviderEvent At(int hour, int updated) => Shown() with
    {
        Start = Time(hour),
        End = Time(hour + 1),
        Json = $$"""{"updated":"2026-03-01T10:00:0{{updated}}.000Z"}""",
    };

    private static WatchedMirror Mirror(string id) => new()
    {
        Id = id,
        ProviderEventId = id + ".event",
        ICalUid = id + ".uid",
        Observed = ObservedEvent.Write(Last),
    };
}
