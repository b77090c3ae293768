using System.Collections;
using System.Text;

namespace CalSync.Calendar.Document;

/// <summary>A component of a document: the lines from its BEGIN to its END. RFC 5545 section 3.6.</summary>
/// <remarks>Cheap to copy: it names a place in the document and holds nothing itself.</remarks>
public readonly record struct CalendarComponent
{
    internal CalendarComponent(CalendarDocument document, int index)
    {
        Document = document;
        Index = index;
    }

    /// <summary>The document it stands in.</summary>
    public CalendarDocument Document { get; }

    /// <summary>Upper case, whatever the stream has: "VEVENT". Empty when BEGIN names nothing.</summary>
    public string Name => Encoding.UTF8.GetString(NameOctets).ToUpperInvariant();

    /// <summary>The component it stands in; null for one that stands in no other.</summary>
    public CalendarComponent? Parent =>
        Entry.Parent < 0 ? null : new CalendarComponent(Document, Entry.Parent);

    /// <summary>The components that stand directly in it, in the order of the stream.</summary>
    public ComponentList Components => new(Document, Index);

    /// <summary>Its own properties, in the order of the stream; not those of components in it.</summary>
    public PropertyList Properties => new(Document, Index);

    /// <summary>Whether an END line of its name closes it. RFC 5545 section 3.4.</summary>
    public bool IsClosed => Entry.IsClosed;

    /// <summary>The octets from BEGIN to the end of the END line, components in it included.</summary>
    public ReadOnlyMemory<byte> Bytes =>
        Document.Bytes[Document.Line(Entry.BeginLine).Start..Document.Line(Entry.EndLine).Start];

    /// <summary>The physical line of its BEGIN, from 1.</summary>
    public int LineNumber => Document.Line(Entry.BeginLine).Number;

    /// <summary>The name; not what stands around and in it, which may be a hundred thousand deep.</summary>
    public override string ToString() => Name;

    internal int Index { get; }

    internal ref readonly ComponentEntry Entry => ref Document.Component(Index);

    private ReadOnlySpan<byte> NameOctets => Document.Value(Entry.BeginLine).Trim(" \t"u8);

    /// <summary>Whether it has this name, in any letter case.</summary>
    /// <param name="name">For example <c>"VEVENT"u8</c>.</param>
    public bool Is(ReadOnlySpan<byte> name)
    {
        // Nearly every BEGIN line is this name and a line end, or another name: no need to take it apart.
        ref readonly var line = ref Document.Line(Entry.BeginLine);
        var rest = Document.Source[line.ValueStart..];
        if ((line.Traits & LineTraits.Folded) == 0 && rest.Length > name.Length && !Folds.IsBlank(rest[0]))
        {
            if (!Ascii.EqualsIgnoreCase(rest[..name.Length], name))
                return false;
            if (rest[name.Length..].StartsWith("\r\n"u8))
                return true;
        }

        return Ascii.EqualsIgnoreCase(NameOctets, name);
    }

    /// <summary>The first property of this name, in any letter case; null when there is none.</summary>
    /// <param name="name">For example <c>"SUMMARY"u8</c>.</param>
    public CalendarProperty? Property(ReadOnlySpan<byte> name)
    {
        foreach (var property in Properties)
        {
            if (property.Is(name))
                return property;
        }

        return null;
    }

    /// <summary>Every property of this name, in the order of the stream.</summary>
    /// <param name="name">In any letter case.</param>
    public IEnumerable<CalendarProperty> PropertiesNamed(string name)
    {
        var octets = Encoding.UTF8.GetBytes(name);
        return Properties.Where(property => property.Is(octets));
    }

    /// <summary>A problem at the component's BEGIN line.</summary>
    internal CalendarProblem Problem(
        CalendarProblemCode code, ProblemSeverity severity, string section, string expected) =>
        Document.Problem(
            Entry.BeginLine, Document.Line(Entry.BeginLine).Start, code, severity, section, expected);
}

/// <summary>The components that stand directly in one, or in none.</summary>
public readonly record struct ComponentList : IEnumerable<CalendarComponent>
{
    private readonly CalendarDocument _document;
    private readonly int _parent;

    internal ComponentList(CalendarDocument document, int parent)
    {
        _document = document;
        _parent = parent;
    }

    /// <summary>The components, in the order of the stream.</summary>
    public Enumerator GetEnumerator() => new(_document, _parent);

    IEnumerator<CalendarComponent> IEnumerable<CalendarComponent>.GetEnumerator() => GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Steps from one component over all that stand in it to its next sibling.</summary>
    public struct Enumerator : IEnumerator<CalendarComponent>
    {
        private readonly CalendarDocument _document;
        private readonly int _end;
        private int _index;
        private int _next;

        internal Enumerator(CalendarDocument document, int parent)
        {
            _document = document;
            _next = parent + 1;
            _end = parent < 0 ? document.ComponentCount : document.Component(parent).SubtreeEnd;
        }

        /// <inheritdoc/>
        public readonly CalendarComponent Current => new(_document, _index);

        readonly object IEnumerator.Current => Current;

        /// <inheritdoc/>
        public bool MoveNext()
        {
            if (_next >= _end)
                return false;
            _index = _next;
            _next = _document.Component(_index).SubtreeEnd;
            return true;
        }

        /// <inheritdoc/>
        public readonly void Reset() => throw new NotSupportedException("Take a new enumerator.");

        /// <inheritdoc/>
        public readonly void Dispose()
        {
        }
    }
}
