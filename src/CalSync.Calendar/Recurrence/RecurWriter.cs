using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using NodaTime;

namespace CalSync.Calendar.Recurrence;

/// <summary>Writes a rule in the order of RFC 5545's grammar.</summary>
internal static class RecurWriter
{
    /// <summary>Two-letter weekdays in ISO order, Monday first.</summary>
    public const string DayLetters = "MOTUWETHFRSASU";

    public static string Write(Recur recur)
    {
        var text = new StringBuilder(recur.SkipPolicy is null ? "FREQ=" : "RSCALE=GREGORIAN;FREQ=")
            .Append(recur.Frequency.ToString().ToUpperInvariant());
        if (recur.Until is { } until)
        {
            text.Append(";UNTIL=").Append(Write(until));
        }

        if (recur.Count is { } count)
        {
            text.Append(CultureInfo.InvariantCulture, $";COUNT={count}");
        }

        if (recur.Interval != 1)
        {
            text.Append(CultureInfo.InvariantCulture, $";INTERVAL={recur.Interval}");
        }

        Append(text, "BYSECOND", recur.BySecond);
        Append(text, "BYMINUTE", recur.ByMinute);
        Append(text, "BYHOUR", recur.ByHour);
        if (recur.ByDay.Length > 0)
        {
            text.Append(";BYDAY=").AppendJoin(',', recur.ByDay.Select(Write));
        }

        Append(text, "BYMONTHDAY", recur.ByMonthDay);
        Append(text, "BYYEARDAY", recur.ByYearDay);
        Append(text, "BYWEEKNO", recur.ByWeekNo);
        Append(text, "BYMONTH", recur.ByMonth);
        Append(text, "BYSETPOS", recur.BySetPos);
        if (recur.WeekStart != IsoDayOfWeek.Monday)
        {
            text.Append(";WKST=").Append(Letters(recur.WeekStart));
        }

        return recur.SkipPolicy is RecurSkip.Backward or RecurSkip.Forward
            ? text.Append(";SKIP=").Append(recur.SkipPolicy.Value.ToString().ToUpperInvariant()).ToString()
            : text.ToString();
    }

    private static void Append(StringBuilder text, string part, ImmutableArray<int> values)
    {
        if (values.Length > 0)
        {
            text.Append(';').Append(part).Append('=')
                .AppendJoin(',', values.Select(value => value.ToString(CultureInfo.InvariantCulture)));
        }
    }

    private static string Write(WeekdayNum day) =>
        day.Ordinal == 0
            ? Letters(day.Day)
            : day.Ordinal.ToString(CultureInfo.InvariantCulture) + Letters(day.Day);

    private static string Letters(IsoDayOfWeek day) => DayLetters.Substring(2 * ((int)day - 1), 2);

    private static string Write(RecurUntil until) => until switch
    {
        RecurUntil.OnDate date => date.Date.ToString("uuuuMMdd", CultureInfo.InvariantCulture),
        RecurUntil.AtLocal local => BasicTimes.Write(local.Time),
        RecurUntil.AtUtc utc => BasicTimes.Write(utc.Time) + "Z",
        _ => throw new System.Diagnostics.UnreachableException("Unknown UNTIL form."),
    };
}
