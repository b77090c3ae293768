using System.Buffers;

namespace CalSync.Calendar.Document;

/// <summary>Changes to a document, collected and then made at once.</summary>
/// <remarks>
/// Lines that are not named here keep their octets. What is written is strict: folded at 75 octets, with the
/// line ending of the stream. Where a removed component holds another change, the removal wins.
/// </remarks>
public sealed class DocumentEdit
{
    private readonly CalendarDocument _document;
    private readonly List<Splice> _splices = [];
    private readonly Dictionary<(int Component, string Name), int> _places = [];

    internal DocumentEdit(CalendarDocument document) => _document = document;

    /// <summary>Replaces octets of the source by others; stable order at one offset.</summary>
    private readonly record struct Splice(int Start, int Length, ReadOnlyMemory<byte> Octets);

    /// <summary>Rewrites one line. Nothing changes when the property already says this.</summary>
    /// <exception cref="ArgumentException">The property is of another document.</exception>
    public DocumentEdit Replace(CalendarProperty property, PropertyContent content)
    {
        Require(property.Document);
        if (!property.Content.Equals(content))
            Add(property.Entry.Start, property.Bytes.Length, Written(content));
        return this;
    }

    /// <summary>
    /// Replaces the first property of this name and removes the others; adds it if there is none.
    /// </summary>
    /// <exception cref="ArgumentException">The component is of another document.</exception>
    public DocumentEdit Set(CalendarComponent component, PropertyContent content)
    {
        Require(component.Document);
        var isWritten = false;
        foreach (var property in component.PropertiesNamed(content.Name))
        {
            _ = isWritten ? Remove(property) : Replace(property, content);
            isWritten = true;
        }

        return isWritten ? this : Add(component, content);
    }

    /// <summary>
    /// Adds a property behind the last of its name, or else behind the component's last property.
    /// </summary>
    /// <exception cref="ArgumentException">The component is of another document.</exception>
    public DocumentEdit Add(CalendarComponent component, PropertyContent content)
    {
        Insert(component, content.Name, Written(content));
        return this;
    }

    /// <summary>Adds a property with the octets it has in another document.</summary>
    /// <exception cref="ArgumentException">The component is of another document.</exception>
    public DocumentEdit AddAsItStands(CalendarComponent component, CalendarProperty original)
    {
        Insert(component, original.Name, Adapted(original.Bytes, original.Document));
        return this;
    }

    /// <summary>
    /// Adds a component, with the octets it has in another document, behind the last in this one.
    /// </summary>
    /// <exception cref="ArgumentException">The parent is of another document.</exception>
    public DocumentEdit AddAsItStands(CalendarComponent parent, CalendarComponent original)
    {
        Require(parent.Document);
        var end = parent.Entry.IsClosed ? parent.Entry.EndLine - 1 : parent.Entry.EndLine;
        Add(_document.Line(end).Start, 0, Adapted(original.Bytes, original.Document));
        return this;
    }

    /// <summary>
    /// Adds a component, with the octets it has in another document, behind everything in this one.
    /// </summary>
    public DocumentEdit AddAsItStands(CalendarComponent original)
    {
        Add(_document.Bytes.Length, 0, Adapted(original.Bytes, original.Document));
        return this;
    }

    /// <summary>Removes one line.</summary>
    /// <exception cref="ArgumentException">The property is of another document.</exception>
    public DocumentEdit Remove(CalendarProperty property)
    {
        Require(property.Document);
        Add(property.Entry.Start, property.Bytes.Length, default);
        return this;
    }

    /// <summary>Removes a component with all that stands in it.</summary>
    /// <exception cref="ArgumentException">The component is of another document.</exception>
    public DocumentEdit Remove(CalendarComponent component)
    {
        Require(component.Document);
        Add(_document.Line(component.Entry.BeginLine).Start, component.Bytes.Length, default);
        return this;
    }

    /// <summary>The document with all changes made; the same one when there are none.</summary>
    public CalendarDocument Apply()
    {
        if (_splices.Count == 0)
            return _document;
        var source = _document.Source;
        var writer = new ArrayBufferWriter<byte>(source.Length + 256);
        var position = 0;
        foreach (var splice in InOrder())
        {
            if (splice.Start < position)
                continue;
            writer.Write(source[position..splice.Start]);
            if (!splice.Octets.IsEmpty)
                EndLine(writer);
            writer.Write(splice.Octets.Span);
            position = splice.Start + splice.Length;
            if (position < source.Length && !splice.Octets.IsEmpty)
                EndLine(writer);
        }

        writer.Write(source[position..]);
        return CalendarDocument.Parse(writer.WrittenMemory);
    }

    /// <summary>At one offset what is added comes first, then the largest removal.</summary>
    private IEnumerable<Splice> InOrder() =>
        _splices.OrderBy(splice => splice.Start)
            .ThenBy(splice => splice.Length > 0)
            .ThenByDescending(splice => splice.Length);

    /// <summary>Ends the last line, if it is not: the end of a stream often is missing.</summary>
    private void EndLine(ArrayBufferWriter<byte> writer)
    {
        if (writer.WrittenCount > 0 && writer.WrittenSpan[^1] != _document.LineEndOctet)
            writer.Write(ContentLineWriter.Octets(_document.LineEnding));
    }

    private void Insert(CalendarComponent component, string name, ReadOnlyMemory<byte> octets)
    {
        Require(component.Document);
        if (!_places.TryGetValue((component.Index, name), out var line))
            _places.Add((component.Index, name), line = Place(component, name));
        Add(_document.Line(line).Start, 0, octets);
    }

    /// <summary>The line behind the last property of a name, or else behind the last of all.</summary>
    private static int Place(CalendarComponent component, string name)
    {
        var line = component.Entry.BeginLine + 1;
        var isNamed = false;
        foreach (var property in component.Properties)
        {
            var isSame = string.Equals(property.Name, name, StringComparison.Ordinal);
            if (isSame || !isNamed)
                line = property.LineIndex + 1;
            isNamed |= isSame;
        }

        return line;
    }

    /// <summary>Octets of another document, whose line ends this one would not take for line ends.</summary>
    private ReadOnlyMemory<byte> Adapted(ReadOnlyMemory<byte> octets, CalendarDocument original)
    {
        if (original.LineEndOctet == _document.LineEndOctet)
            return octets;
        var writer = new ArrayBufferWriter<byte>(octets.Length + 64);
        var rest = octets.Span;
        while (rest.IndexOf(original.LineEndOctet) is >= 0 and var end)
        {
            writer.Write(Folds.WithoutLineEnd(rest[..(end + 1)], original.LineEndOctet));
            writer.Write(ContentLineWriter.Octets(_document.LineEnding));
            rest = rest[(end + 1)..];
        }

        writer.Write(rest);
        return writer.WrittenMemory;
    }

    private ReadOnlyMemory<byte> Written(PropertyContent content)
    {
        var writer = new ArrayBufferWriter<byte>();
        ContentLineWriter.Write(writer, content, _document.LineEnding);
        return writer.WrittenMemory;
    }

    private void Add(int start, int length, ReadOnlyMemory<byte> octets) =>
        _splices.Add(new Splice(start, length, octets));

    private void Require(CalendarDocument document)
    {
        if (!ReferenceEquals(document, _document))
            throw new ArgumentException("It belongs to another document.", nameof(document));
    }
}
