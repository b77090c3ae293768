using System.Xml.Linq;
using CalSync.Sandbox;
using Xunit;

namespace CalSync.Tests.Sandbox.CalDav;

/// <summary>From the entry to the calendars: well-known, passwords, principal, home, shard.</summary>
[Trait("Rule", "CALDAV")]
public sealed class DiscoveryTests : CalDavTest
{
    [Fact]
    public async Task WellKnown_WithoutAPassword_RedirectsToTheTop()
    {
        var reply = await SendAsync("PROPFIND", ".well-known/caldav", null, "Authorization: none");
        Assert.Equal(301, reply.Status);
        Assert.Equal(Entry, reply.Headers.Location);
    }

    [Fact]
    public async Task EveryAnswer_SaysThatItIsASandbox()
    {
        var reply = await SendAsync("OPTIONS", "");
        Assert.Equal(200, reply.Status);
        Assert.Contains("calendar-access", reply.Headers.GetValues("DAV").Single(), StringComparison.Ordinal);
        Assert.Equal("true", reply.Headers.GetValues("X-CalSync-Sandbox").Single());
    }

    [Theory]
    [InlineData("Authorization: none")]
    [InlineData("Authorization: Basic !!!")]
    [InlineData("Authorization: Basic bWF5YUBpY2xvdWQudGVzdDp3cm9uZw==")]
    [InlineData("Authorization: Bearer token")]
    public async Task Call_WithoutAValidPassword_Answers401(string authorization)
    {
        var reply = await SendAsync("PROPFIND", Home, null, authorization, "Depth: 0");
        Assert.Equal(401, reply.Status);
        Assert.Equal("Basic", Assert.Single(reply.Headers.WwwAuthenticate).Scheme);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task MailsAttendees_IsAnnounced(bool isOn)
    {
        await QuirksAsync(CalDavQuirks.None with { MailsAttendees = isOn });
        var features = (await SendAsync("OPTIONS", Work)).Headers.GetValues("DAV").Single();
        Assert.Equal(isOn, features.Contains("calendar-auto-schedule", StringComparison.Ordinal));
    }

    /// <summary>The account's own password signs in only when the habit is off.</summary>
    [Theory]
    [InlineData(true, 401)]
    [InlineData(false, 207)]
    public async Task NeedsAppPassword_RefusesTheAccountsOwn(bool isOn, int status)
    {
        await QuirksAsync(CalDavQuirks.None with { NeedsAppPassword = isOn });
        var own = "Authorization: " + Basic(Maya, "maya-password");
        Assert.Equal(status, (await SendAsync("PROPFIND", Home, null, own, "Depth: 0")).Status);
        Assert.Equal(207, (await PropFindAsync(Home, "0", "displayname")).Status);
    }

    [Fact]
    public async Task Revoke_EndsEveryAppPassword_UntilTheNextIsMade()
    {
        await QuirksAsync(CalDavQuirks.None with { NeedsAppPassword = true });
        await CalDav.RevokeAsync(Maya, None);
        Assert.Equal(401, (await PropFindAsync(Home, "0", "displayname")).Status);
        await CalDav.AddAppPasswordAsync(Maya, AppPassword, None);
        Assert.Equal(207, (await PropFindAsync(Home, "0", "displayname")).Status);
    }

    /// <summary>Entry, principal, home, calendars: each step by what the one before answered.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Discovery_LeadsFromTheEntryToTheCalendars(bool movesToShard)
    {
        await QuirksAsync(CalDavQuirks.ICloud with { MovesToShard = movesToShard });
        var principal = Href(
            await PropFindAsync("", "0", "current-user-principal"), D + "current-user-principal");
        Assert.Equal(Home.Replace("calendars", "principal", StringComparison.Ordinal), principal);
        var home = Href(
            await PropFindAsync(principal, "0", "calendar-home-set " + C), C + "calendar-home-set");
        Assert.Equal(movesToShard, Uri.TryCreate(home, UriKind.Absolute, out var shard) && !shard.IsFile);
        if (movesToShard)
            Assert.NotEqual(Entry.Authority, shard!.Authority);
        var calendars = await PropFindAsync(home, "1", "resourcetype", "displayname");
        Assert.Equal(
            ["Home", "Reminders", "Work"],
            calendars.Xml.Elements(D + "response")
                .Where(row => row.Descendants(C + "calendar").Any())
                .Select(row => row.Descendants(D + "displayname").Single().Value).Order());
    }

    [Theory]
    [InlineData(true, 3)]
    [InlineData(false, 0)]
    public async Task ListsOtherCollections_AddsInboxOutboxAndNotification(bool isOn, int count)
    {
        await QuirksAsync(CalDavQuirks.None with { ListsOtherCollections = isOn });
        var rows = (await PropFindAsync(Home, "1", "resourcetype")).Xml.Elements(D + "response").ToList();
        // The home itself and its three calendars are always there.
        Assert.Equal(4 + count, rows.Count);
    }

    [Fact]
    public async Task Calendar_TellsWhatItIs()
    {
        var reply = await PropFindAsync(
            Work, "0", "resourcetype", "displayname", "getctag " + Cs, "sync-token",
            "supported-report-set", "current-user-privilege-set",
            "supported-calendar-component-set " + C, "nonsense urn:x");
        var found = reply.Xml.Descendants(D + "propstat").First();
        Assert.Equal("HTTP/1.1 200 OK", found.Element(D + "status")!.Value);
        Assert.Equal(7, found.Element(D + "prop")!.Elements().Count());
        Assert.Equal("VEVENT", (string?)found.Descendants(C + "comp").Single().Attribute("name"));
        Assert.Contains(found.Descendants(), element => element.Name == D + "sync-collection");
        Assert.Contains(found.Descendants(), element => element.Name == D + "write-content");
        var missing = reply.Xml.Descendants(D + "propstat").Last();
        Assert.Equal("HTTP/1.1 404 Not Found", missing.Element(D + "status")!.Value);
        Assert.Equal(XName.Get("nonsense", "urn:x"), missing.Element(D + "prop")!.Elements().Single().Name);
    }

    [Fact]
    public async Task LacksSyncCollection_NeitherOffersNorDoesIt()
    {
        await QuirksAsync(CalDavQuirks.None with { LacksSyncCollection = true });
        var reply = await PropFindAsync(Work, "0", "sync-token", "supported-report-set", "getctag " + Cs);
        Assert.DoesNotContain(reply.Xml.Descendants(), element => element.Name == D + "sync-collection");
        Assert.Single(reply.Xml.Descendants(Cs + "getctag"), element => element.Value.Length > 0);
        AssertRefused(await SyncAsync(""), 403, D + "supported-report");
    }

    [Theory]
    [InlineData("infinity")]
    [InlineData("2")]
    public async Task PropFind_WithAnotherDepth_IsRefused(string depth) =>
        AssertRefused(await PropFindAsync(Home, depth, "getetag"), 403, D + "propfind-finite-depth");

    [Fact]
    public async Task AnotherAccountsHome_Answers403()
    {
        var truth = await CalDav.GetTruthAsync(None);
        var other = truth.Calendars.First(calendar => calendar.User == Arjun).Href;
        Assert.Equal(403, (await PropFindAsync(other, "0", "displayname")).Status);
        Assert.Equal(403, (await SendAsync("PUT", other + "a.ics", Event("u"))).Status);
    }

    /// <summary>Bodies that would harm a careless parser are refused as no XML.</summary>
    [Theory]
    [InlineData("<!DOCTYPE a [<!ENTITY b \"c\">]><propfind xmlns='DAV:'><prop>&b;</prop></propfind>")]
    [InlineData(" <?xml version='1.0'?><propfind xmlns='DAV:'/>")]
    [InlineData("<propfind xmlns='DAV:'>")]
    [InlineData("not xml")]
    public async Task HostileXml_IsRefused(string body) =>
        Assert.Equal(400, (await SendAsync("PROPFIND", Home, body, "Depth: 0")).Status);

    [Fact]
    public async Task DeeplyNestedXml_IsRefused()
    {
        var open = string.Concat(Enumerable.Repeat("<a>", 10_000));
        var close = string.Concat(Enumerable.Repeat("</a>", 10_000));
        Assert.Equal(400, (await SendAsync("PROPFIND", Home, open + close, "Depth: 0")).Status);
    }

    [Fact]
    public async Task ABodyAboveTheBound_Answers413()
    {
        var body = "<propfind xmlns='DAV:'>" + new string(' ', 9 * 1024 * 1024) + "</propfind>";
        Assert.Equal(413, (await SendAsync("PROPFIND", Home, body, "Depth: 0")).Status);
    }

    /// <summary>Both styles say the same to a parser.</summary>
    [Fact]
    public async Task WritesUnprefixedXml_ChangesTheTextAndNotTheMeaning()
    {
        await CreateAsync("a.ics", Event("u1"));
        var plain = await MultigetAsync(Work + "a.ics");
        await QuirksAsync(CalDavQuirks.None with { WritesUnprefixedXml = true });
        var apple = await MultigetAsync(Work + "a.ics");
        Assert.Contains("<D:multistatus", plain.Text, StringComparison.Ordinal);
        Assert.Contains("<multistatus xmlns=\"DAV:\">", apple.Text, StringComparison.Ordinal);
        Assert.Contains("<![CDATA[BEGIN:VCALENDAR", apple.Text, StringComparison.Ordinal);
        Assert.Contains("404 Not Found", apple.Text, StringComparison.Ordinal);
        Assert.Equal(
            plain.Xml.Descendants(C + "calendar-data").Single().Value,
            apple.Xml.Descendants(C + "calendar-data").Single().Value);
    }

    [Fact]
    public async Task LeavesStatusEmpty_LeavesOutEverySecondStatus()
    {
        await QuirksAsync(CalDavQuirks.None with { LeavesStatusEmpty = true });
        var states = (await PropFindAsync(Home, "1", "resourcetype")).Xml.Descendants(D + "status")
            .Select(status => status.Value.Length > 0).ToList();
        Assert.Equal([true, false, true, false], states);
    }

    [Fact]
    public async Task RequestsPerMinute_AboveTheLimit_Answers503UntilTheMinutePasses()
    {
        await QuirksAsync(CalDavQuirks.None with { RequestsPerMinuteMax = 2 });
        Assert.Equal(207, (await PropFindAsync(Home, "0", "displayname")).Status);
        Assert.Equal(207, (await PropFindAsync(Home, "0", "displayname")).Status);
        var refused = await PropFindAsync(Home, "0", "displayname");
        Assert.Equal(503, refused.Status);
        Assert.Equal(5, refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds);
        await Control.AdvanceClockAsync(TimeSpan.FromSeconds(60), None);
        Assert.Equal(207, (await PropFindAsync(Home, "0", "displayname")).Status);
    }

    private static string Href(Reply reply, XName property)
    {
        Assert.True(reply.Status == 207, reply.Text);
        return reply.Xml.Descendants(property).First().Element(D + "href")!.Value;
    }
}
