using System.Text;
using CalSync.App.Api;
using CalSync.App.Api.Bodies;
using Xunit;

namespace CalSync.Tests.Api;

/// <summary>
/// Reading bodies strictly: what a client got wrong is named, nothing is skipped and nothing is guessed.
/// </summary>
public sealed class JsonBodiesTests
{
    [Theory]
    [InlineData("""{"title":"a","titel":"b"}""", "Unknown member: titel.")]
    [InlineData("""{"price":{"minor":1,"amount":2}}""", "Unknown member: price.amount.")]
    [InlineData("""{"title":"a","title":"b"}""", "Member given twice: title.")]
    [InlineData("""{"capacity":"3"}""", "Wrong type or value out of range: capacity.")]
    [InlineData("""{"capacity":1.5}""", "Wrong type or value out of range: capacity.")]
    [InlineData("""{"capacity":99999999999999999999}""", "Wrong type or value out of range: capacity.")]
    [InlineData("""{"schedules":[{"slots":{}}]}""", "Wrong type or value out of range: schedules[0].slots.")]
    [InlineData("null", "The body is null; an object is expected.")]
    public void Parse_OfABadShape_NamesThePlace(string body, string detail)
    {
        var refused = Assert.IsType<JsonBody<CreateClassRequest>.Refused>(Parse(Encoding.UTF8.GetBytes(
            body)));

        Assert.Equal("malformed-request", refused.Problem.Type.Name);
        Assert.Equal(detail, refused.Problem.Detail);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("""{"title":"a",}""")]
    [InlineData("""{"title":"a"} x""")]
    [InlineData("""{/* a */"title":"a"}""")]
    [InlineData("""{"title":"\ud800"}""")]
    [InlineData("""{"title":"\udc00x"}""")]
    [InlineData("""{"capacity":1e400}""")]
    public void Parse_OfSomethingElse_IsMalformed(string body) =>
        Assert.IsType<JsonBody<CreateClassRequest>.Refused>(Parse(Encoding.UTF8.GetBytes(body)));

    [Fact]
    public void Parse_OfBytesThatAreNotUtf8_IsMalformed()
    {
        byte[] body = [.. "{\"title\":\""u8, 0xff, 0xc0, .. "\"}"u8];

        Assert.IsType<JsonBody<CreateClassRequest>.Refused>(Parse(body));
    }

    [Fact]
    public void Parse_DeeperThanTheLimit_SaysSo()
    {
        var refused = Assert.IsType<JsonBody<CreateClassRequest>.Refused>(
            Parse(Encoding.UTF8.GetBytes($"{{\"schedules\":{new string('[', 20)}{new string(']', 20)}}}")));

        Assert.Equal("malformed-request", refused.Problem.Type.Name);
    }

    [Fact]
    public void Fingerprint_OfTheSameMeaning_IgnoresBlanksAndOrder()
    {
        var one = Fingerprint("""{"title":"Yoga","capacity":3}""");

        Assert.Equal(one, Fingerprint("""{ "capacity": 3, "title": "\u0059oga" }"""));
        Assert.NotEqual(one, Fingerprint("""{"title":"Yoga","capacity":4}"""));
    }

    [Fact]
    public void Optional_TellsAbsentFromNull()
    {
        var read = Assert.IsType<JsonBody<PatchClassRequest>.Read>(
            JsonBodies.Parse("""{"description":null,"capacity":3}"""u8, ApiJson.Default.PatchClassRequest));

        Assert.Equal(new Optional<string>(null, true), read.Value.Description);
        Assert.Equal(new Optional<string>(null, false), read.Value.Title);
        Assert.Equal(new Optional<int?>(3, true), read.Value.Capacity);
    }

    private static JsonBody<CreateClassRequest> Parse(byte[] body) =>
        JsonBodies.Parse(body, ApiJson.Default.CreateClassRequest);

    private static string Fingerprint(string body) =>
        Assert.IsType<JsonBody<CreateClassRequest>.Read>(Parse(Encoding.UTF8.GetBytes(body))).Fingerprint;
}
