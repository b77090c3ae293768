using System.Collections.Immutable;
using CalSync.Classes;
using CalSync.Storage.Classes;
using CalSync.Storage.Mirroring;
using CalSync.Sync.Mirroring;
using Xunit;

namespace CalSync.Tests.Contracts;

/// <summary>
/// Goal: on each engine one worker holds a mirror at a time, a lost claim stores nothing, and operations
/// follow their mirrors exactly. Method: claims and records as workers make them, with the times given.
/// </summary>
public abstract class MirrorContract(TestDatabase fixture) : ClassContract(fixture)
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(1);

    private MirrorStore Mirrors => new(Database, Ids);

    /// <summary>R-STORM-2: an account with much work takes nothing from one with little.</summary>
    [Fact]
    public async Task Claim_TakesOneOfEachConnectionFirst()
    {
        await BeginAsync(slots: 6);
        var busy = TenantId;
        await CreateAnotherAsync(slots: 1);
        var claims = await ClaimAsync("w1", Start, countMax: 3);
        Assert.Equal(3, claims.Length);
        Assert.Equal(2, claims.Count(claim => claim.TenantId == busy));
        var more = await ClaimAsync("w1", Start, countMax: 10, perConnectionMax: 2);
        Assert.Equal(2, more.Length);
        Assert.Empty(await Mirrors.ClaimAsync(
            "w1", 10, 10, [more[0].ConnectionId], Start, Start + Lease, Cancellation));
    }

    /// <summary>R-CAL-02-P: two workers at once never hold the same mirror.</summary>
    [Fact]
    public async Task Claim_ByManyAtOnce_GivesEachMirrorOnce()
    {
        await BeginAsync(slots: 8);
        var claims = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => ClaimAsync($"w{i}", Start, 4, 4)));
        var ids = claims.SelectMany(each => each).Select(claim => claim.Id).ToList();
        Assert.Equal(ids.Count, ids.Distinct().Count());
        Assert.Empty(ids.Except(await AllIdsAsync()));
    }

    /// <summary>R-CAL-02-C: a claim whose holder died comes back when its lease ends; the dead one is fenced
    /// off.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-02-C")]
    public async Task Claim_LeftInFlight_ComesBackWithItsOutcomeUnknown()
    {
        var made = await BeginAsync();
        var lost = Assert.Single(await ClaimAsync("w1", Start));
        Assert.False(lost.OutcomeUnknown);
        Assert.Empty(await ClaimAsync("w2", Start + Lease - TimeSpan.FromSeconds(1)));
        var later = Start + Lease;
        var held = Assert.Single(await ClaimAsync("w2", later));
        Assert.True(held.OutcomeUnknown);
        Assert.True(held.Fence > lost.Fence);
        Assert.Null(await Mirrors.RecordAsync(Verified(lost, 1, later), Cancellation));
        Assert.False(await Mirrors.RenewAsync(lost, later + Lease, Cancellation));
        Assert.False(
            await Mirrors.LeaveCalendarAsync(lost, "gone", CalendarFallback.Hold, later, Cancellation));
        Assert.Null(await Mirrors.LoadAsync(lost, later, Cancellation));
        Assert.Equal("pending", await OperationStateAsync(made));
        Assert.NotNull(await Mirrors.RecordAsync(Verified(held, 1, later), Cancellation));
        Assert.Equal("verified", await OperationStateAsync(made));
        Assert.Null(await Mirrors.RecordAsync(Verified(held, 1, later), Cancellation));
    }

    /// <summary>A renewed claim is held for longer.</summary>
    [Fact]
    public async Task Renew_KeepsOthersOut()
    {
        await BeginAsync();
        var claim = Assert.Single(await ClaimAsync("w1", Start));
        Assert.True(await Mirrors.RenewAsync(claim, Start + Lease + Lease, Cancellation));
        Assert.Empty(await ClaimAsync("w2", Start + Lease));
        Assert.Single(await ClaimAsync("w2", Start + Lease + Lease));
    }

    /// <summary>R-STORM-3: what is asked for during a write is written next, after a rest; only what was
    /// reached is done.</summary>
    [Fact]
    public async Task Record_WhenMoreIsWantedMeanwhile_IsDueAgainAfterItsRest()
    {
        var made = await BeginAsync();
        var claim = Assert.Single(await ClaimAsync("w1", Start));
        var slot = (await Reads.FindClassAsync(Teacher, made.ClassId, Cancellation))!.Schedules[0].Slots[0];
        var moves = new List<CommandResult>();
        foreach (var hour in (int[])[14, 15, 16])
        {
            moves.Add(await DoneAsync(
                NewCommands(), Teacher,
                new ClassCommand.MoveSlot(slot.Id, new SlotDraft($"2026-03-10T{hour}:00")),
                made.ClassId));
        }

        Assert.NotNull(await Mirrors.RecordAsync(Verified(claim, 1, Start), Cancellation));
        Assert.Equal("verified", await OperationStateAsync(made));
        Assert.All(
            await Task.WhenAll(moves.Select(OperationStateAsync)),
            state => Assert.NotEqual("verified", state));
        Assert.Empty(await ClaimAsync("w1", Start));
        var again = Assert.Single(await ClaimAsync("w1", Start + Rest));
        Assert.Equal((1, 1, false), (again.AppliedVersion, again.VerifiedVersion, again.OutcomeUnknown));
        var task = (await Mirrors.LoadAsync(again, Start + Rest, Cancellation))!;
        Assert.Equal((4, 16), (task.Desired.Version, task.Desired.Content.Start.Instant.Hour));
        await Mirrors.RecordAsync(Verified(again, 4, Start + Rest), Cancellation);
        Assert.All(
            await Task.WhenAll(moves.Select(OperationStateAsync)), state => Assert.Equal("verified", state));
        Assert.Empty(await ClaimAsync("w1", Start + Rest + Rest));
    }

    /// <summary>R-CAL-04-P: an operation is verified when its last event is, also when two are recorded at
    /// once.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-04-P")]
    public async Task Record_OfTheLastTwoAtOnce_VerifiesTheOperation()
    {
        var made = await BeginAsync(slots: 3);
        var claims = await ClaimAsync("w1", Start);
        Assert.NotNull(await Mirrors.RecordAsync(Verified(claims[0], 1, Start), Cancellation));
        Assert.NotEqual("verified", await OperationStateAsync(made));
        await Task.WhenAll(
            claims.Skip(1).Select(claim => Mirrors.RecordAsync(Verified(claim, 1, Start), Cancellation)));
        var operation = (await Operations.FindAsync(Teacher, made.OperationId!, Cancellation))!;
        Assert.Equal(("verified", 3), (operation.State, operation.StepsVerified));
        var due = await Operations.DueSettlementsAsync(Start, 1000, Cancellation);
        Assert.Contains(due, each => each.OperationId == made.OperationId);
        await SettleAsync(NewCommands());
        due = await Operations.DueSettlementsAsync(Start, 1000, Cancellation);
        Assert.DoesNotContain(due, each => each.OperationId == made.OperationId);
        Assert.True((await Mirrors.StandingAsync(made.OperationId!, Cancellation))!.Settled);
    }

    /// <summary>R-FIX-3-E: a refused guest stops their own operation and nobody else's.</summary>
    [Fact]
    [Trait("Requirement", "R-FIX-3-E")]
    public async Task Record_WithARefusedGuest_VerifiesTheOthers()
    {
        var made = await BeginAsync();
        var commands = NewCommands();
        var seats = new List<CommandResult>();
        for (var i = 0; i < 3; i++)
        {
            seats.Add(await DoneAsync(commands, await NewStudentAsync(), new ClassCommand.Enrol(),
                made.ClassId));
        }

        var claim = Assert.Single(await ClaimAsync("w1", Start));
        var refused = (await Database.ReadAsync(
            session => session.FirstOrDefaultAsync<string>(
                "SELECT calendar_email FROM enrolments WHERE id = @EnrolmentId", seats[1]), Cancellation))!;

        var touched = await Mirrors.RecordAsync(
            Verified(claim, 4, Start) with { State = "needs_attention", RefusedGuests = [refused] },
                Cancellation);

        Assert.Equal(4, touched!.Value.Length);
        Assert.Equal(
            ["verified", "verified", "needs_attention", "verified"],
            await Task.WhenAll(seats.Prepend(made).Select(OperationStateAsync)));
        var operation = (await Operations.FindAsync(Teacher, seats[1].OperationId!, Cancellation))!;
        Assert.Equal(($"AttendeeRejected: {refused}", 0), (operation.Reason, operation.StepsVerified));
        await SettleAsync(commands);
        var seat = (await Reads.FindEnrolmentAsync(Teacher, seats[1].EnrolmentId!, Cancellation))!;
        Assert.Equal(("rolling_back", operation.Reason), (seat.State, seat.Reason));
        var again = Assert.Single(await ClaimAsync("w1", Start + Rest));
        var task = (await Mirrors.LoadAsync(again, Start + Rest, Cancellation))!;
        Assert.DoesNotContain(refused, task.Desired.Content.Attendees.Select(guest => guest.Email));
    }

    /// <summary>R-CAL-05-B: a calendar that is gone holds all its events at once.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-05-B")]
    public async Task LeaveCalendar_WithoutAnother_HoldsAllItsMirrors()
    {
        var made = await BeginAsync(slots: 3);
        var claims = await ClaimAsync("w1", Start, countMax: 2);
        Assert.True(
            await Mirrors.LeaveCalendarAsync(
            claims[0], "gone", CalendarFallback.Primary, Start, Cancellation));
        Assert.Equal("parked", await OperationStateAsync(made));
        Assert.Equal(3, await CountAsync(
            "SELECT COUNT(*) FROM mirrors WHERE tenant_id = @TenantId AND state = 'parked' AND reason = "
                + "'calendar_gone'",
            new { TenantId }));
        Assert.Null(await Mirrors.RecordAsync(Verified(claims[1], 1, Start), Cancellation));
        Assert.Empty(await ClaimAsync("w1", Start + Lease));
    }

    /// <summary>R-CAL-05-B: or they all move to the primary one, under new ids; a turn still under way stores
    /// nothing.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-05-B")]
    public async Task LeaveCalendar_WithAPrimaryOne_MovesAllItsMirrors()
    {
        var made = await BeginAsync(slots: 3);
        var claims = await ClaimAsync("w1", Start, countMax: 2);
        var (primary, lost) = (Ids.Next("cal"), claims[0].CalendarId);
        await Database.WriteAsync(
            async session =>
            {
                await session.ExecuteAsync(
                    "UPDATE calendars SET kind = 'SECONDARY' WHERE id = @lost", new { lost });
                return await session.ExecuteAsync(
                    """
                    INSERT INTO calendars (id, connection_id, remote_id, summary, kind, time_zone,
                        access_role, state, selected, updated_at)
                    VALUES (@primary, @ConnectionId, 'me', 'Me', 'PRIMARY', 'UTC', 'owner', 'available', @no,
                        @Start)
                    """,
                    new { primary, claims[0].ConnectionId, no = false, Start });
            },
            Cancellation);
        Assert.True(
            await Mirrors.LeaveCalendarAsync(
            claims[0], "gone", CalendarFallback.Primary, Start, Cancellation));
        Assert.Null(await Mirrors.RecordAsync(Verified(claims[1], 1, Start), Cancellation));
        var moved = await ClaimAsync("w2", Start);
        Assert.Equal(3, moved.Length);
        Assert.All(
            moved,
            claim =>
            Assert.Equal(
            (primary, 2, "available"), (claim.CalendarId, claim.Generation, claim.CalendarState)));
        Assert.Empty(
            moved.Select(claim => claim.ProviderEventId)
            .Intersect(claims.Select(claim => claim.ProviderEventId)));
        await Task.WhenAll(
            moved.Select(claim => Mirrors.RecordAsync(Verified(claim, 1, Start), Cancellation)));
        Assert.Equal("verified", await OperationStateAsync(made));
    }

    /// <summary>R-FIX-5-RB, R-FIX-1-RB: switches count from the next load on, and end by
    /// themselves.</summary>
    [Fact]
    [Trait("Requirement", "R-FIX-5-RB")]
    public async Task Load_FollowsTheSwitches()
    {
        await BeginAsync();
        var claim = Assert.Single(await ClaimAsync("w1", Start));
        var task = (await Mirrors.LoadAsync(claim, Start, Cancellation))!;
        Assert.Equal((true, null), (task.Verify, task.CallTimeout));
        var until = Start + TimeSpan.FromMinutes(5);
        await Database.WriteAsync(
            session => session.ExecuteAsync(
                """
                INSERT INTO switches (name, value, reason, actor, set_at, expires_at)
                VALUES ('provider-timeout', '27', 'slow', 'x', @Start, @until), ('verification', 'off',
                    'slow', 'x', @Start, @until)
                """,
                new { Start, until }),
            Cancellation);
        task = (await Mirrors.LoadAsync(claim, Start, Cancellation))!;
        Assert.Equal(
            (false, until, TimeSpan.FromSeconds(27)), (task.Verify, task.VerifyAgainAt, task.CallTimeout));
        task = (await Mirrors.LoadAsync(claim, until, Cancellation))!;
        Assert.Equal((true, null), (task.Verify, task.CallTimeout));
        await Database.WriteAsync(session => session.ExecuteAsync("DELETE FROM switches"), Cancellation);
    }

    /// <summary>R-FIX-1-RB: what was written unverified is verified when the switch's term is over, by
    /// nobody's hand.</summary>
    [Fact]
    [Trait("Requirement", "R-FIX-1-RB")]
    public async Task Sweep_WhileVerificationIsOff_WaitsForTheEndOfItsTerm()
    {
        await BeginAsync();
        var until = Start + TimeSpan.FromMinutes(5);
        var claim = Assert.Single(await ClaimAsync("w1", Start));
        await Mirrors.RecordAsync(
            Verified(claim, 1, Start) with
            {
                State = "unverified",
                VerifiedVersion = 0,
                NextAttemptAt = Start.AddDays(1),
            },
            Cancellation);
        await Database.WriteAsync(
            session => session.ExecuteAsync(
                """
                INSERT INTO switches (name, value, reason, actor, set_at, expires_at)
                VALUES ('verification', 'off', 'reads fail', 'x', @Start, @until)
                """,
                new { Start, until }),
            Cancellation);
        Assert.Equal(0, await Mirrors.SweepUnverifiedAsync(until.AddSeconds(-1), Cancellation));
        Assert.Empty(await ClaimAsync("w1", until.AddSeconds(-1)));
        Assert.Equal(1, await Mirrors.SweepUnverifiedAsync(until, Cancellation));
        Assert.Equal(claim.Id, Assert.Single(await ClaimAsync("w1", until)).Id);
        await Database.WriteAsync(session => session.ExecuteAsync("DELETE FROM switches"), Cancellation);
    }

    /// <summary>A class whose mirrors are the only ones due.</summary>
    private async Task<CommandResult> BeginAsync(int slots = 1)
    {
        await Database.WriteAsync(
            session => session.ExecuteAsync("UPDATE mirrors SET next_attempt_at = NULL"), Cancellation);
        return await CreateAnotherAsync(slots);
    }

    private async Task<CommandResult> CreateAnotherAsync(int slots)
    {
        await ArrangeAsync();
        return await DoneAsync(NewCommands(), Teacher, Creation(slots));
    }

    private Task<ImmutableArray<MirrorClaim>> ClaimAsync(
        string owner, DateTimeOffset now, int countMax = 10, int perConnectionMax = 10) =>
        Mirrors.ClaimAsync(owner, countMax, perConnectionMax, [], now, now + Lease, Cancellation);

    private static MirrorRecord Verified(MirrorClaim claim, long version, DateTimeOffset now) => new(
        claim, "verified", null, "{}", version, version, version, claim.Generation, claim.ProviderEventId,
        null, false, 0, null, now + Rest, [], [], now);

    private async Task<string> OperationStateAsync(CommandResult of) =>
        (await Mirrors.StandingAsync(of.OperationId!, Cancellation))!.State;

    private Task<IReadOnlyList<string>> AllIdsAsync() => Database.ReadAsync(
        session =>
            session.QueryAsync<string>(
            "SELECT id FROM mirrors WHERE tenant_id = @TenantId", new { TenantId }),
        Cancellation);
}

public sealed class SqliteMirrorTests(SqliteTestDatabase fixture)
    : MirrorContract(fixture), IClassFixture<SqliteTestDatabase>;

[Collection(PostgresFixture.Collection)]
public sealed class PostgresMirrorTests(PostgresTestDatabase fixture)
    : MirrorContract(fixture), IClassFixture<PostgresTestDatabase>;
