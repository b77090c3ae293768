using System.Numerics;

namespace CalSync.Calendar.Recurrence;

/// <summary>Which times of day a rule takes. RFC 5545 section 3.3.10, BYHOUR, BYMINUTE, BYSECOND.</summary>
internal sealed class TimeFilter
{
    private readonly ulong _hours;
    private readonly ulong _minutes;
    private readonly ulong _seconds;

    /// <param name="recur">The rule.</param>
    /// <param name="timeOfDay">DTSTART's time of day, in seconds.</param>
    /// <param name="isDate">Whether DTSTART is a date and times are ignored.</param>
    public TimeFilter(Recur recur, int timeOfDay, bool isDate)
    {
        int[] hours = isDate ? [] : [.. recur.ByHour];
        int[] minutes = isDate ? [] : [.. recur.ByMinute];
        int[] seconds = isDate ? [] : [.. recur.BySecond.Select(second => Math.Min(second, 59)).Distinct()];
        (_hours, _minutes, _seconds) = (Bits(hours), Bits(minutes), Bits(seconds));

        // Units finer than the frequency expand, and come from DTSTART when the rule is silent.
        hours = recur.Frequency <= Frequency.Hourly ? [0] : OrElse(hours, timeOfDay / 3600);
        minutes = recur.Frequency <= Frequency.Minutely ? [0] : OrElse(minutes, timeOfDay / 60 % 60);
        seconds = recur.Frequency == Frequency.Secondly ? [0] : OrElse(seconds, timeOfDay % 60);
        Offsets =
        [
            .. from hour in hours
               from minute in minutes
               from second in seconds
               select (hour * 3600) + (minute * 60) + second,
        ];
    }

    /// <summary>
    /// Seconds from the begin of a day (or of the hour, minute, second of a finer frequency), ascending.
    /// </summary>
    public int[] Offsets { get; }

    /// <summary>
    /// <paramref name="time"/> when its hour, minute and second fit, else the earliest second that may fit; a
    /// day when there is none that day.
    /// </summary>
    /// <param name="time">Second of the day, the begin of a unit.</param>
    /// <param name="unit">Seconds in the rule's frequency: 3600, 60 or 1.</param>
    public int FirstUnitAt(int time, int unit)
    {
        var hour = Next(_hours, time / 3600, 24);
        if (hour != time / 3600)
        {
            return hour * 3600;
        }

        var minute = unit < 3600 ? Next(_minutes, time / 60 % 60, 60) : time / 60 % 60;
        if (minute != time / 60 % 60)
        {
            return (hour * 3600) + (minute * 60);
        }

        return unit < 60 ? (time / 60 * 60) + Next(_seconds, time % 60, 60) : time;
    }

    /// <summary>The first value of a set at or after one; the value itself when the set is empty.</summary>
    private static int Next(ulong values, int value, int none)
    {
        if (values == 0)
        {
            return value;
        }

        var rest = values >> value;
        return rest == 0 ? none : value + BitOperations.TrailingZeroCount(rest);
    }

    private static ulong Bits(int[] values) => values.Aggregate(0ul, (bits, value) => bits | (1ul << value));

    private static int[] OrElse(int[] values, int fromStart) => values.Length == 0 ? [fromStart] : values;
}
