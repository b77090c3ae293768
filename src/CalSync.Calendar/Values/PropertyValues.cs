using System.Collections.Immutable;
using System.Text;
using CalSync.Calendar.Document;

namespace CalSync.Calendar.Values;

/// <summary>Reads properties as typed values. None throws; what is wrong is located.</summary>
/// <remarks>RFC 5545 section 3.3. Reading never changes the document.</remarks>
public static class PropertyValues
{
    /// <summary>Most values of one list property that are read.</summary>
    public const int ValueCountMax = 100_000;

    private static ReadOnlySpan<byte> Blanks => " \t"u8;

    /// <summary>A DATE or DATE-TIME with its TZID. Sections 3.3.4 and 3.3.5.</summary>
    public static PropertyReading<CalendarTime> ReadTime(this CalendarProperty property)
    {
        ValueFault? fault = null;
        if (!Parse(ValueParsers.Time, property.ValueOctets, 0, out TimeParts parts, ref fault))
            return Malformed<CalendarTime>(property, fault!.Value);
        return new PropertyReading<CalendarTime>(
            ReadingState.Read, TimeOf(parts, TzId(property)),
            fault is { } deviation ? At(property, deviation) : TimeDeviation(property, parts));
    }

    /// <summary>A list of DATE or DATE-TIME values, as EXDATE has. Section 3.8.5.1.</summary>
    public static PropertyReading<ImmutableArray<CalendarTime>> ReadTimes(this CalendarProperty property)
    {
        var tzId = TzId(property);
        var reading = ReadList<TimeParts, TimeParts>(property, ValueParsers.Time, parts => parts);
        return new PropertyReading<ImmutableArray<CalendarTime>>(
            reading.State,
            reading.TryGet(out var all) ? [.. all.Select(parts => TimeOf(parts, tzId))] : default,
            reading.Problem ?? TimeDeviation(property, all[0]));
    }

    /// <summary>A list of PERIOD values, as FREEBUSY and RDATE have. Section 3.3.9.</summary>
    public static PropertyReading<ImmutableArray<CalendarPeriod>> ReadPeriods(this CalendarProperty property)
    {
        var tzId = TzId(property);
        return ReadList<CalendarPeriod, CalendarPeriod>(
            property,
            (ReadOnlySpan<byte> text, out CalendarPeriod value, ref ValueFault? fault) =>
                Period(text, tzId, out value, ref fault),
            period => period);
    }

    /// <summary>A DURATION. Section 3.3.6.</summary>
    public static PropertyReading<CalendarDuration> ReadDuration(this CalendarProperty property) =>
        Read<CalendarDuration>(property, ValueParsers.Duration);

    /// <summary>A RECUR. Section 3.3.10.</summary>
    public static PropertyReading<Recur> ReadRecur(this CalendarProperty property) =>
        Read<Recur>(property, ValueParsers.Recur);

    /// <summary>
    /// A TEXT without its escapes; quoted-printable of vCalendar 1.0 is decoded. Section 3.3.11.
    /// </summary>
    public static PropertyReading<string> ReadText(this CalendarProperty property) =>
        property.HasParameters && IsQuotedPrintable(property)
            ? Done(property, QuotedPrintable.Decode(property.ValueOctets), null)
            : Read<string>(property, ValueParsers.Text, areBlanksMeant: true);

    /// <summary>A list of TEXT values, as CATEGORIES and RESOURCES have. Section 3.8.1.2.</summary>
    public static PropertyReading<ImmutableArray<string>> ReadTexts(this CalendarProperty property) =>
        ReadList<string, string>(property, ValueParsers.Text, text => text, areBlanksMeant: true);

    /// <summary>A CAL-ADDRESS. Section 3.3.3.</summary>
    public static PropertyReading<CalAddress> ReadAddress(this CalendarProperty property) =>
        Read<CalAddress>(property, ValueParsers.Address);

    /// <summary>A URI as text. Section 3.3.13.</summary>
    public static PropertyReading<string> ReadUri(this CalendarProperty property) =>
        Read<string>(property, ValueParsers.Uri);

    /// <summary>A UTC-OFFSET. Section 3.3.14.</summary>
    public static PropertyReading<UtcOffset> ReadOffset(this CalendarProperty property) =>
        Read<UtcOffset>(property, ValueParsers.Offset);

    /// <summary>An INTEGER. Section 3.3.8.</summary>
    public static PropertyReading<int> ReadInteger(this CalendarProperty property) =>
        Read<int>(property, ValueParsers.Integer);

    /// <summary>A FLOAT. Section 3.3.7.</summary>
    public static PropertyReading<double> ReadFloat(this CalendarProperty property) =>
        Read<double>(property, ValueParsers.Float);

    /// <summary>A BOOLEAN. Section 3.3.2.</summary>
    public static PropertyReading<bool> ReadBoolean(this CalendarProperty property) =>
        Read<bool>(property, ValueParsers.Boolean);

    /// <summary>A BINARY in base64. Section 3.3.1.</summary>
    public static PropertyReading<ImmutableArray<byte>> ReadBinary(this CalendarProperty property) =>
        Read<ImmutableArray<byte>>(property, ValueParsers.Binary);

    /// <summary>A TIME with its TZID. Section 3.3.12.</summary>
    public static PropertyReading<TimeOfDay> ReadTimeOfDay(this CalendarProperty property)
    {
        var reading = Read<TimeOfDay>(property, ValueParsers.TimeOfDay);
        return reading is { Value: { IsUtc: false } time }
            ? reading with { Value = time with { TzId = TzId(property) } }
            : reading;
    }

    /// <summary>A place. Section 3.8.1.6.</summary>
    public static PropertyReading<GeoPosition> ReadGeo(this CalendarProperty property) =>
        Read<GeoPosition>(property, ValueParsers.Geo);

    /// <summary>A REQUEST-STATUS. Section 3.8.8.3.</summary>
    public static PropertyReading<RequestStatus> ReadStatus(this CalendarProperty property) =>
        Read<RequestStatus>(property, ValueParsers.Status);

    /// <summary>When an alarm goes off. Section 3.8.6.3.</summary>
    public static PropertyReading<AlarmTrigger> ReadTrigger(this CalendarProperty property)
    {
        ValueFault? fault = null;
        var octets = property.ValueOctets;
        if (octets.TrimStart(Blanks) is [>= (byte)'0' and <= (byte)'9', ..])
        {
            if (!Parse(ValueParsers.Time, octets, 0, out TimeParts parts, ref fault))
                return Malformed<AlarmTrigger>(property, fault!.Value);
            if (parts.IsDate || !parts.IsUtc)
            {
                ValueParsers.Deviate(
                    ref fault, CalendarProblemCode.BadTrigger, octets.Length, "3.8.6.3", "a time in UTC");
            }

            return Done<AlarmTrigger>(
                property, new AlarmTrigger.Absolute(new CalendarTime.Utc(parts.Time)), fault);
        }

        if (!Parse(ValueParsers.Duration, octets, 0, out CalendarDuration offset, ref fault))
            return Malformed<AlarmTrigger>(property, fault!.Value);
        var fromEnd = property.ParameterValue("RELATED"u8) is { } related
            && related.Equals("END", StringComparison.OrdinalIgnoreCase);
        return Done<AlarmTrigger>(property, new AlarmTrigger.Relative(offset, fromEnd), fault);
    }

    private static PropertyReading<T> Read<T>(
        CalendarProperty property, ValueParser<T> parse, bool areBlanksMeant = false)
    {
        ValueFault? fault = null;
        return Parse(parse, property.ValueOctets, 0, out var value, ref fault, areBlanksMeant)
            ? Done(property, value, fault)
            : Malformed<T>(property, fault!.Value);
    }

    /// <summary>
    /// Parses a value that begins at an octet of the property's value. Read past: blanks around it, as
    /// Apple iCal 1.0 writes them.
    /// </summary>
    private static bool Parse<T>(
        ValueParser<T> parse, ReadOnlySpan<byte> text, int start, out T value, ref ValueFault? fault,
        bool areBlanksMeant = false)
    {
        ValueFault? inner = null;
        if (!areBlanksMeant && !text.IsEmpty && (Folds.IsBlank(text[0]) || Folds.IsBlank(text[^1])))
        {
            ValueParsers.Deviate(
                ref fault, CalendarProblemCode.BlanksAroundValue, start, "3.1",
                "a value without blanks around it");
            var trimmed = text.TrimStart(Blanks);
            start += text.Length - trimmed.Length;
            text = trimmed.TrimEnd(Blanks);
        }

        var isRead = parse(text, out value, ref inner);
        if (inner is { } found && (!isRead || fault is null))
            fault = found with { Offset = found.Offset + start };
        return isRead;
    }

    private static PropertyReading<ImmutableArray<TValue>> ReadList<TPart, TValue>(
        CalendarProperty property, ValueParser<TPart> parse, Func<TPart, TValue> make,
        bool areBlanksMeant = false)
    {
        ValueFault? fault = null;
        var octets = property.ValueOctets;
        var values = ImmutableArray.CreateBuilder<TValue>();
        for (var start = 0; start <= octets.Length;)
        {
            if (values.Count == ValueCountMax)
            {
                return Malformed<ImmutableArray<TValue>>(property, new ValueFault(
                    CalendarProblemCode.LimitReached, ProblemSeverity.Error, start, "RFC 5545 3.1.1",
                    $"at most {ValueCountMax} values in one property"));
            }

            var length = TextValue.End(octets[start..], (byte)',');
            if (!Parse(parse, octets.Slice(start, length), start, out var part, ref fault, areBlanksMeant))
                return Malformed<ImmutableArray<TValue>>(property, fault!.Value);
            values.Add(make(part));
            start += length + 1;
        }

        return Done(property, values.DrainToImmutable(), fault);
    }

    private static bool Period(
        ReadOnlySpan<byte> text, string? tzId, out CalendarPeriod value, ref ValueFault? fault)
    {
        const string expected = "start/end or start/duration (20260308T090000Z/PT1H)";
        value = null!;
        var slash = text.IndexOf((byte)'/');
        if (slash < 0)
        {
            return ValueParsers.Fail(
                ref fault, CalendarProblemCode.BadPeriod, text.Length, "3.3.9", expected);
        }

        if (!Parse(ValueParsers.Time, text[..slash], 0, out TimeParts start, ref fault))
            return false;
        var rest = text[(slash + 1)..];
        var (end, duration) = (default(TimeParts), default(CalendarDuration));
        var isTime = rest is [>= (byte)'0' and <= (byte)'9', ..];
        var isRead = isTime
            ? Parse(ValueParsers.Time, rest, slash + 1, out end, ref fault)
            : Parse(ValueParsers.Duration, rest, slash + 1, out duration, ref fault);
        if (!isRead)
            return false;
        if (start.IsDate || end.IsDate || duration.IsNegative)
        {
            return ValueParsers.Fail(
                ref fault, CalendarProblemCode.BadPeriod, start.IsDate ? 0 : slash + 1, "3.3.9", expected);
        }

        value = isTime
            ? new CalendarPeriod.Until(TimeOf(start, tzId), TimeOf(end, tzId))
            : new CalendarPeriod.For(TimeOf(start, tzId), duration);
        return true;
    }

    private static CalendarTime TimeOf(in TimeParts parts, string? tzId) => parts switch
    {
        { IsDate: true } => new CalendarTime.Date(parts.Time.Date),
        { IsUtc: true } => new CalendarTime.Utc(parts.Time),
        _ when tzId is null => new CalendarTime.Floating(parts.Time),
        _ => new CalendarTime.Zoned(parts.Time, tzId),
    };

    private static string? TzId(CalendarProperty property) =>
        property.HasParameters ? property.ParameterValue("TZID"u8) : null;

    /// <summary>
    /// VALUE and TZID that do not fit the text. The text wins: a time under VALUE=DATE is a
    /// time, a date without VALUE=DATE (Google) is a date, and Z beats TZID (Yahoo, ownCloud).
    /// </summary>
    private static CalendarProblem? TimeDeviation(CalendarProperty property, in TimeParts parts)
    {
        ValueFault? fault = null;
        if (!property.HasParameters && !parts.IsDate)
            return null;
        var type = property.ParameterValue("VALUE"u8);
        if (parts.IsDate && !string.Equals(type, "DATE", StringComparison.OrdinalIgnoreCase))
        {
            ValueParsers.Deviate(ref fault, CalendarProblemCode.DateWithoutValueParameter, 0, "3.3.4",
                "VALUE=DATE before a date");
        }
        else if (!parts.IsDate && string.Equals(type, "DATE", StringComparison.OrdinalIgnoreCase))
        {
            ValueParsers.Deviate(ref fault, CalendarProblemCode.ValueTypeMismatch, 0, "3.2.20",
                "a date after VALUE=DATE");
        }
        else if (parts.IsUtc && property.Parameter("TZID"u8) is not null)
        {
            ValueParsers.Deviate(ref fault, CalendarProblemCode.TzidOnUtc, 0, "3.2.19",
                "no TZID on a time in UTC");
        }

        return fault is { } deviation ? At(property, deviation) : null;
    }

    private static bool IsQuotedPrintable(CalendarProperty property) =>
        property.Parameters.Any(parameter => parameter.Is("QUOTED-PRINTABLE"u8)
            || Ascii.EqualsIgnoreCase(parameter.RawOctets, "QUOTED-PRINTABLE"u8));

    private static PropertyReading<T> Done<T>(CalendarProperty property, T value, ValueFault? fault) =>
        new(ReadingState.Read, value, fault is { } deviation ? At(property, deviation) : null);

    private static PropertyReading<T> Malformed<T>(CalendarProperty property, ValueFault fault) =>
        new(ReadingState.Malformed, default, At(property, fault));

    private static CalendarProblem At(CalendarProperty property, ValueFault fault) =>
        property.Problem(fault.Offset, fault.Code, fault.Severity, fault.Section, fault.Expected);
}
