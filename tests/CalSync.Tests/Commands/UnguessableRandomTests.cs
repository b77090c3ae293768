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

    [Fact]
    public void TwoOfThem_DoNotRepeatEachOther()
    {
        var (first, second) = (new byte[16], new byte[16]);
        new UnguessableRandom().NextBytes(first);
        new UnguessableRandom().NextBytes(second);
        Assert.NotEqual(first, second);
    }
}
