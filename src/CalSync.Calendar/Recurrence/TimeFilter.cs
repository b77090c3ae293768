using System.Collections.Immutable;

namespace CalSync.Calendar.Recurrence;

/// <summary>Which times of day a rule takes. RFC 5545 section 3.3.10, BYHOUR, BYMINUTE, BYSECOND.</summary>
internal sealed class TimeFilter
{
    private readonly ImmutableArray<int> _hours;
    private readonly ImmutableArray<int> _minutes;
    private readonly ImmutableArray<int> _seconds;

    /// <param name="recur">The rule.</param>
    /// <param name="timeOfDay">DTSTART's time of day, in seconds.</param>
    /// <param name="isDate">Whether DTSTART is a date and times are ignored.</param>
    public TimeFilter(Recur recur, int timeOfDay, bool isDate)
    {
        _hours = isDate ? [] : recur.ByHour;
        _minutes = isDate ? [] : recur.ByMinute;
        _seconds = isDate ? [] : [.. recur.BySecond.Select(second => Math.Min(second, 59)).Distinct()];

        // Units finer than the frequency expand, and come from DTSTART when the rule is silent.
        var hours = recur.Frequency <= Frequency.Hourly ? [0] : OrElse(_hours, timeOfDay / 3600);
        var minutes = recur.Frequency <= Frequency.Minutely ? [0] : OrElse(_minutes, timeOfDay / 60 % 60);
        var seconds = recur.Frequency == Frequency.Secondly ? [0] : OrElse(_seconds, timeOfDay % 60);
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
    public ImmutableArray<int> Offsets { get; }

    /// <summary>
    /// <paramref name="time"/> when its hour, minute and second fit, else the earliest second that may fit; a
    /// day when there is none that day.
    /// </summary>
    /// <param name="time">Second of the day, the begin of a unit.</param>
    /// <param name="unit">Seconds in the rule's frequency: 3600, 60 or 1.</param>
    public int FirstUnitAt(int time, int unit)
    {
        var hour = time / 3600;
        if (!_hours.IsEmpty && !_hours.Contains(hour))
        {
            var next = _hours.FirstOrDefault(candidate => candidate > hour, 24);
            return next * 3600;
        }

        var minute = time / 60 % 60;
        if (unit < 3600 && !_minutes.IsEmpty && !_minutes.Contains(minute))
        {
            var next = _minutes.FirstOrDefault(candidate => candidate > minute, 60);
            return (hour * 3600) + (next * 60);
        }

        var second = time % 60;
        if (unit < 60 && !_seconds.IsEmpty && !_seconds.Contains(second))
        {
            var next = _seconds.FirstOrDefault(candidate => candidate > second, 60);
            return (time / 60 * 60) + next;
        }

        return time;
    }

    private static ImmutableArray<int> OrElse(ImmutableArray<int> values, int fromStart) =>
        values.IsEmpty ? [fromStart] : values;
}
