using System.Collections.Immutable;
using System.Diagnostics;

namespace CalSync.Calendar.Recurrence;

/// <summary>Reads the lines of a series. See <see cref="RecurrenceSet.Parse"/>.</summary>
internal sealed class RecurrenceSetReader
{
    private const string ExpectedLine = "a line that begins with RRULE, RDATE, EXDATE or EXRULE";

    private const string ExpectedPeriod =
        "a period (20260308T140000Z/20260308T150000Z, 20260308T140000Z/PT1H)";

    private readonly RecurrenceStart _start;
    private readonly ImmutableArray<Recur>.Builder _rRules = ImmutableArray.CreateBuilder<Recur>();
    private readonly ImmutableArray<Recur>.Builder _exRules = ImmutableArray.CreateBuilder<Recur>();
    private readonly ImmutableArray<DateListItem>.Builder _rDates =
        ImmutableArray.CreateBuilder<DateListItem>();
    private readonly ImmutableArray<DateListItem>.Builder _exDates =
        ImmutableArray.CreateBuilder<DateListItem>();
    private RecurrenceSetParse? _fault;

    private RecurrenceSetReader(RecurrenceStart start)
    {
        _start = start;
    }

    public static RecurrenceSetParse Read(IEnumerable<string> lines, RecurrenceStart start)
    {
        var reader = new RecurrenceSetReader(start);
        var number = 0;
        foreach (var line in lines)
        {
            reader.ReadLine(line, number++);
            if (reader._fault is { } fault)
            {
                return fault;
            }
        }

        return new RecurrenceSetParse.Parsed(new RecurrenceSet(
            start,
            reader._rRules.ToImmutable(),
            reader._exRules.ToImmutable(),
            reader._rDates.ToImmutable(),
            reader._exDates.ToImmutable()));
    }

    private void ReadLine(string line, int number)
    {
        // A quoted parameter value may contain a colon; the value begins after the first one outside quotes.
        var colon = ColonOutsideQuotes(line);
        if (colon < 0)
        {
            _fault = new RecurrenceSetParse.Malformed(number, line.Length, "a colon and a value");
            return;
        }

        var head = line[..colon].Split(';');
        switch (head[0].ToUpperInvariant())
        {
            case "RRULE":
                ReadRule(line, colon + 1, number, _rRules);
                break;
            case "EXRULE":
                ReadRule(line, colon + 1, number, _exRules);
                break;
            case "RDATE":
                ReadDates(line, head, colon + 1, number, _rDates);
                break;
            case "EXDATE":
                ReadDates(line, head, colon + 1, number, _exDates);
                break;
            default:
                _fault = new RecurrenceSetParse.Malformed(number, 0, ExpectedLine);
                break;
        }
    }

    private void ReadRule(string line, int offset, int number, ImmutableArray<Recur>.Builder rules)
    {
        switch (Recur.Parse(line[offset..]))
        {
            case RecurParse.Parsed parsed:
                rules.Add(parsed.Recur);
                break;
            case RecurParse.Malformed malformed:
                _fault = new RecurrenceSetParse.Malformed(number, offset + malformed.Offset,
                    malformed.Expected);
                break;
            case RecurParse.Unsupported unsupported:
                _fault = new RecurrenceSetParse.Unsupported(number, unsupported.Part);
                break;
            default:
                throw new UnreachableException("Unknown rule outcome.");
        }
    }

    private void ReadDates(
        string line, string[] head, int offset, int number, ImmutableArray<DateListItem>.Builder dates)
    {
        CalendarZone? zone = null;
        var isAdded = dates == _rDates;
        var isPeriod = false;
        foreach (var parameter in head.Skip(1))
        {
            isPeriod |= parameter.Equals("VALUE=PERIOD", StringComparison.OrdinalIgnoreCase);
            if (parameter.StartsWith("TZID=", StringComparison.OrdinalIgnoreCase))
            {
                switch (CalendarZone.Resolve(parameter["TZID=".Length..].Trim('"')))
                {
                    case ZoneResolution.Found found:
                        zone = found.Zone;
                        break;
                    case ZoneResolution.Unknown unknown:
                        _fault = new RecurrenceSetParse.UnknownZone(number, unknown);
                        return;
                    default:
                        throw new UnreachableException("Unknown zone outcome.");
                }
            }
        }

        isPeriod &= isAdded && _start is RecurrenceStart.Timed;
        foreach (var value in line[offset..].Split(','))
        {
            if ((isPeriod ? PeriodItem(value, zone) : Item(value, zone, isAdded)) is not { } item)
            {
                _fault = new RecurrenceSetParse.Malformed(
                    number, offset, isPeriod ? ExpectedPeriod : ExpectedDate(isAdded));
                return;
            }

            dates.Add(item);
            offset += value.Length + 1;
        }
    }

    private DateListItem? PeriodItem(string text, CalendarZone? zone)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        return slash >= 0
            && Item(text[..slash], zone, isAdded: true) is { } item
            && PeriodEnd.TryParse(text.AsSpan(slash + 1), item.Zone!, out var end)
                ? item with { End = end }
                : null;
    }

    private string ExpectedDate(bool isAdded) => (isAdded, _start) switch
    {
        (false, _) => BasicTimes.Expected,
        (true, RecurrenceStart.AllDay) => "a date (20260308), as DTSTART is one",
        (true, _) => "a date-time (20260308T090000, 20260308T140000Z), as DTSTART is one",
    };

    /// <summary>
    /// The value, or null when it is malformed or, for an RDATE, of another kind than DTSTART.
    /// </summary>
    private DateListItem? Item(string text, CalendarZone? zone, bool isAdded)
    {
        if (!BasicTimes.TryParse(text, out var value)
            || value.Value.Time.Year is < LocalTimeText.YearMin or > LocalTimeText.YearMax
            || (isAdded && value.Value.IsDate != _start is RecurrenceStart.AllDay))
        {
            return null;
        }

        // An EXDATE with a time in an all-day series is a common slip; its date is what was meant.
        if (value.Value.IsDate || _start is not RecurrenceStart.Timed timed)
        {
            return new DateListItem(value.Value.Time.Date.AtMidnight(), true, null);
        }

        var itsZone = value.Value.IsUtc ? CalendarZone.Utc : zone ?? timed.Zone;
        return new DateListItem(value.Value.Time, false, itsZone);
    }

    private static int ColonOutsideQuotes(string line)
    {
        var quoted = false;
        for (var index = 0; index < line.Length; index++)
        {
            quoted ^= line[index] == '"';
            if (line[index] == ':' && !quoted)
            {
                return index;
            }
        }

        return -1;
    }
}
