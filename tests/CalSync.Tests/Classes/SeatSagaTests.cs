using CalSync.Classes;
using Xunit;

namespace CalSync.Tests.Classes;

/// <summary>Goal: a seat is active only through a verified operation, and every way back ends. Method: one
/// case a path.</summary>
public sealed class SeatSagaTests
{
    private static readonly Actor Ana = ClassBench.Student("ana");
    private readonly ClassBench _bench = new();

    public SeatSagaTests()
    {
        _bench.Do(ClassBench.Teacher, ClassBench.Creation(slots: 3, price: new Price(4500, "EUR")));
        _bench.VerifyAll();
        _bench.SettleAll();
    }

    /// <summary>R-FIX-3-A: three slots are three steps, and only their verification makes the seat
    /// active.</summary>
    [Fact]
    [Trait("Requirement", "R-FIX-3-A")]
    public void Enrol_WithThreeSlots_IsActiveOnlyWhenVerified()
    {
        var accepted = _bench.Do(Ana, new ClassCommand.Enrol());
        Assert.Equal(3, _bench.State!.Operations[accepted.OperationId!].Steps.Length);
        _bench.SettleAll();
        Assert.Equal(SeatState.PendingCalendar, _bench.SeatOf("ana").State);
        Assert.Empty(_bench.Notices);
        _bench.VerifyAll();
        _bench.SettleAll();
        Assert.Equal(SeatState.Active, _bench.SeatOf("ana").State);
        Assert.Equal(PaymentState.Pending, _bench.SeatOf("ana").Payment!.State);
        Assert.Equal(3, _bench.Notices.Count(notice => notice.Kind == NoticeKind.Reminder));
    }

    /// <summary>R-FIX-3-B: enrolling twice is one seat.</summary>
    [Fact]
    [Trait("Requirement", "R-FIX-3-B")]
    public void Enrol_Twice_AnswersTheSameSeat()
    {
        var first = _bench.Do(Ana, new ClassCommand.Enrol());
        var second = _bench.Do(Ana, new ClassCommand.Enrol());
        Assert.False(second.Fresh);
        Assert.Equal((first.EnrolmentId, first.OperationId), (second.EnrolmentId, second.OperationId));
        Assert.Equal(1, _bench.State!.SeatsTaken);
    }

    /// <summary>R-FIX-3-E, R-CAL-07-P: a failed seat is taken off every event, then freed, and the student
    /// told.</summary>
    [Fact]
    [Trait("Requirement", "R-FIX-3-E")]
    [Trait("Requirement", "R-FIX-3-F")]
    [Trait("Requirement", "R-CAL-07-P")]
    public void Settle_WhenTheOperationFailed_RollsTheSeatBack()
    {
        var enrolled = _bench.Do(Ana, new ClassCommand.Enrol());
        _bench.Mark(enrolled.OperationId!, OperationState.NeedsAttention, "verification_failed");
        var settled = _bench.Do(ClassBench.Product, new ClassCommand.SettleOperation(enrolled.OperationId!));
        Assert.Equal(SeatState.RollingBack, _bench.SeatOf("ana").State);
        Assert.Equal(1, _bench.State!.SeatsTaken);
        Assert.Equal(OperationState.Compensating, _bench.State.Operations[enrolled.OperationId!].State);
        _bench.VerifyAll();
        _bench.SettleAll();
        var seat = _bench.State!.Seats[settled.EnrolmentId!];
        Assert.Equal(SeatState.FailedRolledBack, seat.State);
        Assert.Equal(0, _bench.State.SeatsTaken);
        Assert.Equal(OperationState.Compensated, _bench.State.Operations[enrolled.OperationId!].State);
        var told = Assert.Single(_bench.Notices, notice => notice.Kind == NoticeKind.SeatFailed);
        Assert.StartsWith(
            "Failed to add you to the calendar event. Attendee was not added", told.Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "Please try enrolling again or contact support.", told.Message, StringComparison.Ordinal);
        Assert.Contains("cor_1", told.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(_bench.Notices, notice => notice.Kind == NoticeKind.Reminder);
    }

    /// <summary>R-CAL-07-A: a failing rollback is never silently done; a person can retry or abandon
    /// it.</summary>
    [Theory]
    [Trait("Requirement", "R-CAL-07-A")]
    [InlineData(true)]
    [InlineData(false)]
    public void Settle_WhenTheRollbackFails_WaitsForAPerson(bool retry)
    {
        var enrolled = _bench.Do(Ana, new ClassCommand.Enrol());
        var failed = _bench.Do(
            ClassBench.Product, new ClassCommand.FailEnrolment(enrolled.EnrolmentId!, "strict_timeout"));
        _bench.Mark(failed.OperationId!, OperationState.NeedsAttention, "backendError");
        _bench.SettleAll();
        Assert.Equal(SeatState.RollingBack, _bench.SeatOf("ana").State);
        var operatorActor = new Actor("ten_a", "usr_op", Role.Operator);
        if (retry)
        {
            var again = _bench.Do(operatorActor, new ClassCommand.RetryOperation(failed.OperationId!));
            Assert.Contains(again.Events, e => e is ClassEvent.OperationChanged { MakeDue: true });
            _bench.VerifyAll();
            _bench.SettleAll();
        }
        else
        {
            _bench.Do(
                operatorActor, new ClassCommand.AbandonOperation(failed.OperationId!, "removed by hand"));
        }

        Assert.Equal(SeatState.FailedRolledBack, _bench.State!.Seats[enrolled.EnrolmentId!].State);
        Assert.Equal(0, _bench.State.SeatsTaken);
    }

    /// <summary>C-02: past its deadline a seat is given back; R-CAL-01-B: unless it waits for the owner's
    /// consent.</summary>
    [Theory]
    [Trait("Requirement", "R-CAL-04-B")]
    [InlineData(OperationState.RetryWait, SeatState.RollingBack)]
    [InlineData(OperationState.Parked, SeatState.PendingCalendar)]
    public void Settle_PastTheDeadline_DependsOnWhatItWaitsFor(OperationState waits, SeatState expected)
    {
        var enrolled = _bench.Do(Ana, new ClassCommand.Enrol());
        _bench.Mark(enrolled.OperationId!, waits, "needs_consent");
        _bench.Now += new ClassOptions().SeatDeadline - TimeSpan.FromSeconds(1);
        _bench.SettleAll();
        Assert.Equal(1, _bench.SeatOf("ana").Version);
        _bench.Now += TimeSpan.FromSeconds(1);
        _bench.SettleAll();
        Assert.Equal(expected, _bench.SeatOf("ana").State);
        Assert.Equal(1, _bench.State!.SeatsTaken);
    }

    /// <summary>R-FIX-3-RB: deferred seats are active with a warning, and become active once
    /// verified.</summary>
    [Fact]
    [Trait("Requirement", "R-FIX-3-RB")]
    public void Enrol_Deferred_WarnsAndIsRepairedLater()
    {
        _bench.Mode = EnrolmentMode.Deferred;
        var enrolled = _bench.Do(Ana, new ClassCommand.Enrol());
        Assert.Single(enrolled.Warnings);
        Assert.Equal(SeatState.ActiveWithoutCalendar, _bench.SeatOf("ana").State);
        _bench.VerifyAll();
        _bench.SettleAll();
        Assert.Equal(SeatState.Active, _bench.SeatOf("ana").State);
    }

    /// <summary>R-FIX-1-RB: without verification a seat is kept but not called active.</summary>
    [Fact]
    [Trait("Requirement", "R-FIX-1-RB")]
    public void Settle_WhenUnverified_KeepsTheSeatWithoutCallingItActive()
    {
        var enrolled = _bench.Do(Ana, new ClassCommand.Enrol());
        _bench.Mark(enrolled.OperationId!, OperationState.Unverified);
        _bench.SettleAll();
        Assert.Equal(SeatState.ActiveWithoutCalendar, _bench.SeatOf("ana").State);
        _bench.Mark(enrolled.OperationId!, OperationState.Verified);
        _bench.SettleAll();
        Assert.Equal(SeatState.Active, _bench.SeatOf("ana").State);
    }

    /// <summary>R-CAL-17-A, R-CAL-17-C: after moves there is one reminder, for the last time, after
    /// verification.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-17-A")]
    [Trait("Requirement", "R-CAL-17-C")]
    public void Move_ThreeTimes_RemindsOnceForTheLastTime()
    {
        var seat = Seat();
        var slot = _bench.State!.Slots[0];
        _bench.Happened.Clear();
        _bench.Reminded = [(slot.Id, seat.Id)];
        foreach (var hour in (int[])[14, 15, 16])
        {
            _bench.Do(
                ClassBench.Teacher,
                new ClassCommand.MoveSlot(slot.Id, new SlotDraft($"2026-03-10T{hour}:00")));
        }

        Assert.Empty(_bench.Notices);
        Assert.Equal(
            3, _bench.Happened.OfType<ClassEvent.RemindersCancelled>().Count(e => e.SlotId == slot.Id));
        _bench.VerifyAll();
        _bench.SettleAll();
        // The three settled moves write the same notices under the same keys.
        var reminders = _bench.Notices.Where(each => each.Kind == NoticeKind.Reminder)
            .DistinctBy(each => each.DedupeKey);
        Assert.Equal(
            new DateTimeOffset(2026, 3, 10, 15, 0, 0, TimeSpan.Zero), Assert.Single(reminders).DueAt);
        Assert.Single(
            _bench.Notices.Where(each => each.Kind == NoticeKind.Correction)
            .DistinctBy(each => each.DedupeKey));
        Assert.Equal(slot.Version + 3, _bench.State.FindSlot(slot.Id)!.Version);
    }

    /// <summary>R-CAL-13-B, R-CAL-16-B: a cancelled class has no live seat, and everybody was told.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-13-B")]
    [Trait("Requirement", "R-CAL-16-B")]
    public void CancelClass_WithSeats_CascadesAndTells()
    {
        Seat();
        _bench.Do(ClassBench.Student("ben"), new ClassCommand.Enrol());
        _bench.Do(ClassBench.Teacher, new ClassCommand.CancelClass { ExpectedVersion = 1 });
        Assert.Equal(Stage.Cancelling, _bench.State!.Stage);
        Assert.All(_bench.State.Seats.Values, seat => Assert.Equal(SeatState.Cancelling, seat.State));
        Assert.IsType<Refusal.ClassCancelled>(
            _bench.Refused(ClassBench.Student("eva"), new ClassCommand.Enrol()));
        _bench.VerifyAll();
        _bench.SettleAll();
        Assert.Equal(Stage.Cancelled, _bench.State.Stage);
        Assert.All(_bench.State.Slots, slot => Assert.Equal(Stage.Cancelled, slot.Stage));
        Assert.All(_bench.State.Seats.Values, seat => Assert.Equal(SeatState.Cancelled, seat.State));
        Assert.Equal(0, _bench.State.SeatsTaken);
        Assert.Equal(2, _bench.Notices.Count(notice => notice.Kind == NoticeKind.ClassCancelled));
        Assert.All(_bench.State.Operations.Values, operation => Assert.True(operation.Settled));
    }

    /// <summary>R-CAL-16-P: a slot is cancelling until its event is gone.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-16-P")]
    public void CancelSlot_IsCancelledOnlyOnceVerified()
    {
        Seat();
        var slot = _bench.State!.Slots[1];
        _bench.Do(ClassBench.Teacher, new ClassCommand.CancelSlot(slot.Id) { ExpectedVersion = 1 });
        _bench.SettleAll();
        Assert.Equal(Stage.Cancelling, _bench.State.Slots[1].Stage);
        Assert.DoesNotContain(_bench.Notices, notice => notice.Kind == NoticeKind.SlotCancelled);
        _bench.VerifyAll();
        _bench.SettleAll();
        Assert.Equal(Stage.Cancelled, _bench.State.Slots[1].Stage);
        Assert.Single(_bench.Notices, notice => notice.Kind == NoticeKind.SlotCancelled);
        Assert.Equal(Stage.Scheduled, _bench.State.Slots[0].Stage);
    }

    /// <summary>R-CAL-13-P: a stale version is refused with what differs.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-13-P")]
    public void Update_WithAStaleVersion_NamesTheDifference()
    {
        _bench.Do(ClassBench.Teacher, new ClassCommand.UpdateClass(Title: "Clay") { ExpectedVersion = 1 });
        var refusal = _bench.Refused(
            ClassBench.Teacher,
            new ClassCommand.UpdateClass(Title: "Pots", Capacity: 5) { ExpectedVersion = 1 });
        var stale = Assert.IsType<Refusal.StaleVersion>(refusal);
        Assert.Equal(2, stale.Current);
        Assert.Equal(new FieldDifference("title", "Pots", "Clay"), Assert.Single(stale.Differences));
    }

    /// <summary>R-FLOW-4, R-CAL-13-C: a confirmed payment touches the payment alone.</summary>
    [Fact]
    [Trait("Requirement", "R-FLOW-4")]
    [Trait("Requirement", "R-CAL-13-C")]
    public void ConfirmPayment_ChangesNothingElse()
    {
        var seat = Seat();
        var before = _bench.State!;
        Assert.IsType<Refusal.Forbidden>(_bench.Refused(Ana, new ClassCommand.ConfirmPayment(seat.Id)));
        _bench.Do(ClassBench.Teacher, new ClassCommand.ConfirmPayment(seat.Id));
        Assert.Equal(PaymentState.Confirmed, _bench.SeatOf("ana").Payment!.State);
        Assert.Equal(before.Slots, _bench.State!.Slots);
        Assert.Equal(before.Version, _bench.State.Version);
    }

    /// <summary>Object-level authorisation: what each role may not do to somebody else's object.</summary>
    [Fact]
    public void Decide_ForStrangers_HidesOrForbids()
    {
        var seat = Seat();
        var slot = _bench.State!.Slots[0].Id;
        var stranger = new Actor("ten_b", ClassBench.Teacher.UserId, Role.Admin);
        var rival = new Actor("ten_a", "usr_rival", Role.Instructor);
        var ben = ClassBench.Student("ben");
        ClassCommand[] edits =
        [
            new ClassCommand.UpdateClass(Title: "x"),
                new ClassCommand.MoveSlot(slot, new SlotDraft("2026-03-10T12:00")),
            new ClassCommand.CancelSlot(slot), new ClassCommand.CancelClass(),
        ];
        foreach (var edit in edits)
        {
            Assert.IsType<Refusal.NotFound>(_bench.Refused(stranger, edit));
            Assert.IsType<Refusal.NotFound>(_bench.Refused(rival, edit));
            Assert.IsType<Refusal.Forbidden>(_bench.Refused(ben, edit));
        }

        Assert.IsType<Refusal.SeatNotYours>(_bench.Refused(ben, new ClassCommand.CancelSeat(seat.Id)));
        Assert.IsType<Refusal.NotFound>(_bench.Refused(rival, new ClassCommand.CancelSeat(seat.Id)));
        Assert.IsType<Refusal.Forbidden>(_bench.Refused(ben, new ClassCommand.Enrol("usr_eva")));
        Assert.IsType<Refusal.Forbidden>(
            _bench.Refused(ClassBench.Teacher, new ClassCommand.SettleOperation("opn_1")));
        Assert.IsType<Refusal.NotFound>(_bench.Refused(ben, new ClassCommand.RetryOperation("opn_1")));
        Assert.IsType<Refusal.Forbidden>(
            new ClassBench().Refused(ben, ClassBench.Creation()));
    }

    private Seat Seat()
    {
        _bench.Do(Ana, new ClassCommand.Enrol());
        _bench.VerifyAll();
        _bench.SettleAll();
        return _bench.SeatOf("ana");
    }
}
