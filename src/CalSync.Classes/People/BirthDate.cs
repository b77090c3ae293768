using System.Globalization;

namespace CalSync.Classes.People;

/// <summary>Which of the first two numbers of 02/03/1990 is the month.</summary>
public enum DateOrder
{
    /// <summary>Nobody said.</summary>
    Unknown = 0,

    /// <summary>MM/DD/YYYY.</summary>
    MonthFirst = 1,

    /// <summary>DD/MM/YYYY.</summary>
    DayFirst = 2,
}

/// <summary>Reads a date of birth: YYYY-MM-DD, MM/DD/YYYY or DD/MM/YYYY, tried in this order.</summary>
/// <remarks>
/// Decision C-20. A date that is valid and different both ways is MM/DD/YYYY with the warning
/// <c>ambiguous_date</c>, unless the order is known, or strictness was asked for, which refuses it.
/// </remarks>
public static class BirthDate
{
    /// <summary>Nobody is older, in years.</summary>
    public const int AgeMax = 130;

    private const string Example = "1990-12-31";

    /// <summary>Reads a date.</summary>
    /// <param name="text">As typed; one digit is enough for a day or month.</param>
    /// <param name="order">What is known of the writer's habit.</param>
    /// <param name="strict">True refuses what can be read in two ways.</param>
    /// <param name="today">A birth after it is refused.</param>
    public static FieldReading<DateOnly> Read(string text, DateOrder order, bool strict, DateOnly today)
    {
        var parts = text.Trim().Split('-', '/', '.');
        if (parts.Length != 3 || !parts.All(IsNumber))
            return Shape();
        var numbers = Array.ConvertAll(
            parts, part => int.Parse(part, NumberStyles.None, CultureInfo.InvariantCulture));
        if (parts[0].Length == 4)
            return Check(Make(numbers[0], numbers[1], numbers[2]), today);
        if (parts[2].Length != 4)
            return Shape();
        var monthFirst = Make(numbers[2], numbers[0], numbers[1]);
        var dayFirst = Make(numbers[2], numbers[1], numbers[0]);
        if (monthFirst is null || dayFirst is null || monthFirst == dayFirst)
            return Check(monthFirst ?? dayFirst, today);
        return order switch
        {
            DateOrder.MonthFirst => Check(monthFirst, today),
            DateOrder.DayFirst => Check(dayFirst, today),
            DateOrder.Unknown when strict => new FieldReading<DateOnly>.Refused(
                "ambiguous_date", $"This is {Iso(monthFirst)} or {Iso(dayFirst)}; write YYYY-MM-DD.",
                Iso(monthFirst)),
            DateOrder.Unknown => Check(monthFirst, today) is FieldReading<DateOnly>.Read read
                ? read with
                {
                    Warnings =
                    [
                        new FieldWarning(
                            "dateOfBirth", "ambiguous_date",
                            $"It was read as {Iso(monthFirst)}, month first; it could be {Iso(dayFirst)}.",
                            Iso(dayFirst)),
                    ],
                }
                : Check(monthFirst, today),
        };
    }

    /// <summary>The order people of a language write dates in.</summary>
    /// <param name="languageTag">
    /// RFC 5646, such as <c>en-GB</c>; null and tags without a region say nothing, and neither do regions
    /// that write the year first.
    /// </param>
    public static DateOrder OrderOf(string? languageTag) => LanguageRegion.Of(languageTag) switch
    {
        "US" or "PH" or "FM" or "GU" or "MP" or "PW" or "MH" or "AS" or "VI" or "UM" => DateOrder.MonthFirst,
        null or "CA" or "CN" or "HU" or "IR" or "JP" or "KP" or "KR" or "LT" or "MN" or "SE" or "TW"
            or "ZA" => DateOrder.Unknown,
        _ => DateOrder.DayFirst,
    };

    private static FieldReading<DateOnly> Check(DateOnly? date, DateOnly today) => date switch
    {
        null => new FieldReading<DateOnly>.Refused("invalid_date", "There is no such day.", Example),
        { } day when day > today => new FieldReading<DateOnly>.Refused(
            "out_of_range", "A date of birth is not in the future.", Example),
        { } day when day < today.AddYears(-AgeMax) => new FieldReading<DateOnly>.Refused(
            "out_of_range", "A date of birth is at most 130 years ago.", Example),
        { } day => new FieldReading<DateOnly>.Read(day),
    };

    private static FieldReading<DateOnly>.Refused Shape() => new(
        "invalid_date", "A date is written YYYY-MM-DD, MM/DD/YYYY or DD/MM/YYYY.", Example);

    private static bool IsNumber(string part) =>
        part.Length is >= 1 and <= 4 && part.All(char.IsAsciiDigit);

    private static DateOnly? Make(int year, int month, int day) =>
        year >= 1 && month is >= 1 and <= 12 && day >= 1 && day <= DateTime.DaysInMonth(year, month)
            ? new DateOnly(year, month, day)
            : null;

    private static string Iso(DateOnly? date) =>
        date!.Value.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}

/// <summary>The region of a language tag.</summary>
public static class LanguageRegion
{
    /// <summary>The two letters of the region of a tag (RFC 5646 section 2.2.4); null when it has
    /// none.</summary>
    /// <param name="languageTag">Such as <c>en-GB</c> or <c>zh-Hant-TW</c>; any text.</param>
    public static string? Of(string? languageTag) => languageTag?.Split('-').Skip(1)
        .TakeWhile(part => part.Length > 1)
        .FirstOrDefault(part => part.Length == 2 && part.All(char.IsAsciiLetter))?.ToUpperInvariant();
}
