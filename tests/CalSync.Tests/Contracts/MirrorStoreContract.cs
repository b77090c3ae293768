using CalSync.Classes;
using CalSync.Storage.Connections;
using CalSync.Storage.Journal;
using CalSync.Storage.Mirroring;
using CalSync.Storage.Secrets;
using CalSync.Sync.Connections;
using CalSync.Sync.Mirroring;
using CalSync.Sync.Providers;
using Xunit;

namespace CalSync.Tests.Contracts;

/// <summary>Goal: claims exclude each other, and a turn's end is stored whole or not at all. Method: on each
/// engine.</summary>
public abstract class MirrorStoreContract(TestDatabase fixture) : ClassContract(fixture)
{
    private MirrorStore Store => new(Database, Ids);

    private ConnectionStore Connections =>
        new(Database, new TokenCipher(KeyRing.Load(Fixture.Options.DataDirectory, null)), Ids);

    /// <summary>R-CAL-04-P: one writer an event; a claim that ended is taken over, and its holder changes
    /// nothing more.</summary>
    [Fact, Trait("Requirement", "R-CAL-04-P")]
    public async Task RecordAsync_AfterTheClaimWasTakenOver_ChangesNothing()
    {
        await NewClassAsync();
        var first = Assert.Single(await ClaimAsync("a", Start));
        Assert.Empty(await ClaimAsync("b", Start.AddSeconds(89)));
        var second = Assert.Single(await ClaimAsync("b", Start.AddSeconds(90)));
        Assert.False(first.OutcomeUnknown);
        Assert.True(second.OutcomeUnknown);
        Assert.Null(await Store.RecordAsync(Verified(first), Cancellation));
        Assert.False(await Store.RenewAsync(first, Start.AddHours(1), Cancellation));
        Assert.Null(await Store.LoadAsync(first, Start, Cancellation));
        Assert.Equal(("in_flight", 0), await MirrorAsync(first.Id));
        var operation = Assert.Single((await Store.RecordAsync(Verified(second), Cancellation))!.Value);
        Assert.Equal(("verified", 1), await MirrorAsync(first.Id));
        Assert.Equal("verified", (await Store.StandingAsync(operation, Cancellation))!.State);
    }

    /// <summary>The history of a slot holds that of its event, by whichever id one knows.</summary>
    [Fact, Trait("Requirement", "R-CAL-11-P")]
    public async Task History_OfASlotItsMirrorOrItsEvent_IsTheSame()
    {
        await NewClassAsync(slots: 2);
        var claim = (await ClaimAsync("a", Start))[0];
        await Store.RecordAsync(Verified(claim), Cancellation);
        foreach (var id in new[] { claim.SlotId, claim.Id, claim.ProviderEventId })
        {
            var history = await new JournalReader(Database)
                .ReadAsync(new JournalQuery { PartOf = id }, Cancellation);
            Assert.Equal(["slot.created", "mirror.verified"], history.Select(record => record.Entry.Kind));
            Assert.Contains(
                $"\"eventId\":\"{claim.ProviderEventId}\"", history[1].Entry.After, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task ClaimAsync_ManyDueOfOneConnection_TakesEachConnectionsFirst()
    {
        await NewClassAsync(slots: 5);
        var heavy = TenantId;
        await NewClassAsync(keepOthers: true);
        var claims = await Store.ClaimAsync("a", 4, 3, [], Start, Start.AddSeconds(90), Cancellation);
        Assert.Equal(3, claims.Count(claim => claim.TenantId == heavy));
        Assert.Single(claims, claim => claim.TenantId == TenantId);
        var busy = claims.Where(claim => claim.TenantId == heavy).Select(claim => claim.ConnectionId)
            .Distinct().ToList();
        Assert.Empty(await Store.ClaimAsync("a", 4, 3, busy, Start, Start.AddSeconds(90), Cancellation));
    }

    /// <summary>A guest the provider refuses is no failure of the guest who came while it was being
    /// tried.</summary>
    [Fact, Trait("Requirement", "R-CAL-04-A")]
    public async Task RecordAsync_NeedsAttention_DoesNotJudgeWhatWasWantedLater()
    {
        var (commands, classId) = await NewClassAsync();
        await Store.RecordAsync(Verified(Assert.Single(await ClaimAsync("a", Start))), Cancellation);
        var refused = await DoneAsync(commands, await NewStudentAsync(), new ClassCommand.Enrol(), classId);
        var claim = Assert.Single(await ClaimAsync("a", Start.AddSeconds(1)));
        var later = await DoneAsync(commands, await NewStudentAsync(), new ClassCommand.Enrol(), classId);
        var failed = Verified(claim) with
        {
            State = "needs_attention",
            Reason = "AttendeeRejected",
            DesiredVersion = 2,
            AppliedVersion = 1,
            VerifiedVersion = 1,
        };
        Assert.Equal(
            [refused.OperationId!], (await Store.RecordAsync(failed, Cancellation))!.Value.AsEnumerable());
        Assert.Equal(
            "needs_attention", (await Store.StandingAsync(refused.OperationId!, Cancellation))!.State);
        Assert.Equal("pending", (await Store.StandingAsync(later.OperationId!, Cancellation))!.State);
        Assert.Equal(claim.Id, Assert.Single(await ClaimAsync("a", Start.AddSeconds(2))).Id);
    }

    /// <summary>R-CAL-05-B: held events go to the calendar their owner chooses, under new ids; others
    /// stay.</summary>
    [Fact, Trait("Requirement", "R-CAL-05-B")]
    public async Task SelectCalendarAsync_WithHeldMirrors_MakesThemAnewInTheChosenOne()
    {
        await NewClassAsync(slots: 2);
        var claims = await ClaimAsync("a", Start);
        var chosen = await NewCalendarAsync(claims[0].ConnectionId);
        Assert.True(
            await Store.LeaveCalendarAsync(claims[0], "gone", CalendarFallback.Hold, Start, Cancellation));
        Assert.Null(await Store.RecordAsync(Verified(claims[1]), Cancellation));
        Assert.Empty(await ClaimAsync("a", Start.AddHours(1)));
        Assert.Equal(CalendarChoice.NotWritable, await Connections.SelectCalendarAsync(
            claims[0].ConnectionId, Teacher.UserId, claims[0].CalendarId, Start, Cancellation));
        Assert.Equal(CalendarChoice.Chosen, await Connections.SelectCalendarAsync(
            claims[0].ConnectionId, Teacher.UserId, chosen, Start, Cancellation));
        var moved = await ClaimAsync("a", Start.AddHours(1));
        Assert.Equal(2, moved.Length);
        Assert.All(
            moved,
            claim =>
            Assert.Equal((chosen, 2, 0L), (claim.CalendarId, claim.Generation, claim.AppliedVersion)));
        Assert.Equal(0, await CountAsync(
            "SELECT count(*) FROM operations WHERE tenant_id = @TenantId AND state = 'parked'",
            new { TenantId }));
        Assert.Equal(1, await CountAsync(
            "SELECT count(*) FROM journal WHERE kind = 'connection.calendar_selected' AND subject_id = "
                + "@ConnectionId",
            claims[0]));
    }

    /// <summary>R-CAL-05-B: a calendar that is usable again when its account reconnects lets its events go
    /// on.</summary>
    [Fact, Trait("Requirement", "R-CAL-05-B")]
    public async Task SaveConnectionAsync_WhenTheLostCalendarIsBack_ResumesWhatWasHeld()
    {
        await NewClassAsync();
        var claim = Assert.Single(await ClaimAsync("a", Start));
        Assert.True(
            await Store.LeaveCalendarAsync(
            claim, "unwritable", CalendarFallback.Primary, Start, Cancellation));
        await ReconnectAsync(claim, "reader");
        Assert.Empty(await ClaimAsync("a", Start.AddHours(1)));
        Assert.Equal(1, await CountAsync(
            "SELECT count(*) FROM operations WHERE tenant_id = @TenantId AND state = 'parked'",
            new { TenantId }));
        await ReconnectAsync(claim, "owner");
        Assert.Equal(claim.Id, Assert.Single(await ClaimAsync("a", Start.AddHours(1))).Id);
        Assert.Equal(1, await CountAsync(
            "SELECT count(*) FROM operations WHERE tenant_id = @TenantId AND state = 'pending'",
            new { TenantId }));
    }

    /// <summary>R-CAL-01-B: a turn that ends parked after its owner has consented again leaves the work due,
    /// not asleep.</summary>
    [Fact, Trait("Requirement", "R-CAL-01-B")]
    public async Task RecordAsync_ParkedAfterTheOwnerReconnected_IsDue()
    {
        await NewClassAsync();
        var claim = Assert.Single(await ClaimAsync("a", Start));
        var grant = (await Connections.LoadAsync(claim.ConnectionId, Cancellation))!;
        Assert.True(await Connections.SaveConsentNeededAsync(
            claim.ConnectionId, grant.TokenVersion, ConsentReason.GrantRevoked, Start, Cancellation));
        await ReconnectAsync(claim, "owner");
        var operation = Assert.Single((await Store.RecordAsync(Parked(claim), Cancellation))!.Value);
        Assert.Equal(("pending", 0), await MirrorAsync(claim.Id));
        Assert.Equal("pending", (await Store.StandingAsync(operation, Cancellation))!.State);
        Assert.Equal(claim.Id, Assert.Single(await ClaimAsync("a", Start)).Id);
    }

    /// <summary>And one that ends while the grant is dead, or its account was disconnected, sleeps.</summary>
    [Theory, Trait("Requirement", "R-CAL-01-B")]
    [InlineData("needs_reauth")]
    [InlineData("disconnected")]
    public async Task RecordAsync_ParkedWhileTheGrantIsDead_StaysParked(string state)
    {
        await NewClassAsync();
        var claim = Assert.Single(await ClaimAsync("a", Start));
        await Database.WriteAsync(
            session => session.ExecuteAsync(
                "UPDATE connections SET state = @state WHERE id = @ConnectionId",
                new { state, claim.ConnectionId }),
            Cancellation);
        var operation = Assert.Single((await Store.RecordAsync(Parked(claim), Cancellation))!.Value);
        Assert.Equal(("parked", 0), await MirrorAsync(claim.Id));
        Assert.Equal("parked", (await Store.StandingAsync(operation, Cancellation))!.State);
        Assert.Empty(await ClaimAsync("a", Start.AddDays(1)));
    }

    /// <summary>R-CAL-01-B: consent and the end of a turn at the same moment: whoever is first, the work goes
    /// on.</summary>
    [Fact, Trait("Requirement", "R-CAL-01-B")]
    public async Task RecordAsync_ParkedWhileTheOwnerReconnects_NeverLeavesItAsleep()
    {
        for (var round = 0; round < 10; round++)
        {
            await NewClassAsync();
            var claim = Assert.Single(await ClaimAsync("a", Start));
            var grant = (await Connections.LoadAsync(claim.ConnectionId, Cancellation))!;
            Assert.True(await Connections.SaveConsentNeededAsync(
                claim.ConnectionId, grant.TokenVersion, ConsentReason.GrantRevoked, Start, Cancellation));
            await Task.WhenAll(
                ReconnectAsync(claim, "owner"), Store.RecordAsync(Parked(claim), Cancellation));
            Assert.Equal(claim.Id, Assert.Single(await ClaimAsync("a", Start.AddDays(1))).Id);
        }
    }

    /// <summary>R-CAL-18-B: a lost calendar is told to its owner once, and again only when it is lost
    /// again.</summary>
    [Theory, Trait("Requirement", "R-CAL-05-B"), Trait("Requirement", "R-CAL-18-B")]
    [InlineData("gone", "does not exist any more")]
    [InlineData("unwritable", "may not be written any more")]
    public async Task LeaveCalendarAsync_TellsTheOwnerOnceForEachLoss(string state, string words)
    {
        await NewClassAsync(slots: 2);
        var claim = (await ClaimAsync("a", Start))[0];
        Assert.True(await Store.LeaveCalendarAsync(claim, state, CalendarFallback.Hold, Start, Cancellation));
        // As after another consent: the event goes on and meets the same loss.
        await Database.WriteAsync(
            session => session.ExecuteAsync(
                "UPDATE mirrors SET state = 'pending', next_attempt_at = @Start WHERE id = @Id",
                new { Start, claim.Id }),
            Cancellation);
        var second = Assert.Single(await ClaimAsync("a", Start.AddMinutes(5)));
        Assert.True(await Store.LeaveCalendarAsync(
            second, state, CalendarFallback.Hold, Start.AddMinutes(5), Cancellation));
        var notice = Assert.Single((await Operations.NoticesAsync(Teacher, null, 10, Cancellation)).Items);
        Assert.Equal("calendar_lost", notice.Kind);
        Assert.Contains($"'Teaching' {words}", notice.Message, StringComparison.Ordinal);

        await ReconnectAsync(claim, "owner");
        var back = (await ClaimAsync("a", Start.AddHours(1)))[0];
        Assert.True(
            await Store.LeaveCalendarAsync(
            back, state, CalendarFallback.Hold, Start.AddHours(1), Cancellation));
        Assert.Equal(2, (await Operations.NoticesAsync(Teacher, null, 10, Cancellation)).Items.Count);
    }

    /// <summary>R-CAL-18-A: whose own calendar entry is made anew is told, once for the seat, whether the
    /// events move by themselves or when their owner chooses; who has no seat is not.</summary>
    [Theory, Trait("Requirement", "R-CAL-18-A")]
    [InlineData(CalendarFallback.Primary)]
    [InlineData(CalendarFallback.Hold)]
    public async Task LeaveCalendarAsync_TellsEachStudentOnceThatTheEntryIsMadeAnew(CalendarFallback fallback)
    {
        var (commands, classId) = await NewClassAsync(slots: 3);
        var (seated, gone) = (await NewStudentAsync(), await NewStudentAsync());
        foreach (var student in new[] { seated, gone })
            await DoneAsync(commands, student, new ClassCommand.Enrol(), classId);
        await Database.WriteAsync(
            session => session.ExecuteAsync(
                """
                UPDATE enrolments
                SET state = CASE WHEN student_id = @UserId THEN 'active' ELSE 'cancelled' END
                WHERE class_id = @classId
                """,
                new { seated.UserId, classId }),
            Cancellation);
        var claim = (await ClaimAsync("a", Start))[0];
        var other = await NewCalendarAsync(claim.ConnectionId);
        await Database.WriteAsync(
            session => session.ExecuteAsync(
                """
                UPDATE calendars SET kind = CASE WHEN id = @other THEN 'PRIMARY' ELSE 'SECONDARY' END
                WHERE connection_id = @ConnectionId
                """,
                new { other, claim.ConnectionId }),
            Cancellation);
        Assert.True(await Store.LeaveCalendarAsync(claim, "gone", fallback, Start, Cancellation));
        if (fallback == CalendarFallback.Hold)
        {
            Assert.Empty(await ToldAsync(seated));
            Assert.Equal(
                CalendarChoice.Chosen,
                await Connections.SelectCalendarAsync(
                    claim.ConnectionId, Teacher.UserId, other, Start, Cancellation));
        }

        var notice = Assert.Single(await ToldAsync(seated));
        Assert.Equal((classId, "scheduled"), (notice.ClassId, notice.State));
        Assert.StartsWith("\"Pottery\" is being entered in another calendar", notice.Message,
            StringComparison.Ordinal);
        Assert.Empty(await ToldAsync(gone));
        Assert.Equal(3, (await ClaimAsync("a", Start)).Length);
    }

    /// <summary>What is over is nobody's concern.</summary>
    [Fact, Trait("Requirement", "R-CAL-18-A")]
    public async Task LeaveCalendarAsync_OfAClassThatIsOver_TellsNoStudent()
    {
        var (commands, classId) = await NewClassAsync();
        var student = await NewStudentAsync();
        await DoneAsync(commands, student, new ClassCommand.Enrol(), classId);
        await Database.WriteAsync(
            session => session.ExecuteAsync(
                "UPDATE enrolments SET state = 'active' WHERE class_id = @classId", new { classId }),
            Cancellation);
        var claim = Assert.Single(await ClaimAsync("a", Start.AddYears(1)));
        var other = await NewCalendarAsync(claim.ConnectionId);
        await Database.WriteAsync(
            session => session.ExecuteAsync(
                "UPDATE calendars SET kind = CASE WHEN id = @other THEN 'PRIMARY' ELSE 'SECONDARY' END "
                    + "WHERE connection_id = @ConnectionId",
                new { other, claim.ConnectionId }),
            Cancellation);
        Assert.True(await Store.LeaveCalendarAsync(
            claim, "gone", CalendarFallback.Primary, Start.AddYears(1), Cancellation));
        Assert.Empty(await ToldAsync(student));
    }

    /// <summary>R-CAL-18-P: an event on its way is taken by one, and recorded where it went, to be read back
    /// there.</summary>
    [Fact, Trait("Requirement", "R-CAL-18-P")]
    public async Task Migration_TakesEachEventOnce_AndRecordsItInItsNewPlace()
    {
        await NewClassAsync(slots: 2);
        var claims = await ClaimAsync("a", Start);
        foreach (var claim in claims)
            await Store.RecordAsync(Verified(claim), Cancellation);
        var (migrations, to) = (new MigrationStore(Database), await NewCalendarAsync(claims[0].ConnectionId));
        Assert.Null(await migrations.RouteAsync(to, to, Cancellation));
        var route = (await migrations.RouteAsync(claims[0].CalendarId, to, Cancellation))!;
        var soon = Start.AddMinutes(1);
        Task<MigrationItem?> TakeAsync() =>
            migrations.TakeAsync(route, null, "m", soon, soon.AddMinutes(1), Cancellation);

        Assert.Equal(2, await migrations.LeftAsync(route, soon, Cancellation));
        var taken = await Task.WhenAll(TakeAsync(), TakeAsync(), TakeAsync());
        var (first, second) = (taken.First(item => item is not null)!, taken.Last(item => item is not null)!);
        Assert.Equal(
            claims.Select(claim => claim.Id).Order(), new[] { first.MirrorId, second.MirrorId }.Order());
        Assert.True(first.WasWritten);
        Assert.True(await migrations.SaveAsync(route, first, "m", Ids.Next("cor"), soon, Cancellation));
        Assert.False(await migrations.SaveAsync(route, first, "m", Ids.Next("cor"), soon, Cancellation));
        await migrations.ReleaseAsync(second, Cancellation);
        Assert.Equal(1, await migrations.LeftAsync(route, soon, Cancellation));
        Assert.Equal(second.MirrorId, (await TakeAsync())!.MirrorId);
        Assert.Equal(("pending", 0), await MirrorAsync(first.MirrorId));
        var again = Assert.Single(await ClaimAsync("a", soon));
        Assert.Equal((to, 1L, 0L), (again.CalendarId, again.AppliedVersion, again.VerifiedVersion));
    }

    private static MirrorRecord Parked(MirrorClaim claim) => Verified(claim) with
    {
        State = "parked",
        Reason = MirrorReasons.NeedsConsent,
        AppliedVersion = 0,
        VerifiedVersion = 0,
    };

    private async Task<(CalSync.Storage.Classes.ClassCommands Commands, string ClassId)> NewClassAsync(
        int slots = 1, bool keepOthers = false)
    {
        if (!keepOthers)
        {
            await Database.WriteAsync(
                session => session.ExecuteAsync("UPDATE mirrors SET next_attempt_at = NULL"), Cancellation);
        }

        await ArrangeAsync();
        var commands = NewCommands();
        var made = await DoneAsync(commands, Teacher, Creation(slots));
        return (commands, made.ClassId!);
    }

    private Task<System.Collections.Immutable.ImmutableArray<MirrorClaim>> ClaimAsync(
        string owner, DateTimeOffset now) =>
        Store.ClaimAsync(owner, 16, 16, [], now, now.AddSeconds(90), Cancellation);

    private static MirrorRecord Verified(MirrorClaim claim) => new(
        claim, "verified", null, null, 1, 1, 1, claim.Generation, claim.ProviderEventId, null, false, 0, null,
        Start, [], [], Start);

    private async Task<(string State, long Verified)> MirrorAsync(string id) => (
        await Database.ReadAsync(
            session => session.ScalarAsync<string>("SELECT state FROM mirrors WHERE id = @id", new { id }),
            Cancellation),
        await CountAsync("SELECT verified_version FROM mirrors WHERE id = @id", new { id }));

    private async Task<IReadOnlyList<CalSync.Storage.Classes.NoticeView>> ToldAsync(Actor student) =>
        [.. (await Operations.NoticesAsync(student, null, 50, Cancellation)).Items
            .Where(notice => notice.Kind == NoticeKind.CalendarMoved)];

    private async Task<string> NewCalendarAsync(string connectionId)
    {
        var id = Ids.Next("cal");
        await Database.WriteAsync(
            session => session.ExecuteAsync(
                """
                INSERT INTO calendars (id, connection_id, remote_id, summary, kind, time_zone, access_role,
                    state, selected, updated_at)
                VALUES (@id, @connectionId, @id, 'Second', 'SECONDARY', 'UTC', 'owner', 'available', @no,
                    @Start)
                """,
                new { id, connectionId, no = false, Start }),
            Cancellation);
        return id;
    }

    private async Task ReconnectAsync(MirrorClaim claim, string role) => Assert.Equal(
        claim.ConnectionId,
        await Connections.SaveConnectionAsync(
            new NewConnection(
                TenantId, Teacher.UserId, "google-sandbox", claim.ConnectionId, "t@example.test",
                new TokenAnswer.Granted("access", "refresh", TimeSpan.FromHours(1), null),
                [new ProviderCalendar(claim.RemoteCalendarId, "Teaching", true, "UTC", role)],
                claim.ConnectionId),
            Start, Cancellation));
}

public sealed class SqliteMirrorStoreTests(SqliteTestDatabase fixture)
    : MirrorStoreContract(fixture), IClassFixture<SqliteTestDatabase>;

[Collection(PostgresFixture.Collection)]
public sealed class PostgresMirrorStoreTests(PostgresTestDatabase fixture)
    : MirrorStoreContract(fixture), IClassFixture<PostgresTestDatabase>;
