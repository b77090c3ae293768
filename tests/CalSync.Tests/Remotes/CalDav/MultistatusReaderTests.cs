using System.IO.Pipelines;
using System.Text;
using CalSync.Remotes.Dav;
using Xunit;

namespace CalSync.Tests.Remotes.CalDav;

/// <summary>Goal: only a whole multistatus is one; nothing hostile takes memory or is fetched.</summary>
public sealed class MultistatusReaderTests
{
    private static readonly DavOptions Small = new()
    {
        AnswerLengthMax = 100_000,
        ResourceSizeBytesMax = 20_000,
        RowCountMax = 50,
    };

    [Fact]
    public async Task Read_ServersOfAllKinds_GivesTheSameRows()
    {
        const string Text = """
            <?xml version="1.0" encoding="UTF-8"?>
            <!-- default namespace, white space, CDATA and an empty status, as iCloud and others write it -->
            <multistatus xmlns="DAV:">
              <response xmlns="DAV:">
                <href>
                  /1/calendars/a.ics
                </href>
                <propstat><prop><getetag xmlns="DAV:">W/"x=1"</getetag>
                  <calendar-data xmlns="urn:ietf:params:xml:ns:caldav"><![CDATA[
            BEGIN:VCALENDAR
            SUMMARY:a & b <c>
            END:VCALENDAR
            ]]></calendar-data></prop><status>HTTP/1.1 200 OK</status></propstat>
                <propstat><prop><getcontentlength/><unknown><deep/></unknown></prop>
                  <status>HTTP/1.1 404 Not Found</status></propstat>
              </response>
              <x:response xmlns:x="DAV:"><x:href>/b.ics</x:href><x:href>/c.ics</x:href>
                <x:status>HTTP/1.1 404 Not Found</x:status></x:response>
              <response><href>/d/</href><propstat><prop><resourcetype><collection/>
                <calendar xmlns="urn:ietf:params:xml:ns:caldav"/></resourcetype></prop>
                <status></status></propstat></response>
              <sync-token>t-1</sync-token>
            </multistatus>

            """;
        var read = await ReadAsync(Text, Small);
        Assert.Equal("t-1", read.SyncToken);
        Assert.Equal(
            ["/1/calendars/a.ics", "/b.ics", "/c.ics", "/d/"], read.Rows.Select(row => row.Href));
        Assert.Equal([null, 404, 404, null], read.Rows.Select(row => row.Status));
        Assert.Equal("\"x=1\"", read.Rows[0].Properties.ETag);
        Assert.Equal(
            "BEGIN:VCALENDAR\r\nSUMMARY:a & b <c>\r\nEND:VCALENDAR\r\n",
            Encoding.UTF8.GetString(read.Rows[0].Properties.CalendarData!.Value.Span));
        Assert.True(read.Rows[3].Properties.IsCalendar);
    }

    /// <summary>A cut answer is a fault wherever it was cut, never fewer rows.</summary>
    [Fact]
    public async Task Read_CutAnywhere_IsRefused()
    {
        var whole = Encoding.UTF8.GetBytes(DavXml.Text(
            DavXml.State(), DavXml.Content("a.ics", "1", "a"), DavXml.Gone("b.ics"), DavXml.Token("t")));
        Assert.Equal(3, (await ReadAsync(whole, Small)).Rows.Length);
        for (var length = 0; length < whole.Length; length++)
            await Assert.ThrowsAsync<DavFormatException>(() => ReadAsync(whole[..length], Small));
    }

    [Theory]
    [InlineData("")]
    [InlineData("<html><body>Sign in</body></html>")]
    [InlineData("<!DOCTYPE html><html/>")]
    [InlineData("<!DOCTYPE m [<!ENTITY e 'x'>]><multistatus xmlns='DAV:'>&e;</multistatus>")]
    [InlineData("<!DOCTYPE m SYSTEM 'file:///etc/passwd'><multistatus xmlns='DAV:'/>")]
    [InlineData("<multistatus/>")]
    [InlineData("<multistatus xmlns='DAV'/>")]
    [InlineData("<multistatus xmlns='DAV:'/><multistatus xmlns='DAV:'/>")]
    [InlineData("<multistatus xmlns='DAV:'/>garbage")]
    [InlineData("<multistatus xmlns='DAV:'><response><status>HTTP/1.1 200</status></response></multistatus>")]
    [InlineData("<multistatus xmlns='DAV:'>&#0;</multistatus>")]
    [InlineData("BEGIN:VCALENDAR")]
    public async Task Read_WhatIsNoMultistatus_IsRefused(string text) =>
        await Assert.ThrowsAsync<DavFormatException>(() => ReadAsync(text, Small));

    [Fact]
    public async Task Read_TooMuchOfAnything_IsRefused()
    {
        var deep = string.Concat(Enumerable.Repeat("<a>", 40)) + string.Concat(Enumerable.Repeat("</a>", 40));
        var name = new string('n', MultistatusReader.TextLengthMax + 1);
        var names = string.Concat(Enumerable.Repeat("<D:x/>", 300));
        string[] texts =
        [
            DavXml.Text(deep),
            DavXml.Text(DavXml.Row("/a", deep)),
            DavXml.Text(Enumerable.Repeat(DavXml.Gone("a.ics"), 51)),
            DavXml.Text(DavXml.Row("/a", $"<D:displayname>{name}</D:displayname>")),
            DavXml.Text(DavXml.Row("/a", $"<D:supported-report-set>{names}</D:supported-report-set>")),
            DavXml.Text(DavXml.Row("/a", $"<C:calendar-data>{new string('d', 20_001)}</C:calendar-data>")),
            DavXml.Text(DavXml.Row("/a", string.Concat(
                Enumerable.Repeat($"<C:calendar-data>{new string('d', 14_000)}</C:calendar-data>", 3)))),
            DavXml.Text($"<!-- {new string('c', 100_000)} -->"),
        ];
        foreach (var text in texts)
            await Assert.ThrowsAsync<DavFormatException>(() => ReadAsync(text, Small));
    }

    /// <summary>Pairs of surrogates and line ends survive wherever the reader's pieces end.</summary>
    [Fact]
    public async Task Read_LongContent_KeepsEveryCharacter()
    {
        foreach (var shift in Enumerable.Range(0, 5))
        {
            var line = new string('x', shift) + string.Concat(Enumerable.Repeat("\U0001F469é\n ", 9_000));
            var text = DavXml.Text(DavXml.Row("/a", $"<C:calendar-data>B{line}E</C:calendar-data>"));
            var read = await ReadAsync(text, new DavOptions());
            Assert.Equal(
                $"B{line.ReplaceLineEndings("\r\n")}E\r\n",
                Encoding.UTF8.GetString(read.Rows[0].Properties.CalendarData!.Value.Span));
        }
    }

    /// <summary>Contents are put beside each other: each row has its own, and no more of it.</summary>
    [Fact]
    public async Task Read_ManyContents_GivesEachRowItsOwn()
    {
        var contents = Enumerable.Range(0, 400).Select(number => number % 7 == 0
            ? ""
            : $"BEGIN:VCALENDAR\nX-N:{new string('é', number * 3)}\nX-END:{number}").ToList();
        var text = DavXml.Text(contents.Select((content, number) => DavXml.Row(
            $"/{number}", $"<C:calendar-data>{content}</C:calendar-data>")));
        // The bound is one of each content, not of all of them.
        var read = await ReadAsync(text, new DavOptions { ResourceSizeBytesMax = 4_000 });
        Assert.Equal(
            contents.Select(content => content.Length == 0
                ? ""
                : content.ReplaceLineEndings("\r\n") + "\r\n"),
            read.Rows.Select(row => Encoding.UTF8.GetString(row.Properties.CalendarData!.Value.Span)));
    }

    /// <summary>A server may give each property with a status of its own; what it refuses counts for
    /// nothing.</summary>
    [Fact]
    public async Task Read_PropertiesInSeveralParts_AreThoseOfOneRow()
    {
        static string Part(string property, int status = 200) =>
            $"<D:propstat><D:prop>{property}</D:prop><D:status>HTTP/1.1 {status} OK</D:status></D:propstat>";
        static string Data(string text) => $"<C:calendar-data>{text}</C:calendar-data>";
        var parts = new[]
        {
            Part("<D:getetag>\"1\"</D:getetag>") + Part(Data("a")),
            Part(Data("no"), 404) + Part(Data("b")) + Part(Data("too late")),
            Part(Data("no"), 403) + Part("<D:getetag>\"3\"</D:getetag>"),
        };
        var read = await ReadAsync(
            DavXml.Text(parts.Select(part => $"<D:response><D:href>/x</D:href>{part}</D:response>")), Small);
        Assert.Equal(
            ["a\r\n", "b\r\n", null],
            read.Rows.Select(row => row.Properties.CalendarData is { } data
                ? Encoding.UTF8.GetString(data.Span)
                : null));
        Assert.Equal(["\"1\"", null, "\"3\""], read.Rows.Select(row => row.Properties.ETag));
    }

    /// <summary>Longer than what is taken into memory before it is read.</summary>
    [Fact]
    public async Task Read_LongAnswer_GivesEveryRowAndLeavesNothing()
    {
        const int Count = 40_000;
        var text = DavXml.Text([.. Enumerable.Range(0, Count).Select(index =>
            DavXml.Row($"/a/{index}", $"<D:getetag>\"{index}\"</D:getetag>"))]);
        Assert.InRange(text.Length, AnswerBody.HeldSizeBytesMax + 1, 3 * AnswerBody.HeldSizeBytesMax);
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(text));
        var read = await MultistatusReader.ReadAsync(stream, new DavOptions(), CancellationToken.None);
        Assert.Equal(stream.Length, stream.Position);
        Assert.Equal(
            Enumerable.Range(0, Count).Select(index => $"\"{index}\""),
            read.Rows.Select(row => row.Properties.ETag));
    }

    /// <summary>The wait for the rest of a long answer ends when the call does.</summary>
    [Fact]
    public async Task Read_LongAnswerThatStops_EndsWithItsCall()
    {
        using var cancelling = new CancellationTokenSource();
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        var begun = Encoding.UTF8.GetBytes(
            DavXml.Text(DavXml.Row("/a", $"<D:x>{new string('x', 2 * AnswerBody.HeldSizeBytesMax)}</D:x>")));
        await pipe.Writer.WriteAsync(begun.AsMemory(0, AnswerBody.HeldSizeBytesMax + 1000), cancelling.Token);
        var reading = MultistatusReader.ReadAsync(
            pipe.Reader.AsStream(), new DavOptions(), cancelling.Token);
        Assert.False(reading.IsCompleted);
        await cancelling.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
    }

    /// <summary>Whatever comes, it is rows or a refusal.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Read_DamagedAnswers_NeverFailsOtherwise(int seed)
    {
        var random = new Random(seed);
        var whole = Encoding.UTF8.GetBytes(DavXml.Text(DavXml.State(), DavXml.Content("a.ics", "1", "a")));
        for (var round = 0; round < 500; round++)
        {
            var damaged = whole.ToArray();
            for (var hit = random.Next(1, 6); hit > 0; hit--)
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            try
            {
                await ReadAsync(damaged, Small);
            }
            catch (DavFormatException)
            {
                // Refused, as it may be.
            }
        }
    }

    private static Task<Multistatus> ReadAsync(string text, DavOptions options) =>
        ReadAsync(Encoding.UTF8.GetBytes(text), options);

    private static async Task<Multistatus> ReadAsync(byte[] octets, DavOptions options)
    {
        using var stream = new MemoryStream(octets);
        return await MultistatusReader.ReadAsync(stream, options, CancellationToken.None);
    }
}
