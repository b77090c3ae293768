namespace CalSync.Calendar.Recurrence;

/// <summary>Days of the Gregorian calendar as numbers; 0 is 0001-01-01, a Monday.</summary>
internal static class CivilDays
{
    public const long SecondsPerDay = 86_400;

    private static ReadOnlySpan<short> BeforeMonth =>
        [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];

    /// <summary>The number of January 1st.</summary>
    public static int YearBegin(int year)
    {
        var past = year - 1;
        return (365 * past) + (past / 4) - (past / 100) + (past / 400);
    }

    public static int YearLength(int year) => DateTime.IsLeapYear(year) ? 366 : 365;

    /// <summary>The number of the first of a month, 1 to 12.</summary>
    public static int MonthBegin(int year, int month) =>
        YearBegin(year) + BeforeMonth[month - 1] + (month > 2 && DateTime.IsLeapYear(year) ? 1 : 0);

    public static int MonthLength(int year, int month) =>
        BeforeMonth[month] - BeforeMonth[month - 1] + (month == 2 && DateTime.IsLeapYear(year) ? 1 : 0);
}
