using System.Collections.Immutable;
using CalSync.Classes;
using CalSync.Storage.Classes;
using CalSync.Storage.Mirroring;
using CalSync.Sync.HandEdits;
using CalSync.Sync.Mirroring;
using Xunit;

namespace CalSync.Tests.Contracts;

/// <summary>
/// Goal: on each engine a change made on the calendar is one question, about the slot as it was, decided once
/// by whoever may, in the transaction that moves or cancels the slot; and calendars are read back by one
/// process at a time. Method: turns and readings as workers record them, with the times given.
/// </summary>
public abstract class ProposalContract(TestDatabase fixture) : ClassContract(fixture)
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(90);
    private static readonly DateTimeOffset Later = new(2026, 3, 10, 16, 0, 0, TimeSpan.Zero);

    private MirrorStore Mirrors => new(Database, Ids);

    private CalendarReadingStore Readings => new(Database);

    private ProposalReads Proposals => new(Database);

    /// <summary>Accepting is the slot's own move: one operation, the proposal decided, and the event is
    /// desired where it is.</summary>
    [Fact]
    public async Task Accept_OfAMove_MovesTheSlotAsAnyMove()
    {
        var (made, commands) = await VerifiedClassAsync();
        var seat = await DoneAsync(commands, await NewStudentAsync(), new ClassCommand.Enrol(), made.ClassId);
        await VerifyAsync(made.ClassId);
        await SettleAsync(commands);
        var found = await FoundAsync(new HandEditFinding.Moved(Later, Later.AddHours(1)));
        Assert.Equal(
            ("moved", "pending", 1L, 0L),
            (found.Kind, found.State, found.StudentCount, found.PaidCount));
        Assert.Equal(seat.EnrolmentId, Assert.Single(found.Students).EnrolmentId);

        var result = await DoneAsync(commands, Teacher, new ClassCommand.AcceptProposal(found.Id));

        var slot = await SlotAsync(made);
        Assert.Equal((Later, Later.AddHours(1)), (slot.StartAt, slot.EndAt));
        Assert.Equal(
            "slot.move", (await Operations.FindAsync(Teacher, result.OperationId!, Cancellation))!.Kind);
        found = (await Proposals.FindAsync(Teacher, found.Id, Cancellation))!;
        Assert.Equal(("accepted", Teacher.UserId, 2L), (found.State, found.DecidedBy, found.Version));
        var task = await TaskAsync();
        Assert.Equal((null, Later), (task.Proposal, task.Desired.Content.Start.Instant));
        Assert.False(task.TimesVerified);
        Assert.Equal(1, await JournalledAsync(found.Id, "proposal.made"));
        Assert.Equal(1, await JournalledAsync(found.Id, "proposal.accepted"));
        await VerifyAsync(made.ClassId);
        await SettleAsync(commands);
        Assert.Equal(1, await CountAsync(
            "SELECT count(*) FROM notices WHERE class_id = @ClassId AND kind = 'slot_moved'", made));
    }

    /// <summary>Refusing asks the mirror to write what the slot says, and tells nobody.</summary>
    [Fact]
    public async Task Refuse_OfAMove_HasTheEventWrittenBack()
    {
        var (made, commands) = await VerifiedClassAsync();
        var before = await SlotAsync(made);
        var found = await FoundAsync(new HandEditFinding.Moved(Later, Later.AddHours(1)));
        Assert.Equal(Later, (await TaskAsync()).Proposal!.ToStart);
        var result = await DoneAsync(commands, Teacher, new ClassCommand.RefuseProposal(found.Id));
        var task = await TaskAsync();
        Assert.Equal((null, before.StartAt), (task.Proposal, task.Desired.Content.Start.Instant));
        Assert.True(task.TimesVerified);
        Assert.Equal(before.Version, (await SlotAsync(made)).Version);
        Assert.Equal(
            ("slot.restore", 1),
            (await Operations.FindAsync(Teacher, result.OperationId!, Cancellation)) is { } operation
                ? (operation.Kind, operation.StepCount)
                : default);
        Assert.Equal("refused", (await Proposals.FindAsync(Teacher, found.Id, Cancellation))!.State);
        Assert.IsType<CommandOutcome.Refused>(await commands.ExecuteAsync(
            Envelope(Teacher, new ClassCommand.AcceptProposal(found.Id)), Cancellation));
        Assert.False(Assert.IsType<CommandOutcome.Done>(await commands.ExecuteAsync(
            Envelope(Teacher, new ClassCommand.RefuseProposal(found.Id)), Cancellation)).Fresh);
    }

    /// <summary>Only the class's instructor, an admin and the product decide, and only on what they
    /// saw.</summary>
    [Fact]
    public async Task Decide_ByWhoeverMayNotOrHasNotSeenIt_IsRefused()
    {
        var (_, commands) = await VerifiedClassAsync();
        var found = await FoundAsync(new HandEditFinding.Moved(Later, Later.AddHours(1)));
        var another = new Actor(TenantId, await NewUserAsync(TenantId), Role.Instructor);
        var admin = new Actor(TenantId, await NewUserAsync(TenantId, "admin"), Role.Admin);
        var stranger = new Actor(await NewTenantAsync(), admin.UserId, Role.Admin);
        ClassCommand[] both =
            [new ClassCommand.AcceptProposal(found.Id), new ClassCommand.RefuseProposal(found.Id)];
        foreach (var command in both)
        {
            Assert.IsType<Refusal.Forbidden>(await RefusedAsync(commands, await NewStudentAsync(), command));
            Assert.IsType<Refusal.Forbidden>(
                await RefusedAsync(commands, admin with { Role = Role.Operator }, command));
            Assert.IsType<Refusal.NotFound>(await RefusedAsync(commands, another, command));
            Assert.IsType<Refusal.NotFound>(await RefusedAsync(commands, stranger, command));
            Assert.IsType<Refusal.StaleVersion>(
                await RefusedAsync(commands, admin, command with { ExpectedVersion = 9 }));
        }

        Assert.Null(await Proposals.FindAsync(another, found.Id, Cancellation));
        Assert.Empty((await Proposals.ListAsync(another, null, null, null, 10, Cancellation)).Items);
        Assert.Empty((await Proposals.ListAsync(stranger, null, null, null, 10, Cancellation)).Items);
        Assert.Null(await Proposals.FindAsync(await NewStudentAsync(), found.Id, Cancellation));
        await DoneAsync(commands, admin, both[0] with { ExpectedVersion = found.Version });
        Assert.Equal("accepted", (await Proposals.FindAsync(admin, found.Id, Cancellation))!.State);
    }

    /// <summary>A slot that was changed is another slot: what was found before is withdrawn, and what is
    /// found about the old one is not stored.</summary>
    [Fact]
    public async Task Move_OfTheSlotMeanwhile_WithdrawsAndKeepsOut()
    {
        var (made, commands) = await VerifiedClassAsync();
        var found = await FoundAsync(new HandEditFinding.Moved(Later, Later.AddHours(1)));
        var claim = await ClaimAsync();
        var version = (await SlotAsync(made)).Version;
        await DoneAsync(commands, Teacher, new ClassCommand.MoveSlot(
            (await SlotAsync(made)).Id, new SlotDraft("2026-03-12T10:00")), made.ClassId);
        Assert.Equal("withdrawn", (await Proposals.FindAsync(Teacher, found.Id, Cancellation))!.State);
        Assert.Null((await Mirrors.LoadAsync(claim, Start, Cancellation))!.Proposal);
        await Mirrors.RecordAsync(
            Verified(claim, 1) with
            {
                SlotVersion = version,
                HandEdits = [new HandEditFinding.Moved(Later, Later.AddHours(2))],
            },
            Cancellation);
        Assert.IsType<Refusal.ProposalNotOpen>(
            await RefusedAsync(commands, Teacher, new ClassCommand.AcceptProposal(found.Id)));
        Assert.True(await Proposals.WithdrawMootAsync(Start, "cor_1", Cancellation) >= 1);
        var rest = Assert.Single(
            (await Proposals.ListAsync(Teacher, null, made.ClassId, null, 10, Cancellation)).Items);
        Assert.Equal(("withdrawn", "slot_moved", 2L), (rest.State, rest.Reason, rest.Version));
        Assert.Equal(1, await JournalledAsync(found.Id, "proposal.withdrawn"));
    }

    /// <summary>R-CAL-06-B: a deletion the configuration answers by cancelling the slot is carried out as a
    /// cancellation.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-06-B")]
    public async Task Deleted_WithThePolicyToCancel_IsDueAndCancelsTheSlot()
    {
        var (made, commands) = await VerifiedClassAsync(slots: 2);
        var found = await FoundAsync(new HandEditFinding.Deleted(DeletionPolicy.CancelSlot));
        Assert.Equal("cancel_slot", found.Policy);
        var due = Assert.Single(
            await Proposals.DueAsync(100, Cancellation), each => each.TenantId == TenantId);
        await DoneAsync(commands, Product, new ClassCommand.AcceptProposal(due.Id), due.ClassId);
        Assert.DoesNotContain(
            await Proposals.DueAsync(100, Cancellation), each => each.TenantId == TenantId);
        var states = (await Reads.FindClassAsync(Teacher, made.ClassId, Cancellation))!.Schedules[0].Slots
            .Select(slot => slot.State).Order(StringComparer.Ordinal);
        Assert.Equal(["cancelling", "scheduled"], states);
    }

    /// <summary>R-CAL-06-C: findings are stored in order; one question is open at a time.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-06-C")]
    public async Task Record_OfManyFindings_LeavesOneQuestionOpen()
    {
        var (made, _) = await VerifiedClassAsync();
        await FoundAsync(new HandEditFinding.Moved(Later, Later.AddHours(1)));
        var moved = await FoundAsync(new HandEditFinding.Moved(Later.AddHours(1), Later.AddHours(2)));
        Assert.Equal((2L, Later.AddHours(1)), (moved.Version, moved.ToStart!.Value));
        var deleted = await FoundAsync(new HandEditFinding.Deleted(DeletionPolicy.Ask));
        Assert.Equal(("deleted", null), (deleted.Kind, deleted.ToStart));
        await FoundAsync(
            new HandEditFinding.Relinked("cs1", "cs2"), new HandEditFinding.Moved(Later, Later.AddHours(1)));
        await FoundAsync(new HandEditFinding.Answered("moved_back"));
        var all = (await Proposals.ListAsync(Teacher, null, made.ClassId, null, 10, Cancellation)).Items;
        Assert.Equal(
            [
                ("deleted", "withdrawn", "relinked"), ("moved", "withdrawn", "deleted"),
                ("moved", "withdrawn", "moved_back"), ("relinked", "settled", "relinked"),
            ],
            all.Select(each => (each.Kind, each.State, each.Reason)).Order());
        Assert.Empty((await Proposals.ListAsync(Teacher, "pending", null, null, 10, Cancellation)).Items);
        Assert.Equal(2, (await Proposals.ListAsync(Teacher, null, null, null, 2, Cancellation)).Items.Count);
    }

    /// <summary>Who teaches elsewhere at the new time sees it before deciding.</summary>
    [Fact]
    public async Task Find_OfAMoveOntoAnotherClass_NamesTheOverlap()
    {
        var (_, commands) = await VerifiedClassAsync();
        var other = await DoneAsync(commands, Teacher, Creation(title: "Weaving"));
        await VerifyAsync(other.ClassId);
        var at = (await SlotAsync(other)).StartAt;
        await Database.WriteAsync(
            session => session.ExecuteAsync(
                "UPDATE mirrors SET next_attempt_at = NULL WHERE tenant_id = @TenantId", new { TenantId }),
            Cancellation);
        var found = await FoundAsync(new HandEditFinding.Moved(at.AddMinutes(30), at.AddMinutes(90)));
        Assert.Equal(1, found.OverlapCount);
        Assert.Equal(("Weaving", at), (Assert.Single(found.Overlaps).Title, found.Overlaps[0].StartAt));
    }

    /// <summary>What a reading sees while a turn is under way is looked at after it.</summary>
    [Fact]
    public async Task Reading_DuringATurn_HasTheEventLookedAtAfterIt()
    {
        await VerifiedClassAsync();
        var reading = await ReadingAsync();
        var watched = Assert.Single(await Readings.MirrorsAsync(reading, Start, Cancellation));
        var claim = await ClaimAsync();
        Assert.True(await Readings.RecordAsync(
            reading, [watched.Id], "token", Start.AddMinutes(2), Start, Cancellation));
        await Mirrors.RecordAsync(Verified(claim, 1), Cancellation);
        var again = Assert.Single(await ClaimsAsync(Start.AddSeconds(1)));
        Assert.Equal(claim.Id, again.Id);
        await Mirrors.RecordAsync(Verified(again, 1), Cancellation);
        Assert.Empty(await ClaimsAsync(Start.AddSeconds(2)));
    }

    /// <summary>One process reads a calendar at a time; one that was given up for dead moves no
    /// token.</summary>
    [Fact]
    public async Task Claim_OfACalendar_IsHeldUntilItsLeaseEnds()
    {
        await VerifiedClassAsync();
        var lost = await ReadingAsync();
        Assert.Empty(await ClaimReadingsAsync(Start));
        var held = Assert.Single(await ClaimReadingsAsync(Start + Lease));
        Assert.True(held.Fence > lost.Fence);
        Assert.False(await Readings.RecordAsync(lost, [], "old", Start, Start, Cancellation));
        await Readings.PutOffAsync(lost, "Unreachable", Start, Cancellation);
        Assert.True(await Readings.RecordAsync(
            held, [], "new", Start.AddHours(1), Start + Lease, Cancellation));
        Assert.Empty(await ClaimReadingsAsync(Start.AddMinutes(59)));
        var next = Assert.Single(await ClaimReadingsAsync(Start.AddHours(1)));
        Assert.Equal(("new", 0), (next.SyncToken, next.Failures));
        await Readings.PutOffAsync(next, "Unreachable", Start.AddHours(2), Cancellation);
        next = Assert.Single(await ClaimReadingsAsync(Start.AddHours(2)));
        Assert.Equal(("new", 1), (next.SyncToken, next.Failures));
    }

    /// <summary>A calendar that was not asked was not read.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-15-B")]
    public async Task Leave_OfACalendarThatIsNotAsked_KeepsWhenItWasLastRead()
    {
        await VerifiedClassAsync();
        Assert.True(await Readings.RecordAsync(
            await ReadingAsync(), [], "token", Start.AddHours(1), Start, Cancellation));
        var later = Assert.Single(await ClaimReadingsAsync(Start.AddHours(1)));
        await Readings.LeaveAsync(later, Start.AddHours(2), Cancellation);
        Assert.Empty(await ClaimReadingsAsync(Start.AddMinutes(119)));
        Assert.Equal("token", Assert.Single(await ClaimReadingsAsync(Start.AddHours(2))).SyncToken);
        Assert.Equal(Start, await Database.ReadAsync(
            session => session.ScalarAsync<DateTimeOffset>(
                "SELECT read_at FROM calendar_readings WHERE calendar_id = @CalendarId",
                new { later.CalendarId }),
            Cancellation));
    }

    private async Task<(CommandResult Made, ClassCommands Commands)> VerifiedClassAsync(int slots = 1)
    {
        await Database.WriteAsync(
            async session =>
            {
                await session.ExecuteAsync("UPDATE mirrors SET next_attempt_at = NULL");
                return await session.ExecuteAsync(
                    "UPDATE calendar_readings SET next_read_at = @never", new { never = Start.AddYears(1) });
            },
            Cancellation);
        await ArrangeAsync();
        var commands = NewCommands();
        var made = await DoneAsync(commands, Teacher, Creation(slots));
        await VerifyAsync(made.ClassId);
        await SettleAsync(commands);
        return (made, commands);
    }

    /// <summary>A turn of the first slot's mirror that found something; the newest proposal.</summary>
    private async Task<ProposalView> FoundAsync(params ImmutableArray<HandEditFinding> findings)
    {
        var claim = await ClaimAsync();
        var task = (await Mirrors.LoadAsync(claim, Start, Cancellation))!;
        Assert.NotNull(await Mirrors.RecordAsync(
            Verified(claim, task.Desired.Version) with
            {
                SlotVersion = task.SlotVersion,
                HandEdits = findings,
            },
            Cancellation));
        var newest = (await Proposals.ListAsync(Teacher, null, null, null, 1, Cancellation)).Items[0];
        return (await Proposals.FindAsync(Teacher, newest.Id, Cancellation))!;
    }

    /// <summary>The mirror of the tenant's first slot, claimed.</summary>
    private async Task<MirrorClaim> ClaimAsync()
    {
        await Database.WriteAsync(
            session => session.ExecuteAsync(
                """
                UPDATE mirrors SET next_attempt_at = @Start, lease_until = NULL WHERE id = (
                    SELECT m.id FROM mirrors m JOIN slots s ON s.id = m.slot_id
                    WHERE m.tenant_id = @TenantId ORDER BY s.start_at, s.id LIMIT 1)
                """,
                new { TenantId, Start }),
            Cancellation);
        return Assert.Single(await ClaimsAsync(Start));
    }

    private Task<ImmutableArray<MirrorClaim>> ClaimsAsync(DateTimeOffset now) =>
        Mirrors.ClaimAsync("w1", 10, 10, [], now, now + Lease, Cancellation);

    private async Task<MirrorTask> TaskAsync() =>
        (await Mirrors.LoadAsync(await ClaimAsync(), Start, Cancellation))!;

    private async Task<CalendarReading> ReadingAsync() =>
        Assert.Single(await ClaimReadingsAsync(Start));

    /// <summary>Those of this test's own calendar; other tests leave theirs in the same database.</summary>
    private async Task<IReadOnlyList<CalendarReading>> ClaimReadingsAsync(DateTimeOffset now)
    {
        var own = await Database.ReadAsync(
            session => session.FirstOrDefaultAsync<string>(
                "SELECT id FROM connections WHERE tenant_id = @TenantId", new { TenantId }),
            Cancellation);
        return [.. (await Readings.ClaimAsync("w1", 1000, now, now + Lease, now, Cancellation))
            .Where(reading => reading.ConnectionId == own)];
    }

    private static MirrorRecord Verified(MirrorClaim claim, long version) => new(
        claim, "verified", null, "{}", version, version, version, claim.Generation, claim.ProviderEventId,
        null, false, 0, null, Start, [], [], Start);

    private async Task<SlotView> SlotAsync(CommandResult made) =>
        (await Reads.FindClassAsync(Teacher, made.ClassId, Cancellation))!.Schedules[0].Slots[0];

    private async Task<Refusal> RefusedAsync(ClassCommands commands, Actor actor, ClassCommand command) =>
        Assert.IsType<CommandOutcome.Refused>(
            await commands.ExecuteAsync(Envelope(actor, command), Cancellation)).Refusal;

    private Task<long> JournalledAsync(string id, string kind) => CountAsync(
        "SELECT count(*) FROM journal WHERE subject_id = @id AND kind = @kind", new { id, kind });
}

public sealed class SqliteProposalTests(SqliteTestDatabase fixture)
    : ProposalContract(fixture), IClassFixture<SqliteTestDatabase>;

[Collection(PostgresFixture.Collection)]
public sealed class PostgresProposalTests(PostgresTestDatabase fixture)
    : ProposalContract(fixture), IClassFixture<PostgresTestDatabase>;
