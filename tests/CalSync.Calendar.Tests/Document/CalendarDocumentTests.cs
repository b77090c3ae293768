using System.Text;
using CalSync.Calendar.Document;
using Xunit;

namespace CalSync.Calendar.Tests.Document;

/// <summary>
/// A stream is told apart into lines, components, properties and parameters, and no octet is lost. Method:
/// known streams with every oddity, and every file of the collection.
/// </summary>
public sealed class CalendarDocumentTests
{
    [Fact]
    public void Write_OfEveryFile_GivesTheSameOctets()
    {
        foreach (var file in Corpus.Files)
        {
            var document = CalendarDocument.Parse(file.Bytes);
            Assert.True(Written.FromParts(document).SequenceEqual(file.Bytes), file.Name);
            var lines = Enumerable.Range(0, document.LineCount)
                .Count(line => document.Line(line).Kind == LineKind.Property);
            Assert.True(Written.Properties(document).Count == lines,
                $"{file.Name} has properties in no component");
        }
    }

    [Fact]
    public void Rest_ThenAskedAgain_FindsTheSame()
    {
        foreach (var file in Corpus.Files)
        {
            var document = CalendarDocument.Parse(file.Bytes, new DocumentLimits { LineCountMax = 400 });
            var (lines, problems, uids) = (document.LineCount, document.Problems, document.Uids);
            document.Rest();
            Assert.Equal(lines, document.LineCount);
            Assert.Equal(problems, document.Problems);
            Assert.Equal(uids, document.Uids);
            Assert.True(Written.FromParts(document).SequenceEqual(file.Bytes), file.Name);
        }
    }

    [Theory]
    [InlineData("", new string[0])]
    [InlineData("E a,T a", new[] { "a" })]
    [InlineData("E a,J b,E a,E ,T c", new[] { "a", "b", "", "c" })]
    public void Uids_OfAllEntries_AreEachOnce(string entries, string[] uids)
    {
        var text = string.Concat(entries.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(entry =>
        {
            var name = entry[0] switch { 'E' => "VEVENT", 'T' => "VTODO", _ => "VJOURNAL" };
            return $"BEGIN:{name}\r\n{(entry.Length > 2 ? $"UID:{entry[2..]}\r\n" : "")}END:{name}\r\n";
        }));
        Assert.Equal(
            uids, CalendarDocument.Parse($"BEGIN:VCALENDAR\r\n{text}END:VCALENDAR\r\n").Uids.AsEnumerable());
    }

    [Theory]
    [InlineData("BEGIN:VEVENT\r\n", true)]
    [InlineData("begin:vevent\n", true)]
    [InlineData("BEGIN:VEVENT\r", true)]
    [InlineData("BEGIN:VEVENT", true)]
    [InlineData("BEGIN: VEVENT \t\r\n", true)]
    [InlineData("BEGIN:VEV\r\n ENT\r\n", true)]
    [InlineData("BEGIN:VEVENT\r\n  \r\n", true)]
    [InlineData("BEGIN;X=1:VEVENT\r\n", true)]
    [InlineData("BEGIN:VEVENTS\r\n", false)]
    [InlineData("BEGIN:VEVENT\r\n S\r\n", false)]
    [InlineData("BEGIN:VEVENT\rX\r\n", false)]
    [InlineData("BEGIN:VEVE\r\nNT:1\r\n", false)]
    [InlineData("BEGIN:VTODO\r\n", false)]
    [InlineData("BEGIN:\r\n", false)]
    public void Is_AName_IsToldFromWhatOnlyBeginsSo(string text, bool isEvent) =>
        Assert.Equal(isEvent, CalendarDocument.Parse(text).Components.First().Is("VEVENT"u8));

    [Fact]
    public void Problems_OfValidFiles_AreNone()
    {
        foreach (var file in Corpus.Of("valid").Concat(Corpus.Of("vtimezone")))
        {
            Assert.Equal((file.Name, ""),
                (file.Name, string.Join('\n', CalendarDocument.Parse(file.Bytes).Problems)));
        }
    }

    [Fact]
    public void Problems_OfBrokenStructure_AreFoundInEveryFile()
    {
        string[] structural = ["bad-content-line", "missing-end", "unbalanced", "content-outside-component"];
        foreach (var file in Corpus.Files.Where(file => file.Violations.Intersect(structural).Any()))
        {
            // Lines that go on after an equals sign are read, so they are no fault here.
            if (file.Violations.Contains("quoted-printable"))
                continue;
            Assert.False(CalendarDocument.Parse(file.Bytes).Problems.IsEmpty, file.Name);
        }
    }

    [Theory]
    [InlineData("\r\n", LineEnding.CrLf)]
    [InlineData("\n", LineEnding.Lf)]
    [InlineData("\r", LineEnding.Cr)]
    [InlineData("\r\r\n", LineEnding.CrLf)]
    public void Parse_WithAnyLineEnding_FindsTheSame(string end, LineEnding expected)
    {
        var document = CalendarDocument.Parse(
            string.Join(end, "BEGIN:VCALENDAR", "X-A:one", "\t two", "", "END:VCALENDAR", ""));
        Assert.Equal(expected, document.LineEnding);
        Assert.Equal("one two", document.Components.Single().Properties.Single().RawValue);
        Assert.Empty(document.Problems);
        Assert.Equal(4, document.LineCount);
    }

    [Fact]
    public void Components_OfSeveralCalendars_AreATree() => Assert.Equal(
        "VCALENDAR(VTIMEZONE(STANDARD DAYLIGHT) VEVENT(VALARM VALARM) VEVENT) VCALENDAR VEVENT",
        Written.Tree(Parse(
            "BEGIN:VCALENDAR", "BEGIN:VTIMEZONE", "BEGIN:STANDARD", "END:STANDARD", "BEGIN:DAYLIGHT",
            "END:DAYLIGHT", "END:VTIMEZONE", "BEGIN:VEVENT", "BEGIN:VALARM", "END:VALARM", "BEGIN:VALARM",
            "END:VALARM", "END:VEVENT", "BEGIN:VEVENT", "END:VEVENT", "END:VCALENDAR", "",
            "\uFEFFBegin:vCalendar", "end:VCALENDAR", "BEGIN:VEVENT", "END:VEVENT")));

    [Fact]
    public void Properties_AroundComponents_BelongToTheirOwn()
    {
        var calendar = Parse(
            "BEGIN:VCALENDAR", "A:1", "BEGIN:VEVENT", "B:2", "BEGIN:VALARM", "C:3", "END:VALARM",
            "D:4", "END:VEVENT", "E:5", "END:VCALENDAR").Components.Single();
        Assert.Equal(["A", "E"], calendar.Properties.Select(property => property.Name));
        Assert.Equal(["B", "D"], calendar.Components.Single().Properties.Select(property => property.Name));
        var alarm = calendar.Components.Single().Components.Single();
        Assert.Equal("C", alarm.Properties.Single().Name);
        Assert.Equal("VEVENT", alarm.Parent!.Value.Name);
        Assert.Equal("VALARM", alarm.Properties.Single().Component!.Value.Name);
    }

    [Theory]
    [InlineData("BEGIN:A|BEGIN:B|END:A", "A(B)", "2:1 MissingEnd")]
    [InlineData("BEGIN:A|BEGIN:B", "A(B)", "2:1 MissingEnd|1:1 MissingEnd")]
    [InlineData("END:A|BEGIN:B|END:C|END:B", "B", "1:1 EndWithoutBegin|3:1 EndWithoutBegin")]
    [InlineData("X:1|BEGIN:A|END:A", "A", "1:1 OutsideComponent")]
    [InlineData("BEGIN:A|no colon|:no name|END:A|%%", "A",
        "2:1 BadContentLine|3:1 BadContentLine|5:1 BadContentLine")]
    [InlineData(" odd|BEGIN: A|END:A", "A", "1:1 BadContentLine|2:7 BadComponentName")]
    [InlineData("BEGIN:A|X;P=\"a:b|END:A", "A", "2:1 OpenQuote")]
    [InlineData("", "", "1:1 NoComponent")]
    [InlineData("BEGIN:|END:", "", "1:7 BadComponentName|2:5 BadComponentName")]
    public void Problems_OfBrokenStructure_AreLocated(string lines, string tree, string expected)
    {
        var document = Parse(lines.Split('|'));
        Assert.Equal(tree, Written.Tree(document));
        Assert.Equal(expected, string.Join('|', document.Problems.Select(problem =>
            $"{problem.Line}:{problem.Column} {problem.Code}")));
    }

    /// <summary>A fold may stand anywhere, also inside a name and inside one character.</summary>
    [Fact]
    public void Folds_Anywhere_AreTakenOut()
    {
        byte[] source =
        [
            .. "BEGIN:X\r\nSUM\r\n MARY;LANG\r\n UAGE=e\r\n n:caf"u8, 0xC3,
            .. "\r\n "u8, 0xA9, .. " x\r\nEN\r\n D:\r\n X\r\n"u8,
        ];
        var document = CalendarDocument.Parse(source);
        var summary = document.Components.Single().Properties.Single();
        Assert.Equal("SUMMARY", summary.Name);
        Assert.Equal("café x", summary.RawValue);
        Assert.Equal("en", summary.ParameterValue("language"u8));
        Assert.Empty(document.Problems);
    }

    /// <summary>vCalendar 1.0 programs end lines of quoted-printable values with an equals sign.</summary>
    [Fact]
    public void QuotedPrintable_WithSoftLineBreaks_IsOneLine() => Assert.Equal("a=20b=",
        Parse("BEGIN:A", "D;ENCODING=QUOTED-PRINTABLE:a=", "=20b==", "", "END:A")
            .Components.Single().Properties.Single().RawValue);

    [Fact]
    public void Parameters_WithQuotesAndCarets_AreDecoded()
    {
        var attendee = Parse("BEGIN:A",
            "ATTENDEE;CN=\"Doe; Jane, Dr: x\";X=^'a^'^nb^^c^d;member=\"m:1\",m2,;BARE;E=:mailto:a@b", "END:A")
            .Components.Single().Property("attendee"u8)!.Value;
        Assert.Equal(["CN", "X", "MEMBER", "BARE", "E"],
            attendee.Parameters.Select(parameter => parameter.Name));
        Assert.Equal("Doe; Jane, Dr: x", attendee.ParameterValue("CN"u8));
        Assert.Equal("\"a\"\nb^c^d", attendee.ParameterValue("X"u8));
        Assert.Equal(["m:1", "m2", ""], attendee.Parameter("MEMBER"u8)!.Value.Values.AsEnumerable());
        Assert.False(attendee.Parameter("BARE"u8)!.Value.HasValue);
        Assert.Empty(attendee.ParameterValue("E"u8)!);
        Assert.Null(attendee.ParameterValue("F"u8));
        Assert.Equal("mailto:a@b", attendee.RawValue);
    }

    [Fact]
    public void Limits_OnLines_KeepTheRest()
    {
        var source = Encoding.UTF8.GetBytes("BEGIN:A\nX:1\nX:2\nX:3\nEND:A\n");
        var document = CalendarDocument.Parse(source, new DocumentLimits { LineCountMax = 3 });
        Assert.Equal(2, document.Components.Single().Properties.Count());
        var problem = Assert.Single(document.Problems);
        Assert.Equal((CalendarProblemCode.LimitReached, 4), (problem.Code, problem.Line));
        Assert.Equal(source, Written.FromParts(document));
    }

    private static CalendarDocument Parse(params string[] lines) =>
        CalendarDocument.Parse(string.Join("\r\n", lines));
}
