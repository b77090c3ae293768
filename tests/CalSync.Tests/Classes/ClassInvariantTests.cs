using CalSync.Classes;
using Xunit;

namespace CalSync.Tests.Classes;

/// <summary>
/// Goal: no order of commands, verifications, failures and deadlines breaks an invariant. Method: seeded
/// random sequences; the seed is the case's name.
/// </summary>
public sealed class ClassInvariantTests
{
    private static readonly string[] Names = ["ana", "ben", "eva", "ida", "leo", "mia", "tom"];

    public static TheoryData<int> Seeds { get; } = [.. Enumerable.Range(1, 20)];

    /// <summary>R-CAL-07-P: after any history and a healthy end, every seat is active or freed and nothing
    /// waits.</summary>
    [Theory]
    [Trait("Requirement", "R-CAL-07-P")]
    [MemberData(nameof(Seeds))]
    public void Decide_InAnyOrder_KeepsTheInvariants(int seed)
    {
        var random = new Random(seed);
        for (var run = 0; run < 20; run++)
        {
            var bench = new ClassBench { Mode = (EnrolmentMode)random.Next(3) };
            bench.Do(ClassBench.Teacher, ClassBench.Creation(random.Next(1, 4), random.Next(1, 5)));
            for (var step = 0; step < 60; step++)
            {
                var before = bench.State!;
                Step(bench, random);
                Check(before, bench.State!);
            }

            bench.Now += TimeSpan.FromHours(1);
            for (var turn = 0; turn < 4; turn++)
            {
                bench.VerifyAll();
                bench.SettleAll();
            }

            Assert.DoesNotContain(bench.State!.Seats.Values, seat => seat.State
                is SeatState.PendingCalendar or SeatState.Cancelling or SeatState.RollingBack
                && !bench.State.Operations.Values.Any(each => each.EnrolmentId == seat.Id && each.IsOpen));
            Assert.NotEqual(Stage.Cancelling, bench.State.Stage);
        }
    }

    /// <summary>R-STORM-3: enrolling while a slot moves, in every order, ends with the attendee and the new
    /// time.</summary>
    [Theory]
    [Trait("Requirement", "R-STORM-3")]
    [MemberData(nameof(Seeds))]
    public void EnrolAndMove_InterleavedAFiftyfold_BothHold(int seed)
    {
        for (var run = 0; run < 50; run++)
        {
            var random = new Random((seed * 1000) + run);
            var bench = new ClassBench();
            bench.Do(ClassBench.Teacher, ClassBench.Creation(slots: 2));
            var slot = bench.State!.Slots[0];
            var turns = new List<Action>
            {
                () => bench.Do(ClassBench.Student("ana"), new ClassCommand.Enrol()),
                () =>
                    bench.Do(
                    ClassBench.Teacher,
                    new ClassCommand.MoveSlot(slot.Id, new SlotDraft("2026-03-10T14:00"))),
                bench.VerifyAll,
                bench.SettleAll,
                bench.VerifyAll,
                bench.SettleAll,
            };
            while (turns.Count > 0)
            {
                var next = random.Next(turns.Count);
                turns[next]();
                turns.RemoveAt(next);
            }

            bench.VerifyAll();
            bench.SettleAll();
            var seat = bench.SeatOf("ana");
            Assert.Equal(SeatState.Active, seat.State);
            var moved = bench.State.FindSlot(slot.Id)!;
            var desired = DesiredEvents.For(
                bench.State, moved, [new Attendance(seat.CalendarEmail, seat.State)])!;
            Assert.Equal(14, desired.Start.Local.Hour);
            Assert.Equal("usr_ana@x.org", Assert.Single(desired.AttendeeEmails));
            var reminders = bench.Notices.Where(
                each => each.Kind == NoticeKind.Reminder && each.SlotId == slot.Id);
            Assert.Single(
                reminders.DistinctBy(each => each.DedupeKey), each => each.SlotVersion == moved.Version);
        }
    }

    private static void Step(ClassBench bench, Random random)
    {
        var state = bench.State!;
        var student = ClassBench.Student(Names[random.Next(Names.Length)]);
        var slot = state.Slots[random.Next(state.Slots.Length)];
        var open = state.Operations.Values.Where(each => each.IsOpen).OrderBy(each => each.Id).ToList();
        switch (random.Next(14))
        {
            case < 4:
                Try(bench, student, new ClassCommand.Enrol());
                break;
            case 4 when state.Seats.Count > 0:
                var seat = state.Seats.Values.OrderBy(each => each.Id)
                    .ElementAt(random.Next(state.Seats.Count));
                Try(bench, ClassBench.Teacher, new ClassCommand.CancelSeat(seat.Id));
                break;
            case 5:
                var start = $"2026-03-{random.Next(10, 28)}T10:00";
                Try(bench, ClassBench.Teacher, new ClassCommand.MoveSlot(slot.Id, new SlotDraft(start)));
                break;
            case 6 when random.Next(3) == 0:
                Try(bench, ClassBench.Teacher, new ClassCommand.CancelSlot(slot.Id));
                break;
            case 7 when random.Next(8) == 0:
                Try(bench, ClassBench.Teacher, new ClassCommand.CancelClass());
                break;
            case 8:
                Try(
                    bench, ClassBench.Teacher,
                    new ClassCommand.UpdateClass(Title: $"T{random.Next(3)}", Capacity: random.Next(1, 6)));
                break;
            case 9 when open.Count > 0:
                bench.Mark(
                    open[random.Next(open.Count)].Id, (OperationState)random.Next(2, 7), "backendError");
                break;
            case 10 when open.Count > 0:
                Try(
                    bench, ClassBench.Product,
                    new ClassCommand.RetryOperation(open[random.Next(open.Count)].Id));
                break;
            case 11 when open.Count > 0:
                Try(
                    bench, ClassBench.Product,
                    new ClassCommand.AbandonOperation(open[random.Next(open.Count)].Id, "x"));
                break;
            case 12:
                bench.Now += TimeSpan.FromMinutes(random.Next(20));
                bench.SettleAll();
                break;
            default:
                bench.VerifyAll();
                break;
        }
    }

    private static void Try(ClassBench bench, Actor actor, ClassCommand command)
    {
        if (bench.Decide(actor, command) is Decision.Accepted)
            bench.Do(actor, command);
    }

    private static void Check(ClassState before, ClassState after)
    {
        Assert.Equal(after.Seats.Values.Count(seat => seat.State.IsLive()), after.SeatsTaken);
        Assert.InRange(after.SeatsTaken, 0, after.Capacity);
        Assert.True(after.Version >= before.Version);
        if (after.Stage != Stage.Scheduled)
            Assert.DoesNotContain(after.Seats.Values, seat => seat.State.IsAttending());
        foreach (var seat in after.Seats.Values)
        {
            if (before.Seats.TryGetValue(seat.Id, out var was) && was.State != seat.State)
                Assert.True(seat.Version > was.Version);
            if (seat.State == SeatState.Active && !(was?.State == SeatState.Active))
            {
                Assert.Contains(after.Operations.Values, each => each.EnrolmentId == seat.Id
                    && each is { Kind: OperationKind.EnrolmentCreate, State: OperationState.Verified });
            }
        }

        foreach (var (slot, was) in after.Slots.Zip(before.Slots))
        {
            Assert.True(slot.Mirror.DesiredVersion >= was.Mirror.DesiredVersion);
            Assert.Equal(slot.Start != was.Start || slot.Stage != was.Stage, slot.Version > was.Version);
        }
    }
}
