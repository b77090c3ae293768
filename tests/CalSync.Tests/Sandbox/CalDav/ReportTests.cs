using CalSync.Sandbox;
using Xunit;

namespace CalSync.Tests.Sandbox.CalDav;

/// <summary>sync-collection, calendar-multiget and calendar-query.</summary>
[Trait("Rule", "CALDAV")]
public sealed class ReportTests : CalDavTest
{
    [Fact]
    public async Task Sync_NamesWhatIsThere_ThenWhatChangedAndWhatIsGone()
    {
        await CreateAsync("a.ics", Event("a"));
        await CreateAsync("b.ics", Event("b"));
        var first = await SyncAsync("");
        Assert.Equal(["a.ics", "b.ics"], Present(first));
        Assert.Empty(Gone(first));
        Assert.Equal(await ETagAsync("a.ics"), first.Xml.Descendants(D + "getetag").First().Value);

        Assert.Empty(Present(await SyncAsync(Token(first))));
        await PutAsync("a.ics", Event("a", "SUMMARY:Two"));
        await PutAsync("a.ics", Event("a", "SUMMARY:Three"));
        await SendAsync("DELETE", Work + "b.ics");
        await CreateAsync("c.ics", Event("c"));
        await SendAsync("DELETE", Work + "c.ics");
        var second = await SyncAsync(Token(first));
        Assert.Equal(["a.ics"], Present(second));
        Assert.Equal(["b.ics", "c.ics"], Gone(second));
        Assert.Empty(Gone(await SyncAsync("")));
        Assert.Empty(Gone(await SyncAsync(Token(second))));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Sync_WithALimit_GoesOnPageByPage(bool isTheServers)
    {
        await QuirksAsync(CalDavQuirks.None with { SyncPageCountMax = isTheServers ? 2 : null });
        var more = isTheServers ? "" : "<limit><nresults>2</nresults></limit>";
        foreach (var name in new[] { "a", "b", "c", "d", "e" })
            await CreateAsync(name + ".ics", Event(name));
        var (token, seen, pages) = ("", new List<string>(), 0);
        for (var isCut = true; isCut; pages++)
        {
            var page = await SyncAsync(token, more);
            seen.AddRange(Present(page));
            token = Token(page);
            var last = page.Xml.Elements(D + "response").Last();
            isCut = last.Element(D + "status")?.Value == "HTTP/1.1 507 Insufficient Storage";
            if (isCut)
            {
                Assert.Equal(Work, last.Element(D + "href")!.Value);
                Assert.Single(last.Descendants(D + "number-of-matches-within-limits"));
            }
        }

        Assert.Equal(["a.ics", "b.ics", "c.ics", "d.ics", "e.ics"], seen);
        Assert.Equal(3, pages);
        Assert.Empty(Present(await SyncAsync(token, more)));
    }

    [Theory]
    [InlineData(DeadSyncToken.Precondition, 403)]
    [InlineData(DeadSyncToken.BareForbidden, 403)]
    [InlineData(DeadSyncToken.Gone, 410)]
    [InlineData(DeadSyncToken.Error, 500)]
    [InlineData(DeadSyncToken.FullListing, 207)]
    [InlineData(DeadSyncToken.Nothing, 207)]
    public async Task Sync_WithADeadToken_AnswersAsTheQuirkSays(DeadSyncToken quirk, int status)
    {
        await QuirksAsync(CalDavQuirks.None with { DeadSyncToken = quirk });
        await CreateAsync("a.ics", Event("a"));
        var token = Token(await SyncAsync(""));
        await SendAsync("DELETE", Work + "a.ics");
        await CreateAsync("b.ics", Event("b"));
        await CalDav.InvalidateSyncTokensAsync(Maya, "work", None);
        var dead = await SyncAsync(token);
        Assert.Equal(status, dead.Status);
        if (quirk == DeadSyncToken.Precondition)
        {
            AssertRefused(dead, 403, D + "valid-sync-token");
        }
        else if (status != 207)
        {
            Assert.Equal("", dead.Text);
        }
        else
        {
            Assert.Equal(quirk == DeadSyncToken.Nothing ? [] : ["b.ics"], Present(dead));
            Assert.Empty(Gone(dead));
            Assert.Empty(Present(await SyncAsync(Token(dead))));
        }

        Assert.Equal(["b.ics"], Present(await SyncAsync("")));
    }

    /// <summary>Tokens of another calendar, of a calendar made anew, and made-up ones are dead.</summary>
    [Fact]
    public async Task Sync_WithAForeignToken_IsRefused()
    {
        var token = Token(await SyncAsync(""));
        AssertRefused(await SyncAsync("nonsense"), 403, D + "valid-sync-token");
        AssertRefused(await SyncAsync(Convert.ToBase64String("sync x"u8)), 403, D + "valid-sync-token");
        await SendAsync("DELETE", Work);
        await SendAsync("MKCALENDAR", Work);
        AssertRefused(await SyncAsync(token), 403, D + "valid-sync-token");
    }

    [Fact]
    public async Task Sync_WithLevelInfinite_IsRefused() => AssertRefused(
        await SendAsync(
            "REPORT", Work,
            "<sync-collection xmlns='DAV:'><sync-token/><sync-level>infinite</sync-level><prop/>"
                + "</sync-collection>"),
        403, D + "sync-traversal-supported");

    [Fact]
    public async Task RepeatsHrefs_NamesEachChangeTwice()
    {
        await QuirksAsync(CalDavQuirks.None with { RepeatsHrefs = true });
        await CreateAsync("a.ics", Event("a"));
        Assert.Equal(["a.ics", "a.ics"], Present(await SyncAsync("")));
    }

    [Fact]
    public async Task ReportsCollectionItself_AddsItsRow()
    {
        await QuirksAsync(CalDavQuirks.None with { ReportsCollectionItself = true });
        Assert.Equal(Work, Assert.Single((await SyncAsync("")).Xml.Elements(D + "response"))
            .Element(D + "href")!.Value);
        Assert.Equal(Work, Assert.Single((await QueryAsync("")).Xml.Elements(D + "response"))
            .Element(D + "href")!.Value);
    }

    [Fact]
    public async Task Multiget_AnswersEachHref_AbsoluteAndMissingOnesToo()
    {
        await CreateAsync("a.ics", Event("a"));
        var absolute = new Uri(Entry, Work + "a.ics").AbsoluteUri;
        var reply = await MultigetAsync(absolute, Work + "b.ics", "/elsewhere");
        Assert.Equal(["a.ics"], Present(reply));
        Assert.Equal(["b.ics", "elsewhere"], Gone(reply));
        Assert.Equal(
            Event("a").ReplaceLineEndings("\n"), reply.Xml.Descendants(C + "calendar-data").Single().Value);
    }

    [Theory]
    [InlineData("<c:comp-filter name='VEVENT'/>", "a.ics,b.ics")]
    [InlineData("<c:comp-filter name='VTODO'/>", "")]
    [InlineData("<c:comp-filter name='VTODO'><c:is-not-defined/></c:comp-filter>", "a.ics,b.ics")]
    [InlineData("<c:comp-filter name='VEVENT'><c:prop-filter name='UID'><c:text-match collation='i;octet'>ua"
        + "</c:text-match></c:prop-filter></c:comp-filter>", "a.ics")]
    [InlineData("<c:comp-filter name='VEVENT'><c:prop-filter name='RRULE'/></c:comp-filter>", "b.ics")]
    [InlineData("<c:comp-filter name='VEVENT'><c:prop-filter name='SUMMARY'><c:text-match "
        + "negate-condition='yes'>yog</c:text-match></c:prop-filter></c:comp-filter>", "")]
    [InlineData("<c:comp-filter name='VEVENT'><c:time-range start='20260111T000000Z' end='20260113T000000Z'/>"
        + "</c:comp-filter>", "a.ics,b.ics")]
    [InlineData("<c:comp-filter name='VEVENT'><c:time-range start='20260301T000000Z'/></c:comp-filter>",
        "b.ics")]
    public async Task Query_ByComponentPropertyAndTime_Finds(string filter, string names)
    {
        await CreateAsync("a.ics", Event("ua"));
        await CreateAsync("b.ics", Event("ub", "SUMMARY:Yoga\r\nRRULE:FREQ=WEEKLY;COUNT=20"));
        Assert.Equal(names, string.Join(',', Present(await QueryAsync(filter))));
    }

    [Theory]
    [InlineData("<c:comp-filter name='VEVENT'><c:time-range start='x'/></c:comp-filter>")]
    [InlineData("<c:comp-filter name='VEVENT'><c:time-range/></c:comp-filter>")]
    public async Task Query_WithABadTime_IsRefused(string filter) =>
        AssertRefused(await QueryAsync(filter), 403, C + "valid-filter");

    [Theory]
    [InlineData(true, 400)]
    [InlineData(false, 207)]
    public async Task QueryNeedsComponent_Answers400WithoutOne(bool isOn, int status)
    {
        await QuirksAsync(CalDavQuirks.None with { QueryNeedsComponent = isOn });
        Assert.Equal(status, (await QueryAsync("")).Status);
    }

    [Theory]
    [InlineData(true, 0)]
    [InlineData(false, 1)]
    public async Task QueryByUidFindsNothing_ThoughItIsThere(bool isOn, int count)
    {
        await QuirksAsync(CalDavQuirks.None with { QueryByUidFindsNothing = isOn });
        await CreateAsync("a.ics", Event("ua"));
        Assert.Equal(count, Present(await QueryAsync(
            "<c:comp-filter name='VEVENT'><c:prop-filter name='UID'><c:text-match>ua</c:text-match>"
                + "</c:prop-filter></c:comp-filter>")).Count);
    }

    [Fact]
    public async Task TimeRangeMissesSeries_ExceptAtTheirStart()
    {
        await QuirksAsync(CalDavQuirks.None with { TimeRangeMissesSeries = true });
        await CreateAsync("a.ics", Event("ua", "RRULE:FREQ=WEEKLY;COUNT=20"));
        Assert.Single(Present(await QueryAsync(Range("20260112"))));
        Assert.Empty(Present(await QueryAsync(Range("20260119"))));

        static string Range(string day) => "<c:comp-filter name='VEVENT'><c:time-range "
            + $"start='{day}T000000Z' end='{day}T235959Z'/></c:comp-filter>";
    }

    /// <summary>Listed at once, readable later.</summary>
    [Fact]
    public async Task ReadDelay_ShowsTheETagAtOnceAndTheContentLater()
    {
        await QuirksAsync(CalDavQuirks.None with { ReadDelaySeconds = 5 });
        await PutAsync("a.ics", Event("ua"));
        Assert.Equal(["a.ics"], Present(await SyncAsync("")));
        Assert.Equal(["a.ics"], Gone(await MultigetAsync(Work + "a.ics")));
        Assert.Equal(404, (await SendAsync("GET", Work + "a.ics")).Status);
        await Control.AdvanceClockAsync(TimeSpan.FromSeconds(5), None);
        Assert.Equal(["a.ics"], Present(await MultigetAsync(Work + "a.ics")));
        await PutAsync("a.ics", Event("ua", "SUMMARY:Later"));
        Assert.Equal(Event("ua"), (await SendAsync("GET", Work + "a.ics")).Text);
    }

    [Theory]
    [InlineData("<c:free-busy-query xmlns:c='urn:ietf:params:xml:ns:caldav'/>")]
    [InlineData("<anything/>")]
    public async Task AnyOtherReport_IsRefused(string body) =>
        AssertRefused(await SendAsync("REPORT", Work, body), 403, D + "supported-report");

    [Fact]
    public async Task ReportOnTheHome_IsRefused() => AssertRefused(
        await SendAsync("REPORT", Home, "<sync-collection xmlns='DAV:'/>"), 403, D + "supported-report");
}
