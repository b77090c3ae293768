using System.Collections.Concurrent;
using CalSync.App;
using Xunit;

namespace CalSync.Tests.Commands;

/// <summary>Chance of the real process: within its bounds and not the same twice.</summary>
public sealed class UnguessableRandomTests
{
    [Fact]
    public void Numbers_AreWithinTheirBounds()
    {
        var random = new UnguessableRandom();
        for (var i = 0; i < 10_000; i++)
        {
            Assert.InRange(random.Next(3, 7), 3, 6);
            Assert.InRange(random.NextInt64(long.MinValue, long.MaxValue), long.MinValue, long.MaxValue - 1);
            Assert.InRange(random.NextInt64(-5, 5), -5, 4);
            Assert.InRange(random.NextDouble(), 0, 0.9999999999999999);
            Assert.InRange(random.NextSingle(), 0, 0.99999994f);
        }

        Assert.Equal(4, random.Next(4, 4));
        Assert.Equal(4, random.NextInt64(4, 4));
    }

    /// <summary>Small draws are served out of larger ones: none twice, on whatever thread, of whatever
    /// length.</summary>
    [Fact]
    public async Task Octets_ManyDrawsOnManyThreads_AreNeverGivenTwice()
    {
        var random = new UnguessableRandom();
        var drawn = new ConcurrentDictionary<string, int>(StringComparer.Ordinal);
        await Parallel.ForAsync(0, 4_000, (number, _) =>
        {
            var octets = new byte[8 + (number % 300)];
            random.NextBytes(octets);
            foreach (var part in octets.Chunk(8).Where(part => part.Length == 8))
                drawn.AddOrUpdate(Convert.ToHexString(part), 1, (_, count) => count + 1);
            return ValueTask.CompletedTask;
        });
        Assert.All(drawn.Values, count => Assert.Equal(1, count));
        Assert.Equal(256, drawn.Keys.Select(part => part[..2]).Distinct().Count());
    }

    [Fact]
    public void TwoOfThem_DoNotRepeatEachOther()
    {
        var (first, second) = (new byte[16], new byte[16]);
        new UnguessableRandom().NextBytes(first);
        new UnguessableRandom().NextBytes(second);
        Assert.NotEqual(first, second);
    }
}
