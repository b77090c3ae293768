using System.Buffers;
using System.Text;
using CalSync.Calendar.Document;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace CalSync.Calendar.Tests.Document;

/// <summary>
/// A change rewrites the lines it names and no other. Method: known changes, and in every file of the
/// collection one changed property.
/// </summary>
public sealed class DocumentEditTests
{
    private const string Event =
        "BEGIN:VEVENT\nUID:1\nsummary;X=1:a\n b\nX-Odd:  \n\n"
        + "BEGIN:VALARM\nTRIGGER:PT0S\nEND:VALARM\nEND:VEVENT\n";

    [Fact]
    public void Replace_OneProperty_RewritesThatLineOnly() => AssertEdit(
        (edit, it) => edit.Replace(it.Property("SUMMARY"u8)!.Value, new PropertyContent("SUMMARY", "new")),
        "summary;X=1:a\n b\n", "SUMMARY:new\n");

    [Fact]
    public void Replace_WithTheSame_ChangesNothing() => AssertEdit(
        (edit, it) => edit.Replace(
            it.Property("SUMMARY"u8)!.Value, it.Property("SUMMARY"u8)!.Value.Content), "", "");

    [Fact]
    public void Set_OfAMissingProperty_AddsItBehindTheLast() => AssertEdit(
        (edit, it) => edit.Set(it, new PropertyContent("STATUS", "CONFIRMED")),
        "X-Odd:  \n", "X-Odd:  \nSTATUS:CONFIRMED\n");

    [Fact]
    public void Add_OfARepeatedName_StandsBehindItsLast() => AssertEdit(
        (edit, it) => edit.Add(it, new PropertyContent("UID", "2").With("X-P", "a;b", "c\"d")),
        "UID:1\n", "UID:1\nUID;X-P=\"a;b\",c^'d:2\n");

    [Fact]
    public void Remove_OfAComponent_TakesItsLinesAndWins() => AssertEdit(
        (edit, it) => edit
            .Set(it.Components.Single(), new PropertyContent("TRIGGER", "-PT5M"))
            .Remove(it.Components.Single()),
        "BEGIN:VALARM\nTRIGGER:PT0S\nEND:VALARM\n", "");

    [Fact]
    public void AddAsItStands_KeepsTheOctets() => AssertEdit(
        (edit, it) => edit
            .AddAsItStands(it,
                CalendarDocument.Parse("BEGIN:VALARM\r\nx-a:1\r\nEND:VALARM").Components.Single())
            .AddAsItStands(it, CalendarDocument.Parse("BEGIN:A\rx-odd:\r  2\rEND:A").Components.Single()
                .Properties.Single()),
        "X-Odd:  \n\nBEGIN:VALARM\nTRIGGER:PT0S\nEND:VALARM\n",
        "X-Odd:  \nx-odd:\n  2\n\nBEGIN:VALARM\nTRIGGER:PT0S\nEND:VALARM\n"
            + "BEGIN:VALARM\r\nx-a:1\r\nEND:VALARM\n");

    [Fact]
    public void Apply_AtAnUnendedLastLine_EndsIt()
    {
        var component = CalendarDocument.Parse("BEGIN:A\r\nX:1").Components.Single();
        var edited = component.Document.Edit().Add(component, new PropertyContent("Y", "2")).Apply();
        Assert.Equal("BEGIN:A\r\nX:1\r\nY:2\r\n", edited.ToString());
    }

    [Fact]
    public void Apply_OnAnotherDocument_Throws() => Assert.Throws<ArgumentException>(() =>
        CalendarDocument.Parse(Event).Edit().Remove(CalendarDocument.Parse(Event).Components.Single()));

    [Fact]
    public void Content_WithALineFeed_Throws() =>
        Assert.Throws<ArgumentException>(() => new PropertyContent("X", "a\nEND:VEVENT"));

    /// <summary>One property of every file, chosen by a seed: all other lines stay the same octets.</summary>
    [Fact]
    public void Replace_InEveryFile_KeepsAllOtherLines()
    {
        const int seed = 20260308;
        var random = new Random(seed);
        foreach (var file in Corpus.Files)
        {
            var document = CalendarDocument.Parse(file.Bytes);
            var properties = Written.Properties(document);
            if (properties.Count == 0)
                continue;
            var property = properties[random.Next(properties.Count)];
            var content = property.Content with { RawValue = property.RawValue + "!" };
            var edited = document.Edit().Replace(property, content).Apply();
            var start = property.Entry.Start;
            var message = $"{file.Name}, line {property.LineNumber}, seed {seed}";
            var after = file.Bytes.AsSpan(start + property.Bytes.Length);
            Assert.True(edited.Source[..start].SequenceEqual(file.Bytes.AsSpan(0, start)), message);
            Assert.True(edited.Source.EndsWith(after), message);
            Assert.Equal((message, document.LineCount), (message, edited.LineCount));
        }
    }

    /// <summary>parse(write(x)) == x, and no physical line is longer than 75 octets.</summary>
    [Fact]
    public void Content_WrittenAndRead_IsTheSame() => Check.One(Properties.Config, Prop.ForAll(
        (from name in Gen.Elements(
            "SUMMARY", "X-LONG-NAME-OF-A-VENDOR-THAT-LIKES-LONG-NAMES-VERY-MUCH-INDEED", "A")
         from value in Text(300)
         from names in Gen.ListOf(Gen.Elements("CN", "X-P", "TZID"), 2)
         from values in Gen.ListOf(Gen.ListOf(Text(60), 2), 2)
         select new PropertyContent(name, value.Replace("\n", "", StringComparison.Ordinal))
         {
             Parameters = [.. names.Zip(values, (key, texts) => new ParameterContent(key, [.. texts]))],
         }).ToArbitrary(),
        content =>
        {
            var writer = new ArrayBufferWriter<byte>();
            writer.Write("BEGIN:A\r\n"u8);
            ContentLineWriter.Write(writer, content);
            writer.Write("END:A\r\n"u8);
            var document = CalendarDocument.Parse(writer.WrittenMemory);
            var property = Assert.Single(document.Components.Single().Properties);
            Assert.Equal(content, property.Content);
            Assert.All(document.ToString().Split("\r\n"), line =>
                Assert.InRange(Encoding.UTF8.GetByteCount(line), 0, 75));
            return true;
        }));

    private static Gen<string> Text(int length) =>
        from letters in Gen.ListOf(Gen.Elements(
            "a", "b", " ", "é", "日", "😀", ";", ",", ":", "\"", "^", "^n", "\\", "\n", "=", "\t",
            "\r", "\u0000", "\u0085", "\u2028"))
        from more in Gen.Choose(0, length / 10)
        select string.Concat(letters) + new string('ü', more);

    private static void AssertEdit(
        Func<DocumentEdit, CalendarComponent, DocumentEdit> change, string from, string to)
    {
        var document = CalendarDocument.Parse(Event);
        var edited = change(document.Edit(), document.Components.Single()).Apply();
        var expected = from.Length == 0 ? Event : Event.Replace(from, to, StringComparison.Ordinal);
        Assert.Equal(expected, edited.ToString());
        Assert.Equal(Event, document.ToString());
    }
}
