using CalSync.App.Api.Idempotency;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace CalSync.Tests.Api;

/// <summary>
/// R-FIX-4-A: both header names are read, quotes are optional, and a contradiction is refused.
/// </summary>
public sealed class IdempotencyHeaderTests
{
    [Theory]
    [InlineData("Idempotency-Key", "abc")]
    [InlineData("X-Idempotency-Key", "abc")]
    [InlineData("Idempotency-Key", "\"abc\"")]
    [InlineData("x-idempotency-key", " abc ")]
    [Trait("Requirement", "R-FIX-4-A")]
    public void Read_OfEitherHeader_GivesTheKey(string header, string value) =>
        Assert.Equal(new IdempotencyHeader.Key("abc"), IdempotencyHeader.Read(Headers((header, value))));

    [Fact]
    [Trait("Requirement", "R-FIX-4-A")]
    public void Read_OfBothHeaders_WantsThemEqual()
    {
        Assert.Equal(
            new IdempotencyHeader.Key("k"),
            IdempotencyHeader.Read(Headers(("Idempotency-Key", "\"k\""), ("X-Idempotency-Key", "k"))));
        Assert.IsType<IdempotencyHeader.Refused>(
            IdempotencyHeader.Read(Headers(("Idempotency-Key", "k"), ("X-Idempotency-Key", "j"))));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\"\"")]
    [InlineData("a b")]
    [InlineData("\"a")]
    [InlineData("a\"b")]
    [InlineData("\"a\\b\"")]
    [InlineData("é")]
    [InlineData("a\u0000b")]
    public void Read_OfAnUnusableKey_RefusesIt(string value) =>
        Assert.IsType<IdempotencyHeader.Refused>(IdempotencyHeader.Read(Headers(("Idempotency-Key", value))));

    [Theory]
    [InlineData(255, true)]
    [InlineData(256, false)]
    public void Read_OfALongKey_HasALimit(int length, bool accepted) =>
        Assert.Equal(
            accepted,
            IdempotencyHeader.Read(Headers(("Idempotency-Key", new string('k',
                length)))) is IdempotencyHeader.Key);

    [Fact]
    public void Read_WithoutAHeader_IsMissing() =>
        Assert.IsType<IdempotencyHeader.Missing>(IdempotencyHeader.Read(new HeaderDictionary()));

    private static HeaderDictionary Headers(params (string Name, string Value)[] values)
    {
        var headers = new HeaderDictionary();
        foreach (var (name, value) in values)
            headers[name] = value;
        return headers;
    }
}
