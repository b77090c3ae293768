using System.Buffers;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using CalSync.Calendar.Components;

namespace CalSync.Calendar.Document;

/// <summary>What ends the lines of a stream. RFC 5545 section 3.1 asks for CRLF.</summary>
public enum LineEnding
{
    /// <summary>Carriage return and line feed.</summary>
    CrLf = 0,

    /// <summary>Line feed alone, as files on Unix have it.</summary>
    Lf = 1,

    /// <summary>Carriage return alone, in a stream without any line feed.</summary>
    Cr = 2,
}

/// <summary>An iCalendar stream: its octets, and the lines and components found in them.</summary>
/// <remarks>
/// RFC 5545 section 3.4. A document <i>is</i> its octets: nothing is copied or normalised, so writing it
/// gives back what was read, and a change (<see cref="Edit"/>) makes a new document in which all other lines
/// are the same octets. Reading never fails: what is not understood is kept, with a located problem. Values
/// are read when they are asked for. Immutable, if the caller does not change the octets it passed.
/// </remarks>
public sealed class CalendarDocument
{
    private readonly ReadOnlyMemory<byte> _source;
    private readonly DocumentLimits _limits;
    private Parts? _parts;
    private string? _digest;
    private ImmutableArray<string> _uids;

    internal CalendarDocument(
        ReadOnlyMemory<byte> source,
        DocumentLimits limits,
        Parts parts,
        byte lineEnd,
        ImmutableArray<CalendarProblem> problems)
    {
        _source = source;
        _limits = limits;
        _parts = parts;
        LineEndOctet = lineEnd;
        Problems = problems;
    }

    /// <summary>Reads a stream of one or more calendars, or a fragment of one.</summary>
    /// <param name="source">UTF-8. Kept, not copied: it must not change afterwards.</param>
    /// <param name="limits">Where to stop looking; null takes the defaults.</param>
    public static CalendarDocument Parse(ReadOnlyMemory<byte> source, DocumentLimits? limits = null) =>
        DocumentReader.Read(source, limits ?? DocumentLimits.Default);

    /// <summary>
    /// Reads a text as <see cref="Parse(ReadOnlyMemory{byte}, DocumentLimits?)"/> reads it.
    /// </summary>
    public static CalendarDocument Parse(string text) => Parse(Encoding.UTF8.GetBytes(text));

    /// <summary>The octets, as they were read or edited.</summary>
    public ReadOnlyMemory<byte> Bytes => _source;

    /// <summary>SHA-256 of the octets, hexadecimal in lower case; reckoned when first asked for.</summary>
    public string Digest => _digest ??= Convert.ToHexStringLower(SHA256.HashData(Source));

    /// <summary>
    /// The UIDs of its events, tasks and journal entries, each once, in the order they come, empty for an
    /// entry without: one, in a resource of a CalDAV server (RFC 4791 section 4.1). Found when first asked
    /// for.
    /// </summary>
    public ImmutableArray<string> Uids => _uids.IsDefault ? _uids = FindUids() : _uids;

    /// <summary>Its events, tasks and journal entries (RFC 5545 section 3.6).</summary>
    public IEnumerable<CalendarComponent> Entries
    {
        get
        {
            foreach (var root in Components)
            {
                if (!root.Is("VCALENDAR"u8))
                    continue;
                foreach (var each in root.Components)
                {
                    if (each.Is("VEVENT"u8) || each.Is("VTODO"u8) || each.Is("VJOURNAL"u8))
                        yield return each;
                }
            }
        }
    }

    /// <summary>
    /// Faults of the structure, in the order they were found. Faults of values come from reading them.
    /// </summary>
    public ImmutableArray<CalendarProblem> Problems { get; }

    /// <summary>What ends the first line; CRLF when there is none.</summary>
    public LineEnding LineEnding
    {
        get
        {
            var end = Source.IndexOf(LineEndOctet);
            return LineEndOctet == Folds.Cr ? LineEnding.Cr
                : end > 0 && Source[end - 1] != Folds.Cr ? LineEnding.Lf
                : LineEnding.CrLf;
        }
    }

    /// <summary>The components that stand in no other: VCALENDAR objects, or what a fragment has.</summary>
    public ComponentList Components => new(this, -1);

    /// <summary>Every component, each before those that stand in it.</summary>
    public IEnumerable<CalendarComponent> AllComponents =>
        Enumerable.Range(0, ComponentCount).Select(index => new CalendarComponent(this, index));

    /// <summary>Number of content lines: properties, BEGIN, END, blank and malformed lines.</summary>
    public int LineCount => Found.Lines.Length - 1;

    /// <summary>Properties outside every component.</summary>
    public PropertyList StrayProperties => new(this, -1);

    /// <summary>
    /// Lets go of the lines and components that were found: they are a third of the memory of a document, and
    /// are found again when they are asked for. For documents of which many thousands wait.
    /// </summary>
    public void Rest() => _parts = null;

    /// <summary>Writes the octets.</summary>
    public void WriteTo(IBufferWriter<byte> writer) => writer.Write(Source);

    /// <summary>Begins a change. This document stays as it is.</summary>
    public DocumentEdit Edit() => new(this);

    /// <summary>The text of the whole stream; invalid UTF-8 shows as U+FFFD.</summary>
    public override string ToString() => Encoding.UTF8.GetString(Source);

    internal ReadOnlySpan<byte> Source => _source.Span;

    private Parts Found => _parts ??= DocumentReader.Read(_source, _limits)._parts!;

    /// <summary>The octet that ends a physical line: LF, or CR in a stream without LF.</summary>
    internal byte LineEndOctet { get; }

    internal int ComponentCount => Found.Components.Length;

    internal ref readonly LineEntry Line(int index) => ref Found.Lines[index];

    internal ref readonly ComponentEntry Component(int index) => ref Found.Components[index];

    /// <summary>A whole line with what ends it.</summary>
    internal ReadOnlySpan<byte> LineBytes(int index) =>
        Source[Line(index).Start..Line(index + 1).Start];

    internal ReadOnlyMemory<byte> LineMemory(int index) =>
        _source[Line(index).Start..Line(index + 1).Start];

    private ImmutableArray<string> FindUids()
    {
        string? only = null;
        foreach (var entry in Entries)
        {
            var uid = Uid(entry);
            if (only is not null && only != uid)
                return [.. Entries.Select(Uid).Distinct()];
            only = uid;
        }

        return only is null ? [] : [only];

        static string Uid(CalendarComponent entry) => entry.Text("UID"u8).Value ?? "";
    }

    /// <summary>The octets between two offsets, unfolded if the line is folded.</summary>
    internal ReadOnlySpan<byte> Unfolded(int index, int start, int end)
    {
        var content = Source[start..end];
        return (Line(index).Traits & LineTraits.Folded) == 0
            ? content
            : Folds.Unfold(content, LineEndOctet);
    }

    /// <summary>Where the content of a line ends and its line end begins.</summary>
    internal int ContentEnd(int index) =>
        Line(index).Start + Folds.WithoutLineEnd(LineBytes(index), LineEndOctet).Length;

    /// <summary>The value, unfolded.</summary>
    internal ReadOnlySpan<byte> Value(int index) =>
        Unfolded(index, Line(index).ValueStart, ContentEnd(index));

    /// <summary>A problem at an octet of a line.</summary>
    internal CalendarProblem Problem(
        int lineIndex, int offset, CalendarProblemCode code, ProblemSeverity severity,
        string section, string expected)
    {
        var (line, column) = Locate(Source, Line(lineIndex), offset, LineEndOctet);
        return new CalendarProblem(code, severity, offset, line, column, section, expected);
    }

    /// <summary>The physical line and column of an octet.</summary>
    internal static (int Line, int Column) Locate(
        ReadOnlySpan<byte> source, in LineEntry line, int offset, byte lineEnd)
    {
        var before = source[line.Start..offset];
        return (line.Number + before.Count(lineEnd), before.Length - before.LastIndexOf(lineEnd));
    }

    /// <summary>What was found in the octets.</summary>
    /// <param name="Lines">The content lines, and one more where the last ends.</param>
    /// <param name="Components">The components, each before those that stand in it.</param>
    internal sealed record Parts(LineEntry[] Lines, ComponentEntry[] Components);
}
