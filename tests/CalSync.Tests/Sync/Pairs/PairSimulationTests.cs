using CalSync.Lab.Simulation;
using Xunit;
using Xunit.Abstractions;

namespace CalSync.Tests.Sync.Pairs;

/// <summary>
/// Whatever people, providers and crashes do to a pair, no promise is broken. Method: random lives of two
/// simulated calendars, a seed a life; what breaks is shrunk and printed with its seed and its steps.
/// <c>simulate pairs</c> in tests/CalSync.Lab runs any number of them.
/// </summary>
[Trait("Category", "Slow")]
public sealed class PairSimulationTests(ITestOutputHelper output)
{
    private const int SeedCount = 260;

    [Theory]
    [InlineData(1, false)]
    [InlineData(10_001, false)]
    [InlineData(200_001, false)]
    [InlineData(3_000_001, false)]
    [InlineData(20_001, true)]
    [InlineData(400_001, true)]
    [InlineData(5_000_001, true)]
    [InlineData(60_000_001, true)]
    [Trait("Requirement", "R-SYNC-1-A")]
    [Trait("Requirement", "R-SYNC-2-A")]
    [Trait("Requirement", "R-SYNC-2-B")]
    [Trait("Requirement", "R-SYNC-4-A")]
    [Trait("Requirement", "R-SYNC-6-C")]
    public async Task AnyLife_KeepsEveryPromise(int firstSeed, bool hasDamage)
    {
        output.WriteLine($"seeds {firstSeed} to {firstSeed + SeedCount - 1}{(hasDamage ? " --damage" : "")}");
        Assert.Empty(await PairSimulation.RunAsync(firstSeed, SeedCount, hasDamage));
    }

    /// <summary>One side shows only busy: no word of the full side is ever there, and the full side loses
    /// none.</summary>
    [Theory]
    [InlineData(7_001, false)]
    [InlineData(800_001, false)]
    [InlineData(90_001, true)]
    [InlineData(9_000_001, true)]
    [Trait("Requirement", "R-SYNC-7-A")]
    [Trait("Requirement", "R-SYNC-7-B")]
    public async Task AnyLifeWithABusySide_KeepsEveryPromise(int firstSeed, bool hasDamage)
    {
        output.WriteLine(
            $"seeds {firstSeed} to {firstSeed + SeedCount - 1} --busy{(hasDamage ? " --damage" : "")}");
        Assert.Empty(await PairSimulation.RunAsync(firstSeed, SeedCount, hasDamage, isBusy: true));
    }

    /// <summary>Lives that once lost an edit.</summary>
    [Theory]
    [InlineData(55_498, false)]
    [InlineData(70_460, true)]
    [Trait("Requirement", "R-SYNC-6-C")]
    public async Task LifeThatOnceBroke_KeepsEveryPromise(int seed, bool hasDamage) =>
        Assert.Empty(await PairSimulation.RunAsync(seed, 1, hasDamage));

    /// <summary>
    /// Small lives on providers of several habits, each lived again for every call, every write and every
    /// change of the ledger in its run, and for everything that can go wrong there.
    /// </summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-1-D")]
    [Trait("Requirement", "R-SYNC-3-D")]
    [Trait("Requirement", "R-SYNC-4-A")]
    [Trait("Requirement", "R-SYNC-T-3")]
    public async Task AnyBoundary_WithAnyTroubleAtIt_KeepsEveryPromise()
    {
        var report = await LifeBoundaries.RunAsync();
        output.WriteLine($"{report.Boundaries} boundaries, {report.Lives} lives");
        Assert.Empty(report.Broken);
        Assert.InRange(report.Lives, 6000, int.MaxValue);
    }

    [Theory]
    [InlineData("left")]
    [InlineData("right")]
    [Trait("Requirement", "R-SYNC-7-A")]
    [Trait("Requirement", "R-SYNC-7-B")]
    public async Task AnyBoundaryWithABusySide_WithAnyTroubleAtIt_KeepsEveryPromise(string busy)
    {
        var report = await LifeBoundaries.RunAsync(isTwice: false, busy);
        output.WriteLine($"{report.Boundaries} boundaries, {report.Lives} lives");
        Assert.Empty(report.Broken);
        Assert.InRange(report.Lives, 6000, int.MaxValue);
    }

    /// <summary>The same for an undo and a restore: whatever goes wrong in it, asking again finishes it, and
    /// taking that back leaves all as it was.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-3-C")]
    [Trait("Requirement", "R-SYNC-T-3")]
    public async Task AnyBoundaryOfTakingBack_WithAnyTroubleAtIt_KeepsEveryPromise()
    {
        var report = await LifeBoundaries.RunTakingBackAsync();
        output.WriteLine($"{report.Boundaries} boundaries, {report.Lives} lives");
        Assert.Empty(report.Broken);
        Assert.InRange(report.Lives, 1000, int.MaxValue);
    }
}
