using System.Collections.Immutable;
using CalSync.Calendar.Comparison;
using CalSync.Calendar.Document;
using CalSync.Sync.Pairs;
using CalSync.Sync.Pairs.Planning;
using Xunit;

namespace CalSync.Tests.Sync.Pairs;

/// <summary>
/// Which events of two filled calendars are one. Method: a table of what both sides hold when the ledger
/// knows nothing, each row planned, mirrored, and planned again as a partial read.
/// </summary>
public sealed class FirstRunTests
{
    private const string Moment = "DTSTART:20260302T090000Z|DTEND:20260302T100000Z|";
    private const string Kolkata =
        "DTSTART;TZID=Asia/Kolkata:20260302T143000|DTEND;TZID=Asia/Kolkata:20260302T153000|";

    private const string AllDay = "DTSTART;VALUE=DATE:20260302|";

    [Theory]
    [InlineData("u:" + Moment + "SUMMARY:Yoga|", "u:" + AllDay + "SUMMARY:Other|", "LinkedByUid")]
    [InlineData("l:" + Moment + "SUMMARY:Yoga|", "r:" + Moment + "SUMMARY:Yoga|", "LinkedByContent")]
    [InlineData(
        "l:" + Moment + "SUMMARY:Yoga, hall|", "r:" + Moment + "SUMMARY:yoga HALL!|", "LinkedByContent")]
    [InlineData("l:" + Moment + "SUMMARY:Yoga|", "r:" + Kolkata + "SUMMARY:Yoga|", "LinkedByContent")]
    [InlineData("l:" + Moment + "SUMMARY:Yoga|", "r:" + Moment + "SUMMARY:Yin|", "CopiedNew CopiedNew")]
    [InlineData("l:" + Moment + "SUMMARY:Yoga|", "r:" + AllDay + "SUMMARY:Yoga|", "CopiedNew CopiedNew")]
    [InlineData("l:" + Moment + "SUMMARY:!|", "r:" + Moment + "SUMMARY:!|", "CopiedNew CopiedNew")]
    [InlineData("l:" + Moment + "|", "r:" + Moment + "|", "CopiedNew CopiedNew")]
    [InlineData(
        "l:" + Moment + "SUMMARY:Yoga|", "r:" + Moment + "RRULE:FREQ=DAILY|SUMMARY:Yoga|",
        "CopiedNew CopiedNew")]
    [InlineData(
        "l:" + Moment + "SUMMARY:Yoga|", "r:" + Moment + "SUMMARY:Yoga|#s:" + Moment + "SUMMARY:Yoga|",
        "waiting waiting waiting")]
    [InlineData(
        "l:" + Moment + "SUMMARY:Yoga|#m:" + Moment + "SUMMARY:Yoga|",
        "r:" + Moment + "SUMMARY:Yoga|#s:" + Moment + "SUMMARY:Yoga|", "waiting waiting waiting waiting")]
    [InlineData(
        "l:" + Moment + "SUMMARY:Yoga|#u:" + Moment + "SUMMARY:Yoga|",
        "r:" + Moment + "SUMMARY:Yoga|#u:" + Moment + "SUMMARY:Yoga|", "LinkedByContent LinkedByUid")]
    [InlineData("l:" + Moment + "SUMMARY:Yoga|", "", "CopiedNew")]
    [Trait("Requirement", "R-SYNC-4-B")]
    public void Plan_OfTwoUnknownCalendars_LinksWhatIsOne(string left, string right, string expected)
    {
        foreach (var (ours, theirs) in new[] { (left, right), (right, left) })
        {
            Assert.Equal(expected, Plan(ours, theirs, isCertified: true));
            // Of a partial read nothing is concluded about what is new, but what waits is named.
            Assert.Equal("", Plan(ours, theirs, isCertified: false));
        }
    }

    private static string Plan(string left, string right, bool isCertified)
    {
        var inputs = new PlanInputs(
            ConflictPolicy.Newest, Match(MergeSide.Left, left, isCertified),
            Match(MergeSide.Right, right, isCertified),
            ImmutableDictionary<string, EventMapping>.Empty, [])
        {
            IsCertified = isCertified,
        };
        var items = PairPlanner.Plan(inputs, out var troubles);
        Assert.All(troubles, trouble => Assert.Equal(TroubleKind.Ambiguous, trouble.Trouble.Kind));
        return string.Join(' ', items.Select(item => (item.Facts.LinkedBy ?? item.Rule).ToString()).Order()
            .Concat(troubles.Select(_ => "waiting")));
    }

    private static ChangeMatch Match(MergeSide side, string events, bool isCertified) => new(
        side, [],
        new ChangeSet(
            [
                .. events.Split('#', StringSplitOptions.RemoveEmptyEntries)
                    .Where(each => each.Contains(':', StringComparison.Ordinal)).Select(each =>
                        new RemoteResource(
                            new ResourceAddress($"/{side}/{each[..1]}.ics"), "\"1\"",
                            Content(each[..1], each[2..]))),
            ],
            [], null, isCertified ? new Certificate.Complete(1) : new Certificate.Partial("It broke off.")));

    private static CalendarDocument Content(string uid, string lines) => PairWorld.Event(
        uid, lines.Replace("||", "|", StringComparison.Ordinal));
}
