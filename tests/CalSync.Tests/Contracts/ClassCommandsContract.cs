using CalSync.Classes;
using CalSync.Storage;
using CalSync.Storage.Classes;
using Xunit;

namespace CalSync.Tests.Contracts;

/// <summary>
/// Goal: on each engine, and from two instances on one database, seats are never lost or oversold, a key has
/// one effect, and what breaks leaves nothing. Method: real concurrency, then counting rows.
/// </summary>
public abstract class ClassCommandsContract(TestDatabase fixture) : ClassContract(fixture)
{
    /// <summary>R-FLOW-2: a class, its slots, mirrors and operation are one commit, and read back as
    /// asked.</summary>
    [Fact]
    [Trait("Requirement", "R-FLOW-2")]
    [Trait("Requirement", "R-CAL-02-P")]
    public async Task Create_ReadsBackWithMirrorsDue()
    {
        await ArrangeAsync();
        var result = await DoneAsync(NewCommands(), Teacher, Creation(slots: 3));
        var view = (await Reads.FindClassAsync(Teacher, result.ClassId, Cancellation))!;
        var slots = Assert.Single(view.Schedules).Slots;
        Assert.Equal(3, slots.Length);
        Assert.Equal(("2026-03-10T10:00:00", "Europe/Lisbon"), (slots[0].StartLocal, slots[0].TimeZone));
        Assert.Equal(new DateTimeOffset(2026, 3, 10, 10, 0, 0, TimeSpan.Zero), slots[0].StartAt);
        Assert.All(
            slots,
            slot => Assert.Equal(("pending", null), (slot.Calendar.State, slot.Calendar.MirroredStartAt)));
        Assert.All(slots, slot => Assert.Equal(Start, slot.Calendar.NextAttemptAt));
        var operation = (await Operations.FindAsync(Teacher, result.OperationId!, Cancellation))!;
        Assert.Equal((3, 0, "class.create"), (operation.StepCount, operation.StepsVerified, operation.Kind));
        Assert.Equal(
            slots.Select(slot => slot.Calendar.EventId), operation.Steps.Select(step => step.EventId));
        var history = await Operations.HistoryAsync(
            Teacher, slots[0].Calendar.EventId, null, 0, 50, Cancellation);
        Assert.Equal("slot.created", Assert.Single(history).Kind);
        await VerifyAsync(result.ClassId);
        Assert.Equal(1, await SettleAsync(NewCommands()));
        Assert.Equal(0, await SettleAsync(NewCommands()));
        var slotView = await Reads.FindSlotAsync(Teacher, slots[0].Id, Cancellation);
        Assert.Equal(
            ("verified", slots[0].StartAt), (slotView!.Calendar.State, slotView.Calendar.MirroredStartAt));
    }

    /// <summary>R-CAL-04-A: fifty at once through two instances; capacity holds and nobody is lost.</summary>
    [Theory]
    [Trait("Requirement", "R-CAL-04-A")]
    [InlineData(50)]
    [InlineData(40)]
    public async Task Enrol_FiftyAtOnce_TakesExactlyTheSeatsThereAre(int capacity)
    {
        await ArrangeAsync();
        ClassCommands[] instances = [NewCommands(), NewCommands()];
        var made = await DoneAsync(instances[0], Teacher, Creation(slots: 2, capacity: capacity));
        var students = new List<Actor>();
        for (var i = 0; i < 50; i++)
            students.Add(await NewStudentAsync());
        var outcomes = await Task.WhenAll(students.Select((student, i) => instances[i % 2].ExecuteAsync(
            Envelope(student, new ClassCommand.Enrol(), made.ClassId), Cancellation)));
        Assert.Equal(capacity, outcomes.Count(outcome => outcome is CommandOutcome.Done { Fresh: true }));
        Assert.Equal(
            50 - capacity,
            outcomes.Count(outcome => outcome is CommandOutcome.Refused { Refusal: Refusal.ClassFull }));
        var view = (await Reads.FindClassAsync(Teacher, made.ClassId, Cancellation))!;
        Assert.Equal(capacity, view.SeatsTaken);
        Assert.All(view.Schedules[0].Slots, slot => Assert.Equal(capacity + 1, slot.Calendar.DesiredVersion));
        Assert.Equal(
            capacity,
            await CountAsync(
                "SELECT COUNT(*) FROM operations WHERE class_id = @ClassId AND enrolment_id IS NOT NULL",
                made));
        await VerifyAsync(made.ClassId);
        await SettleAsync(instances[0]);
        var seats = await Reads.ListEnrolmentsAsync(Teacher, made.ClassId, null, 100, Cancellation);
        Assert.Equal(capacity, seats.Items.Count);
        Assert.All(seats.Items, seat => Assert.Equal(("active", "pending"), (seat.State, seat.PaymentState)));
        Assert.Equal(
            capacity * 2,
            await CountAsync(
                "SELECT COUNT(*) FROM notices WHERE class_id = @ClassId AND kind = 'reminder'", made));
    }

    /// <summary>R-FIX-3-B: the same student at once through two instances has one seat.</summary>
    [Fact]
    [Trait("Requirement", "R-FIX-3-B")]
    public async Task Enrol_TheSameStudentAtOnce_IsOneSeat()
    {
        await ArrangeAsync();
        ClassCommands[] instances = [NewCommands(), NewCommands()];
        var made = await DoneAsync(instances[0], Teacher, Creation());
        var student = await NewStudentAsync();
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => instances[i % 2].ExecuteAsync(
            Envelope(student, new ClassCommand.Enrol(), made.ClassId), Cancellation)));
        Assert.Single(outcomes.Cast<CommandOutcome.Done>(), done => done.Fresh);
        Assert.Single(
            outcomes.Cast<CommandOutcome.Done>().Select(done => done.Result.EnrolmentId).Distinct());
        Assert.Single((await Reads.ListEnrolmentsAsync(student, made.ClassId, null, 10, Cancellation)).Items);
    }

    /// <summary>R-STORM-3: enrolments and moves at once; every seat and the last time are there.</summary>
    [Fact]
    [Trait("Requirement", "R-STORM-3")]
    public async Task EnrolAndMove_AtOnce_BothHold()
    {
        await ArrangeAsync();
        ClassCommands[] instances = [NewCommands(), NewCommands()];
        var made = await DoneAsync(instances[0], Teacher, Creation());
        var slot = (await Reads.FindClassAsync(Teacher, made.ClassId, Cancellation))!.Schedules[0].Slots[0];
        var work = new List<Task<CommandOutcome>>();
        for (var i = 0; i < 20; i++)
        {
            var student = await NewStudentAsync();
            var move = new ClassCommand.MoveSlot(slot.Id, new SlotDraft($"2026-03-{10 + i:d2}T14:00"));
            work.Add(
                instances[i % 2].ExecuteAsync(
                Envelope(student, new ClassCommand.Enrol(), made.ClassId), Cancellation));
            work.Add(instances[(i + 1) % 2].ExecuteAsync(Envelope(Teacher, move), Cancellation));
        }

        Assert.All(await Task.WhenAll(work), outcome => Assert.IsType<CommandOutcome.Done>(outcome));
        var after = (await Reads.FindSlotAsync(Teacher, slot.Id, Cancellation))!;
        Assert.EndsWith("T14:00:00", after.StartLocal, StringComparison.Ordinal);
        Assert.Equal(21, after.Version);
        Assert.Equal(41, after.Calendar.DesiredVersion);
        Assert.Equal(20, (await Reads.FindClassAsync(Teacher, made.ClassId, Cancellation))!.SeatsTaken);
    }

    /// <summary>R-CAL-13-B, R-CAL-16-B: cancelling while students enrol leaves no live seat.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-13-B")]
    public async Task CancelClass_WhileStudentsEnrol_LeavesNoLiveSeat()
    {
        await ArrangeAsync();
        ClassCommands[] instances = [NewCommands(), NewCommands()];
        var made = await DoneAsync(instances[0], Teacher, Creation(slots: 2));
        var work = new List<Task<CommandOutcome>>();
        for (var i = 0; i < 20; i++)
        {
            var student = await NewStudentAsync();
            work.Add(
                instances[i % 2].ExecuteAsync(
                Envelope(student, new ClassCommand.Enrol(), made.ClassId), Cancellation));
            if (i == 10)
            {
                work.Add(instances[1].ExecuteAsync(
                    Envelope(Teacher, new ClassCommand.CancelClass { ExpectedVersion = 1 }, made.ClassId),
                    Cancellation));
            }
        }

        var outcomes = await Task.WhenAll(work);
        Assert.All(outcomes, outcome => Assert.True(
            outcome is CommandOutcome.Done or CommandOutcome.Refused { Refusal: Refusal.ClassCancelled }));
        await VerifyAsync(made.ClassId);
        await SettleAsync(instances[0]);
        Assert.Equal("cancelled", (await Reads.FindClassAsync(Teacher, made.ClassId, Cancellation))!.State);
        var seats = (await Reads.ListEnrolmentsAsync(Teacher, made.ClassId, null, 100, Cancellation)).Items;
        Assert.All(seats, seat => Assert.Equal("cancelled", seat.State));
        Assert.Equal(
            seats.Count,
            await CountAsync(
                "SELECT COUNT(*) FROM notices WHERE class_id = @ClassId AND kind = 'class_cancelled'", made));
        Assert.Equal(
            0,
            await CountAsync(
                "SELECT COUNT(*) FROM operations WHERE class_id = @ClassId AND NOT settled", made));
    }

    /// <summary>R-CAL-17-A: moved reminders are cancelled at once and written anew after
    /// verification.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-17-A")]
    public async Task Move_WithAReminder_LeavesExactlyOneForTheNewTime()
    {
        await ArrangeAsync();
        var commands = NewCommands();
        var made = await DoneAsync(commands, Teacher, Creation());
        var student = await NewStudentAsync();
        await DoneAsync(commands, student, new ClassCommand.Enrol(), made.ClassId);
        await VerifyAsync(made.ClassId);
        await SettleAsync(commands);
        var slot = (await Reads.FindClassAsync(Teacher, made.ClassId, Cancellation))!.Schedules[0].Slots[0];
        await DoneAsync(
            commands, Teacher, new ClassCommand.MoveSlot(slot.Id, new SlotDraft("2026-03-10T14:00")));
        const string Scheduled = "SELECT COUNT(*) FROM notices WHERE class_id = @ClassId AND kind = "
            + "'reminder' AND state = 'scheduled'";
        Assert.Equal(0, await CountAsync(Scheduled, made));
        await VerifyAsync(made.ClassId);
        await SettleAsync(commands);
        Assert.Equal(1, await CountAsync(Scheduled, made));
        var notices = (await Operations.NoticesAsync(student, null, 50, Cancellation)).Items;
        var reminder = Assert.Single(notices, each => each is { Kind: "reminder", State: "scheduled" });
        Assert.Equal(new DateTimeOffset(2026, 3, 10, 13, 0, 0, TimeSpan.Zero), reminder.DueAt);
        Assert.Equal(2, reminder.SlotVersion);
        Assert.Single(notices, each => each.Kind == "slot_moved");
    }

    /// <summary>R-CAL-07-P: past its deadline a seat is rolled back, and after verification free
    /// again.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-07-P")]
    public async Task Deadline_RollsBackAndFreesTheSeat()
    {
        await ArrangeAsync();
        var commands = NewCommands(options: new ClassOptions { SeatDeadline = TimeSpan.FromMinutes(3) });
        var made = await DoneAsync(commands, Teacher, Creation(capacity: 1));
        await VerifyAsync(made.ClassId);
        await SettleAsync(commands);
        var student = await NewStudentAsync();
        var seat = await DoneAsync(commands, student, new ClassCommand.Enrol(), made.ClassId);
        var late = Start.AddMinutes(3);
        Assert.Equal(0, await SettleAsync(commands, late.AddSeconds(-1)));
        Assert.Equal(1, await SettleAsync(commands, late));
        Assert.Equal(
            "rolling_back",
            (await Reads.FindEnrolmentAsync(student, seat.EnrolmentId!, Cancellation))!.State);
        await VerifyAsync(made.ClassId);
        Assert.Equal(1, await SettleAsync(commands, late));
        var ended = (await Reads.FindEnrolmentAsync(student, seat.EnrolmentId!, Cancellation))!;
        Assert.Equal(("failed_rolled_back", "deadline"), (ended.State, ended.Reason));
        Assert.Equal(
            "compensated", (await Operations.FindAsync(student, seat.OperationId!, Cancellation))!.State);
        await DoneAsync(commands, await NewStudentAsync(), new ClassCommand.Enrol(), made.ClassId);
    }

    /// <summary>R-CAL-02-P: what breaks before the commit leaves nothing behind, not even the
    /// journal.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-02-P")]
    public async Task Execute_WhenItBreaksBeforeTheCommit_LeavesNothing()
    {
        await ArrangeAsync();
        var made = await DoneAsync(NewCommands(), Teacher, Creation());
        var student = await NewStudentAsync();
        var broken = NewCommands(
            prefix => prefix == "opn" ? throw new TimeoutException("crash") : Ids.Next(prefix));
        var before = await CountAsync("SELECT COUNT(*) FROM journal WHERE class_id = @ClassId", made);
        var key = new IdempotencyClaim("POST /enrolments", "k", "f");
        await Assert.ThrowsAsync<TimeoutException>(() => broken.ExecuteAsync(
            Envelope(student, new ClassCommand.Enrol(), made.ClassId, key), Cancellation));
        Assert.Equal(0, (await Reads.FindClassAsync(Teacher, made.ClassId, Cancellation))!.SeatsTaken);
        Assert.Equal(0, await CountAsync("SELECT COUNT(*) FROM enrolments WHERE class_id = @ClassId", made));
        Assert.Equal(
            0, await CountAsync("SELECT COUNT(*) FROM idempotency_keys WHERE user_id = @UserId", student));
        Assert.Equal(
            before, await CountAsync("SELECT COUNT(*) FROM journal WHERE class_id = @ClassId", made));
    }

    /// <summary>One command that cannot be stored does not take its neighbours in the batch with
    /// it.</summary>
    [Fact]
    public async Task Execute_WhenOneOfABatchBreaks_TheOthersCommit()
    {
        await ArrangeAsync();
        var made = await DoneAsync(NewCommands(), Teacher, Creation());
        var taken = (await DoneAsync(
            NewCommands(), await NewStudentAsync(), new ClassCommand.Enrol(), made.ClassId)).EnrolmentId!;
        var repeats = 0;
        var clashing = NewCommands(
            prefix => prefix == "enr" && Interlocked.Increment(ref repeats) % 7 == 3 ? taken : Ids.Next(
            prefix), 1);
        var students = new List<Actor>();
        for (var i = 0; i < 12; i++)
            students.Add(await NewStudentAsync());
        var work = students.Select(student => clashing.ExecuteAsync(
            Envelope(student, new ClassCommand.Enrol(), made.ClassId), Cancellation)).ToList();
        var (done, failed) = (0, 0);
        foreach (var task in work)
        {
            try
            {
                Assert.IsType<CommandOutcome.Done>(await task);
                done++;
            }
            catch (ConstraintViolatedException)
            {
                failed++;
            }
        }

        Assert.InRange(failed, 0, 4);
        Assert.Equal(done + 1, (await Reads.FindClassAsync(Teacher, made.ClassId, Cancellation))!.SeatsTaken);
    }

    /// <summary>Each role sees its own, and unknown or malformed ids are nothing, not faults.</summary>
    [Fact]
    public async Task Reads_ForStrangers_ShowNothing()
    {
        await ArrangeAsync();
        var commands = NewCommands();
        var made = await DoneAsync(commands, Teacher, Creation());
        var (ana, ben) = (await NewStudentAsync(), await NewStudentAsync());
        var seat = await DoneAsync(commands, ana, new ClassCommand.Enrol(), made.ClassId);
        var rival = new Actor(TenantId, await NewUserAsync(TenantId), Role.Instructor);
        var stranger = new Actor(await NewTenantAsync(), Teacher.UserId, Role.Admin);
        foreach (var other in (Actor[])[rival, stranger])
        {
            Assert.Null(await Reads.FindClassAsync(other, made.ClassId, Cancellation));
            Assert.Null(await Reads.FindEnrolmentAsync(other, seat.EnrolmentId!, Cancellation));
            Assert.Null(await Operations.FindAsync(other, seat.OperationId!, Cancellation));
            Assert.Empty(
                (await Reads.ListEnrolmentsAsync(other, made.ClassId, null, 10, Cancellation)).Items);
            Assert.Empty(await Operations.HistoryAsync(other, made.ClassId, null, 0, 10, Cancellation));
        }

        Assert.Null(await Reads.FindEnrolmentAsync(ben, seat.EnrolmentId!, Cancellation));
        Assert.Null(await Operations.FindAsync(ben, seat.OperationId!, Cancellation));
        Assert.NotNull(await Operations.FindAsync(ana, seat.OperationId!, Cancellation));
        Assert.NotNull(await Reads.FindClassAsync(ben, made.ClassId, Cancellation));
        Assert.Single(
            (await Reads.ScheduleAsync(ana, Start, Start.AddDays(60), null, 10, Cancellation)).Items);
        Assert.Empty(
            (await Reads.ScheduleAsync(ben, Start, Start.AddDays(60), null, 10, Cancellation)).Items);
        Assert.Single((await Reads.ListClassesAsync(ben, null, null, 10, Cancellation)).Items);
        foreach (var wrong in (string[])["", "a\0b", "' OR 1=1", new string('x', 5000)])
        {
            Assert.Null(await Reads.FindClassAsync(ana, wrong, Cancellation));
            var outcome = await commands.ExecuteAsync(
                Envelope(ana, new ClassCommand.CancelSeat(wrong)), Cancellation);
            Assert.IsType<Refusal.NotFound>(Assert.IsType<CommandOutcome.Refused>(outcome).Refusal);
        }
    }
}

public sealed class SqliteClassCommandsTests(SqliteTestDatabase fixture)
    : ClassCommandsContract(fixture), IClassFixture<SqliteTestDatabase>;

[Collection(PostgresFixture.Collection)]
public sealed class PostgresClassCommandsTests(PostgresTestDatabase fixture)
    : ClassCommandsContract(fixture), IClassFixture<PostgresTestDatabase>;
