using CalSync.Sync.Mirroring;
using CalSync.Sync.Providers;
using Xunit;
using static CalSync.Tests.Sync.Mirroring.MirrorSamples;

namespace CalSync.Tests.Sync.Mirroring;

/// <summary>Goal: every situation has one next step, and none deletes without proof. Method: case by
/// case.</summary>
public sealed class MirrorPlannerTests
{
    private static readonly MirrorStand New = new(MirrorId, Written: false, OutcomeUnknown: false);
    private static readonly MirrorStand Written = New with { Written = true };
    private static readonly DesiredEvent Wanted = Desired("a@example.com");
    private static readonly DesiredEvent Unwanted = Wanted with { Present = false };
    private static readonly ProviderEvent Equal = Shown("a@example.com");
    private static readonly ProviderEvent Moved = Equal with { Start = Time(9) };
    private static readonly ProviderEvent Cancelled = Equal with { Status = "cancelled" };
    private static readonly Sighting Unseen = new Sighting.Unseen();
    private static readonly Sighting Missing = new Sighting.Missing();

    [Fact]
    public void Decide_NeverWritten_Inserts() =>
        Assert.IsType<MirrorStep.Insert>(MirrorPlanner.Decide(Wanted, New, Unseen));

    /// <summary>R-CAL-02-C: after a lost answer the event is read before anything is written.</summary>
    [Fact, Trait("Requirement", "R-CAL-02-C")]
    public void Decide_OutcomeUnknown_ReadsFirst() =>
        Assert.IsType<MirrorStep.ReadFirst>(
            MirrorPlanner.Decide(Wanted, New with { OutcomeUnknown = true }, Unseen));

    [Fact]
    public void Decide_WrittenButNothingKnown_ReadsFirst() =>
        Assert.IsType<MirrorStep.ReadFirst>(MirrorPlanner.Decide(Wanted, Written, Unseen));

    [Fact]
    public void Decide_StoredCopyDiffers_PatchesWithoutReading()
    {
        var patch = Assert.IsType<MirrorStep.Patch>(
            MirrorPlanner.Decide(Wanted, Written, Seen(Moved, read: false)));
        Assert.Equal([EventField.Time], patch.Fields);
        Assert.Same(Moved, patch.On);
    }

    [Fact]
    public void Decide_OnlyTheStoredCopyIsEqual_IsNotDoneButReads() =>
        Assert.IsType<MirrorStep.ReadFirst>(MirrorPlanner.Decide(Wanted, Written, Seen(Equal, read: false)));

    [Fact]
    public void Decide_ReadBackEqual_IsDone() =>
        Assert.IsType<MirrorStep.Done>(MirrorPlanner.Decide(Wanted, Written, Seen(Equal)));

    /// <summary>R-CAL-03-B: silently not stored means the same id again, then a person.</summary>
    [Theory, Trait("Requirement", "R-CAL-03-B")]
    [InlineData(0, true)]
    [InlineData(1, true)]
    [InlineData(2, false)]
    public void Decide_MissingAfterInserts_RepeatsOnceThenGivesUp(int inserts, bool again)
    {
        var step = MirrorPlanner.Decide(Wanted, New with { Inserts = inserts }, Missing);
        if (again)
            Assert.IsType<MirrorStep.Insert>(step);
        else
            Assert.Equal(MirrorReasons.NotStored, Assert.IsType<MirrorStep.GiveUp>(step).Reason);
    }

    [Fact]
    public void Decide_FoundDeleted_UndeletesOnceThenTakesTheNextGeneration()
    {
        Assert.IsType<MirrorStep.Undelete>(MirrorPlanner.Decide(Wanted, Written, Seen(Cancelled)));
        Assert.IsType<MirrorStep.NextGeneration>(
            MirrorPlanner.Decide(Wanted, Written with { UndeleteTried = true }, Seen(Cancelled)));
    }

    [Fact]
    public void Decide_IdTakenByAnotherMirror_NeverTouchesIt()
    {
        var foreign = Equal with { Mark = Equal.Mark.SetItem(EventIdentity.MirrorKey, "mir_other") };
        Assert.IsType<MirrorStep.NextGeneration>(MirrorPlanner.Decide(Wanted, New, Seen(foreign)));
        Assert.IsType<MirrorStep.GiveUp>(MirrorPlanner.Decide(Wanted, Written, Seen(foreign)));
        Assert.IsType<MirrorStep.GiveUp>(MirrorPlanner.Decide(Unwanted, Written, Seen(foreign)));
    }

    [Fact]
    public void Decide_MarkStripped_PatchesTheMarkBack()
    {
        var patch = Assert.IsType<MirrorStep.Patch>(
            MirrorPlanner.Decide(Wanted, Written, Seen(Equal with { Mark = NoMark })));
        Assert.Equal([EventField.Mark], patch.Fields);
    }

    /// <summary>R-FIX-1-E: repair comes first; deletion only of ours, marked, unanswered, and proven by a
    /// read.</summary>
    [Fact, Trait("Requirement", "R-FIX-1-E")]
    public void Decide_StillWrongAfterRepairs_RecreatesOnlyWhenNothingIsLost()
    {
        var tried = Written with { Patches = MirrorPlanner.PatchCountMax };
        Assert.IsType<MirrorStep.DeleteAndRecreate>(MirrorPlanner.Decide(Wanted, tried, Seen(Moved)));
        Assert.IsType<MirrorStep.Patch>(
            MirrorPlanner.Decide(Wanted, Written with { Patches = 2 }, Seen(Moved)));
        Assert.IsType<MirrorStep.ReadFirst>(MirrorPlanner.Decide(Wanted, tried, Seen(Moved, read: false)));
        ProviderEvent[] keep =
        [
            Moved with { Attendees = [new Attendee("a@example.com", "accepted")] },
            Moved with { Attendees = [new Attendee("a@example.com"), new Attendee("friend@example.com")] },
            Moved with { Mark = NoMark },
        ];
        Assert.All(keep, shown => Assert.Equal(
            MirrorReasons.VerificationFailed,
            Assert.IsType<MirrorStep.GiveUp>(MirrorPlanner.Decide(Wanted, tried, Seen(shown))).Reason));
        Assert.IsType<MirrorStep.GiveUp>(
            MirrorPlanner.Decide(Wanted, tried with { Recreated = true }, Seen(Moved)));
    }

    [Fact]
    public void Decide_TruncatedGuestList_IsNeverWrittenBack() =>
        Assert.Equal(MirrorReasons.AttendeesOmitted, Assert.IsType<MirrorStep.GiveUp>(
            MirrorPlanner.Decide(Wanted, Written, Seen(Equal with { AttendeesOmitted = true }))).Reason);

    [Fact]
    public void Decide_Unwanted_DeletesOnlyWhatAReadShowed()
    {
        Assert.IsType<MirrorStep.ReadFirst>(MirrorPlanner.Decide(Unwanted, New, Unseen));
        Assert.IsType<MirrorStep.ReadFirst>(
            MirrorPlanner.Decide(Unwanted, Written, Seen(Equal, read: false)));
        Assert.IsType<MirrorStep.Delete>(MirrorPlanner.Decide(Unwanted, Written, Seen(Equal)));
        Assert.IsType<MirrorStep.Gone>(MirrorPlanner.Decide(Unwanted, Written, Seen(Cancelled)));
        Assert.IsType<MirrorStep.Gone>(MirrorPlanner.Decide(Unwanted, Written, Missing));
        Assert.Equal(MirrorReasons.NotOurs, Assert.IsType<MirrorStep.GiveUp>(
            MirrorPlanner.Decide(Unwanted, Written, Seen(Equal with { Mark = NoMark }))).Reason);
    }

    private static Sighting.Seen Seen(ProviderEvent shown, bool read = true) => new(shown, read);
}
