using System.Collections.Immutable;
using System.Text;

namespace CalSync.Calendar.Document;

/// <summary>A property apart from any document: what a line says, not how it is folded.</summary>
/// <remarks>Two are equal when name, value and parameters are, in order. RFC 5545 section 3.5.</remarks>
/// <param name="Name">Upper case, for example "SUMMARY".</param>
/// <param name="RawValue">
/// The value with its escapes, as it stands after the colon. No line feed; carriage returns, which real
/// streams have inside lines, are left out.
/// </param>
public sealed record PropertyContent(string Name, string RawValue)
{
    /// <summary>The value with its escapes.</summary>
    /// <exception cref="ArgumentException">It has a line feed, which would begin another line.</exception>
    public string RawValue
    {
        get;
        init => field = OneLine(value);
    }
    = OneLine(RawValue);

    /// <summary>The parameters, in order. Default none.</summary>
    public ImmutableArray<ParameterContent> Parameters { get; init; } = [];

    /// <summary>The first value of a parameter; null when there is no such parameter.</summary>
    /// <param name="name">In any letter case.</param>
    public string? Parameter(string name) =>
        Parameters.Where(parameter => name.Equals(parameter.Name, StringComparison.OrdinalIgnoreCase))
            .SelectMany(parameter => parameter.Values)
            .FirstOrDefault();

    /// <summary>The same property with one more parameter behind the others.</summary>
    public PropertyContent With(string name, params ReadOnlySpan<string> values) =>
        this with { Parameters = Parameters.Add(new ParameterContent(name, [.. values])) };

    /// <summary>Whether both say the same, letter for letter.</summary>
    public bool Equals(PropertyContent? other) =>
        other is not null
        && string.Equals(Name, other.Name, StringComparison.Ordinal)
        && string.Equals(RawValue, other.RawValue, StringComparison.Ordinal)
        && Parameters.SequenceEqual(other.Parameters);

    /// <summary>Hash of name and value.</summary>
    public override int GetHashCode() => HashCode.Combine(Name, RawValue);

    /// <summary>The content line, not folded.</summary>
    public override string ToString()
    {
        var line = new StringBuilder(Name);
        foreach (var parameter in Parameters)
        {
            line.Append(';').Append(parameter.Name);
            for (var index = 0; index < parameter.Values.Length; index++)
                line.Append(index == 0 ? '=' : ',').Append(ParameterText.Encode(parameter.Values[index]));
        }

        return line.Append(':').Append(RawValue).ToString();
    }

    internal static string OneLine(string text) => text.Contains('\n', StringComparison.Ordinal)
        ? throw new ArgumentException("A line has no line feed; TEXT and RFC 6868 escape it.", nameof(text))
        : text.Replace("\r", "", StringComparison.Ordinal);
}

/// <summary>A parameter apart from any document. RFC 5545 section 3.2.</summary>
/// <param name="Name">Upper case, for example "TZID". As in a value, no line feed or carriage return.</param>
/// <param name="Values">
/// Without quotes and escapes; writing adds what they need. Any line end is a line feed, other control
/// characters than that and the tab are left out. None writes the bare name, as vCalendar 1.0 did.
/// </param>
public sealed record ParameterContent(string Name, ImmutableArray<string> Values)
{
    /// <summary>Upper case, for example "TZID".</summary>
    /// <exception cref="ArgumentException">It has a line feed, which would begin another line.</exception>
    public string Name
    {
        get;
        init => field = PropertyContent.OneLine(value);
    }
    = PropertyContent.OneLine(Name);

    /// <summary>The values, without quotes and escapes.</summary>
    public ImmutableArray<string> Values
    {
        get;
        init => field = ParameterText.Clean(value);
    }
    = ParameterText.Clean(Values);

    /// <summary>Whether both have the same name and the same values in the same order.</summary>
    public bool Equals(ParameterContent? other) =>
        other is not null
        && string.Equals(Name, other.Name, StringComparison.Ordinal)
        && Values.SequenceEqual(other.Values, StringComparer.Ordinal);

    /// <summary>Hash of the name and the first value.</summary>
    public override int GetHashCode() => HashCode.Combine(Name, Values is [var first, ..] ? first : "");
}
