using CalSync.Lab;
using CalSync.Remotes.CalDav;
using CalSync.Sync.Providers;
using Xunit;

namespace CalSync.Tests.Remotes.CalDav;

/// <summary>Goal: whatever a person knows of a server leads to the calendars, or to the reason why
/// not.</summary>
public sealed class DiscoveryTests
{
    // As SOGo describes the calendar a user begins with: an outbox as well.
    private const string Calendars = """
        <D:resourcetype><D:collection/><C:calendar/><C:schedule-outbox/></D:resourcetype>
        <D:displayname>Lessons</D:displayname>
        <A:calendar-color xmlns:A="http://apple.com/ns/ical/">#FF2968FF</A:calendar-color>
        <D:sync-token>t-1</D:sync-token><S:getctag>c-1</S:getctag>
        <C:supported-calendar-component-set><C:comp name="VEVENT"/></C:supported-calendar-component-set>
        <D:supported-report-set><D:supported-report><D:report><D:sync-collection/></D:report>
        </D:supported-report></D:supported-report-set>
        <D:current-user-privilege-set><D:privilege><D:read/></D:privilege>
        <D:privilege><D:write/></D:privilege></D:current-user-privilege-set>
        """;

    private const string ReadOnly = """
        <D:resourcetype><D:collection/><C:calendar/></D:resourcetype>
        <D:current-user-privilege-set><D:privilege><D:read/></D:privilege></D:current-user-privilege-set>
        """;

    /// <summary>The whole way: well-known, principal, home, whatever is typed.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("/dav/")]
    [InlineData("/dav/principals/ann/")]
    [InlineData("/dav/home/ann/")]
    [InlineData("/something/that/is/not/there")]
    public async Task Discover_FromAnyPlace_FindsTheCalendars(string typed)
    {
        await using var rig = CalDavRig.Start(Server);
        var entry = CalDavAccount.ParseEntry(rig.Server.Address + typed)!;
        var found = Assert.IsType<CalDavDiscovery.Found>(
            await rig.Account.DiscoverAsync(entry, CancellationToken.None));
        Assert.Equal(
            [("Lessons", false), ("view only", true)],
            found.Calendars.Select(one => (one.DisplayName, one.IsReadOnly)));
        var lessons = found.Calendars[0];
        Assert.Equal(
            (rig.Server.Address + "/dav/home/ann/lessons/", "#FF2968FF", "c-1", "t-1", true),
            (lessons.Address.AbsoluteUri, lessons.Color, lessons.CTag, lessons.SyncToken,
                lessons.SupportsSync));
        Assert.Equal("VEVENT", Assert.Single(lessons.Components));
        Assert.All(rig.Server.Requests, request => Assert.Contains("Authorization", request.Headers.Keys));
    }

    [Fact]
    public async Task Discover_FromOneCalendar_GivesThatOne()
    {
        await using var rig = CalDavRig.Start(Server);
        var entry = new Uri(rig.Server.Address + "/dav/home/ann/lessons");
        var found = Assert.IsType<CalDavDiscovery.Found>(
            await rig.Account.DiscoverAsync(entry, CancellationToken.None));
        Assert.Equal("Lessons", Assert.Single(found.Calendars).DisplayName);
    }

    /// <summary>One server answers everything outside its own path with a page.</summary>
    [Fact]
    public async Task Discover_WhereThereAreOnlyPages_SaysSo()
    {
        await using var rig = CalDavRig.Start(_ => DavXml.Page());
        var failed = Assert.IsType<CalDavDiscovery.Failed>(await rig.Account.DiscoverAsync(
            new Uri(rig.Server.Address), CancellationToken.None));
        Assert.Equal(ProviderReason.OutsideProtocol, failed.Fault.Reason);
        Assert.Equal(2, rig.Server.Requests.Count);
    }

    [Fact]
    public async Task Discover_WithAWrongPassword_SaysSoAtOnce()
    {
        await using var rig = CalDavRig.Start(
            _ => DavXml.Status(401, "WWW-Authenticate: Basic realm=\"cal\""));
        var failed = Assert.IsType<CalDavDiscovery.Failed>(await rig.Account.DiscoverAsync(
            new Uri(rig.Server.Address), CancellationToken.None));
        Assert.Equal(ProviderReason.CredentialsRejected, failed.Fault.Reason);
        Assert.Single(rig.Server.Requests);
    }

    /// <summary>A home on a stranger's host is not asked.</summary>
    [Fact]
    public async Task Discover_WithAHomeOnAnotherHost_AsksThePerson()
    {
        await using var rig = CalDavRig.Start(_ => DavXml.Rows(DavXml.Row(
            "/", "<C:calendar-home-set><D:href>http://stranger.test/home/</D:href></C:calendar-home-set>")));
        var failed = Assert.IsType<CalDavDiscovery.Failed>(await rig.Account.DiscoverAsync(
            new Uri(rig.Server.Address), CancellationToken.None));
        Assert.Contains("another host", failed.Fault.Message, StringComparison.Ordinal);
    }

    private static ScriptedAnswer Server(ScriptedRequest request)
    {
        const string Principal = "<D:current-user-principal><D:href>/dav/principals/ann/</D:href>"
            + "</D:current-user-principal>";
        return (request.Target, request.Headers["Depth"]) switch
        {
            ("/.well-known/caldav", _) => DavXml.Status(301, "Location: /dav/"),
            ("/dav/", "0") => DavXml.Rows(DavXml.Row(
                "/dav/", Principal + "<D:resourcetype><D:collection/></D:resourcetype>")),

            // The server names itself with its port, as iCloud's shards do.
            ("/dav/principals/ann/", "0") => DavXml.Rows(DavXml.Row(
                "/dav/principals/ann/",
                $"<C:calendar-home-set><D:href>http://{request.Headers["Host"]}/dav/home/ann/</D:href>"
                + "</C:calendar-home-set>")),
            ("/dav/home/ann/", "0") => DavXml.Rows(DavXml.Row(
                "/dav/home/ann/", Principal + "<D:resourcetype><D:collection/></D:resourcetype>")),
            ("/dav/home/ann/", "1") => DavXml.Rows(
                DavXml.Row("/dav/home/ann/", "<D:resourcetype><D:collection/></D:resourcetype>"),
                DavXml.Row("/dav/home/ann/lessons/", Calendars),
                DavXml.Row("/dav/home/ann/view%20only/", ReadOnly),
                DavXml.Row(
                    "/dav/home/ann/inbox/",
                    "<D:resourcetype><D:collection/><C:schedule-inbox/></D:resourcetype>"),
                DavXml.Row(
                    "/dav/home/ann/outbox/",
                    "<D:resourcetype><D:collection/><C:schedule-outbox/></D:resourcetype>"),
                DavXml.Failed("/dav/home/ann/secret/", 403)),
            ("/dav/home/ann/lessons", "0") => DavXml.Rows(DavXml.Row("/dav/home/ann/lessons/", Calendars)),
            ("/dav/", "1") => DavXml.Rows(DavXml.Row(
                "/dav/", "<D:resourcetype><D:collection/></D:resourcetype>")),
            _ => DavXml.Status(404),
        };
    }
}
