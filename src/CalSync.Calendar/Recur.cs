using System.Collections.Immutable;
using CalSync.Calendar.Recurrence;
using NodaTime;

namespace CalSync.Calendar;

/// <summary>How far apart a rule's periods are. RFC 5545 section 3.3.10, FREQ.</summary>
public enum Frequency
{
    /// <summary>Every second.</summary>
    Secondly = 0,

    /// <summary>Every minute.</summary>
    Minutely = 1,

    /// <summary>Every hour.</summary>
    Hourly = 2,

    /// <summary>Every day.</summary>
    Daily = 3,

    /// <summary>Every week, beginning on <see cref="Recur.WeekStart"/>.</summary>
    Weekly = 4,

    /// <summary>Every month.</summary>
    Monthly = 5,

    /// <summary>Every year.</summary>
    Yearly = 6,
}

/// <summary>Where a day goes that its month or year does not have. RFC 7529 section 4.1, SKIP.</summary>
public enum RecurSkip
{
    /// <summary>Nowhere: there is no instance, as in RFC 5545.</summary>
    Omit = 0,

    /// <summary>To the last day before it.</summary>
    Backward = 1,

    /// <summary>To the first day after it.</summary>
    Forward = 2,
}

/// <summary>One BYDAY value: "MO", "2TU", "-1FR".</summary>
/// <param name="Day">The weekday; never <see cref="IsoDayOfWeek.None"/>.</param>
/// <param name="Ordinal">
/// Which one of the month or year, counted from the end when negative, -53 to 53; 0 means every one.
/// </param>
public readonly record struct WeekdayNum(IsoDayOfWeek Day, int Ordinal = 0);

/// <summary>Where a rule ends, inclusive. RFC 5545 section 3.3.10, UNTIL.</summary>
public abstract record RecurUntil
{
    private RecurUntil()
    {
    }

    /// <summary>A whole local day.</summary>
    /// <param name="Date">The last day that may have an instance.</param>
    public sealed record OnDate(LocalDate Date) : RecurUntil;

    /// <summary>A local time, in the zone of DTSTART.</summary>
    /// <param name="Time">The last wall time that may be an instance.</param>
    public sealed record AtLocal(LocalDateTime Time) : RecurUntil;

    /// <summary>A moment in UTC, the form for every DTSTART with a zone.</summary>
    /// <param name="Time">The last UTC time that may be an instance.</param>
    public sealed record AtUtc(LocalDateTime Time) : RecurUntil;
}

/// <summary>A RECUR value: the parsed right-hand side of an RRULE property.</summary>
/// <remarks>
/// RFC 5545 section 3.3.10. Immutable. Lists are kept ascending and without repeats, so two rules are equal
/// exactly when <see cref="ToString"/> writes the same text. Setting a value outside its range throws
/// <see cref="ArgumentOutOfRangeException"/>; text from outside goes through <see cref="Parse"/>, which never
/// throws.
/// </remarks>
/// <param name="Frequency">FREQ, the only required part.</param>
public sealed record Recur(Frequency Frequency)
{
    /// <summary>Longest text that is read, in characters.</summary>
    public const int TextLengthMax = 10_000;

    /// <summary>INTERVAL in units of <see cref="Frequency"/>; 1 or more. Absent means 1.</summary>
    public int Interval { get; init => field = RecurRange.Interval.Require(value); } = 1;

    /// <summary>COUNT, in occurrences, 1 or more; null when the rule is not bounded by a count.</summary>
    public int? Count { get; init => field = value is { } count ? RecurRange.Count.Require(count) : null; }

    /// <summary>
    /// UNTIL; null when the rule is not bounded by a date. With a count too, the earlier end wins.
    /// </summary>
    public RecurUntil? Until { get; init; }

    /// <summary>BYSECOND, 0 to 60; 60 is a leap second and means 59.</summary>
    public ImmutableArray<int> BySecond { get; init => field = RecurRange.Second.Require(value); } = [];

    /// <summary>BYMINUTE, 0 to 59.</summary>
    public ImmutableArray<int> ByMinute { get; init => field = RecurRange.Minute.Require(value); } = [];

    /// <summary>BYHOUR, 0 to 23.</summary>
    public ImmutableArray<int> ByHour { get; init => field = RecurRange.Hour.Require(value); } = [];

    /// <summary>BYDAY. Ordinals count only with MONTHLY and with YEARLY without BYWEEKNO.</summary>
    public ImmutableArray<WeekdayNum> ByDay { get; init => field = RecurRange.RequireDays(value); } = [];

    /// <summary>BYMONTHDAY, 1 to 31, or -31 to -1 from the month's end.</summary>
    public ImmutableArray<int> ByMonthDay { get; init => field = RecurRange.MonthDay.Require(value); } = [];

    /// <summary>BYYEARDAY, 1 to 366, or -366 to -1 from the year's end.</summary>
    public ImmutableArray<int> ByYearDay { get; init => field = RecurRange.YearDay.Require(value); } = [];

    /// <summary>
    /// BYWEEKNO, 1 to 53, or -53 to -1 from the year's end. Weeks begin on <see cref="WeekStart"/>.
    /// </summary>
    public ImmutableArray<int> ByWeekNo { get; init => field = RecurRange.WeekNo.Require(value); } = [];

    /// <summary>BYMONTH, 1 to 12.</summary>
    public ImmutableArray<int> ByMonth { get; init => field = RecurRange.Month.Require(value); } = [];

    /// <summary>BYSETPOS, 1 to 366, or -366 to -1 from the end of each period's set.</summary>
    public ImmutableArray<int> BySetPos { get; init => field = RecurRange.SetPos.Require(value); } = [];

    /// <summary>WKST, the first day of a week. Absent means Monday.</summary>
    public IsoDayOfWeek WeekStart
    {
        get;
        init => field = RecurRange.RequireDay(value);
    }
    = IsoDayOfWeek.Monday;

    /// <summary>
    /// SKIP of a rule with RSCALE=GREGORIAN, RFC 7529; null for a rule of RFC 5545 alone. It moves days of
    /// BYMONTHDAY and BYYEARDAY, or of DTSTART where the rule is silent, in MONTHLY and YEARLY.
    /// </summary>
    public RecurSkip? SkipPolicy { get; init; }

    /// <summary>Reads the text after "RRULE:".</summary>
    /// <remarks>
    /// RSCALE=GREGORIAN with SKIP (RFC 7529) is read and reported as well; every other RSCALE is unsupported.
    /// What RFC 5545 forbids but real calendars contain is read and reported in
    /// <see cref="RecurParse.Parsed.Deviations"/>: a semicolon at the end, a comma before the next part,
    /// UNTIL ending in ZZ, COUNT together with UNTIL, and BY parts with a FREQ they do not belong to (they
    /// then only limit).
    /// </remarks>
    public static RecurParse Parse(string text) => RecurReader.Read(text);

    /// <summary>Whether both rules write the same text.</summary>
    public bool Equals(Recur? other) =>
        other is not null && string.Equals(ToString(), other.ToString(), StringComparison.Ordinal);

    /// <summary>Hash of the written text.</summary>
    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(ToString());

    /// <summary>
    /// The strict text of RFC 5545: parts in the order of its grammar, lists ascending, defaults left out.
    /// </summary>
    public override string ToString() => RecurWriter.Write(this);
}

/// <summary>A fault in a rule's text that was read past.</summary>
/// <param name="Part">The part at fault, upper case.</param>
/// <param name="Offset">Characters before the fault.</param>
/// <param name="Requirement">What RFC 5545 section 3.3.10 asks for, for a person.</param>
public sealed record RecurDeviation(string Part, int Offset, string Requirement);

/// <summary>What the text of a rule turned out to be.</summary>
public abstract record RecurParse
{
    private RecurParse()
    {
    }

    /// <summary>A rule.</summary>
    /// <param name="Recur">The rule.</param>
    public sealed record Parsed(Recur Recur) : RecurParse
    {
        /// <summary>
        /// Where the text is not what RFC 5545 allows although its meaning is clear; mostly empty.
        /// </summary>
        public ImmutableArray<RecurDeviation> Deviations { get; init; } = [];
    }

    /// <summary>Not a rule.</summary>
    /// <param name="Part">
    /// The part at fault, upper case; "FREQ" when it is missing, empty for stray text.
    /// </param>
    /// <param name="Offset">Characters before the first one that is wrong.</param>
    /// <param name="Expected">What should stand there, for a person.</param>
    public sealed record Malformed(string Part, int Offset, string Expected) : RecurParse;

    /// <summary>
    /// A rule of RFC 7529 in another calendar than the Gregorian, whose instances are not guessed.
    /// </summary>
    /// <param name="Part">RSCALE or SKIP.</param>
    /// <param name="Offset">Characters before the part.</param>
    public sealed record Unsupported(string Part, int Offset) : RecurParse;
}
