using NodaTime;

namespace CalSync.Calendar.Times;

/// <summary>Reads the fields of ISO 8601 times from left to right and remembers the first fault.</summary>
internal ref struct TimeTextReader(string text)
{
    private readonly string _text = text;
    private int _position;

    /// <summary>The first fault; null until a read returned false.</summary>
    public TimeTextProblem? Problem { get; private set; }

    public bool Date(out LocalDate date)
    {
        date = default;
        var start = _position;
        if (!Number(4, LocalTimeText.YearMin, LocalTimeText.YearMax, "a year from 0002 to 9998", out var year)
            || !Sign('-') || !Number(2, 1, 12, "a month from 01 to 12", out var month)
            || !Sign('-') || !Number(2, 1, 31, "a day of that month", out var day))
        {
            return false;
        }

        if (day > CalendarSystem.Iso.GetDaysInMonth(year, month))
        {
            return Fault(start + 8, "a day of that month");
        }

        date = new LocalDate(year, month, day);
        return true;
    }

    public bool Clock(bool secondsOptional, out LocalTime time)
    {
        time = default;
        var second = 0;
        if (!Number(2, 0, 23, "an hour from 00 to 23", out var hour)
            || !Sign(':') || !Number(2, 0, 59, "a minute from 00 to 59", out var minute))
        {
            return false;
        }

        if (!secondsOptional || _position < _text.Length)
        {
            if (!Sign(':') || !Number(2, 0, 59, "a second from 00 to 59", out second))
            {
                return false;
            }
        }

        time = new LocalTime(hour, minute, second);
        return true;
    }

    /// <summary>An optional fraction of a second, in ticks of 100 ns.</summary>
    public bool Fraction(out long ticks)
    {
        ticks = 0;
        if (_position >= _text.Length || _text[_position] != '.')
        {
            return true;
        }

        _position++;
        var digits = 0;
        for (; _position < _text.Length && char.IsAsciiDigit(_text[_position]); _position++, digits++)
        {
            if (digits >= 9 || (digits >= 7 && _text[_position] != '0'))
            {
                return Fault(_position, "at most seven fraction digits");
            }

            if (digits < 7)
            {
                ticks = (ticks * 10) + (_text[_position] - '0');
            }
        }

        if (digits == 0)
        {
            return Fault(_position, "a digit");
        }

        for (; digits < 7; digits++)
        {
            ticks *= 10;
        }

        return true;
    }

    public bool Offset(out TimeSpan offset)
    {
        offset = TimeSpan.Zero;
        if (_position < _text.Length && _text[_position] is 'Z' or 'z')
        {
            _position++;
            return true;
        }

        if (_position >= _text.Length || _text[_position] is not ('+' or '-'))
        {
            return Fault(_position, "Z or an offset such as +05:30");
        }

        var start = _position;
        var negative = _text[_position++] == '-';
        if (!Number(2, 0, 23, "offset hours", out var hours) || !Sign(':')
            || !Number(2, 0, 59, "offset minutes", out var minutes))
        {
            return false;
        }

        offset = new TimeSpan(hours, minutes, 0);
        if (offset > TimeSpan.FromHours(14))
        {
            return Fault(start, "an offset of at most 14:00");
        }

        offset = negative ? -offset : offset;
        return true;
    }

    /// <summary>A letter in either case.</summary>
    public bool Letter(char upper) =>
        _position < _text.Length
            && (_text[_position] == upper || _text[_position] == char.ToLowerInvariant(upper))
            ? Advance()
            : Fault(_position, upper.ToString());

    public bool End() => _position == _text.Length || Fault(_position, "the end");

    private bool Sign(char sign) =>
        _position < _text.Length && _text[_position] == sign ? Advance() : Fault(_position, sign.ToString());

    private bool Number(int digits, int min, int max, string expected, out int value)
    {
        value = 0;
        var start = _position;
        for (var index = 0; index < digits; index++)
        {
            if (_position >= _text.Length || !char.IsAsciiDigit(_text[_position]))
            {
                return Fault(_position, expected);
            }

            value = (value * 10) + (_text[_position++] - '0');
        }

        return (value >= min && value <= max) || Fault(start, expected);
    }

    private bool Advance()
    {
        _position++;
        return true;
    }

    private bool Fault(int offset, string expected)
    {
        Problem ??= new TimeTextProblem(offset, expected);
        return false;
    }
}
