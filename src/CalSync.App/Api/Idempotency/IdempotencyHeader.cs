using CalSync.App.Api.Problems;

namespace CalSync.App.Api.Idempotency;

/// <summary>What the idempotency headers of a request say.</summary>
internal abstract record IdempotencyHeader
{
    private IdempotencyHeader()
    {
    }

    /// <summary>One key.</summary>
    /// <param name="Value">Without the quotes.</param>
    public sealed record Key(string Value) : IdempotencyHeader;

    /// <summary>No key; allowed unless configured otherwise, and warned about.</summary>
    public sealed record Missing : IdempotencyHeader;

    /// <summary>Not usable.</summary>
    public sealed record Refused(Problem Problem) : IdempotencyHeader;

    /// <summary>
    /// The header of the IETF draft: a structured-field string, the quotes being optional here.
    /// </summary>
    public const string Standard = "Idempotency-Key";

    /// <summary>The older name; the two are equal in meaning.</summary>
    public const string Older = "X-Idempotency-Key";

    /// <summary>Reads both headers.</summary>
    public static IdempotencyHeader Read(IHeaderDictionary headers)
    {
        var values = headers[Standard].Concat(headers[Older]).ToArray();
        if (values.Length == 0)
            return new Missing();
        var keys = values.Select(Unquote).ToArray();
        if (keys.Any(key => key is null))
        {
            return new Refused(ProblemCatalogue.IdempotencyKeyInvalid.With(
                "A key is 1 to 255 visible ASCII characters, with or without quotes."));
        }

        return keys.Distinct(StringComparer.Ordinal).Count() == 1
            ? new Key(keys[0]!)
            : new Refused(ProblemCatalogue.IdempotencyKeyInvalid.With(
                "Idempotency-Key and X-Idempotency-Key name different keys."));
    }

    /// <summary>Reads an sf-string (RFC 9651 section 3.3.3) or a bare key.</summary>
    /// <returns>Null when it is neither.</returns>
    private static string? Unquote(string? value)
    {
        if (value is null)
            return null;
        var text = value.Trim();
        if (text.StartsWith('"'))
        {
            if (text.Length < 2 || text[^1] != '"' || !Unescape(text.AsSpan(1, text.Length - 2), out text))
                return null;
        }
        else if (text.Contains('"', StringComparison.Ordinal))
        {
            return null;
        }

        return text.Length is >= 1 and <= 255 && text.All(letter => letter is > ' ' and <= '~') ? text : null;
    }

    private static bool Unescape(ReadOnlySpan<char> quoted, out string text)
    {
        var letters = new System.Text.StringBuilder(quoted.Length);
        text = "";
        for (var at = 0; at < quoted.Length; at++)
        {
            var escaped = quoted[at] == '\\';
            if (escaped && (++at == quoted.Length || quoted[at] is not ('"' or '\\')))
                return false;
            if (!escaped && quoted[at] == '"')
                return false;
            letters.Append(quoted[at]);
        }

        text = letters.ToString();
        return true;
    }
}
