using System.Collections;
using System.Text;

namespace CalSync.Calendar.Document;

/// <summary>A property of a document: one content line. RFC 5545 section 3.5.</summary>
/// <remarks>Cheap to copy: it names a place in the document and holds nothing itself.</remarks>
public readonly record struct CalendarProperty
{
    private readonly int _component;

    internal CalendarProperty(CalendarDocument document, int line, int component)
    {
        Document = document;
        LineIndex = line;
        _component = component;
    }

    /// <summary>The document it stands in.</summary>
    public CalendarDocument Document { get; }

    /// <summary>The component it belongs to; null outside every component.</summary>
    public CalendarComponent? Component =>
        _component < 0 ? null : new CalendarComponent(Document, _component);

    /// <summary>Upper case, whatever the stream has: "DTSTART".</summary>
    public string Name => Encoding.UTF8.GetString(NameOctets).ToUpperInvariant();

    /// <summary>The value as text without folds; escapes stay. Invalid UTF-8 shows as U+FFFD.</summary>
    public string RawValue => Encoding.UTF8.GetString(ValueOctets);

    /// <summary>The value without folds; escapes stay.</summary>
    public ReadOnlySpan<byte> ValueOctets => Document.Value(LineIndex);

    /// <summary>The parameters, in the order of the stream.</summary>
    public ParameterList Parameters => new(this);

    /// <summary>The octets of the line, folds and line end included.</summary>
    public ReadOnlyMemory<byte> Bytes => Document.LineMemory(LineIndex);

    /// <summary>The physical line it begins on, from 1.</summary>
    public int LineNumber => Entry.Number;

    internal int LineIndex { get; }

    internal ref readonly LineEntry Entry => ref Document.Line(LineIndex);

    internal ReadOnlySpan<byte> NameOctets
    {
        get
        {
            var name = Document.Source.Slice(NameStart, Entry.NameLength);
            return (Entry.Traits & LineTraits.FoldedName) == 0
                ? name
                : Folds.Unfold(name, Document.LineEndOctet);
        }
    }

    internal bool HasParameters => Entry.ValueStart > NameStart + Entry.NameLength + 1;

    /// <summary>
    /// The text between the name and the colon, without folds, its first semicolon included.
    /// </summary>
    internal ReadOnlyMemory<byte> ParameterMemory
    {
        get
        {
            if (!HasParameters)
                return default;
            var (start, end) = (NameStart + Entry.NameLength, Entry.ValueStart - 1);
            return (Entry.Traits & LineTraits.Folded) == 0
                ? Document.Bytes[start..end]
                : Folds.Unfold(Document.Source[start..end], Document.LineEndOctet);
        }
    }

    private int NameStart => Entry.Start + ((Entry.Traits & LineTraits.Marked) == 0 ? 0 : 3);

    /// <summary>Whether it has this name, in any letter case.</summary>
    /// <param name="name">For example <c>"DTSTART"u8</c>.</param>
    public bool Is(ReadOnlySpan<byte> name)
    {
        ref readonly var entry = ref Entry;
        return (entry.NameLength == name.Length || (entry.Traits & LineTraits.FoldedName) != 0)
            && Ascii.EqualsIgnoreCase(NameOctets, name);
    }

    /// <summary>The first parameter of this name, in any letter case; null when there is none.</summary>
    /// <param name="name">For example <c>"TZID"u8</c>.</param>
    public CalendarParameter? Parameter(ReadOnlySpan<byte> name)
    {
        foreach (var parameter in Parameters)
        {
            if (parameter.Is(name))
                return parameter;
        }

        return null;
    }

    /// <summary>The first value of a parameter, decoded; null when there is no such parameter.</summary>
    /// <param name="name">For example <c>"TZID"u8</c>.</param>
    public string? ParameterValue(ReadOnlySpan<byte> name) => Parameter(name)?.Value;

    /// <summary>Name, parameters and value apart from the document, for comparing and for writing.</summary>
    public PropertyContent Content => new(Name, RawValue)
    {
        Parameters =
            [.. Parameters.Select(parameter => new ParameterContent(parameter.Name, parameter.Values))],
    };

    /// <summary>The content line, not folded.</summary>
    public override string ToString() => Content.ToString();

    /// <summary>A problem at an octet of the unfolded value.</summary>
    internal CalendarProblem Problem(
        int valueOffset, CalendarProblemCode code, ProblemSeverity severity,
        string section, string expected) =>
        ProblemBehind(Entry.ValueStart, valueOffset, code, severity, section, expected);

    /// <summary>A problem at an octet of the unfolded parameters.</summary>
    internal CalendarProblem ParameterProblem(
        int offset, CalendarProblemCode code, ProblemSeverity severity, string section, string expected) =>
        ProblemBehind(NameStart + Entry.NameLength, offset, code, severity, section, expected);

    /// <summary>A problem at the beginning of the line.</summary>
    internal CalendarProblem LineProblem(
        CalendarProblemCode code, ProblemSeverity severity, string section, string expected) =>
        Document.Problem(LineIndex, Entry.Start, code, severity, section, expected);

    private CalendarProblem ProblemBehind(
        int start, int offset, CalendarProblemCode code, ProblemSeverity severity,
        string section, string expected)
    {
        var folded = Document.Source[start..Document.ContentEnd(LineIndex)];
        var place = (Entry.Traits & LineTraits.Folded) == 0
            ? Math.Min(offset, folded.Length)
            : Folds.FoldedOffset(folded, offset, Document.LineEndOctet);
        return Document.Problem(LineIndex, start + place, code, severity, section, expected);
    }
}

/// <summary>The properties of one component, or those outside every component.</summary>
public readonly record struct PropertyList : IEnumerable<CalendarProperty>
{
    private readonly CalendarDocument _document;
    private readonly int _component;

    internal PropertyList(CalendarDocument document, int component)
    {
        _document = document;
        _component = component;
    }

    /// <summary>The properties, in the order of the stream.</summary>
    public Enumerator GetEnumerator() => new(_document, _component);

    IEnumerator<CalendarProperty> IEnumerable<CalendarProperty>.GetEnumerator() => GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Steps over the lines of the component, and over each component inside it at once.</summary>
    public struct Enumerator : IEnumerator<CalendarProperty>
    {
        private readonly CalendarDocument _document;
        private readonly int _component;
        private readonly int _endLine;
        private int _child;
        private int _line;

        internal Enumerator(CalendarDocument document, int component)
        {
            _document = document;
            _component = component;
            _child = component + 1;
            _line = component < 0 ? -1 : document.Component(component).BeginLine;
            _endLine = component < 0 ? document.LineCount : document.Component(component).EndLine;
        }

        /// <inheritdoc/>
        public readonly CalendarProperty Current => new(_document, _line, _component);

        readonly object IEnumerator.Current => Current;

        /// <inheritdoc/>
        public bool MoveNext()
        {
            _line++;
            while (_line < _endLine)
            {
                var kind = _document.Line(_line).Kind;
                if (kind == LineKind.Property)
                    return true;
                if (kind == LineKind.Begin)
                {
                    ref readonly var child = ref _document.Component(_child);
                    _line = child.EndLine;
                    _child = child.SubtreeEnd;
                }
                else
                {
                    _line++;
                }
            }

            return false;
        }

        /// <inheritdoc/>
        public readonly void Reset() => throw new NotSupportedException("Take a new enumerator.");

        /// <inheritdoc/>
        public readonly void Dispose()
        {
        }
    }
}
