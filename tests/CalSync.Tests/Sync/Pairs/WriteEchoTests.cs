using CalSync.Sync.Pairs;
using CalSync.Sync.Pairs.Planning;
using Xunit;

namespace CalSync.Tests.Sync.Pairs;

/// <summary>Goal: what a provider makes of our write is never carried to the other side as an edit.</summary>
public sealed class WriteEchoTests
{
    private const string Length = "DTSTART:20260302T090000Z|DTEND:20260302T090000Z|";
    private static readonly CarryLoss NoEmptyEvents = new("DTEND", "No event without a length.");

    /// <summary>A server makes an event without a length one second long, and said so.</summary>
    [Theory]
    [InlineData(EchoVersion.Unknown, true)]
    [InlineData(EchoVersion.Same, true)]
    [InlineData(EchoVersion.Other, false)]
    [Trait("Requirement", "R-SYNC-6-C")]
    public void Seen_OfWhatTheProviderSaidItCannotHold_IsItsDoingUnlessSomebodyWrote(
        EchoVersion version, bool isItsDoing)
    {
        var sent = PairWorld.Event("e", Length + "SUMMARY:Bell|");
        var got = PairWorld.Event("e", Length.Replace("0000Z|", "0001Z|", StringComparison.Ordinal)
            .Replace("DTSTART:20260302T090001Z", "DTSTART:20260302T090000Z", StringComparison.Ordinal)
            + "SUMMARY:Bell|");
        var seen = WriteEcho.Seen(null, sent, got, version, [NoEmptyEvents]);
        Assert.Equal(isItsDoing, ResourceContent.IsSame(got, seen));
        Assert.False(ResourceContent.IsSame(
            got, WriteEcho.Seen(null, sent, got, EchoVersion.Unknown)));
    }

    /// <summary>What was said of one field is no excuse for another.</summary>
    [Fact]
    public void Seen_OfAnotherFieldThanWasSaid_IsAnEdit()
    {
        var sent = PairWorld.Event("e", "SUMMARY:Bell|");
        var got = PairWorld.Event("e", "SUMMARY:Gong|");
        var seen = WriteEcho.Seen(null, sent, got, EchoVersion.Unknown, [NoEmptyEvents]);
        Assert.True(ResourceContent.IsSame(sent, seen));
    }

    /// <summary>A server that knows only UTC, or calls zones by names of its own, tells the same moment
    /// otherwise, or drops the zone; another moment is an edit.</summary>
    [Theory]
    [InlineData("DTSTART:20260302T080000Z|", true)]
    [InlineData("DTSTART;TZID=Europe/Paris:20260302T090000|", true)]
    [InlineData("DTSTART:20260302T083000Z|", false)]
    [InlineData("DTSTART:20260302T090000|", true)]
    [Trait("Requirement", "R-SYNC-6-C")]
    public void Seen_OfATimeInAnotherZone_IsTheServersDoingWhenItIsTheSameMoment(string time, bool isItsDoing)
    {
        var sent = PairWorld.Event("e", "DTSTART;TZID=Europe/Berlin:20260302T090000|SUMMARY:Bell|");
        var got = PairWorld.Event("e", time + "SUMMARY:Bell|");
        var seen = WriteEcho.Seen(null, sent, got, EchoVersion.Unknown);
        Assert.Equal(isItsDoing, ResourceContent.IsSame(got, seen));
        Assert.Equal(!isItsDoing, ResourceContent.IsSame(sent, seen));
    }

    /// <summary>An instance that a person made meanwhile is not ours although ours has its key; and nothing
    /// else of our write is there.</summary>
    [Theory]
    [InlineData("t1", false)]
    [InlineData("ours", true)]
    [Trait("Requirement", "R-SYNC-6-C")]
    public void IsApplied_WhenSomebodyMadeTheSameInstance_IsDecidedByItsContent(string title, bool isApplied)
    {
        const string Daily = "DTSTART:20260302T090000Z|RRULE:FREQ=DAILY;COUNT=8|SUMMARY:t|";
        string Instance(string summary) => Daily + "END:VEVENT|BEGIN:VEVENT|UID:e|"
            + $"RECURRENCE-ID:20260305T090000Z|DTSTART:20260305T090000Z|SUMMARY:{summary}|";
        var held = PairWorld.Event("e", Daily);
        var sent = PairWorld.Event("e", "DESCRIPTION:v|" + Instance("ours"));
        var got = PairWorld.Event("e", Instance(title));
        Assert.Equal(isApplied, WriteEcho.IsApplied(held, sent, got));
    }

    [Fact]
    public void Losses_NameWhatTheServerDroppedAddedAndRewrote()
    {
        var sent = PairWorld.Event("e", "SUMMARY:Bell|LOCATION:Hall\\, Delhi|CONTACT:Ann|");
        var got = PairWorld.Event("e", "SUMMARY:Bell|LOCATION:Hall|X-SERVER:mine|");
        Assert.Equal(
            ["CONTACT", "LOCATION", "X-SERVER"],
            WriteEcho.Losses(sent, got).Select(loss => loss.What).Order(StringComparer.Ordinal));
        Assert.Equal(3, WriteEcho.Losses(sent, got).Select(loss => loss.Why).Distinct().Count());
        Assert.Empty(WriteEcho.Losses(sent, sent));
    }
}
