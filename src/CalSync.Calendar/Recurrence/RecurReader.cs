using System.Collections.Immutable;
using System.Globalization;
using NodaTime;

namespace CalSync.Calendar.Recurrence;

/// <summary>Reads the text of a rule part by part. See <see cref="Recur.Parse"/>.</summary>
internal sealed class RecurReader
{
    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);
    private Recur _recur = new(Frequency.Daily);
    private readonly ImmutableArray<RecurDeviation>.Builder _deviations =
        ImmutableArray.CreateBuilder<RecurDeviation>();

    private RecurParse? _fault;

    private RecurReader()
    {
    }

    public static RecurParse Read(string text)
    {
        if (text.Length > Recur.TextLengthMax)
        {
            return new RecurParse.Malformed(
                "", Recur.TextLengthMax, $"at most {Recur.TextLengthMax} characters");
        }

        var reader = new RecurReader();
        var end = text.Length;
        if (text.EndsWith(';'))
        {
            end--;
            reader.Deviate("", end, "no semicolon at the end");
        }

        for (var start = 0; start <= end;)
        {
            var stop = reader.PartEnd(text, start, end);
            reader.ReadPart(text[start..stop], start);
            if (reader._fault is { } fault)
            {
                return fault;
            }

            start = stop + 1;
        }

        reader.CheckCombinations(text.Length);
        if (reader._fault is { } combination)
        {
            return combination;
        }

        return reader._seen.Contains("FREQ")
            ? new RecurParse.Parsed(reader._recur) { Deviations = reader._deviations.ToImmutable() }
            : new RecurParse.Malformed("FREQ", text.Length, "the part FREQ");
    }

    /// <summary>
    /// The next semicolon, or the comma that stands for one: ",BYMONTHDAY=" cannot be a list item.
    /// </summary>
    private int PartEnd(string text, int start, int end)
    {
        for (var index = start; index < end; index++)
        {
            if (text[index] == ';')
            {
                return index;
            }

            if (text[index] == ','
                && string.Compare(text, index + 1, "BY", 0, 2, StringComparison.OrdinalIgnoreCase) == 0)
            {
                Deviate(text[start..index].Split('=')[0].ToUpperInvariant(), index,
                    "a semicolon between parts");
                return index;
            }
        }

        return end;
    }

    private void CheckCombinations(int offset)
    {
        if (_recur.SkipPolicy is RecurSkip.Backward or RecurSkip.Forward && !_recur.ByWeekNo.IsEmpty)
        {
            // What a week that the year does not have moves to is nowhere defined.
            _fault ??= new RecurParse.Unsupported("SKIP", offset);
        }

        if (_seen.Contains("SKIP") && !_seen.Contains("RSCALE"))
        {
            Deviate("SKIP", offset, "SKIP only with RSCALE, RFC 7529");
        }

        if (_recur is { Count: not null, Until: not null })
        {
            Deviate("COUNT", offset, "COUNT or UNTIL, not both");
        }

        if (!_recur.ByWeekNo.IsEmpty && _recur.Frequency != Frequency.Yearly)
        {
            Deviate("BYWEEKNO", offset, "BYWEEKNO only with YEARLY");
        }

        if (!_recur.ByYearDay.IsEmpty
            && _recur.Frequency is Frequency.Daily or Frequency.Weekly or Frequency.Monthly)
        {
            Deviate("BYYEARDAY", offset, "BYYEARDAY not with DAILY, WEEKLY or MONTHLY");
        }

        if (!_recur.ByMonthDay.IsEmpty && _recur.Frequency == Frequency.Weekly)
        {
            Deviate("BYMONTHDAY", offset, "BYMONTHDAY not with WEEKLY");
        }

        var takesOrdinals = _recur.Frequency == Frequency.Monthly
            || (_recur.Frequency == Frequency.Yearly && _recur.ByWeekNo.IsEmpty);
        if (!takesOrdinals && _recur.ByDay.Any(day => day.Ordinal != 0))
        {
            Deviate("BYDAY", offset,
                "numbers before weekdays only with MONTHLY, and YEARLY without BYWEEKNO");
        }

        if (!_recur.BySetPos.IsEmpty && !_seen.Any(part =>
            part.StartsWith("BY", StringComparison.Ordinal) && part != "BYSETPOS"))
        {
            Deviate("BYSETPOS", offset, "BYSETPOS only with another BY part");
        }
    }

    private void ReadPart(string part, int offset)
    {
        var equals = part.IndexOf('=', StringComparison.Ordinal);
        if (equals < 0)
        {
            Fault("", offset, "a part such as INTERVAL=2");
            return;
        }

        var name = part[..equals].ToUpperInvariant();
        if (!_seen.Add(name))
        {
            Fault(name, offset, $"{name} only once");
            return;
        }

        var value = part[(equals + 1)..];
        var at = offset + equals + 1;
        switch (name)
        {
            case "FREQ":
                ReadFrequency(value, at);
                break;
            case "UNTIL":
                ReadUntil(value, at);
                break;
            case "WKST":
                ReadWeekStart(value, at);
                break;
            case "BYDAY":
                _recur = _recur with { ByDay = ReadDays(value, at) };
                break;
            case "RSCALE":
                ReadScale(value, offset);
                break;
            case "SKIP":
                ReadSkip(value, at);
                break;
            default:
                ReadNumbers(name, value, offset, at);
                break;
        }
    }

    private void ReadNumbers(string name, string value, int offset, int at)
    {
        switch (name)
        {
            case "INTERVAL":
                _recur = ReadNumber(RecurRange.Interval, value, at) is { } interval
                    ? _recur with { Interval = interval } : _recur;
                break;
            case "COUNT":
                _recur = _recur with { Count = ReadNumber(RecurRange.Count, value, at) };
                break;
            case "BYSECOND":
                _recur = _recur with { BySecond = ReadList(RecurRange.Second, value, at) };
                break;
            case "BYMINUTE":
                _recur = _recur with { ByMinute = ReadList(RecurRange.Minute, value, at) };
                break;
            case "BYHOUR":
                _recur = _recur with { ByHour = ReadList(RecurRange.Hour, value, at) };
                break;
            case "BYMONTHDAY":
                _recur = _recur with { ByMonthDay = ReadList(RecurRange.MonthDay, value, at) };
                break;
            case "BYYEARDAY":
                _recur = _recur with { ByYearDay = ReadList(RecurRange.YearDay, value, at) };
                break;
            case "BYWEEKNO":
                _recur = _recur with { ByWeekNo = ReadList(RecurRange.WeekNo, value, at) };
                break;
            case "BYMONTH":
                _recur = _recur with { ByMonth = ReadList(RecurRange.Month, value, at) };
                break;
            case "BYSETPOS":
                _recur = _recur with { BySetPos = ReadList(RecurRange.SetPos, value, at) };
                break;
            default:
                Fault(name, offset, "a part name of RFC 5545 section 3.3.10");
                break;
        }
    }

    private void ReadFrequency(string value, int at)
    {
        Frequency? frequency = value.ToUpperInvariant() switch
        {
            "SECONDLY" => Frequency.Secondly,
            "MINUTELY" => Frequency.Minutely,
            "HOURLY" => Frequency.Hourly,
            "DAILY" => Frequency.Daily,
            "WEEKLY" => Frequency.Weekly,
            "MONTHLY" => Frequency.Monthly,
            "YEARLY" => Frequency.Yearly,
            _ => null,
        };
        if (frequency is null)
        {
            Fault("FREQ", at, "SECONDLY, MINUTELY, HOURLY, DAILY, WEEKLY, MONTHLY or YEARLY");
            return;
        }

        _recur = _recur with { Frequency = frequency.Value };
    }

    private void ReadScale(string value, int offset)
    {
        if (!value.Equals("GREGORIAN", StringComparison.OrdinalIgnoreCase))
        {
            _fault = new RecurParse.Unsupported("RSCALE", offset);
            return;
        }

        Deviate("RSCALE", offset, "RFC 5545 alone: RSCALE is RFC 7529, computed for GREGORIAN");
        _recur = _recur with { SkipPolicy = _recur.SkipPolicy ?? RecurSkip.Omit };
    }

    private void ReadSkip(string value, int at)
    {
        RecurSkip? skip = value.ToUpperInvariant() switch
        {
            "OMIT" => RecurSkip.Omit,
            "BACKWARD" => RecurSkip.Backward,
            "FORWARD" => RecurSkip.Forward,
            _ => null,
        };
        if (skip is null)
        {
            Fault("SKIP", at, "OMIT, BACKWARD or FORWARD");
        }

        _recur = _recur with { SkipPolicy = skip };
    }

    private void ReadUntil(string value, int at)
    {
        if (value.EndsWith("ZZ", StringComparison.OrdinalIgnoreCase))
        {
            value = value[..^1];
            Deviate("UNTIL", at + value.Length, "one Z");
        }

        if (!BasicTimes.TryParse(value, out var read))
        {
            Fault("UNTIL", at, BasicTimes.Expected);
            return;
        }

        _recur = _recur with
        {
            Until = read.Value switch
            {
                { IsDate: true } => new RecurUntil.OnDate(read.Value.Time.Date),
                { IsUtc: true } => new RecurUntil.AtUtc(read.Value.Time),
                _ => new RecurUntil.AtLocal(read.Value.Time),
            },
        };
    }

    private void ReadWeekStart(string value, int at)
    {
        if (Weekday(value) is { } day)
        {
            _recur = _recur with { WeekStart = day };
            return;
        }

        Fault("WKST", at, "MO, TU, WE, TH, FR, SA or SU");
    }

    private ImmutableArray<WeekdayNum> ReadDays(string value, int at)
    {
        var days = ImmutableArray.CreateBuilder<WeekdayNum>();
        foreach (var item in value.Split(','))
        {
            var ordinal = 0;
            if (item.Length < 2 || Weekday(item[^2..]) is not { } day
                || (item.Length > 2 && !TryNumber(RecurRange.DayOrdinal, item[..^2], out ordinal)))
            {
                Fault("BYDAY", at, "a weekday such as MO, 2TU or -1FR");
                return [];
            }

            days.Add(new WeekdayNum(day, ordinal));
            at += item.Length + 1;
        }

        return days.ToImmutable();
    }

    private ImmutableArray<int> ReadList(RecurRange range, string value, int at)
    {
        var numbers = ImmutableArray.CreateBuilder<int>();
        foreach (var item in value.Split(','))
        {
            if (ReadNumber(range, item, at) is not { } number)
            {
                return [];
            }

            numbers.Add(number);
            at += item.Length + 1;
        }

        return numbers.ToImmutable();
    }

    private int? ReadNumber(RecurRange range, string value, int at)
    {
        if (TryNumber(range, value, out var number))
        {
            return number;
        }

        Fault(range.Part, at, range.Words);
        return null;
    }

    private static bool TryNumber(RecurRange range, string value, out int number) =>
        int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number)
        && range.Contains(number);

    private static IsoDayOfWeek? Weekday(string letters)
    {
        var index = letters.Length == 2
            ? RecurWriter.DayLetters.IndexOf(letters, StringComparison.OrdinalIgnoreCase)
            : -1;
        return index >= 0 && index % 2 == 0 ? (IsoDayOfWeek)(1 + (index / 2)) : null;
    }

    private void Deviate(string part, int offset, string requirement) =>
        _deviations.Add(new RecurDeviation(part, offset, requirement));

    private void Fault(string part, int offset, string expected) =>
        _fault ??= new RecurParse.Malformed(part, offset, expected);
}
