using System.Buffers;
using System.Collections.Immutable;
using System.Text;

namespace CalSync.Calendar.Document;

/// <summary>Finds the lines and components of a stream in one pass. No recursion, no copies.</summary>
internal ref struct DocumentReader
{
    /// <summary>
    /// How many open components an END may close at once. Real calendars nest four deep; the limit keeps
    /// hostile ones from costing the square of their length.
    /// </summary>
    private const int OpenSearchMax = 64;

    // The underscore and the dot are not allowed, but X-names of real programs have them.
    private static readonly SearchValues<byte> NameOctets = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."u8);

    private readonly ReadOnlySpan<byte> _source;
    private readonly DocumentLimits _limits;
    private readonly byte _lineEnd;
    private LineEntry[] _lines;
    private int _lineCount;
    private ComponentEntry[] _components = [];
    private int _componentCount;
    private int _open = -1;
    private int _position;
    private int _number = 1;
    private ImmutableArray<CalendarProblem>.Builder? _problems;

    private DocumentReader(ReadOnlySpan<byte> source, DocumentLimits limits)
    {
        _source = source;
        _limits = limits;
        _lineEnd = source.Contains(Folds.Lf) || !source.Contains(Folds.Cr) ? Folds.Lf : Folds.Cr;
        _lines = ArrayPool<LineEntry>.Shared.Rent(Math.Min((source.Length / 24) + 16, 1 << 16));
    }

    public static CalendarDocument Read(ReadOnlyMemory<byte> source, DocumentLimits limits)
    {
        var reader = new DocumentReader(source.Span, limits);
        reader.ReadLines();
        reader.CloseAll();
        var lines = reader._lines.AsSpan(0, reader._lineCount).ToArray();
        ArrayPool<LineEntry>.Shared.Return(reader._lines);
        var components = reader._components.AsSpan(0, reader._componentCount).ToArray();
        return new CalendarDocument(
            source, limits, new(lines, components), reader._lineEnd,
            reader._problems?.DrainToImmutable() ?? []);
    }

    private void ReadLines()
    {
        while (_position < _source.Length)
        {
            var (start, number) = (_position, _number);
            if (_lineCount >= _limits.LineCountMax)
            {
                _position = _source.Length;
                Add(new LineEntry(start, 0, number, 0, LineKind.Unread, LineTraits.None));
                ReportLast(CalendarProblemCode.LimitReached, "RFC 5545 3.1",
                    $"at most {_limits.LineCountMax} content lines; the rest is kept unread");
                break;
            }

            var isFolded = TakeLine();
            Classify(start, number, isFolded ? LineTraits.Folded : LineTraits.None);
        }

        Add(new LineEntry(_position, 0, _number, 0, LineKind.Blank, LineTraits.None));
    }

    /// <summary>Moves behind the next content line, and says whether it has folds.</summary>
    private bool TakeLine()
    {
        var start = _position;
        TakePhysicalLine();
        if (_position == _source.Length || !GoesOn(start))
            return false;
        do
            TakePhysicalLine();
        while (_position < _source.Length && GoesOn(start));
        return true;
    }

    private void TakePhysicalLine()
    {
        var end = _source[_position..].IndexOf(_lineEnd);
        _position = end < 0 ? _source.Length : _position + end + 1;
        _number++;
    }

    private readonly bool GoesOn(int start)
    {
        if (Folds.IsBlank(_source[_position]))
            return true;
        var content = Folds.WithoutLineEnd(_source[start.._position], _lineEnd);

        // vCalendar 1.0: a soft line break of a quoted-printable value. Base64 ends with the same sign.
        return content is [.., (byte)'='] && IsQuotedPrintable(content);
    }

    private static bool IsQuotedPrintable(ReadOnlySpan<byte> line)
    {
        var head = line[..Math.Min(line.Length, 200)];
        var colon = head.IndexOf((byte)':');
        return colon > 0 && head[..colon].IndexOf("QUOTED-PRINTABLE"u8) > 0;
    }

    private void Classify(int start, int number, LineTraits traits)
    {
        var nameStart = start;
        if (_source[start..].StartsWith("\uFEFF"u8))
        {
            nameStart += 3;
            traits |= LineTraits.Marked;
        }

        var line = _source[nameStart.._position];
        var nameLength = line.IndexOfAnyExcept(NameOctets);
        if (nameLength > 0 && (traits & LineTraits.Folded) != 0 && line[nameLength] is Folds.Cr or Folds.Lf)
            (nameLength, traits) = FoldedName(line, traits);
        var valueStart = nameLength is <= 0 or > ushort.MaxValue ? -1
            : line[nameLength] == ':' ? nameLength + 1
            : line[nameLength] == ';' ? AfterParameters(line, nameLength, ref traits)
            : -1;
        if (valueStart < 0)
        {
            AddNameless(start, number, line, traits);
            return;
        }

        var kind = KindOf(line[..nameLength], traits);
        Add(new LineEntry(start, nameStart + valueStart, number, (ushort)nameLength, kind, traits));
        if ((traits & LineTraits.OpenQuote) != 0)
            ReportLast(CalendarProblemCode.OpenQuote, "RFC 5545 3.2", "a closing quotation mark");
        if (kind == LineKind.Begin)
            Begin();
        else if (kind == LineKind.End)
            End();
        else if (_open < 0)
            ReportLast(CalendarProblemCode.OutsideComponent, "RFC 5545 3.4", "BEGIN before any property");
    }

    private void AddNameless(int start, int number, ReadOnlySpan<byte> line, LineTraits traits)
    {
        var isBlank = line.IndexOfAnyExcept(" \t\r\n"u8) < 0;
        var kind = isBlank ? LineKind.Blank : LineKind.Malformed;
        Add(new LineEntry(start, 0, number, 0, kind, traits));
        if (!isBlank)
            ReportLast(CalendarProblemCode.BadContentLine, "RFC 5545 3.1", "a name, a colon and a value");
    }

    /// <summary>Where the name ends that has a fold inside it; -1 when it is no name.</summary>
    private readonly (int Length, LineTraits Traits) FoldedName(ReadOnlySpan<byte> line, LineTraits traits)
    {
        var end = line.IndexOfAny((byte)':', (byte)';');
        return end > 0 && Folds.Unfold(line[..end], _lineEnd).AsSpan().IndexOfAnyExcept(NameOctets) < 0
            ? (end, traits | LineTraits.FoldedName)
            : (-1, traits);
    }

    /// <summary>Where the value begins: behind the first colon that is not quoted.</summary>
    private static int AfterParameters(ReadOnlySpan<byte> line, int from, ref LineTraits traits)
    {
        for (var index = from; ;)
        {
            var step = line[index..].IndexOfAny((byte)':', (byte)'"');
            if (step >= 0 && line[index + step] == ':')
                return index + step + 1;
            var close = step < 0 ? -1 : line[(index + step + 1)..].IndexOf((byte)'"');
            if (close < 0)
                break;
            index += step + close + 2;
        }

        // A quotation mark is open: the first colon is the likeliest end of the parameters.
        traits |= LineTraits.OpenQuote;
        var colon = line[from..].IndexOf((byte)':');
        return colon < 0 ? -1 : from + colon + 1;
    }

    private readonly LineKind KindOf(ReadOnlySpan<byte> name, LineTraits traits)
    {
        if ((traits & LineTraits.FoldedName) != 0)
            name = Folds.Unfold(name, _lineEnd);
        return name.Length switch
        {
            5 when (name[0] | 0x20) == 'b' && Ascii.EqualsIgnoreCase(name, "BEGIN"u8) => LineKind.Begin,
            3 when (name[0] | 0x20) == 'e' && Ascii.EqualsIgnoreCase(name, "END"u8) => LineKind.End,
            _ => LineKind.Property,
        };
    }

    private void Begin()
    {
        var line = _lineCount - 1;
        if (_componentCount == _components.Length)
            Array.Resize(ref _components, Math.Max(8, _componentCount * 2));
        _components[_componentCount] = new ComponentEntry { BeginLine = line, Parent = _open };
        _open = _componentCount++;
        RequireName(line);
    }

    private void End()
    {
        var line = _lineCount - 1;
        var name = ComponentName(line);
        var target = _open;
        for (var steps = 0; target >= 0 && steps < OpenSearchMax; steps++)
        {
            if (Ascii.EqualsIgnoreCase(name, ComponentName(_components[target].BeginLine)))
            {
                while (_open != target)
                    CloseUnended(line);
                _components[target].IsClosed = true;
                Close(line + 1);
                RequireName(line);
                return;
            }

            target = _components[target].Parent;
        }

        Report(line, _lines[line].Start, CalendarProblemCode.EndWithoutBegin, "RFC 5545 3.4",
            "END only of the component that was begun last");
    }

    private void CloseAll()
    {
        var last = _lineCount - 1;
        var wasCut = last > 0 && _lines[last - 1].Kind == LineKind.Unread;
        while (_open >= 0)
        {
            if (wasCut)
                Close(last);
            else
                CloseUnended(last);
        }

        if (_componentCount == 0)
            Report(0, 0, CalendarProblemCode.NoComponent, "RFC 5545 3.4", "BEGIN:VCALENDAR");
    }

    private void CloseUnended(int endLine)
    {
        var begin = _components[_open].BeginLine;
        Report(begin, _lines[begin].Start, CalendarProblemCode.MissingEnd, "RFC 5545 3.4",
            "an END line for this component");
        Close(endLine);
    }

    private void Close(int endLine)
    {
        ref var component = ref _components[_open];
        component.EndLine = endLine;
        component.SubtreeEnd = _componentCount;
        _open = component.Parent;
    }

    private void RequireName(int line)
    {
        var value = _lines[line].ValueStart;
        var name = ComponentName(line);
        if (name.IsEmpty || Folds.IsBlank(_source[value]))
        {
            Report(line, value, CalendarProblemCode.BadComponentName, "RFC 5545 3.6",
                "a component's name here");
        }
    }

    private readonly ReadOnlySpan<byte> ComponentName(int line)
    {
        var entry = _lines[line];
        var end = line + 1 < _lineCount ? _lines[line + 1].Start : _position;
        var value = Folds.WithoutLineEnd(_source[entry.ValueStart..end], _lineEnd);
        if ((entry.Traits & LineTraits.Folded) != 0)
            value = Folds.Unfold(value, _lineEnd);
        return value.Trim(" \t"u8);
    }

    private void Add(in LineEntry line)
    {
        if (_lineCount == _lines.Length)
        {
            var larger = ArrayPool<LineEntry>.Shared.Rent(_lines.Length * 2);
            _lines.AsSpan(0, _lineCount).CopyTo(larger);
            ArrayPool<LineEntry>.Shared.Return(_lines);
            _lines = larger;
        }

        _lines[_lineCount++] = line;
    }

    private void ReportLast(CalendarProblemCode code, string section, string expected) =>
        Report(_lineCount - 1, _lines[_lineCount - 1].Start, code, section, expected);

    private void Report(
        int line, int offset, CalendarProblemCode code, string section, string expected)
    {
        _problems ??= ImmutableArray.CreateBuilder<CalendarProblem>();
        if (_problems.Count > _limits.ProblemCountMax)
            return;
        var (number, column) = CalendarDocument.Locate(_source, _lines[line], offset, _lineEnd);
        _problems.Add(_problems.Count == _limits.ProblemCountMax
            ? new CalendarProblem(CalendarProblemCode.LimitReached, ProblemSeverity.Error, offset, number,
                column, "RFC 5545 3.4", $"at most {_limits.ProblemCountMax} problems; no more are listed")
            : new CalendarProblem(code, ProblemSeverity.Error, offset, number, column, section, expected));
    }
}
