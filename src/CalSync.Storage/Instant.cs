using System.Globalization;

namespace CalSync.Storage;

/// <summary>How an instant is stored: UTC, to the microsecond, on both engines.</summary>
/// <remarks>
/// PostgreSQL has <c>timestamptz</c>. SQLite has text of fixed width, <c>2026-03-08T07:00:00.000000Z</c>, so
/// that the order of the strings is the order of the instants. Finer digits are cut off before storing, so
/// that what is read back equals what was kept.
/// </remarks>
internal static class Instant
{
    private const string Format = "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'";
    private const int TextLength = 27;

    /// <summary>The last one written: all rows of a transaction have the same.</summary>
    private static Written? _last;

    /// <summary>Cuts to the microsecond and moves to UTC.</summary>
    public static DateTimeOffset Trim(DateTimeOffset value)
    {
        var utc = value.ToUniversalTime();
        return utc.AddTicks(-(utc.Ticks % TimeSpan.TicksPerMicrosecond));
    }

    /// <summary>The stored text of SQLite, and of the journal's canonical form.</summary>
    public static string Write(DateTimeOffset value)
    {
        if (_last is { } last && last.At == value)
            return last.Text;
        // The round-trip form has a seventh digit, and is written several times as fast as one spelt out.
        Span<char> letters = stackalloc char[Format.Length];
        value.UtcDateTime.TryFormat(letters, out _, "O", CultureInfo.InvariantCulture);
        letters[TextLength - 1] = 'Z';
        var text = new string(letters[..TextLength]);
        _last = new Written(value, text);
        return text;
    }

    /// <summary>Reads what either engine returns for an instant column.</summary>
    public static DateTimeOffset Read(object value) => value switch
    {
        DateTime { Kind: DateTimeKind.Utc } time => new DateTimeOffset(time),
        DateTimeOffset time => time.ToUniversalTime(),
        string text => new DateTimeOffset(DateTime.SpecifyKind(
            DateTime.ParseExact(text, Format, CultureInfo.InvariantCulture), DateTimeKind.Utc)),
        _ => throw new InvalidCastException($"A {value.GetType().Name} is not an instant."),
    };

    private sealed record Written(DateTimeOffset At, string Text);
}
