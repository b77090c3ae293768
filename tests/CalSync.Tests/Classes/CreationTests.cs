using CalSync.Classes;
using Xunit;

namespace CalSync.Tests.Classes;

/// <summary>Goal: a class says what was asked, at times that exist. Method: one case a rule.</summary>
public sealed class CreationTests
{
    private readonly ClassBench _bench = new();

    /// <summary>R-CAL-09-P: wall time, zone and instant agree and all three are kept.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-09-P")]
    public void Decide_WithTwoSlots_KeepsWallTimeZoneAndInstant()
    {
        var accepted = _bench.Do(ClassBench.Teacher, ClassBench.Creation());
        Assert.Equal(2, accepted.State.Slots.Length);
        var slot = accepted.State.Slots[0];
        Assert.Equal(new DateTimeOffset(2026, 3, 10, 10, 0, 0, TimeSpan.Zero), slot.Start.Instant);
        Assert.Equal("Europe/Lisbon", slot.Start.Zone.Id);
        var operation = Assert.Single(accepted.State.Operations.Values);
        Assert.Equal(accepted.OperationId, operation.Id);
        Assert.All(operation.Steps, step => Assert.Equal(1, step.RequiredVersion));
    }

    /// <summary>R-CAL-09-P: an offset that is not the zone's is refused, naming both.</summary>
    [Theory]
    [Trait("Requirement", "R-CAL-09-P")]
    [InlineData("2026-07-10T10:00:00", "+05:30")]
    [InlineData("2026-07-10T10:00:00Z", null)]
    public void Decide_WithAnOffsetTheZoneDoesNotHave_NamesBoth(string start, string? offset)
    {
        var refusal = _bench.Refused(
            ClassBench.Teacher, With(new SlotDraft(start, null, 60, offset), "America/New_York"));
        var mismatch = Assert.IsType<Refusal.OffsetZoneMismatch>(refusal);
        Assert.Equal("-04:00", mismatch.ZoneOffset);
        Assert.Equal(offset ?? "+00:00", mismatch.Offset);
        Assert.Equal("America/New_York", mismatch.TimeZone);
    }

    /// <summary>R-CAL-09-B: a time that clocks jump over is refused.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-09-B")]
    public void Decide_InTheGap_RefusesAndNamesTheTimeAfterIt()
    {
        var refusal = _bench.Refused(
            ClassBench.Teacher, With(new SlotDraft("2026-03-08T02:30", null, 60), "America/New_York"));
        Assert.Equal("2026-03-08T03:30:00-04:00", Assert.IsType<Refusal.NonexistentLocalTime>(refusal).Next);
    }

    /// <summary>R-CAL-09-B: a time that happens twice needs a fold.</summary>
    [Theory]
    [Trait("Requirement", "R-CAL-09-B")]
    [InlineData(null, null)]
    [InlineData(0, 5)]
    [InlineData(1, 6)]
    public void Decide_InTheOverlap_TakesTheFold(int? fold, int? utcHour)
    {
        var command = With(new SlotDraft("2026-11-01T01:30", null, 30, Fold: fold), "America/New_York");
        if (fold is null)
        {
            Assert.IsType<Refusal.AmbiguousLocalTime>(_bench.Refused(ClassBench.Teacher, command));
            return;
        }

        Assert.Equal(utcHour, _bench.Do(ClassBench.Teacher, command).State.Slots[0].Start.Instant.Hour);
    }

    /// <summary>R-CAL-09-B: a weekly class keeps its wall time across both changes of the clocks.</summary>
    [Theory]
    [Trait("Requirement", "R-CAL-09-B")]
    [InlineData("2026-03-02T09:00", 14, 13)]
    [InlineData("2026-10-26T09:00", 13, 14)]
    public void Decide_WithAWeeklyRule_KeepsTheWallTime(string start, int first, int second)
    {
        var command = With(new SlotDraft(start, null, 90), "America/New_York", "FREQ=WEEKLY;COUNT=2");
        var slots = _bench.Do(ClassBench.Teacher, command).State.Slots;
        Assert.Equal([first, second], slots.Select(slot => slot.Start.Instant.Hour));
        Assert.All(slots, slot => Assert.Equal(9, slot.Start.Local.Hour));
        Assert.All(slots, slot => Assert.Equal((10, 30), (slot.End.Local.Hour, slot.End.Local.Minute)));
    }

    /// <summary>R-CAL-09-C: renamed zones are stored under the canonical name; ambiguous ones are
    /// refused.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-09-C")]
    public void Decide_WithAZoneAlias_StoresTheCanonicalName()
    {
        var slot = new SlotDraft("2026-03-10T10:00", null, 60);
        Assert.Equal(
            "Asia/Kolkata", _bench.Do(ClassBench.Teacher, With(slot, "Asia/Calcutta")).State.TimeZone);
        var refusal = Assert.IsType<Refusal.InvalidTimeZone>(
            _bench.Refused(ClassBench.Teacher, With(slot, "IST")));
        Assert.Contains("Asia/Kolkata", refusal.Suggestions);
    }

    [Fact]
    public void Decide_WithManyFaults_NamesThemAllAtOnce()
    {
        var command = ClassBench.Creation() with
        {
            Title = " ",
            Capacity = 0,
            Description = "a\0b",
            Price = new Price(-1, "euro"),
            Schedules = [new ScheduleDraft("FREQ=WEEKLY", [new SlotDraft("yesterday")])],
        };
        var errors = Assert.IsType<Refusal.ValidationFailed>(
            _bench.Refused(ClassBench.Teacher, command)).Errors;
        Assert.Equal(
            ["title", "description", "capacity", "price.minor", "price.currency", "schedules[0].rrule",
                "schedules[0].slots[0].start", "schedules[0].slots[0].end"],
            errors.Select(error => error.Field));
    }

    [Theory]
    [InlineData("FREQ=DAILY;COUNT=501")]
    [InlineData("FREQ=YEARLY;COUNT=400")]
    [InlineData("FREQ=SECONDLY;COUNT=5")]
    public void Decide_WithARuleOutOfBounds_Refuses(string rule) => Assert.IsType<Refusal.ValidationFailed>(
        _bench.Refused(
            ClassBench.Teacher, With(new SlotDraft("2026-03-10T10:00", null, 60), "Europe/Lisbon", rule)));

    [Fact]
    public void Decide_AtTheEndOfTime_RefusesInsteadOfThrowing() => Assert.IsType<Refusal.ValidationFailed>(
        _bench.Refused(
            ClassBench.Teacher, With(new SlotDraft("9998-12-31T23:59", null, 60), "Pacific/Honolulu")));

    /// <summary>R-CAL-08-B, C-04: an equal class warns; without a named intent it is refused.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-08-B")]
    public void Decide_WhenItLooksLikeAnother_RefusesOnlyWithoutAKey()
    {
        var other = new Lookalike("cls_other", ClassBench.Noon);
        var refused = Assert.IsType<Decision.Refused>(
            _bench.Decide(ClassBench.Teacher, ClassBench.Creation(), other));
        Assert.IsType<Refusal.LooksDuplicate>(refused.Refusal);
        var named = _bench.Decide(ClassBench.Teacher, ClassBench.Creation(), other, intentNamed: true);
        Assert.Single(Assert.IsType<Decision.Accepted>(named).Warnings);
        var allowed = _bench.Decide(
            ClassBench.Teacher, ClassBench.Creation() with { AllowDuplicate = true }, other);
        Assert.Empty(Assert.IsType<Decision.Accepted>(allowed).Warnings);
    }

    private static ClassCommand.CreateClass With(SlotDraft slot, string zone, string? rrule = null) =>
        ClassBench.Creation() with { TimeZone = zone, Schedules = [new ScheduleDraft(rrule, [slot])] };
}
