using CalSync.Storage;
using Xunit;

namespace CalSync.Tests.Storage;

/// <summary>Named parameters become positions; what only looks like one stays.</summary>
public sealed class SqlTextTests
{
    [Theory]
    [InlineData("SELECT @a, @b, @a", "SELECT $1, $2, $1", "a,b", true)]
    [InlineData("@a", "$1", "a", true)]
    [InlineData("'@no', \"@no\", @yes -- @no\n, @a1_b", "'@no', \"@no\", $1 -- @no\n, $2", "yes,a1_b", true)]
    [InlineData("SELECT 'it''s @no', @a;", "SELECT 'it''s @no', $1;", "a", true)]
    [InlineData("SELECT ';', @a; SELECT @b", "SELECT ';', $1; SELECT $2", "a,b", false)]
    [InlineData("SELECT x @> y, 'open @no", "SELECT x @> y, 'open @no", "", true)]
    public void Of_Statement_FindsItsParameters(string sql, string positional, string names, bool alone)
    {
        var text = SqlText.Of(sql);
        Assert.Equal(positional, text.Positional);
        Assert.Equal(names, string.Join(',', text.Names));
        Assert.Equal(alone, text.IsSingle);
    }

    /// <summary>Values given by name are found in whatever order they come; a missing one is named.</summary>
    [Fact]
    public void Argument_OfValuesByName_IsFoundInAnyOrder()
    {
        var text = SqlText.Of("SELECT @one, @two, @three");
        Assert.Equal(1, text.Argument([("one", 1), ("two", "2")], 0).Value);
        Assert.Equal("2", text.Argument([("two", "2"), ("one", 1)], 1).Value);
        Assert.Equal(
            new Argument(null, typeof(DateTimeOffset)), text.Argument([("three", (DateTimeOffset?)null)], 2));
        var fault = Assert.Throws<ArgumentException>(
            () => text.Argument([("one", 1), ("two", "2")], 2));
        Assert.Contains("@three", fault.Message, StringComparison.Ordinal);
    }
}
