using CalSync.Classes;
using CalSync.Storage.Classes;
using CalSync.Storage.Running;
using Xunit;

namespace CalSync.Tests.Contracts;

/// <summary>Goal: one intent has one effect. Method: races through two instances, then time
/// passing.</summary>
public abstract class IdempotencyContract(TestDatabase fixture) : ClassContract(fixture)
{
    private static readonly IdempotencyClaim Key = new("POST /classes", "11111111-2222", "fingerprint");

    /// <summary>R-CAL-08-A, R-FIX-4-B: of 2 to 20 at once one is executed; the others are told it is under
    /// way.</summary>
    [Theory]
    [Trait("Requirement", "R-CAL-08-A")]
    [Trait("Requirement", "R-FIX-4-B")]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(20)]
    public async Task Execute_TheSameKeyAtOnce_HasOneEffect(int count)
    {
        await ArrangeAsync();
        ClassCommands[] instances = [NewCommands(), NewCommands()];
        var outcomes = await Task.WhenAll(
            Enumerable.Range(0, count).Select(i => instances[i % 2].ExecuteAsync(
            Envelope(Teacher, Creation(slots: 2), key: Key), Cancellation)));
        var done = Assert.Single(outcomes.OfType<CommandOutcome.Done>());
        Assert.All(
            outcomes.Except([done]),
            other => Assert.Equal(new CommandOutcome.InFlight(TimeSpan.FromSeconds(5)), other));
        Assert.Equal(
            1,
            await CountAsync("SELECT COUNT(*) FROM classes WHERE tenant_id = @TenantId", new { TenantId }));
        Assert.Equal(
            2,
            await CountAsync("SELECT COUNT(*) FROM mirrors WHERE tenant_id = @TenantId", new { TenantId }));
    }

    /// <summary>R-FIX-4-C, R-FIX-4-G, R-CAL-08-P: the same answer for 24 hours, then a new intent.</summary>
    [Fact]
    [Trait("Requirement", "R-FIX-4-C")]
    [Trait("Requirement", "R-FIX-4-G")]
    [Trait("Requirement", "R-CAL-08-P")]
    public async Task Execute_TheSameKeyLater_ReplaysForADay()
    {
        await ArrangeAsync();
        var commands = NewCommands();
        var first = await commands.ExecuteAsync(Envelope(Teacher, Creation(), key: Key), Cancellation);
        var result = Assert.IsType<CommandOutcome.Done>(first).Result;
        await commands.StoreAnswerAsync(Teacher, Key, 201, "ETag: \"1\"", "{\"id\":1}", Cancellation);
        await commands.StoreAnswerAsync(Teacher, Key, 500, null, "later", Cancellation);
        foreach (var after in (TimeSpan[])[TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10),
            TimeSpan.FromHours(23)])
        {
            var replay = await commands.ExecuteAsync(
                Envelope(Teacher, Creation(), key: Key, now: Start + after), Cancellation);
            Assert.Equal(new CommandOutcome.Replay(201, "ETag: \"1\"", "{\"id\":1}", result), replay);
        }

        var fresh = await commands.ExecuteAsync(
            Envelope(Teacher, Creation(), key: Key, now: Start.AddHours(25)), Cancellation);
        Assert.NotEqual(result.ClassId, Assert.IsType<CommandOutcome.Done>(fresh).Result.ClassId);
    }

    /// <summary>R-CAL-08-C: a holder that died before answering is taken over once, with the effect it
    /// committed.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-08-C")]
    public async Task Execute_AfterTheLeaseEnded_TakesTheEffectOver()
    {
        await ArrangeAsync();
        ClassCommands[] instances = [NewCommands(), NewCommands()];
        var first = await instances[0].ExecuteAsync(Envelope(Teacher, Creation(), key: Key), Cancellation);
        var late = Start + IdempotencyStore.Lease;
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => instances[i % 2].ExecuteAsync(
            Envelope(Teacher, Creation(), key: Key, now: late), Cancellation)));
        var taken = Assert.Single(outcomes.OfType<CommandOutcome.TakenOver>());
        Assert.Equal(((CommandOutcome.Done)first).Result, taken.Result);
        Assert.Equal(5, outcomes.Count(outcome => outcome is CommandOutcome.InFlight));
        Assert.Equal(
            1,
            await CountAsync("SELECT COUNT(*) FROM classes WHERE tenant_id = @TenantId", new { TenantId }));
    }

    /// <summary>R-FIX-4-F, D-09: the key belongs to tenant, user and route; another body is a
    /// mistake.</summary>
    [Fact]
    [Trait("Requirement", "R-FIX-4-F")]
    public async Task Execute_WithTheSameKeyElsewhere_IsIndependent()
    {
        await ArrangeAsync();
        var commands = NewCommands();
        var made = await DoneAsync(commands, Teacher, Creation());
        var enrolKey = new IdempotencyClaim("POST /enrolments", "k", "f");
        for (var i = 0; i < 2; i++)
        {
            var outcome = await commands.ExecuteAsync(
                Envelope(await NewStudentAsync(), new ClassCommand.Enrol(), made.ClassId, enrolKey),
                Cancellation);
            Assert.True(Assert.IsType<CommandOutcome.Done>(outcome).Fresh);
        }

        var student = await NewStudentAsync();
        await commands.ExecuteAsync(
            Envelope(student, new ClassCommand.Enrol(), made.ClassId, enrolKey), Cancellation);
        var otherBody = await commands.ExecuteAsync(
            Envelope(student, new ClassCommand.Enrol(), made.ClassId, enrolKey with { Fingerprint = "g" }),
            Cancellation);
        Assert.IsType<CommandOutcome.Mismatch>(otherBody);
        var otherRoute = await commands.ExecuteAsync(
            Envelope(student, new ClassCommand.Enrol(), made.ClassId, enrolKey with { Route = "PUT /x" }),
            Cancellation);
        Assert.False(Assert.IsType<CommandOutcome.Done>(otherRoute).Fresh);
    }

    /// <summary>Refusals are not stored: the key stays free for a corrected attempt.</summary>
    [Fact]
    public async Task Execute_WhenRefused_LeavesTheKeyFree()
    {
        await ArrangeAsync();
        var commands = NewCommands();
        var refused = await commands.ExecuteAsync(
            Envelope(Teacher, Creation(title: ""), key: Key with { Fingerprint = "bad" }), Cancellation);
        Assert.IsType<CommandOutcome.Refused>(refused);
        Assert.IsType<CommandOutcome.Done>(
            await commands.ExecuteAsync(Envelope(Teacher, Creation(), key: Key), Cancellation));
    }

    /// <summary>R-FIX-4-RB: without keys the unique seat and the look-alike check still hold.</summary>
    [Fact]
    [Trait("Requirement", "R-FIX-4-RB")]
    public async Task Execute_WithoutKeys_StillMakesOneClass()
    {
        await ArrangeAsync();
        ClassCommands[] instances = [NewCommands(), NewCommands()];
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 8).Select(
            i => instances[i % 2].ExecuteAsync(Envelope(Teacher, Creation()), Cancellation)));
        Assert.Single(outcomes.OfType<CommandOutcome.Done>());
        Assert.Equal(
            7,
            outcomes.Count(outcome => outcome is CommandOutcome.Refused { Refusal: Refusal.LooksDuplicate }));
    }

    /// <summary>R-FIX-4-G: how long a key counts is a setting, and expired ones go in batches, the live ones
    /// stay.</summary>
    [Fact]
    [Trait("Requirement", "R-FIX-4-G")]
    public async Task Purge_TakesNoMoreThanAskedFor_AndOnlyWhatIsExpired()
    {
        await ArrangeAsync();
        var store = new IdempotencyStore(Database);
        // What other tests of this database left.
        while (await store.PurgeAsync(Start.AddYears(1), 1000, Cancellation) > 0)
            continue;
        var brief = NewCommands(keys: new IdempotencyOptions { Retention = TimeSpan.FromHours(1) });
        for (var i = 0; i < 7; i++)
        {
            await brief.ExecuteAsync(
                Envelope(Teacher, Creation(title: $"Class {i}"), key: Key with { Key = $"k{i}" }),
                Cancellation);
        }

        var requests = new RequestKeyStore(
            Database, new IdempotencyOptions { Retention = TimeSpan.FromHours(2) });
        await requests.ClaimAsync(Teacher, Key with { Route = "PUT /x" }, "cor_x", Start, Cancellation);

        var late = Start.AddHours(1);
        Assert.Equal(0, await store.PurgeAsync(late.AddSeconds(-1), 3, Cancellation));
        var counts = new List<int>();
        for (var i = 0; i < 4; i++)
            counts.Add(await store.PurgeAsync(late, 3, Cancellation));
        Assert.Equal([3, 3, 1, 0], counts);
        Assert.Equal(1, await store.PurgeAsync(late.AddHours(1), 3, Cancellation));
    }

    /// <summary>R-FIX-4-B: the key of a request that is no class command is held until it is answered or its
    /// lease ends, and by one of however many.</summary>
    [Fact]
    [Trait("Requirement", "R-FIX-4-B")]
    public async Task Claim_OfARequestUnderWay_IsRunningUntilItsAnswerOrTheEndOfItsLease()
    {
        await ArrangeAsync();
        var requests = new RequestKeyStore(Database, new IdempotencyOptions());
        Task<RequestClaim> ClaimAsync(IdempotencyClaim claim, DateTimeOffset now) =>
            requests.ClaimAsync(Teacher, claim, "cor_x", now, Cancellation);
        var other = Key with { Fingerprint = "another" };

        var atOnce = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => ClaimAsync(Key, Start)));
        Assert.Single(atOnce.OfType<RequestClaim.Mine>());
        Assert.Equal(9, atOnce.OfType<RequestClaim.Running>().Count());
        Assert.IsType<RequestClaim.Mismatch>(await ClaimAsync(other, Start));

        var ended = Start + IdempotencyStore.Lease;
        Assert.IsType<RequestClaim.Running>(await ClaimAsync(Key, ended.AddSeconds(-1)));
        Assert.IsType<RequestClaim.Mismatch>(await ClaimAsync(other, ended));
        Assert.IsType<RequestClaim.Mine>(await ClaimAsync(Key, ended));

        await requests.KeepAsync(Teacher, Key, 200, null, "{}", Cancellation);
        // Too late to take back what was answered.
        await requests.ReleaseAsync(Teacher, Key, Cancellation);
        Assert.Equal(new RequestClaim.Answered(200, null, "{}"), await ClaimAsync(Key, ended.AddHours(1)));
        Assert.IsType<RequestClaim.Mine>(
            await ClaimAsync(other, ended + new IdempotencyOptions().Retention));
        await requests.ReleaseAsync(Teacher, other, Cancellation);
        Assert.IsType<RequestClaim.Mine>(await ClaimAsync(Key, ended));
    }

    /// <summary>R-FIX-4-RB: support can clear one user's keys; expired ones are purged.</summary>
    [Fact]
    [Trait("Requirement", "R-FIX-4-RB")]
    public async Task ClearAndPurge_ForgetKeys()
    {
        await ArrangeAsync();
        var commands = NewCommands();
        var store = new IdempotencyStore(Database);
        await commands.ExecuteAsync(Envelope(Teacher, Creation(), key: Key), Cancellation);
        Assert.Equal(1, await store.ClearAsync(Product, Teacher.UserId, Start, "cor_x", Cancellation));
        Assert.Equal(
            1,
            await CountAsync(
                "SELECT COUNT(*) FROM journal WHERE kind = 'idempotency.cleared' AND subject_id = @UserId",
                Teacher));
        await commands.ExecuteAsync(Envelope(Teacher, Creation(), key: Key), Cancellation);
        Assert.True(await store.PurgeAsync(Start.AddHours(24), 1000, Cancellation) >= 1);
        Assert.Equal(
            0, await CountAsync("SELECT COUNT(*) FROM idempotency_keys WHERE user_id = @UserId", Teacher));
    }
}

public sealed class SqliteIdempotencyTests(SqliteTestDatabase fixture)
    : IdempotencyContract(fixture), IClassFixture<SqliteTestDatabase>;

[Collection(PostgresFixture.Collection)]
public sealed class PostgresIdempotencyTests(PostgresTestDatabase fixture)
    : IdempotencyContract(fixture), IClassFixture<PostgresTestDatabase>;
