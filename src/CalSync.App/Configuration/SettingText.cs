using System.Globalization;
using CalSync.Storage;

namespace CalSync.App.Configuration;

/// <summary>Reads the text of a value. Null means that the text is not of the key's type.</summary>
internal static class SettingText
{
    private static readonly char[] Letters = [.. "abcdefghijklmnopqrstuvwxyz "];
    private static readonly (string Suffix, TimeSpan Length)[] Units =
    [
        ("ms", TimeSpan.FromMilliseconds(
            1)), ("s", TimeSpan.FromSeconds(1)), ("min", TimeSpan.FromMinutes(1)),
        ("m", TimeSpan.FromMinutes(1)), ("h", TimeSpan.FromHours(1)), ("d", TimeSpan.FromDays(1)),
    ];

    /// <summary>A number.</summary>
    public static decimal? Number(string text) =>
        decimal.TryParse(
            text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint,
                CultureInfo.InvariantCulture,
            out var number)
            ? number
            : null;

    /// <summary>A number with a unit, or in the unit of the key.</summary>
    public static TimeSpan? Duration(string text, Key key)
    {
        var digits = text.TrimEnd(Letters);
        var suffix = text[digits.Length..].Trim();
        var unit = UnitOf(suffix.Length == 0 ? key.Unit! : suffix);
        return Number(digits) is { } number
            && Math.Abs(number) <= int.MaxValue ? unit * (double)number : null;
    }

    /// <summary>Writes a default as it would be written by hand: a length of time as a number of
    /// units.</summary>
    public static string Write(object value, string unit) => value is TimeSpan length
        ? (length / UnitOf(unit)!.Value).ToString(CultureInfo.InvariantCulture)
        : Convert.ToString(value, CultureInfo.InvariantCulture)!;

    /// <summary>The value an option of the given type is set to. The text must be valid.</summary>
    public static object Read(Key key, string text) => key.Type switch
    {
        KeyType.Duration => Duration(text, key)!.Value,
        KeyType.Count => Convert.ChangeType(
            Number(text)!.Value, key.Target!.PropertyType, CultureInfo.InvariantCulture),
        KeyType.Flag => Flag(text)!.Value,
        KeyType.Address => new Uri(text),
        KeyType.Text or KeyType.Choice or KeyType.Database or KeyType.SecretKey => text,
    };

    /// <summary><c>true</c> or <c>false</c>.</summary>
    public static bool? Flag(string text) => text switch { "true" => true, "false" => false, _ => null };

    /// <summary>Says what is wrong with a value; null when it is valid.</summary>
    public static string? Problem(Key key, string text) => key.Type switch
    {
        KeyType.Text => string.IsNullOrWhiteSpace(text) ? "is blank" : null,
        KeyType.Count => Number(text) is not { } number ? "is not a number"
            : number % 1 != 0 && key.Target?.PropertyType != typeof(double) ? "is not a whole number"
            : OutOfRange(key, number),
        KeyType.Duration => Duration(text, key) is { } length
            ? OutOfRange(key, (decimal)(length / UnitOf(key.Unit!)!.Value))
            : "is not a duration",
        KeyType.Flag => Flag(text) is null ? "is neither true nor false" : null,
        KeyType.Choice => key.Choices.Contains(text) ? null : "is not one of the choices",
        KeyType.Address => IsWebAddress(text) ? null : "is not an absolute http or https address",
        KeyType.Database => DatabaseAddress.Read(text) is DatabaseAddressReading.Refused refused
            ? $"cannot be used: {refused.What} What to do: {refused.Advice}."
            : null,
        KeyType.SecretKey => IsSecretKey(text) ? null : "is not a list of keys",
    };

    private static TimeSpan? UnitOf(string suffix) => Array.Find(Units, unit => unit.Suffix == suffix) switch
    {
        (null, _) => null,
        var (_, length) => length,
    };

    private static string? OutOfRange(Key key, decimal value) =>
        value < key.Min ? "is too small" : value > key.Max ? "is too large" : null;

    /// <summary>True for an absolute http or https address.</summary>
    public static bool IsWebAddress(string text) => IsAddress(text, "http", "https");

    private static bool IsAddress(string text, params string[] schemes) =>
        Uri.TryCreate(text, UriKind.Absolute, out var address) && schemes.Contains(address.Scheme)
        && address.Host.Length > 0;

    private static bool IsSecretKey(string text)
    {
        var bytes = new byte[48];
        return text.Split(',').All(key =>
            Convert.TryFromBase64String(key.Trim(), bytes, out var length) && length == 32);
    }
}
