namespace CalSync.Calendar.Recurrence;

/// <summary>A set of days within one year, filled again when another year is asked for.</summary>
/// <param name="fill">Adds the days of a year.</param>
internal sealed class YearDays(Action<int, YearDays> fill)
{
    // 366 bits and a word more, so that a month can always be read from two neighbours.
    private readonly ulong[] _bits = new ulong[7];
    private int _year = -1;
    private int _begin;
    private int _length;

    /// <summary>Adds a day by its number; one outside the year is left out.</summary>
    public void Add(int day)
    {
        var index = day - _begin;
        if (index >= 0 && index < _length)
        {
            _bits[index >> 6] |= 1ul << (index & 63);
        }
    }

    /// <summary>
    /// The 32 days from <paramref name="begin"/> on, a day of <paramref name="year"/>; bit 0 is that day.
    /// </summary>
    public uint OfMonth(int year, int begin)
    {
        if (_year != year)
        {
            Array.Clear(_bits);
            (_year, _begin, _length) = (year, CivilDays.YearBegin(year), CivilDays.YearLength(year));
            fill(year, this);
        }

        var index = begin - _begin;
        var (word, shift) = (index >> 6, index & 63);
        var low = _bits[word] >> shift;
        return unchecked((uint)(shift <= 32 ? low : low | (_bits[word + 1] << (64 - shift))));
    }
}
