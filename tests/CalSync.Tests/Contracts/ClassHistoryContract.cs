using System.Text;
using CalSync.Classes;
using CalSync.Storage.Classes;
using CalSync.Storage.Journal;
using Xunit;

namespace CalSync.Tests.Contracts;

/// <summary>
/// Goal: nothing happens to a class that is not in the journal. Method: one class lives through every command
/// and every conclusion, and each leaves exactly the entries it must.
/// </summary>
public abstract class ClassHistoryContract(TestDatabase fixture) : ClassContract(fixture)
{
    private const string Life =
        """
        create: class.created, 3 slot.created, operation.opened
        enrol: enrolment.opened
        enrol, concluded: enrolment.active, payment.opened, notices.written
        confirm payment: payment.confirmed
        update: class.updated, operation.opened
        move slot: slot.moved, reminders.cancelled, operation.opened, notices.written
        enrol another: enrolment.opened
        too late: operation.compensating, enrolment.rolling_back, reminders.cancelled, operation.opened
        too late, concluded: enrolment.failed_rolled_back, operation.compensated, notices.written
        cancel seat: enrolment.cancelling, reminders.cancelled, operation.opened
        cancel seat, concluded: enrolment.cancelled, notices.written
        cancel slot: slot.cancelling, reminders.cancelled, operation.opened
        cancel slot, concluded: slot.cancelled
        complete slot: slot.completed
        abandon: class.updated, operation.opened, operation.abandoned
        cancel class: class.cancelling, slot.cancelling, reminders.cancelled, operation.opened
        cancel class, concluded: slot.cancelled, class.cancelled
        """;

    private readonly StringBuilder _life = new();
    private long _seq;

    [Fact, Trait("Requirement", "R-CAL-11-P")]
    public async Task EveryStepOfAClass_IsInTheJournal()
    {
        await ArrangeAsync();
        var commands = NewCommands();
        var made = await DoneAsync(commands, Teacher, Creation(slots: 3, capacity: 2));
        var (ana, ben) = (await NewStudentAsync(), await NewStudentAsync());
        var slots = (await Reads.FindClassAsync(Teacher, made.ClassId, Cancellation))!.Schedules[0].Slots;
        var now = Start;
        Task<CommandResult> DoAsync(Actor actor, ClassCommand command) =>
            DoneAsync(commands, actor, command, made.ClassId, now);
        async Task ConcludeAsync(string step)
        {
            await VerifyAsync(made.ClassId);
            await SettleAsync(commands, now);
            await TellAsync(step, made.ClassId);
        }

        await TellAsync("create", made.ClassId);
        await VerifyAsync(made.ClassId);
        await SettleAsync(commands);
        var seat = (await DoAsync(ana, new ClassCommand.Enrol())).EnrolmentId!;
        await TellAsync("enrol", made.ClassId);
        await ConcludeAsync("enrol, concluded");
        await DoAsync(Teacher, new ClassCommand.ConfirmPayment(seat));
        await TellAsync("confirm payment", made.ClassId);
        await DoAsync(Teacher, new ClassCommand.UpdateClass(Title: "Sculpture"));
        await ConcludeAsync("update");
        await DoAsync(Teacher, new ClassCommand.MoveSlot(slots[0].Id, new SlotDraft("2026-03-10T15:00")));
        await ConcludeAsync("move slot");
        await DoAsync(ben, new ClassCommand.Enrol());
        await TellAsync("enrol another", made.ClassId);
        now += new ClassOptions().SeatDeadline;
        await SettleAsync(commands, now);
        await TellAsync("too late", made.ClassId);
        await ConcludeAsync("too late, concluded");
        await DoAsync(ana, new ClassCommand.CancelSeat(seat));
        await TellAsync("cancel seat", made.ClassId);
        await ConcludeAsync("cancel seat, concluded");
        await DoAsync(Teacher, new ClassCommand.CancelSlot(slots[0].Id));
        await TellAsync("cancel slot", made.ClassId);
        await ConcludeAsync("cancel slot, concluded");
        now = slots[1].EndAt;
        await DoAsync(Product, new ClassCommand.CompleteSlot(slots[1].Id));
        await TellAsync("complete slot", made.ClassId);
        var open = await DoAsync(Teacher, new ClassCommand.UpdateClass(Title: "Casting"));
        await DoAsync(Product, new ClassCommand.AbandonOperation(open.OperationId!, "a drill"));
        await TellAsync("abandon", made.ClassId);
        await DoAsync(Teacher, new ClassCommand.CancelClass());
        await TellAsync("cancel class", made.ClassId);
        await ConcludeAsync("cancel class, concluded");

        var life = _life.ToString().TrimEnd();
        Assert.True(life == Life, $"The class lived:\n{life}");
    }

    /// <summary>Adds what the journal says has happened to the class since it was last asked.</summary>
    private async Task TellAsync(string step, string classId)
    {
        var entries = await new JournalReader(Database).ReadAsync(
            new JournalQuery { After = _seq, ClassId = classId }, Cancellation);
        var kinds = entries.GroupBy(record => record.Entry.Kind)
            .Select(kind => kind.Count() == 1 ? kind.Key : $"{kind.Count()} {kind.Key}");
        _life.Append(step).Append(": ").AppendJoin(", ", kinds).Append('\n');
        _seq = entries.Length > 0 ? entries[^1].Seq : _seq;
    }
}

public sealed class SqliteClassHistoryTests(SqliteTestDatabase fixture)
    : ClassHistoryContract(fixture), IClassFixture<SqliteTestDatabase>;

[Collection(PostgresFixture.Collection)]
public sealed class PostgresClassHistoryTests(PostgresTestDatabase fixture)
    : ClassHistoryContract(fixture), IClassFixture<PostgresTestDatabase>;
