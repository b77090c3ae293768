using System.Text.Json.Nodes;
using CalSync.Lab.Running;
using Xunit;

namespace CalSync.Tests.Api;

/// <summary>Wall time, zone and instant as people send them. Over real loopback HTTP.</summary>
public sealed class TimesTests : ProductTest
{
    [Theory]
    [Trait("Requirement", "R-CAL-09-B")]
    [InlineData("America/New_York", "2031-03-09T02:30:00", null, null, 422, "nonexistent-local-time")]
    [InlineData("America/New_York", "2031-11-02T01:30:00", null, null, 422, "ambiguous-local-time")]
    [InlineData("America/New_York", "2031-11-02T01:30:00", 0, "2031-11-02T05:30:00Z", 201, "")]
    [InlineData("America/New_York", "2031-11-02T01:30:00", 1, "2031-11-02T06:30:00Z", 201, "")]
    public async Task Create_WhenTheClocksChange_IsExplicit(
        string zone, string start, int? fold, string? instant, int status, string code)
    {
        var answer = await CreateAsync(zone, start, slot => slot["fold"] = fold);

        Assert.Equal((status, code), (answer.Status, answer["code"]));
        if (instant is not null)
            Assert.Equal(DateTimeOffset.Parse(instant, null), (DateTimeOffset)Slots(answer)[0]["startAt"]!);
        Assert.Equal(instant is null ? 0 : 1, await Product.CountAsync("SELECT count(*) FROM classes"));
    }

    [Fact]
    [Trait("Requirement", "R-CAL-09-P")]
    public async Task Create_WithAnOffsetOfAnotherZone_NamesBoth_AndARightOneIsStoredThreefold()
    {
        var wrong = await CreateAsync(
            "America/New_York", "2031-01-06T10:00:00", slot => slot["offset"] = "+05:30");
        var right = await CreateAsync(
            "America/New_York", "2031-01-06T10:00:00", slot => slot["offset"] = "-05:00");

        Assert.Equal((422, "offset-zone-mismatch"), (wrong.Status, wrong["code"]));
        Assert.Equal(
            ("+05:30", "-05:00", "America/New_York"),
            (wrong["offset"], wrong["zoneOffset"], wrong["timeZone"]));
        var slot = Slots(right.Expect(201))[0];
        Assert.Equal("2031-01-06T10:00:00", (string?)slot["startLocal"]);
        Assert.Equal("America/New_York", (string?)slot["timeZone"]);
        Assert.Equal(
            new DateTimeOffset(2031, 1, 6, 15, 0, 0, TimeSpan.Zero), (DateTimeOffset)slot["startAt"]!);
    }

    [Fact]
    [Trait("Requirement", "R-CAL-09-C")]
    public async Task Create_WithAnAlias_StoresTheCanonicalName_AndAnAbbreviationGetsSuggestions()
    {
        var alias = await CreateAsync("Asia/Calcutta", "2031-01-06T10:00:00", _ => { });
        var vague = await CreateAsync("IST", "2031-01-06T10:00:00", _ => { });

        Assert.Equal("Asia/Kolkata", alias.Expect(201)["timeZone"]);
        Assert.Equal("Asia/Kolkata", await Product.TextAsync("SELECT time_zone FROM classes"));
        Assert.Equal((422, "invalid-timezone"), (vague.Status, vague["code"]));
        Assert.Contains(vague.Body!["suggestions"]!.AsArray(), name => (string?)name == "Asia/Kolkata");
    }

    private Task<ApiAnswer> CreateAsync(string zone, string start, Action<JsonObject> change)
    {
        var slot = new JsonObject { ["start"] = start, ["durationMinutes"] = 20 };
        change(slot);
        var body = RunningProduct.ClassBody("Times", zone: zone);
        body["schedules"] = new JsonArray(new JsonObject { ["slots"] = new JsonArray(slot) });
        return Product.Maya.PostAsync("classes", body);
    }
}
