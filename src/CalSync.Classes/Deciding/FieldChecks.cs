using System.Diagnostics;
using System.Globalization;
using CalSync.Classes.People;

namespace CalSync.Classes.Deciding;

/// <summary>Collects everything that is wrong with a command, so that all of it is told at once.</summary>
internal sealed class FieldChecks
{
    private readonly List<(FieldError Error, Refusal? Alone)> _faults = [];

    public bool Passed => _faults.Count == 0;

    /// <summary>One fault about a time or zone is refused in its own words; everything else as a
    /// list.</summary>
    public Refusal Refusal => _faults is [{ Alone: { } alone }]
        ? alone
        : new Refusal.ValidationFailed([.. _faults.Select(fault => fault.Error)]);

    public void Add(
        string field, string code, string message, string? example = null, Refusal? alone = null) =>
        _faults.Add((new FieldError(field, code, message, example), alone));

    /// <summary>Text on one line, required.</summary>
    public string Line(string field, string? value, int lengthMax, string example)
    {
        var text = Text(field, value, lengthMax, multiline: false);
        if (text is null)
        {
            Add(
                field, "required", $"The field {field} is required: 1 to {Count(lengthMax)} characters.",
                example);
        }

        return text ?? "";
    }

    /// <summary>Text or nothing. Blank is nothing.</summary>
    public string? Text(string field, string? value, int lengthMax, bool multiline)
    {
        var text = value?.Trim();
        if (string.IsNullOrEmpty(text))
            return null;
        if (text.Length > lengthMax)
            Add(field, "too_long", $"The field {field} may have at most {Count(lengthMax)} characters.");
        else if (!IsWellFormed(text, multiline))
            Add(field, "invalid_text", $"The field {field} has control characters or broken Unicode.");
        return text;
    }

    public long Number(string field, long? value, long min, long max, string example)
    {
        if (value is null)
            Add(field, "required", $"The field {field} is required: {Count(min)} to {Count(max)}.", example);
        else if (value < min || value > max)
            Add(field, "out_of_range", $"The field {field} must be {Count(min)} to {Count(max)}.", example);
        return value ?? min;
    }

    public (long Minor, string Currency) Price(Price? price)
    {
        if (price is null)
            return (0, "XXX");
        Number("price.minor", price.Minor, 0, ClassLimits.PriceMinorMax, "4500");
        var currency = price.Currency?.Trim().ToUpperInvariant() ?? "";
        if (currency.Length != 3 || !currency.All(char.IsAsciiLetterUpper))
        {
            Add(
                "price.currency", "invalid_currency", "The currency must be three letters of ISO 4217.",
                "EUR");
        }

        return (price.Minor, currency);
    }

    public string Email(string field, string value)
    {
        switch (EmailAddress.Read(value))
        {
            case FieldReading<string>.Read read:
                return read.Value;
            case FieldReading<string>.Refused refused:
                Add(
                    field, refused.Code, $"The field {field} must be one e-mail address. {refused.Message}",
                    refused.Example);
                return "";
            default:
                throw new UnreachableException();
        }
    }

    private static bool IsWellFormed(string text, bool multiline)
    {
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (char.IsControl(c) && !(multiline && c is '\n' or '\r' or '\t'))
                return false;
            if (char.IsHighSurrogate(c) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
                i++;
            else if (char.IsSurrogate(c))
                return false;
        }

        return true;
    }

    private static string Count(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
