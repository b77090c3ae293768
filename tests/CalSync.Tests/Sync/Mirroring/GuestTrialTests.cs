using System.Collections.Immutable;
using CalSync.Sync.Mirroring;
using Xunit;

namespace CalSync.Tests.Sync.Mirroring;

/// <summary>
/// Goal: exactly the refused guests are left out, in few writes. Method: every set of bad guests among up to
/// seven, against a provider that refuses any write with a bad new guest on it.
/// </summary>
public sealed class GuestTrialTests
{
    [Fact]
    [Trait("Requirement", "R-FIX-3-E")]
    public void Trial_OfEverySetOfBadGuests_TakesTheGoodAndNamesTheBad()
    {
        for (var count = 1; count <= 7; count++)
        {
            for (var bad = 0; bad < 1 << count; bad++)
            {
                var (taken, trial, writes) = Run(count, number => (bad & (1 << number)) != 0);
                var everybody = Enumerable.Range(0, count);
                var refused = everybody.Where(number => (bad & (1 << number)) != 0).Select(Name).ToArray();
                Assert.Equal(refused, trial.Refused.Order(StringComparer.Ordinal));
                Assert.Equal(everybody.Select(Name).Except(refused), taken.Order(StringComparer.Ordinal));
                Assert.True(writes <= 2 * count, $"{writes} writes for {count} guests, bad ones {bad:b}");
            }
        }
    }

    /// <summary>One bad guest among many costs about two writes for each halving.</summary>
    [Theory]
    [InlineData(5, 7)]
    [InlineData(40, 13)]
    [InlineData(200, 17)]
    public void Trial_OfOneBadAmongMany_IsShort(int count, int writesMax)
    {
        for (var bad = 0; bad < count; bad++)
            Assert.InRange(Run(count, number => number == bad).Writes, 1, writesMax);
    }

    private static (ImmutableHashSet<string> Taken, GuestTrial Trial, int Writes) Run(
        int count, Func<int, bool> isBad)
    {
        var all = Enumerable.Range(0, count).Select(Name).ToArray();
        var bad = Enumerable.Range(0, count).Where(isBad).Select(Name).ToHashSet(StringComparer.Ordinal);
        var (taken, trial, writes) = (ImmutableHashSet<string>.Empty, GuestTrial.None, 0);
        while (true)
        {
            ImmutableArray<string> offered = [.. all.Where(trial.Offers).Except(taken)];
            if (offered.IsEmpty && trial.IsOver)
                return (taken, trial, writes);
            writes++;
            if (offered.Any(bad.Contains))
            {
                trial = trial.Refuse(offered);
                continue;
            }

            taken = taken.Union(offered);
            trial = trial.Accept();
        }
    }

    private static string Name(int number) => $"guest{number:d3}@mail.test";
}
