using CalSync.Calendar.Comparison;
using CalSync.Sync.Pairs;
using CalSync.Sync.Pairs.Planning;
using Xunit;

namespace CalSync.Tests.Sync.Pairs;

/// <summary>When a run is stopped before its first write. Method: both sides of every limit.</summary>
public sealed class BrakeTests
{
    [Theory]
    [InlineData(0, 5)]
    [InlineData(10, 5)]
    [InlineData(20, 5)]
    [InlineData(24, 6)]
    [InlineData(100, 25)]
    [InlineData(199, 49)]
    [InlineData(200, 50)]
    [InlineData(10_000, 50)]
    [Trait("Requirement", "R-SYNC-2-D")]
    public void Judge_StopsAboveTheShareAndAboveTheCount(int events, int allowed)
    {
        foreach (var side in new[] { MergeSide.Left, MergeSide.Right })
        {
            foreach (var kind in new[] { StepKind.Delete, StepKind.Create })
            {
                Assert.Null(Judge(kind, side, allowed, events));
                var verdict = Judge(kind, side, allowed + 1, events)!;
                Assert.Contains(
                    $"{allowed + 1}", Assert.Single(verdict.Reasons), StringComparison.Ordinal);
                Assert.Contains(side.Word(), verdict.Reasons[0], StringComparison.Ordinal);
                Assert.Equal("calsync sync home --apply-plan pln_1", verdict.Approval);
            }
        }
    }

    [Fact]
    [Trait("Requirement", "R-SYNC-2-D")]
    public void Judge_AFirstRun_MayCreateAndNotDelete()
    {
        Assert.Null(Judge(StepKind.Create, MergeSide.Right, 10_000, 0, isFirst: true));
        Assert.NotNull(Judge(StepKind.Delete, MergeSide.Right, 6, 0, isFirst: true));
    }

    [Theory]
    [InlineData(3, null, 3)]
    [InlineData(0, null, 0)]
    [InlineData(null, 100, 100)]
    [InlineData(null, 1, 1)]
    [InlineData(null, 0, 0)]
    [Trait("Requirement", "R-SYNC-2-D")]
    public void Judge_WithTheCallersLimit_TakesItForDeletionsOnly(int? count, int? percent, int allowed)
    {
        var limit = new DeletionLimit(count, percent);
        Assert.Null(Judge(StepKind.Delete, MergeSide.Left, allowed, 100, limit: limit));
        Assert.NotNull(Judge(StepKind.Delete, MergeSide.Left, allowed + 1, 100, limit: limit));
        Assert.Null(Judge(StepKind.Create, MergeSide.Left, 25, 100, limit: limit));
        Assert.NotNull(Judge(StepKind.Create, MergeSide.Left, 26, 100, limit: limit));
    }

    private static BrakeVerdict? Judge(
        StepKind kind, MergeSide side, int steps, int events, bool isFirst = false,
        DeletionLimit? limit = null)
    {
        var step = new PlanStep(
            kind, side, "u", null, SyncRule.Deleted, DeletionProof.Tombstone, [], null, null);
        var plan = new SyncPlan(
            "par_1", DateTimeOffset.UnixEpoch, [.. Enumerable.Repeat(step, steps)], 0, [])
        {
            Id = "pln_1",
        };
        return Brake.Judge(plan, "home", events, isFirst, new PairOptions(), limit);
    }
}
