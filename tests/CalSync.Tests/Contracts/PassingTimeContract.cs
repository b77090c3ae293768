using CalSync.Classes;
using CalSync.Storage.Classes;
using Xunit;

namespace CalSync.Tests.Contracts;

/// <summary>
/// Goal: what only the passing of time asks for is true when it happens: nobody is reminded of an event that
/// is not there, and a slot that is over loses no edit. Method: on each engine, with the calendar's part
/// written in SQL.
/// </summary>
public abstract class PassingTimeContract(TestDatabase fixture) : ClassContract(fixture)
{
    private static readonly DateTimeOffset SlotStart = new(2026, 3, 10, 10, 0, 0, TimeSpan.Zero);

    private NoticeDelivery Delivery => new(Database);

    /// <summary>R-CAL-07-C: nothing is written before the calendar was verified, and nothing is left of what
    /// was undone.</summary>
    [Fact, Trait("Requirement", "R-CAL-07-C")]
    public async Task Notices_AreWrittenOnceVerified_AndNeverForASeatThatWasRolledBack()
    {
        var (commands, made, student, seat) = await EnrolAsync();
        Assert.Equal(0, await CountAsync("SELECT count(*) FROM notices WHERE class_id = @ClassId", made));
        await VerifyAsync(made.ClassId);
        await SettleAsync(commands);
        Assert.Equal(["reminder:scheduled", "seat_confirmed:sent"], await NoticesAsync(student));

        var late = await NewStudentAsync();
        await DoneAsync(commands, late, new ClassCommand.Enrol(), made.ClassId);
        await SettleAsync(commands, Start + new ClassOptions().SeatDeadline);
        await VerifyAsync(made.ClassId);
        await SettleAsync(commands, Start + new ClassOptions().SeatDeadline);
        Assert.Equal(["seat_failed:sent"], await NoticesAsync(late));
        Assert.NotNull(seat.EnrolmentId);
    }

    /// <summary>R-CAL-07-C, R-CAL-17-P: delivered when due, once, by however many processes.</summary>
    [Fact, Trait("Requirement", "R-CAL-07-C")]
    public async Task Deliver_ByTwoAtOnce_SendsEachNoticeOnce()
    {
        var (commands, made, student, _) = await EnrolAsync();
        await VerifyAsync(made.ClassId);
        await SettleAsync(commands);
        var due = SlotStart - ClassLimits.ReminderLead;
        await DeliverAsync(due.AddSeconds(-1));
        Assert.Equal(["reminder:scheduled", "seat_confirmed:sent"], await NoticesAsync(student));
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => DeliverAsync(due)));
        Assert.Equal(["reminder:sent", "seat_confirmed:sent"], await NoticesAsync(student));
        const string Sent = "SELECT count(*) FROM journal WHERE class_id = @ClassId AND kind = 'notice.sent'";
        Assert.Equal(1, await CountAsync(Sent, made));
    }

    /// <summary>R-CAL-07-C: while the calendar does not show the time there is no reminder, and after the
    /// start none at all.</summary>
    [Theory, Trait("Requirement", "R-CAL-07-C")]
    [InlineData("verified_version = 0")]
    [InlineData("state = 'gone'")]
    public async Task Deliver_AReminderWhoseEventIsNotThere_WaitsAndIsCancelled(string spoil)
    {
        var (commands, made, student, _) = await EnrolAsync();
        await VerifyAsync(made.ClassId);
        await SettleAsync(commands);
        await Database.WriteAsync(
            session => session.ExecuteAsync(
                $"UPDATE mirrors SET {spoil} WHERE slot_id IN (SELECT id FROM slots WHERE class_id = "
                + "@ClassId)", made),
            Cancellation);
        await DeliverAsync(SlotStart.AddMinutes(-1));
        Assert.Equal(["reminder:scheduled", "seat_confirmed:sent"], await NoticesAsync(student));
        await DeliverAsync(SlotStart);
        Assert.Equal(["reminder:cancelled", "seat_confirmed:sent"], await NoticesAsync(student));
        const string Kept =
            "SELECT count(*) FROM journal WHERE class_id = @ClassId AND kind = 'notice.cancelled'";
        Assert.Equal(1, await CountAsync(Kept, made));
    }

    /// <summary>R-CAL-07-C: what takes a slot or a seat away cancels the unsent reminder and corrects the
    /// sent one.</summary>
    [Theory, Trait("Requirement", "R-CAL-07-C")]
    [InlineData("move", true)]
    [InlineData("slot", true)]
    [InlineData("class", true)]
    [InlineData("seat", true)]
    [InlineData("move", false)]
    [InlineData("slot", false)]
    [InlineData("class", false)]
    [InlineData("seat", false)]
    public async Task Reminder_OfWhatIsTakenBack_IsCancelledOrCorrected(string what, bool sent)
    {
        var (commands, made, student, seat) = await EnrolAsync();
        await VerifyAsync(made.ClassId);
        await SettleAsync(commands);
        var now = sent ? SlotStart.AddMinutes(-30) : Start;
        await DeliverAsync(now);
        var slot = (await Reads.FindClassAsync(Teacher, made.ClassId, Cancellation))!.Schedules[0].Slots[0];
        await DoneAsync(
            commands,
            Teacher,
            what switch
            {
                "move" => new ClassCommand.MoveSlot(slot.Id, new SlotDraft("2026-03-10T15:00")),
                "slot" => new ClassCommand.CancelSlot(slot.Id),
                "class" => new ClassCommand.CancelClass(),
                _ => new ClassCommand.CancelSeat(seat.EnrolmentId!),
            },
            made.ClassId,
            now);
        await VerifyAsync(made.ClassId);
        await SettleAsync(commands, now);
        await DeliverAsync(now);

        var notices = (await Operations.NoticesAsync(student, null, 50, Cancellation)).Items;
        var first = Assert.Single(notices, each => each.Kind == "reminder" && each.SlotVersion == 1);
        Assert.Equal(sent ? "sent" : "cancelled", first.State);
        Assert.Equal(sent ? 1 : 0, notices.Count(each => each is { Kind: "correction", State: "sent" }));
        Assert.Equal(
            what == "move" ? 1 : 0, notices.Count(each => each is { Kind: "reminder", State: "scheduled" }));
    }

    /// <summary>R-CAL-13-A: an edit and the completion of an ended slot race: one is told to look again,
    /// nothing is lost.</summary>
    [Fact, Trait("Requirement", "R-CAL-13-A")]
    public async Task Complete_RacingAnEditAThousandTimes_LosesNoField()
    {
        await ArrangeAsync();
        ClassCommands[] instances = [NewCommands(), NewCommands()];
        var made = await DoneAsync(instances[0], Teacher, Creation());
        var slotId =
            (await Reads.FindClassAsync(Teacher, made.ClassId, Cancellation))!.Schedules[0].Slots[0].Id;
        var now = Start.AddDays(60);
        var (seed, jobsFirst) = (Environment.TickCount, 0);
        var random = new Random(seed);
        for (var round = 0; round < 1000; round++)
        {
            var slot = (await Reads.FindSlotAsync(Teacher, slotId, Cancellation))!;
            var view = (await Reads.FindClassAsync(Teacher, made.ClassId, Cancellation))!;
            var to = new SlotDraft(
                $"2026-03-{10 + (round % 20):d2}T{random.Next(6, 20):d2}:{round % 60:d2}",
                DurationMinutes: 45);
            var move = new ClassCommand.MoveSlot(slotId, to) { ExpectedVersion = slot.Version };
            Task<CommandOutcome> Complete() => RunAsync(
                instances[0], Product,
                new ClassCommand.CompleteSlot(slotId) { ExpectedVersion = slot.Version }, made, now);
            Task<CommandOutcome> Move() => RunAsync(instances[1], Teacher, move, made, now);
            var rename = RunAsync(
                instances[random.Next(2)], Teacher,
                new ClassCommand.UpdateClass(Title: $"Round {round}") { ExpectedVersion = view.Version },
                made, now);
            var (completing, moving) = (random.Next(2) == 0) switch
            {
                true => (Complete(), Move()),
                false => Swap(Move(), Complete()),
            };
            var where = $"seed {seed} round {round}";
            await Task.WhenAll(completing, moving, rename);

            // One of the two met the version it had seen; the other was told to look again.
            var jobWon = await completing is CommandOutcome.Done;
            Assert.True(jobWon != await moving is CommandOutcome.Done, where);
            var loser = Assert.IsType<CommandOutcome.Refused>(jobWon ? await moving : await completing);
            Assert.Equal(slot.Version + 1, Assert.IsType<Refusal.StaleVersion>(loser.Refusal).Current);
            if (jobWon)
            {
                jobsFirst++;
                Assert.Equal("completed", (await Reads.FindSlotAsync(Teacher, slotId, Cancellation))!.State);
                Assert.IsType<CommandOutcome.Done>(await RunAsync(
                    instances[1], Teacher, move with { ExpectedVersion = slot.Version + 1 }, made, now));
            }

            var after = (await Reads.FindSlotAsync(Teacher, slotId, Cancellation))!;
            Assert.True(after.StartLocal == to.Start + ":00", where);
            Assert.Equal(("scheduled", slot.Version + (jobWon ? 2 : 1)), (after.State, after.Version));
            Assert.IsType<CommandOutcome.Done>(await rename);
            Assert.Equal(
                $"Round {round}", (await Reads.FindClassAsync(Teacher, made.ClassId, Cancellation))!.Title);
        }

        Assert.InRange(jobsFirst, 1, 999);
        Assert.Equal(
            jobsFirst,
            await CountAsync(
            "SELECT count(*) FROM journal WHERE subject_id = @slotId AND kind = 'slot.completed'",
            new { slotId }));
        Assert.Equal(
            1000,
            await CountAsync(
            "SELECT count(*) FROM journal WHERE subject_id = @slotId AND kind = 'slot.moved'",
            new { slotId }));
    }

    /// <summary>A slot is completed after its end and not before; its event stays, and so does who sat in
    /// it.</summary>
    [Fact, Trait("Requirement", "R-CAL-13-A")]
    public async Task EndedSlots_AreThoseThatAreOver_AndCompletingOneWritesNoEvent()
    {
        var (commands, made, student, _) = await EnrolAsync();
        await VerifyAsync(made.ClassId);
        await SettleAsync(commands);
        var end = SlotStart.AddHours(1);
        Assert.DoesNotContain(
            await Reads.EndedSlotsAsync(end.AddTicks(-10), 1000, Cancellation),
            each => each.ClassId == made.ClassId);
        var ended = Assert.Single(
            await Reads.EndedSlotsAsync(end, 1000, Cancellation), each => each.ClassId == made.ClassId);
        var complete = new ClassCommand.CompleteSlot(ended.SlotId) { ExpectedVersion = ended.Version };
        Assert.False(
            Assert.IsType<CommandOutcome.Done>(
            await RunAsync(commands, Product, complete, made, end.AddTicks(-10))).Fresh);
        Assert.True(
            Assert.IsType<CommandOutcome.Done>(await RunAsync(commands, Product, complete, made, end)).Fresh);
        Assert.IsType<Refusal.Forbidden>(
            Assert.IsType<CommandOutcome.Refused>(
                await RunAsync(commands, Teacher, complete, made, end)).Refusal);

        var slot = (await Reads.FindSlotAsync(Teacher, ended.SlotId, Cancellation))!;
        Assert.Equal(("completed", "verified"), (slot.State, slot.Calendar.State));
        await DoneAsync(commands, student, new ClassCommand.CancelSeat(
            (await Reads.ListEnrolmentsAsync(student, made.ClassId, null, 10, Cancellation)).Items[0].Id),
                made.ClassId, end);
        slot = (await Reads.FindSlotAsync(Teacher, ended.SlotId, Cancellation))!;
        Assert.Equal(slot.Calendar.VerifiedVersion, slot.Calendar.DesiredVersion);
        Assert.Equal(
            "cancelled",
            (await Reads.ListEnrolmentsAsync(student, made.ClassId, null, 10, Cancellation)).Items[0].State);
        Assert.IsType<Refusal.NoSlotLeft>(Assert.IsType<CommandOutcome.Refused>(
            await RunAsync(commands, student, new ClassCommand.Enrol(), made, end)).Refusal);
    }

    private static (Task<CommandOutcome>, Task<CommandOutcome>) Swap(
        Task<CommandOutcome> moving, Task<CommandOutcome> completing) =>
        (completing, moving);

    private Task<CommandOutcome> RunAsync(
        ClassCommands commands, Actor actor, ClassCommand command, CommandResult made, DateTimeOffset now) =>
        commands.ExecuteAsync(Envelope(actor, command, made.ClassId, now: now), Cancellation);

    private Task<int> DeliverAsync(DateTimeOffset now) =>
        Delivery.DeliverAsync(now, 1000, Ids.Next("cor"), Cancellation);

    private async Task<(ClassCommands Commands, CommandResult Made, Actor Student, CommandResult Seat)>
        EnrolAsync()
    {
        await ArrangeAsync();
        var commands = NewCommands();
        var made = await DoneAsync(commands, Teacher, Creation());
        var student = await NewStudentAsync();
        return (commands, made, student,
            await DoneAsync(commands, student, new ClassCommand.Enrol(), made.ClassId));
    }

    private async Task<string[]> NoticesAsync(Actor student) =>
        [.. (await Operations.NoticesAsync(student, null, 50, Cancellation)).Items
            .Select(each => $"{each.Kind}:{each.State}").Order(StringComparer.Ordinal)];
}

public sealed class SqlitePassingTimeTests(SqliteTestDatabase fixture)
    : PassingTimeContract(fixture), IClassFixture<SqliteTestDatabase>;

[Collection(PostgresFixture.Collection)]
public sealed class PostgresPassingTimeTests(PostgresTestDatabase fixture)
    : PassingTimeContract(fixture), IClassFixture<PostgresTestDatabase>;
