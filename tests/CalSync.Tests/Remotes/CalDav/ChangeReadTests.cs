using CalSync.Lab;
using CalSync.Remotes.Dav;
using CalSync.Sync.Pairs;
using CalSync.Sync.Providers;
using Xunit;

namespace CalSync.Tests.Remotes.CalDav;

/// <summary>Goal: a read says what it proves. Half an answer, a page or an error deletes nothing.</summary>
public sealed class ChangeReadTests
{
    private static readonly SyncCursor Token = new("t-1", CursorKind.SyncToken);

    /// <summary>R-SYNC-1-A: nothing changed is one small request, by token or by ctag.</summary>
    [Theory]
    [Trait("Requirement", "R-SYNC-1-A")]
    [InlineData(CursorKind.SyncToken)]
    [InlineData(CursorKind.Tag)]
    public async Task Read_WhenNothingChanged_IsOneRequest(CursorKind kind)
    {
        await using var rig = CalDavRig.Start(request => DavXml.Kind(request) == "sync"
            ? DavXml.Rows(DavXml.Token("t-1"))
            : DavXml.Rows(DavXml.State(ctag: "t-1")));
        var read = Done(await rig.ReadAsync(new("t-1", kind), ("a.ics", "\"1\"")));
        Assert.IsType<Certificate.Delta>(read.Certificate);
        Assert.Empty(read.Upserts);
        Assert.Empty(read.Tombstones);
        Assert.Equal(new SyncCursor("t-1", kind), read.Next);
        Assert.Single(rig.Server.Requests);
    }

    /// <summary>R-SYNC-2-A: only rows with 404 delete; what is known is not read; the collection is no
    /// resource.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-2-A")]
    public async Task Read_ADelta_GivesChangesAndTombstones()
    {
        await using var rig = CalDavRig.Start(request => DavXml.Kind(request) switch
        {
            "sync" => DavXml.Rows(
                DavXml.Row(CalDavRig.Path, "<D:getetag>\"c\"</D:getetag>"),
                DavXml.Member("known.ics", "1"),
                DavXml.Member("new.ics", "1"),
                DavXml.Member("new.ics", "1"),
                DavXml.Row(CalDavRig.Path + "inner/", "<D:getetag>\"i\"</D:getetag>"),
                DavXml.Gone("gone.ics"),
                DavXml.Token("t-2")),
            _ => DavXml.Contents(request),
        });
        var read = Done(await rig.ReadAsync(Token, ("known.ics", "\"1\""), ("gone.ics", "\"7\"")));
        Assert.IsType<Certificate.Delta>(read.Certificate);
        Assert.Equal(["/dav/cal/new.ics"], read.Upserts.Select(one => one.Address.Value));
        Assert.Equal(["/dav/cal/gone.ics"], read.Tombstones.Select(one => one.Value));
        Assert.Equal("t-2", read.Next!.Token);
        Assert.Equal(["sync", "get"], rig.Asked);
    }

    /// <summary>A page cut by the server (507 for the collection) goes on from its own token.</summary>
    [Fact]
    public async Task Read_ADeltaInPages_ReadsThemAll()
    {
        await using var rig = CalDavRig.Start(request => (DavXml.Kind(request), request.Body) switch
        {
            ("sync", var body) when body.Contains(">t-1<", StringComparison.Ordinal) => DavXml.Rows(
                DavXml.Member("a.ics", "1"), DavXml.Member("b.ics", "1"),
                DavXml.Failed(CalDavRig.Path, 507), DavXml.Token("t-2")),
            ("sync", _) => DavXml.Rows(DavXml.Gone("a.ics"), DavXml.Token("t-3")),
            _ => DavXml.Contents(request),
        });
        var read = Done(await rig.ReadAsync(Token));
        Assert.Equal(["/dav/cal/b.ics"], read.Upserts.Select(one => one.Address.Value));
        Assert.Equal(["/dav/cal/a.ics"], read.Tombstones.Select(one => one.Value));
        Assert.Equal("t-3", read.Next!.Token);
    }

    [Fact]
    public async Task Read_ADeltaWithoutEnd_Fails()
    {
        await using var rig = CalDavRig.Start(_ => DavXml.Rows(
            DavXml.Failed(CalDavRig.Path, 507), DavXml.Token("t-1")));
        Assert.IsType<ChangeRead.Failed>(await rig.ReadAsync(Token));
        Assert.Single(rig.Server.Requests);
    }

    /// <summary>R-SYNC-1-D, SRV-3: all the ways in which servers refuse a dead token.</summary>
    [Theory]
    [Trait("Requirement", "R-SYNC-1-D")]
    [InlineData(403, "<D:valid-sync-token/>", 1)]
    [InlineData(409, "<D:valid-sync-token/>", 1)]
    [InlineData(507, "<D:valid-sync-token/>", 1)]
    [InlineData(403, "", 2)]
    [InlineData(400, "", 2)]
    [InlineData(410, "", 2)]
    [InlineData(412, "", 2)]
    [InlineData(500, "", 2)]
    [InlineData(501, "", 2)]
    [InlineData(403, "<D:supported-report/>", 2)]
    public async Task Read_WithADeadToken_IsCursorInvalid(int status, string condition, int requests)
    {
        await using var rig = CalDavRig.Start(request => DavXml.Kind(request) == "sync"
            ? DavXml.Error(status, condition)
            : DavXml.Rows(DavXml.State("t-9")));
        Assert.IsType<ChangeRead.CursorInvalid>(await rig.ReadAsync(Token));
        Assert.Equal(requests, rig.Server.Requests.Count);
    }

    /// <summary>The same refusals with the calendar away blame the calendar, and delete nothing.</summary>
    [Theory]
    [InlineData(403, 404, "CalendarGone")]
    [InlineData(404, 404, "CalendarGone")]
    [InlineData(500, 403, "CalendarGone")]
    [InlineData(500, 500, "Failed")]
    [InlineData(403, 502, "Failed")]
    public async Task Read_WhenTheCalendarCannotBeRead_IsNotTheToken(int sync, int state, string outcome)
    {
        await using var rig = CalDavRig.Start(
            request => DavXml.Status(DavXml.Kind(request) == "sync" ? sync : state));
        Assert.Equal(outcome, (await rig.ReadAsync(Token)).GetType().Name);
    }

    [Theory]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(429)]
    public async Task Read_WhenTheServerIsInTrouble_Fails(int status)
    {
        await using var rig = CalDavRig.Start(_ => DavXml.Status(status, "Retry-After: 7"));
        var failed = Assert.IsType<ChangeRead.Failed>(await rig.ReadAsync(Token));
        var reason = status == 502 ? ProviderReason.ServerError : ProviderReason.RateLimited;
        Assert.Equal(reason, failed.Fault.Reason);
        Assert.Equal(TimeSpan.FromSeconds(7), failed.Fault.RetryAfter);
        Assert.Single(rig.Server.Requests);
    }

    [Fact]
    public async Task Read_ADeltaWithoutANewToken_IsCursorInvalid()
    {
        await using var rig = CalDavRig.Start(_ => DavXml.Rows(DavXml.Gone("a.ics")));
        Assert.IsType<ChangeRead.CursorInvalid>(await rig.ReadAsync(Token));
    }

    /// <summary>A first read lists, reads in batches, and takes no tombstone from anything.</summary>
    [Fact]
    public async Task Read_WithoutACursor_ListsAndReadsInBatches()
    {
        var names = Enumerable.Range(0, 25).Select(number => $"e{number}.ics").ToArray();
        await using var rig = CalDavRig.Start(
            request => DavXml.Kind(request) switch
            {
                "state" => DavXml.Rows(DavXml.State("t-5")),
                "members" => DavXml.Rows(
                    [
                        DavXml.State(), DavXml.Gone("old.ics"),
                        .. names.Select(name => DavXml.Member(name, "1")),
                    ]),
                _ => DavXml.Contents(request),
            },
            new DavOptions { BatchCountMax = 10, ReadAttempts = 1 });
        var read = Done(await rig.ReadAsync(null, ("e3.ics", "\"1\""), ("e4.ics", "\"0\"")));
        Assert.IsType<Certificate.Complete>(read.Certificate);
        Assert.Equal(25, read.Upserts.Length);
        Assert.Null(Assert.Single(read.Upserts, one => one.Content is null).Problem);
        Assert.Empty(read.Tombstones);
        Assert.Equal(new SyncCursor("t-5", CursorKind.SyncToken), read.Next);
        Assert.Equal(["state", "members", "multiget", "multiget", "multiget"], rig.Asked);
    }

    [Fact]
    public async Task Read_AServerWithoutTokens_GoesOnFromTheCTagOrNothing()
    {
        foreach (var ctag in new[] { "c-1", null })
        {
            await using var rig = CalDavRig.Start(_ => DavXml.Rows(DavXml.State(ctag: ctag)));
            var next = Done(await rig.ReadAsync()).Next;
            Assert.Equal(ctag is null ? null : new SyncCursor(ctag, CursorKind.Tag), next);
        }
    }

    /// <summary>Everything that is not the whole listing of this calendar is a failed read.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-2-B")]
    public async Task Read_AListingThatIsNone_Fails()
    {
        var half = DavXml.Text(DavXml.State(), DavXml.Member("a.ics", "1"))[..^30];
        ScriptedAnswer[] answers =
        [
            DavXml.Page(),
            DavXml.Rows(),
            DavXml.Rows(DavXml.Member("a.ics", "1")),
            new ScriptedAnswer.Send(207, half),
            new ScriptedAnswer.Send(206, DavXml.Text(DavXml.State())),
            new ScriptedAnswer.Send(200, DavXml.Text(DavXml.State())),
            new ScriptedAnswer.Garbage("HTTP/1.1 207 M\r\nContent-Length: 900\r\n\r\n<x"u8.ToArray()),
            DavXml.Status(204),
            DavXml.Status(403),
        ];
        foreach (var answer in answers)
        {
            await using var rig = CalDavRig.Start(request =>
                DavXml.Kind(request) == "state" ? DavXml.Rows(DavXml.State("t-5")) : answer);
            Assert.IsType<ChangeRead.Failed>(await rig.ReadAsync(null, ("a.ics", "\"1\"")));
        }
    }

    /// <summary>A vanished calendar is said to be gone, in each of the ways servers have.</summary>
    [Fact]
    public async Task Read_AVanishedCalendar_IsCalendarGone()
    {
        ScriptedAnswer[] answers =
        [
            DavXml.Status(404), DavXml.Status(403), DavXml.Status(410),
            DavXml.Rows(DavXml.Failed(CalDavRig.Path, 404)),
            DavXml.Rows(DavXml.Row(CalDavRig.Path, "<D:resourcetype><D:collection/></D:resourcetype>")),
        ];
        foreach (var answer in answers)
        {
            await using var rig = CalDavRig.Start(_ => answer);
            Assert.IsType<ChangeRead.CalendarGone>(await rig.ReadAsync());
        }
    }

    /// <summary>A row with an error makes the read partial, without a cursor.</summary>
    [Theory]
    [InlineData(403)]
    [InlineData(500)]
    [InlineData(507)]
    public async Task Read_WithARowThatFailed_IsPartial(int status)
    {
        var broken = DavXml.Failed(status == 507 ? CalDavRig.Path : "/dav/cal/b.ics", status);
        await using var rig = CalDavRig.Start(request => DavXml.Kind(request) switch
        {
            "state" => DavXml.Rows(DavXml.State("t-5")),
            "members" => DavXml.Rows(DavXml.State(), DavXml.Member("a.ics", "1"), broken),
            "sync" => DavXml.Rows(
                DavXml.Member("a.ics", "1"), DavXml.Failed("/dav/cal/b.ics", status), DavXml.Token("t-2")),
            _ => DavXml.Contents(request),
        });
        foreach (var since in new[] { null, Token })
        {
            var read = Done(await rig.ReadAsync(since));
            Assert.IsType<Certificate.Partial>(read.Certificate);
            Assert.Null(read.Next);
            Assert.Single(read.Upserts);
        }
    }

    /// <summary>A row that a multiget leaves out is asked for alone.</summary>
    [Fact]
    public async Task Read_WhenAMultigetOmitsARow_GetsItAlone()
    {
        await using var rig = CalDavRig.Start(request => Listed(request, "a.ics", "b.ics") ?? (
            request.Method == "GET"
                ? DavXml.Body("b", "2")
                : DavXml.Rows(DavXml.Content("a.ics", "1", "a"))));
        var read = Done(await rig.ReadAsync());
        Assert.IsType<Certificate.Complete>(read.Certificate);
        Assert.All(read.Upserts, one => Assert.NotNull(one.Content));
        Assert.Equal("\"2\"", read.Upserts.Single(one => one.Address.Value == "/dav/cal/b.ics").Version);
    }

    /// <summary>Listed, and not there when it is asked for: said, and not taken for deleted.</summary>
    [Fact]
    public async Task Read_WhenAListedResourceIsNotThere_NamesTheProblem()
    {
        await using var rig = CalDavRig.Start(request => Listed(request, "a.ics", "b.ics") ?? (
            request.Method == "GET" ? DavXml.Status(404)
            : DavXml.Rows(DavXml.Content("a.ics", "1", "a"), DavXml.Gone("b.ics"))));
        var read = Done(await rig.ReadAsync());
        var broken = Assert.Single(read.Upserts, one => one.Problem is not null);
        Assert.Equal(("/dav/cal/b.ics", null), (broken.Address.Value, broken.Version));
        Assert.Empty(read.Tombstones);
    }

    /// <summary>One bad resource does not spoil the others: the batch is halved until it is alone, and no
    /// breaker takes that for trouble.</summary>
    [Theory]
    [InlineData(404)]
    [InlineData(500)]
    [InlineData(207)]
    public async Task Read_WhenOneResourceSpoilsABatch_FindsIt(int status)
    {
        var names = Enumerable.Range(0, 64).Select(number => $"e{number}.ics").ToArray();
        await using var rig = CalDavRig.Start(request => Listed(request, names) ?? (
            request.Method == "GET" ? DavXml.Contents(request)
            : !request.Body.Contains("/e0.ics", StringComparison.Ordinal) ? DavXml.Contents(request)
            : new ScriptedAnswer.Send(status, DavXml.Text("<\u0001/>"))));
        var read = Done(await rig.ReadAsync());
        Assert.IsType<Certificate.Complete>(read.Certificate);
        Assert.Equal(64, read.Upserts.Count(one => one.Content is not null));
        Assert.Equal(15, rig.Server.Requests.Count);
    }

    /// <summary>A failure in the middle keeps what came, advances nothing and asks no further.</summary>
    [Fact]
    public async Task Read_WhenTheServerFailsInTheMiddle_IsPartial()
    {
        var names = Enumerable.Range(0, 6).Select(number => $"e{number}.ics").ToArray();
        await using var rig = CalDavRig.Start(
            request => Listed(request, names) ?? (
                request.Body.Contains("e0.ics", StringComparison.Ordinal)
                    ? DavXml.Contents(request)
                    : DavXml.Status(503)),
            new DavOptions { BatchCountMax = 2, ParallelReadsMax = 1, ReadAttempts = 1 });
        var read = Done(await rig.ReadAsync());
        Assert.IsType<Certificate.Partial>(read.Certificate);
        Assert.Null(read.Next);
        Assert.Equal(2, read.Upserts.Length);
        Assert.Equal(["state", "members", "multiget", "multiget"], rig.Asked);
    }

    /// <summary>However the server escapes an href today, it is the same resource.</summary>
    [Fact]
    public async Task Read_WithHrefsEscapedDifferently_IsTheSameResource()
    {
        await using var rig = CalDavRig.Start(request => DavXml.Kind(request) switch
        {
            "state" => DavXml.Rows(DavXml.State("t-5")),
            "members" => DavXml.Rows(
                DavXml.State(), DavXml.Member("x%40y.ics", "1"), DavXml.Member("%c3%a9.ics", "1")),
            "sync" => DavXml.Rows(
                DavXml.Member("x@y.ics", "1"), DavXml.Gone("é.ics"), DavXml.Token("t-6")),
            _ => DavXml.Contents(request),
        });
        var first = Done(await rig.ReadAsync());
        Assert.Equal(
            ["/dav/cal/x%40y.ics", "/dav/cal/%C3%A9.ics"], first.Upserts.Select(one => one.Address.Value));
        Assert.Contains("%c3%a9.ics", DavXml.Hrefs(rig.Server.Requests[2]).Last(), StringComparison.Ordinal);
        var second = Done(await rig.ReadAsync(Token, ("x%40y.ics", "\"1\""), ("%C3%A9.ics", "\"1\"")));
        Assert.Empty(second.Upserts);
        Assert.Equal(["/dav/cal/%C3%A9.ics"], second.Tombstones.Select(one => one.Value));
    }

    /// <summary>Content that cannot be synced is named with its text, and the rest is read.</summary>
    [Fact]
    public async Task Read_AResourceThatIsNoEvent_NamesTheProblem()
    {
        string[] contents =
        [
            "not a calendar",
            "BEGIN:VCALENDAR\nEND:VCALENDAR\n",
            DavXml.Event("a").Replace("UID:a\n", "", StringComparison.Ordinal),
            DavXml.Event("a").Replace(
                "END:VCALENDAR", "BEGIN:VEVENT\nUID:b\nEND:VEVENT\nEND:VCALENDAR", StringComparison.Ordinal),
            DavXml.Event("a")[..60],
        ];
        foreach (var content in contents)
        {
            await using var rig = CalDavRig.Start(request => Listed(request, "a.ics", "b.ics") ?? DavXml.Rows(
                DavXml.Content("b.ics", "1", "b"),
                DavXml.Row(
                    "/dav/cal/a.ics",
                    $"<D:getetag>\"1\"</D:getetag><C:calendar-data>{content}</C:calendar-data>")));
            var read = Done(await rig.ReadAsync());
            var broken = Assert.Single(read.Upserts, one => one.Problem is not null);
            Assert.Equal(content.Trim(), broken.Raw!.ReplaceLineEndings("\n").Trim());
            Assert.Equal(2, read.Upserts.Length);
        }
    }

    private static ScriptedAnswer? Listed(ScriptedRequest request, params string[] names) =>
        DavXml.Kind(request) switch
        {
            "state" => DavXml.Rows(DavXml.State("t-5")),
            "members" => DavXml.Rows(
                [DavXml.State(), .. names.Select(name => DavXml.Member(name, "1"))]),
            _ => null,
        };

    private static ChangeSet Done(ChangeRead read) => Assert.IsType<ChangeRead.Done>(read).Changes;
}
