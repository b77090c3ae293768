using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace CalSync.Storage;

/// <summary>
/// A statement read once: which parameters it names, and its text with positions in place of names.
/// </summary>
/// <param name="Named">As written, with <c>@name</c> parameters.</param>
/// <param name="Positional">
/// With <c>$1</c>… in place of the names; the same name is the same position.
/// </param>
/// <param name="Names">Parameter names in order of position, without the at sign.</param>
/// <param name="IsSingle">
/// False when a semicolon separates several statements; those cannot be positional.
/// </param>
internal sealed record SqlText(string Named, string Positional, ImmutableArray<string> Names, bool IsSingle)
{
    private static readonly ConcurrentDictionary<string, SqlText> Known = new(StringComparer.Ordinal);
    private Shape? _shape;

    /// <summary>
    /// Reads a statement; remembered for the life of the process, since SQL is literals beside its use.
    /// </summary>
    public static SqlText Of(string sql) => Known.GetOrAdd(sql, Parse);

    /// <summary>The argument for one of the names.</summary>
    /// <param name="args">An anonymous object, a record, a dictionary, or the arguments as they were found
    /// before.</param>
    /// <param name="index">Which of <see cref="Names"/>.</param>
    /// <exception cref="ArgumentException">The statement names a parameter that was not given.</exception>
    public Argument Argument(object? args, int index)
    {
        if (args is Argument[] found)
            return found[index];
        if (args is IReadOnlyDictionary<string, object?> map)
        {
            if (map.TryGetValue(Names[index], out var value))
                return new Argument(value, value?.GetType() ?? typeof(object));
        }
        else if (args is not null && Places(args.GetType())[index] is { } place)
        {
            return new Argument(place.Property.GetValue(args), place.Type);
        }

        throw NotGiven(index);
    }

    /// <summary>The arguments for all names, in their order.</summary>
    /// <inheritdoc cref="Argument(object?, int)"/>
    public Argument[] All(object? args)
    {
        var found = new Argument[Names.Length];
        for (var i = 0; i < found.Length; i++)
            found[i] = Argument(args, i);
        return found;
    }

    /// <summary>The argument for one of the names out of those given by name, fastest in the order in which
    /// the statement names them.</summary>
    /// <inheritdoc cref="Argument(object?, int)"/>
    public Argument Argument(ReadOnlySpan<(string Name, Argument Argument)> given, int index)
    {
        if (index < given.Length && given[index].Name == Names[index])
            return given[index].Argument;
        foreach (var (name, argument) in given)
        {
            if (name == Names[index])
                return argument;
        }

        throw NotGiven(index);
    }

    private ArgumentException NotGiven(int index) =>
        new($"The statement names @{Names[index]}, which was not given.");

    /// <summary>A statement nearly always gets arguments of one type, so the last one is
    /// remembered.</summary>
    private ArgumentPlace?[] Places(Type type)
    {
        var shape = _shape;
        if (shape?.Type != type)
            _shape = shape = new Shape(type, Arguments.Places(type, Names));
        return shape.Places;
    }

    private static SqlText Parse(string sql)
    {
        var text = new StringBuilder(sql.Length);
        var names = ImmutableArray.CreateBuilder<string>();
        var trimmed = sql.AsSpan().TrimEnd().TrimEnd(';').Length;
        var single = true;
        for (var at = 0; at < sql.Length;)
        {
            var skipped = SkipQuoted(sql, at);
            if (skipped > at)
            {
                text.Append(sql, at, skipped - at);
                at = skipped;
                continue;
            }

            if (sql[at] == '@' && at + 1 < sql.Length && IsNameStart(sql[at + 1]))
            {
                var end = at + 1;
                while (end < sql.Length && (IsNameStart(sql[end]) || char.IsAsciiDigit(sql[end])))
                    end++;
                var position = Position(names, sql[(at + 1)..end]);
                text.Append(CultureInfo.InvariantCulture, $"${position}");
                at = end;
                continue;
            }

            single &= sql[at] != ';' || at >= trimmed;
            text.Append(sql[at++]);
        }

        return new SqlText(sql, text.ToString(), names.ToImmutable(), single);
    }

    private static int Position(ImmutableArray<string>.Builder names, string name)
    {
        var index = names.IndexOf(name);
        if (index >= 0)
            return index + 1;
        names.Add(name);
        return names.Count;
    }

    /// <summary>
    /// The end of a quoted run or comment that starts here; the same offset when none does.
    /// </summary>
    private static int SkipQuoted(string sql, int at)
    {
        var end = sql[at] switch
        {
            '\'' => sql.IndexOf('\'', at + 1),
            '"' => sql.IndexOf('"', at + 1),
            '-' when sql.AsSpan(at).StartsWith("--") => sql.IndexOf('\n', at),
            _ => (int?)null,
        };
        return end switch
        {
            null => at,
            -1 => sql.Length,
            { } found => found + 1,
        };
    }

    private static bool IsNameStart(char c) => char.IsAsciiLetter(c) || c == '_';

    private sealed record Shape(Type Type, ArgumentPlace?[] Places);
}
