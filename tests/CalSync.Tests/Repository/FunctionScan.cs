using Xunit;

namespace CalSync.Tests.Repository;

/// <summary>Finds the functions of a source file by their braces. Knows strings and comments, nothing else of
/// C#.</summary>
internal static class FunctionScan
{
    private static readonly string[] TypeWords =
        ["class ", "record ", "struct ", "enum ", "interface ", "namespace "];

    /// <summary>Every outermost block that is not a type: methods, constructors, properties,
    /// initialisers.</summary>
    public static IEnumerable<(int Line, int LineCount)> Lengths(string source)
    {
        var blocks = new Stack<(bool IsType, int Line)>();
        var (head, line) = ("", 1);
        foreach (var letter in WithoutTexts(source))
        {
            if (letter == '\n')
                line++;
            if (letter == '{')
            {
                var isType = blocks.All(block => block.IsType)
                    && TypeWords.Any(word => $" {head}".Contains(' ' + word, StringComparison.Ordinal));
                blocks.Push((isType, line));
            }
            else if (letter == '}' && blocks.TryPop(out var block) && !block.IsType
                && blocks.All(outer => outer.IsType))
            {
                yield return (block.Line, line - block.Line + 1);
            }

            head = letter is '{' or '}' or ';' ? "" : head + (letter == '\n' ? ' ' : letter);
        }
    }

    // Blanks out comments, strings and characters; keeps every line break, so that lines can be counted.
    private static string WithoutTexts(string source)
    {
        var kept = new System.Text.StringBuilder(source.Length);
        for (var at = 0; at < source.Length; at++)
        {
            var end = EndOfText(source, at);
            kept.Append(
                end > at ? new string('\n', source[at..end].Count(letter => letter == '\n')) : source[at]);
            if (end > at)
                at = end - 1;
        }

        return kept.ToString();
    }

    // The end of the comment, string or character that starts here; the same place when none does.
    private static int EndOfText(string source, int at)
    {
        var rest = source.AsSpan(at);
        if (rest.StartsWith("//"))
            return After(source, "\n", at) - 1;
        if (rest.StartsWith("/*"))
            return After(source, "*/", at);
        if (rest.StartsWith("\"\"\""))
        {
            var quotes = rest[..rest.IndexOfAnyExcept('"')].ToString();
            return After(source, quotes, at + quotes.Length);
        }

        var verbatim = source.AsSpan(Math.Max(0, at - 2)..at) is [.., '@'] or ['@', '$'];
        if (source[at] is not ('"' or '\''))
            return at;
        for (var index = at + 1; index < source.Length; index++)
        {
            if (source[index] == '\\' && !verbatim)
                index++;
            else if (source[index] == source[at] || source[index] == '\n')
                return index + 1;
        }

        return source.Length;
    }

    private static int After(string source, string end, int from) =>
        source.IndexOf(end, from, StringComparison.Ordinal) is >= 0 and var at ? at + end.Length
            : source.Length;
}

/// <summary>The scan finds what it must, or the length check would pass over everything.</summary>
public sealed class FunctionScanTests
{
    [Fact]
    public void Lengths_OfASmallFile_FindsItsFunctions()
    {
        const string source = """
            namespace A;
            public sealed class B<T> where T : class
            {
                // A brace in a comment: {
                private const string Text = "} {";
                public int C()
                {
                    if (Text[0] == '{')
                    {
                        return 1;
                    }

                    return 2;
                }
            }
            """;
        Assert.Equal([(7, 8)], FunctionScan.Lengths(source));
    }
}
