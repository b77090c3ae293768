using System.Collections.Immutable;

namespace CalSync.Classes.People;

/// <summary>A telephone number.</summary>
/// <param name="E164">Plus sign, country code and national number, 15 digits at most: ITU-T E.164.</param>
/// <param name="Original">As the person typed it.</param>
/// <param name="Region">
/// ISO 3166-1 of the country; the asker's region where several share a code; null for codes of no country.
/// </param>
public sealed record PhoneNumber(string E164, string Original, string? Region);

/// <summary>Reads telephone numbers as people type them.</summary>
/// <remarks>
/// Blanks, dots, hyphens, slashes and brackets mean nothing. A number with <c>+</c> or an international
/// prefix is read by itself; any other needs a region, whose trunk prefix is taken off. What is checked is
/// the country code, the length of the national number, and in North America that area codes begin with 2
/// to 9; not whether a number is assigned, nor whether it can be called or texted. Letters (1-800-FLOWERS)
/// are refused, an extension is kept in the original only. <see cref="CallingCode"/> says whose lengths are
/// exact.
/// </remarks>
public static class PhoneNumbers
{
    private const int DigitCountMax = 15;
    private const int TextLengthMax = 40;
    private const string Ignored = " -.()/\u00a0\u2010\u2011\u2012\u2013\t";
    private static readonly ImmutableArray<string> Extensions = ["extension", "ext.", "ext", "x", "#"];

    /// <summary>Reads a number.</summary>
    /// <param name="text">As typed.</param>
    /// <param name="region">
    /// ISO 3166-1 alpha-2 of where it would be dialled; null when nobody said.
    /// </param>
    public static FieldReading<PhoneNumber> Read(string text, string? region)
    {
        var typed = text.Trim();
        if (typed.Length > TextLengthMax)
            return Refuse("too_long", "A telephone number has at most 40 characters.");
        var (main, extension) = SplitExtension(typed);
        var international = main.StartsWith('+');
        if (Digits(international ? main[1..] : main) is not { } digits)
            return Refuse("invalid_phone", "A telephone number is digits, blanks, hyphens and brackets.");
        var home = region is null ? null : CallingCode.OfRegion(region);
        if (region is not null && home is null)
            return Refuse("invalid_region", $"{Show(region)} is not the code of a country.");
        if (!international && WithoutExitCode(digits, home) is { } abroad)
            (digits, international) = (abroad, true);
        if (!international && home is null)
        {
            return Refuse(
                "region_needed",
                "Without + and the country code nobody knows the country; add it, or send the region.");
        }

        var reading = international ? International(digits, main, region) : National(digits, home!, region!);
        if (reading is not FieldReading<PhoneNumber>.Read read)
            return reading;
        read = read with { Value = read.Value with { Original = typed } };
        return extension.Length == 0
            ? read
            : read with
            {
                Warnings =
                [
                    new FieldWarning(
                        "", "extension_left_out", "The extension is kept as typed, not in the number."),
                ],
            };
    }

    private static FieldReading<PhoneNumber> International(string digits, string typed, string? region)
    {
        if (CallingCode.OfDigits(digits) is not { } code)
            return Refuse("invalid_country_code", "The number does not begin with the code of a country.");
        var national = digits[code.Digits.Length..];
        // +44 (0)20 … shows the trunk prefix to callers at home.
        if (code.Trunk.Length > 0 && typed.Contains($"({code.Trunk})", StringComparison.Ordinal)
            && national.StartsWith(code.Trunk, StringComparison.Ordinal))
        {
            national = national[code.Trunk.Length..];
        }

        var owner = region is not null && code.Regions.Contains(region.ToUpperInvariant())
            ? region.ToUpperInvariant()
            : code.Regions.FirstOrDefault();
        return Make(code, national, owner);
    }

    private static FieldReading<PhoneNumber> National(string digits, CallingCode code, string region)
    {
        var national = code.Trunk.Length > 0 && digits.StartsWith(code.Trunk, StringComparison.Ordinal)
            && digits.Length > code.LengthMin
                ? digits[code.Trunk.Length..]
                : digits;
        // People leave out the plus sign before their own country code.
        if (national.Length > code.LengthMax && national.StartsWith(code.Digits, StringComparison.Ordinal))
            national = national[code.Digits.Length..];
        return Make(code, national, region.ToUpperInvariant());
    }

    private static FieldReading<PhoneNumber> Make(CallingCode code, string national, string? region)
    {
        if (national.Length < code.LengthMin || national.Length > code.LengthMax
            || code.Digits.Length + national.Length > DigitCountMax)
        {
            var count = code.LengthMin == code.LengthMax
                ? $"{code.LengthMin}"
                : $"{code.LengthMin} to {code.LengthMax}";
            return Refuse(
                "invalid_length",
                $"After +{code.Digits} a number has {count} digits, this one has {national.Length}.");
        }

        return code.Digits == "1" && national[0] is '0' or '1'
            ? Refuse("invalid_phone", "An area code there begins with 2 to 9.")
            : new FieldReading<PhoneNumber>.Read(new PhoneNumber($"+{code.Digits}{national}", "", region));
    }

    /// <summary>The digits after the prefix for calls abroad; null when there is none.</summary>
    private static string? WithoutExitCode(string digits, CallingCode? home)
    {
        if (home?.Digits == "1")
            return digits.StartsWith("011", StringComparison.Ordinal) ? digits[3..] : null;
        return digits.StartsWith("00", StringComparison.Ordinal) ? digits[2..] : null;
    }

    private static (string Main, string Extension) SplitExtension(string typed)
    {
        foreach (var word in Extensions)
        {
            var at = typed.IndexOf(word, StringComparison.OrdinalIgnoreCase);
            if (at <= 0)
                continue;
            var number = typed[(at + word.Length)..].Trim();
            return number.Length is >= 1 and <= 7 && number.All(char.IsAsciiDigit)
                ? (typed[..at], number)
                : (typed, "");
        }

        return (typed, "");
    }

    private static string? Digits(string text)
    {
        var digits = string.Concat(text.Where(letter => !Ignored.Contains(letter, StringComparison.Ordinal)));
        return digits.Length > 0 && digits.All(char.IsAsciiDigit) ? digits : null;
    }

    private static string Show(string region) =>
        string.Concat(region.Take(8).Where(char.IsAsciiLetterOrDigit));

    private static FieldReading<PhoneNumber>.Refused Refuse(string code, string message) =>
        new(code, message, "+1 555 123 4567");
}
