using System.Collections.Immutable;
using System.Globalization;

namespace CalSync.Classes.People;

/// <summary>Reads one e-mail address as people type it.</summary>
/// <remarks>
/// RFC 5321 section 4.1.2 and 4.5.3.1: one at sign, a dot-atom of at most 64 octets before it, a domain
/// name after it, 254 octets in all. Blanks around it, angle brackets and <c>mailto:</c> are taken off; a
/// domain in another script becomes its A-label (RFC 5891). Quoted local parts, local parts outside ASCII
/// (RFC 6531) and addresses of machines by number are refused: neither calendar provider invites them.
/// </remarks>
public static class EmailAddress
{
    /// <summary>Longest address, RFC 5321 section 4.5.3.1.3 without the brackets.</summary>
    public const int LengthMax = 254;

    private const int LocalLengthMax = 64;
    private const string Specials = "!#$%&'*+-/=?^_`{|}~.";

    // What people have, under its common ends. Short names are left out: me.com is one slip from others.
    private static readonly ImmutableArray<string> Known =
    [
        "gmail.com", "googlemail.com", "ymail.com", "email.com", "mail.com", "yahoo.com", "yahoo.co.uk",
        "yahoo.co.in", "hotmail.com", "hotmail.co.uk", "outlook.com", "live.com", "icloud.com",
        "protonmail.com", "proton.me", "rediffmail.com", "yandex.ru", "comcast.net", "verizon.net",
        "orange.fr", "libero.it",
    ];

    /// <summary>Reads an address.</summary>
    /// <param name="text">As typed.</param>
    /// <returns>Lower case, or what is wrong with it.</returns>
    public static FieldReading<string> Read(string text)
    {
        var address = Strip(text);
        var at = address.IndexOf('@', StringComparison.Ordinal);
        if (at < 0 || at != address.LastIndexOf('@'))
            return Refuse("invalid_email", "An e-mail address has one at sign.");
        if (address.Any(char.IsWhiteSpace))
            return Refuse("invalid_email", "An e-mail address has no blank in it.");
        var local = address[..at];
        if (local.Length > LocalLengthMax)
            return Refuse("too_long", "At most 64 characters may stand before the at sign.");
        if (!IsDotAtom(local))
        {
            return Refuse(
                "invalid_email",
                "Before the at sign stand letters, digits and single inner dots, without accents or quotes.");
        }

        if (DomainName.ToAscii(address[(at + 1)..]) is not { } domain)
            return Refuse("invalid_email", "After the at sign stands a domain name with a dot in it.");
        var whole = $"{local}@{domain}";
        return whole.Length <= LengthMax
            ? new FieldReading<string>.Read(whole.ToLowerInvariant())
            : Refuse("too_long", "An e-mail address has at most 254 characters.");
    }

    /// <summary>The address that was probably meant; null when this one looks right.</summary>
    /// <param name="address">As <see cref="Read"/> gave it.</param>
    /// <returns>
    /// The same person at a common provider whose name is one slip away: a letter missing, doubled, changed
    /// or swapped. Only a hint: the typed domain may exist.
    /// </returns>
    public static string? Suggest(string address)
    {
        var at = address.LastIndexOf('@');
        var domain = address[(at + 1)..];
        if (at < 1 || Known.Contains(domain))
            return null;
        var meant = Known.FirstOrDefault(name => IsOneSlip(domain, name));
        return meant is null ? null : $"{address[..at]}@{meant}";
    }

    private static string Strip(string text)
    {
        var address = text.Trim();
        if (address is ['<', .., '>'])
            address = address[1..^1].Trim();
        return address.StartsWith("mailto:", StringComparison.OrdinalIgnoreCase) ? address[7..] : address;
    }

    private static bool IsDotAtom(string local) =>
        local.Length > 0 && local[0] != '.' && local[^1] != '.'
        && !local.Contains("..", StringComparison.Ordinal)
        && local.All(letter => char.IsAsciiLetterOrDigit(letter)
            || Specials.Contains(letter, StringComparison.Ordinal));

    /// <summary>A letter more, less, other, or two neighbours swapped (Damerau's distance of 1).</summary>
    private static bool IsOneSlip(string typed, string name)
    {
        var start = 0;
        while (start < typed.Length && start < name.Length && typed[start] == name[start])
            start++;
        var (rest, wanted) = (typed[start..], name[start..]);
        return (rest.Length - wanted.Length) switch
        {
            1 => rest[1..] == wanted,
            -1 => rest == wanted[1..],
            0 => rest.Length > 0 && (rest[1..] == wanted[1..]
                || (rest.Length > 1 && rest[0] == wanted[1] && rest[1] == wanted[0]
                    && rest[2..] == wanted[2..])),
            _ => false,
        };
    }

    private static FieldReading<string>.Refused Refuse(string code, string message) =>
        new(code, message, "ana@example.org");
}

/// <summary>Names of hosts as people type them.</summary>
internal static class DomainName
{
    private const int LengthMax = 253;
    private const int LabelLengthMax = 63;

    /// <summary>The name in ASCII, lower case (RFC 5891 section 4); null when it has no dot.</summary>
    public static string? ToAscii(string text)
    {
        var name = text.TrimEnd('.').ToLowerInvariant();
        if (name.Length is 0 or > LengthMax)
            return null;
        if (!name.All(char.IsAscii))
        {
            // What is not seen, and pictures, are in no registered name.
            if (!name.All(IsOfAName))
                return null;
            try
            {
                name = new IdnMapping { UseStd3AsciiRules = true }.GetAscii(name).ToLowerInvariant();
            }
            catch (ArgumentException)
            {
                return null;
            }
        }

        var labels = name.Split('.');
        return labels.Length >= 2 && name.Length <= LengthMax && labels.All(IsLabel)
            && !labels[^1].All(char.IsAsciiDigit)
                ? name
                : null;
    }

    private static bool IsOfAName(char letter) =>
        char.IsLetterOrDigit(letter) || letter is '-' or '.'
        || char.GetUnicodeCategory(letter)
            is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark;

    // Letters, digits and inner hyphens: RFC 1123 section 2.1.
    private static bool IsLabel(string label) =>
        label.Length is >= 1 and <= LabelLengthMax && label[0] != '-' && label[^1] != '-'
        && label.All(letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter == '-');
}
