using System.Buffers;
using System.Text.Unicode;
using CalSync.Calendar.Document;

namespace CalSync.Calendar.Lint;

/// <summary>Lines: their ends, length, letters and parameters. RFC 5545 sections 3.1 and 3.2.</summary>
internal static class LineLint
{
    private static readonly SearchValues<byte> Controls = SearchValues.Create(
        [.. Enumerable.Range(0, 32).Except([9, 10, 13]).Append(127).Select(octet => (byte)octet)]);

    private static readonly SearchValues<byte> Token = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-"u8);

    public static void Check(CalendarDocument document, LintReport report)
    {
        CheckEncoding(document, report);
        var (hasBlank, hasBareEnd) = (false, false);
        for (var index = 0; index < document.LineCount && !report.IsFull; index++)
        {
            ref readonly var line = ref document.Line(index);
            if (line.Kind == LineKind.Blank && !hasBlank)
            {
                hasBlank = true;
                Add(report, document, index, line.Start, CalendarProblemCode.BlankLine,
                    ProblemSeverity.Deviation, "no blank lines");
            }

            if (!hasBareEnd && !document.LineBytes(index).EndsWith("\r\n"u8))
            {
                hasBareEnd = true;
                Add(report, document, index, document.ContentEnd(index), CalendarProblemCode.LineEndNotCrLf,
                    ProblemSeverity.Deviation, "CRLF at the end of each line");
            }

            CheckLength(document, index, report);
            CheckLetters(document, index, report);
            if (line.Kind == LineKind.Property)
                CheckParameters(new CalendarProperty(document, index, -1), report);
        }
    }

    private static void CheckLength(CalendarDocument document, int index, LintReport report)
    {
        var start = document.Line(index).Start;
        var rest = document.LineBytes(index);
        while (!rest.IsEmpty)
        {
            var end = rest.IndexOf(document.LineEndOctet);
            var length = Folds.WithoutLineEnd(
                end < 0 ? rest : rest[..(end + 1)], document.LineEndOctet).Length;
            if (length > ContentLineWriter.LineOctetCountMax)
            {
                Add(report, document, index, start + ContentLineWriter.LineOctetCountMax,
                    CalendarProblemCode.LineTooLong, ProblemSeverity.Deviation,
                        "at most 75 octets in a line");
                return;
            }

            var next = end < 0 ? rest.Length : end + 1;
            start += next;
            rest = rest[next..];
        }
    }

    private static void CheckLetters(CalendarDocument document, int index, LintReport report)
    {
        var start = document.Line(index).Start;
        var content = document.Source[start..document.ContentEnd(index)];
        var control = content.IndexOfAny(Controls);
        if (control < 0)
            control = BareCarriageReturn(content);
        if (control >= 0)
        {
            Add(report, document, index, start + control, CalendarProblemCode.ControlCharacter,
                content[control] == 0 ? ProblemSeverity.Error
                    : ProblemSeverity.Warning, "no control characters");
        }

        if (Utf8.IsValid(content))
            return;
        if (Utf8.IsValid(Folds.Unfold(content, document.LineEndOctet)))
        {
            Add(report, document, index, start, CalendarProblemCode.FoldInsideCharacter,
                ProblemSeverity.Deviation, "folds between characters");
        }
        else
        {
            Add(report, document, index, start, CalendarProblemCode.NotUtf8, ProblemSeverity.Error, "UTF-8");
        }
    }

    private static void Add(
        LintReport report, CalendarDocument document, int index, int offset,
        CalendarProblemCode code, ProblemSeverity severity, string expected) =>
        report.Add(document.Problem(index, offset, code, severity, "RFC 5545 3.1", expected));

    private static int BareCarriageReturn(ReadOnlySpan<byte> content)
    {
        for (var index = content.IndexOf(Folds.Cr); index >= 0 && index < content.Length;)
        {
            var next = content[index..].IndexOfAnyExcept(Folds.Cr);
            if (next < 0 || content[index + next] != Folds.Lf)
                return index;
            var step = content[(index + next)..].IndexOf(Folds.Cr);
            index = step < 0 ? -1 : index + next + step;
        }

        return -1;
    }

    private static void CheckEncoding(CalendarDocument document, LintReport report)
    {
        var source = document.Source;
        if (source.StartsWith("\uFEFF"u8))
        {
            report.Add(document.Problem(0, 0, CalendarProblemCode.ByteOrderMark, ProblemSeverity.Deviation,
                "RFC 5545 3.1.4", "no byte order mark"));
        }
    }

    private static void CheckParameters(CalendarProperty property, LintReport report)
    {
        if (property.NameOctets.IndexOfAnyExcept(Token) >= 0)
        {
            report.Add(property.LineProblem(CalendarProblemCode.BadPropertyName, ProblemSeverity.Deviation,
                "RFC 5545 3.1", "letters, digits and hyphens in a name"));
        }

        if (!property.HasParameters)
            return;
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var parameter in property.Parameters)
        {
            var (code, severity, expected) = Fault(parameter, names);
            if (code is { } found)
            {
                report.Add(property.ParameterProblem(
                    parameter.Offset, found, severity, "RFC 5545 3.2", expected));
            }
        }
    }

    private static (CalendarProblemCode? Code, ProblemSeverity Severity, string Expected) Fault(
        CalendarParameter parameter, HashSet<string> names)
    {
        var name = parameter.NameOctets;
        if (name.IsEmpty || name.IndexOfAnyExcept(Token) >= 0)
            return (CalendarProblemCode.BadParameterName, ProblemSeverity.Error, "a parameter's name");
        if (!parameter.HasValue)
            return (CalendarProblemCode.ParameterWithoutValue, ProblemSeverity.Deviation, "= and a value");
        if (!names.Add(parameter.Name))
            return (CalendarProblemCode.DuplicateParameter, ProblemSeverity.Warning, "each parameter once");
        var rest = parameter.RawOctets;
        while (true)
        {
            var end = ParameterText.ValueEnd(rest);
            var value = rest[..end];
            var inner = value is [(byte)'"', .., (byte)'"'] ? value[1..^1] : value;
            if (inner.Contains((byte)'"'))
            {
                return (CalendarProblemCode.BadParameterValue, ProblemSeverity.Error,
                    "quotes around the value");
            }

            if (end == rest.Length)
                return (null, default, "");
            rest = rest[(end + 1)..];
        }
    }
}
