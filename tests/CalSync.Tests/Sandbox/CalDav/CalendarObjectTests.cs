using CalSync.Calendar.Comparison;
using CalSync.Calendar.Document;
using CalSync.Sandbox;
using Xunit;

namespace CalSync.Tests.Sandbox.CalDav;

/// <summary>PUT, GET, DELETE, MKCALENDAR and PROPPATCH: conditions, refusals and habits.</summary>
[Trait("Rule", "CALDAV")]
public sealed class CalendarObjectTests : CalDavTest
{
    [Fact]
    public async Task PutAndGet_GiveBackTheOctetsAndTheETag()
    {
        var put = await PutAsync("a.ics", Event("u1"), "If-None-Match: *");
        Assert.Equal(201, put.Status);
        var got = await SendAsync("GET", Work + "a.ics");
        Assert.Equal((200, Event("u1"), put.ETag), (got.Status, got.Text, got.ETag));
        var same = await SendAsync("GET", Work + "a.ics", null, "If-None-Match: " + put.ETag);
        Assert.Equal(304, same.Status);
        var head = await SendAsync("HEAD", Work + "a.ics");
        Assert.Equal((200, "", put.ETag), (head.Status, head.Text, head.ETag));
    }

    [Fact]
    public async Task IfNoneMatch_OnAnExistingResource_Answers412AndStoresNothing()
    {
        await CreateAsync("a.ics", Event("u1"));
        Assert.Equal(412, (await PutAsync("a.ics", Event("u1", "SUMMARY:Other"), "If-None-Match: *")).Status);
        Assert.Equal(Event("u1"), (await SendAsync("GET", Work + "a.ics")).Text);
    }

    [Fact]
    public async Task IfMatch_DecidesOnTheETag()
    {
        var first = await CreateAsync("a.ics", Event("u1"));
        var changed = await PutAsync("a.ics", Event("u1", "SUMMARY:Two"), "If-Match: " + first);
        Assert.Equal(204, changed.Status);
        Assert.NotEqual(first, changed.ETag);
        Assert.Equal(412, (await PutAsync("a.ics", Event("u1"), "If-Match: " + first)).Status);
        Assert.Equal(412, (await PutAsync("b.ics", Event("u2"), "If-Match: " + first)).Status);
        Assert.Equal(412, (await SendAsync("DELETE", Work + "a.ics", null, "If-Match: " + first)).Status);
        Assert.Equal(204, (await PutAsync("a.ics", Event("u1"), "If-Match: *")).Status);
        var etag = await ETagAsync("a.ics");
        Assert.Equal(204, (await SendAsync("DELETE", Work + "a.ics", null, "If-Match: " + etag)).Status);
        Assert.Equal(404, (await SendAsync("GET", Work + "a.ics")).Status);
        Assert.Equal(404, (await SendAsync("DELETE", Work + "a.ics")).Status);
    }

    [Fact]
    public async Task NamesWithOddCharacters_AreFoundByTheirHref()
    {
        const string Name = "a%20%40%2Fb%C3%A9.ics";
        await CreateAsync(Name, Event("u1"));
        var href = Assert.Single((await CalDav.GetTruthAsync(None)).Calendars
            .SelectMany(calendar => calendar.Resources)).Href;
        Assert.Equal(Work + Name, href);
        Assert.Equal(["a @/bé.ics"], Present(await MultigetAsync(href, Work + "none.ics")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n")]
    [InlineData("BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\nBEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n")]
    public async Task Put_OfWhatIsNoCalendar_IsRefused(string body) =>
        AssertRefused(await PutAsync("a.ics", body), 403, C + "valid-calendar-data");

    [Fact]
    public async Task Put_OfCharactersXmlCannotCarry_IsRefused() =>
        AssertRefused(
            await PutAsync("a.ics", Event("u1", "SUMMARY:\u0001")), 403, C + "valid-calendar-data");

    [Fact]
    public async Task Put_OfSeveralUidsOrAMethodOrTwoMasters_IsRefused()
    {
        var two = Event("u1").Replace(
            "END:VCALENDAR\r\n", Event("u2")[Event("u2").IndexOf("BEGIN:VEVENT", StringComparison.Ordinal)..],
            StringComparison.Ordinal);
        AssertRefused(await PutAsync("a.ics", two), 403, C + "valid-calendar-object-resource");
        AssertRefused(
            await PutAsync("a.ics", two.Replace("UID:u2", "UID:u1", StringComparison.Ordinal)), 403,
            C + "valid-calendar-object-resource");
        var invitation = Event("u1").Replace(
            "VERSION:2.0", "VERSION:2.0\r\nMETHOD:REQUEST", StringComparison.Ordinal);
        AssertRefused(await PutAsync("a.ics", invitation), 403, C + "valid-calendar-object-resource");
    }

    [Fact]
    public async Task Put_OfATask_OnlyInTheTaskList()
    {
        var task = Lines(
            "BEGIN:VCALENDAR", "VERSION:2.0", "BEGIN:VTODO", "UID:t1", "DTSTAMP:20260101T000000Z",
            "SUMMARY:Mats", "END:VTODO", "END:VCALENDAR");
        AssertRefused(await PutAsync("t.ics", task), 403, C + "supported-calendar-component");
        Assert.Equal(201, (await SendAsync("PUT", Home + "tasks/t.ics", task)).Status);
    }

    [Fact]
    public async Task Put_OfAUidThatIsThere_NamesTheOther()
    {
        await CreateAsync("a.ics", Event("u1"));
        var twice = await PutAsync("b.ics", Event("u1"));
        AssertRefused(twice, 403, C + "no-uid-conflict");
        Assert.Equal(Work + "a.ics", twice.Xml.Descendants(D + "href").Single().Value);
        AssertRefused(await PutAsync("a.ics", Event("u2")), 403, C + "no-uid-conflict");
        Assert.Equal(204, (await SendAsync("DELETE", Work + "a.ics")).Status);
        Assert.Equal(201, (await PutAsync("b.ics", Event("u1"))).Status);
    }

    [Theory]
    [InlineData(true, 403)]
    [InlineData(false, 201)]
    public async Task KeepsUidOncePerAccount_RefusesItInAnotherCalendar(bool isOn, int status)
    {
        await QuirksAsync(CalDavQuirks.None with { KeepsUidOncePerAccount = isOn });
        await CreateAsync("a.ics", Event("u1"));
        Assert.Equal(status, (await SendAsync("PUT", Home + "home/a.ics", Event("u1"))).Status);
    }

    [Theory]
    [InlineData(true, "", 404)]
    [InlineData(true, "DURATION:PT0S", 201)]
    [InlineData(true, "DTEND:20260112T150000Z", 201)]
    [InlineData(false, "", 201)]
    public async Task RefusesEventWithoutEnd_Answers404(bool isOn, string end, int status)
    {
        await QuirksAsync(CalDavQuirks.None with { RefusesEventWithoutEnd = isOn });
        Assert.Equal(status, (await PutAsync("a.ics", Event("u1", end: end))).Status);
    }

    /// <summary>What is rewritten means the same and has no ETag in the answer.</summary>
    [Fact]
    public async Task RewritesOnPut_KeepsTheMeaningAndNamesNoETag()
    {
        await QuirksAsync(CalDavQuirks.None with { RewritesOnPut = true });
        var sent = Event("u1", "X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-TITLE=\"A, b\":geo:40.0,-74.0");
        var put = await PutAsync("a.ics", sent);
        Assert.Equal((201, null), (put.Status, put.ETag));
        var stored = (await SendAsync("GET", Work + "a.ics")).Text;
        Assert.NotEqual(sent, stored);
        Assert.Contains("LAST-MODIFIED", stored, StringComparison.Ordinal);
        Assert.Empty(CalendarDiff.Compare(
            CalendarDocument.Parse(sent), CalendarDocument.Parse(stored), CalendarNoise.OfServers));
        // Written once more it stays as it is, and so the answer can name its ETag.
        var again = await PutAsync("a.ics", stored);
        Assert.Equal(await ETagAsync("a.ics"), again.ETag);
    }

    [Theory]
    [InlineData(PutETag.Always, false, true)]
    [InlineData(PutETag.Always, true, true)]
    [InlineData(PutETag.Never, false, false)]
    [InlineData(PutETag.WhenStoredAsSent, false, true)]
    [InlineData(PutETag.WhenStoredAsSent, true, false)]
    public async Task PutETag_DecidesWhetherTheAnswerNamesOne(PutETag when, bool rewrites, bool isNamed)
    {
        await QuirksAsync(CalDavQuirks.None with { PutETag = when, RewritesOnPut = rewrites });
        var put = await PutAsync("a.ics", Event("u1"));
        Assert.Equal(isNamed ? await ETagAsync("a.ics") : null, put.ETag);
    }

    [Fact]
    public async Task ETagForm_Weak_IsShownAsWeakAndAccepted()
    {
        await QuirksAsync(CalDavQuirks.None with { ETagForm = ETagForm.Weak });
        var etag = await CreateAsync("a.ics", Event("u1"));
        Assert.StartsWith("W/\"", etag, StringComparison.Ordinal);
        Assert.Equal(204, (await PutAsync("a.ics", Event("u1", ""), "If-Match: " + etag)).Status);
        Assert.Equal(412, (await PutAsync("a.ics", Event("u1"), "If-Match: " + etag)).Status);
    }

    [Fact]
    public async Task ETagForm_None_ShowsNoneAnywhere()
    {
        await QuirksAsync(CalDavQuirks.None with { ETagForm = ETagForm.None });
        Assert.Null(await CreateAsync("a.ics", Event("u1")));
        Assert.Null((await SendAsync("GET", Work + "a.ics")).ETag);
        Assert.Equal(["a.ics"], Present(await SyncAsync("")));
    }

    [Fact]
    public async Task AReadOnlyCalendar_SaysSoAndRefusesEveryWrite()
    {
        await CreateAsync("a.ics", Event("u1"));
        await CalDav.SetReadOnlyAsync(Maya, "work", true, None);
        var privileges = (await PropFindAsync(Work, "0", "current-user-privilege-set")).Xml;
        Assert.DoesNotContain(privileges.Descendants(), element => element.Name == D + "write");
        AssertRefused(await PutAsync("b.ics", Event("u2")), 403, D + "need-privileges");
        AssertRefused(await SendAsync("DELETE", Work + "a.ics"), 403, D + "need-privileges");
        AssertRefused(
            await SendAsync("PROPPATCH", Work, "<propertyupdate xmlns='DAV:'/>"), 403, D + "need-privileges");
    }

    [Fact]
    public async Task MkCalendar_MakesOneAndRefusesASecond()
    {
        await QuirksAsync(CalDavQuirks.ICloud);
        var body = $"<c:mkcalendar xmlns='DAV:' xmlns:c='{C}'><set><prop><displayname>Yoga 🧘</displayname>"
            + "</prop></set></c:mkcalendar>";
        Assert.Equal(201, (await SendAsync("MKCALENDAR", Home + "X1/", body)).Status);
        var name = (await PropFindAsync(Home + "X1/", "0", "displayname")).Xml.Descendants(D + "displayname");
        Assert.Equal("Yoga 🧘", name.Single().Value);
        AssertRefused(await SendAsync("MKCALENDAR", Home + "X1/", body), 403, D + "resource-must-be-null");
        AssertRefused(
            await SendAsync("MKCALENDAR", Home + "X1/Y/", body), 403, C + "calendar-collection-location-ok");
        Assert.Equal(204, (await SendAsync("DELETE", Home + "X1/")).Status);
        Assert.Equal(404, (await PropFindAsync(Home + "X1/", "0", "displayname")).Status);
    }

    [Theory]
    [InlineData("<displayname>Abc</displayname>")]
    [InlineData("<displayname>Up/down</displayname>")]
    [InlineData("<displayname>Tasks</displayname><c:supported-calendar-component-set><c:comp name='VTODO'/>"
        + "</c:supported-calendar-component-set>")]
    public async Task RefusesOddCalendars_RefusesShortNamesSignsAndTasks(string properties)
    {
        var body = $"<c:mkcalendar xmlns='DAV:' xmlns:c='{C}'><set><prop>{properties}</prop></set>"
            + "</c:mkcalendar>";
        await QuirksAsync(CalDavQuirks.None with { RefusesOddCalendars = true });
        Assert.Equal(403, (await SendAsync("MKCALENDAR", Home + "X1/", body)).Status);
        await QuirksAsync(CalDavQuirks.None);
        Assert.Equal(201, (await SendAsync("MKCALENDAR", Home + "X1/", body)).Status);
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 0)]
    public async Task RemembersDeletedCalendars_ShowsOldEventsAgain(bool isOn, int count)
    {
        await QuirksAsync(CalDavQuirks.None with { RemembersDeletedCalendars = isOn });
        await CreateAsync("a.ics", Event("u1"));
        Assert.Equal(204, (await SendAsync("DELETE", Work)).Status);
        Assert.Equal(201, (await SendAsync("MKCALENDAR", Work)).Status);
        Assert.Equal(count, Present(await SyncAsync("")).Count);
    }

    [Fact]
    public async Task PropPatch_ChangesAllOrNothing()
    {
        const string Color = "http://apple.com/ns/ical/";
        var ctag = await CTagAsync();
        var good = await PatchAsync(
            "<displayname>Näme &lt;2></displayname>"
                + $"<calendar-color xmlns='{Color}'>#00FF00FF</calendar-color>");
        Assert.All(
            good.Xml.Descendants(D + "status"), status => Assert.Equal("HTTP/1.1 200 OK", status.Value));
        Assert.NotEqual(ctag, await CTagAsync());
        var bad = await PatchAsync("<displayname>Other</displayname><getetag>\"1\"</getetag>");
        Assert.Equal(
            ["HTTP/1.1 424 Failed Dependency", "HTTP/1.1 403 Forbidden"],
            bad.Xml.Descendants(D + "status").Select(status => status.Value));
        var after = await PropFindAsync(Work, "0", "displayname");
        Assert.Equal("Näme <2>", after.Xml.Descendants(D + "displayname").Single().Value);
    }

    private Task<Reply> PatchAsync(string properties) => SendAsync(
        "PROPPATCH", Work,
        $"<propertyupdate xmlns='DAV:'><set><prop>{properties}</prop></set></propertyupdate>");

    private async Task<string> CTagAsync() =>
        (await PropFindAsync(Work, "0", "getctag " + Cs)).Xml.Descendants(Cs + "getctag").Single().Value;
}
