using System.Collections.Immutable;
using System.Globalization;
using CalSync.Calendar.Document;

namespace CalSync.Calendar.Values;

/// <summary>Makes properties from typed values, in the strict form. RFC 5545 section 3.3.</summary>
public static class NewProperty
{
    /// <summary>TEXT, escaped.</summary>
    public static PropertyContent Text(string name, string text) => new(name, TextValue.Escape(text));

    /// <summary>A list of TEXT, as CATEGORIES has.</summary>
    public static PropertyContent Texts(string name, IEnumerable<string> texts) =>
        new(name, string.Join(',', texts.Select(TextValue.Escape)));

    /// <summary>A DATE (with VALUE=DATE) or DATE-TIME (with TZID when zoned).</summary>
    public static PropertyContent Time(string name, CalendarTime time) =>
        Timed(new PropertyContent(name, time.ToString()), time);

    /// <summary>A list of DATE or DATE-TIME values.</summary>
    /// <exception cref="ArgumentException">None, or not all of one kind and zone.</exception>
    public static PropertyContent Times(string name, IReadOnlyList<CalendarTime> times)
    {
        var kinds = times.Select(time => (time.GetType(), (time as CalendarTime.Zoned)?.TzId)).Distinct();
        return kinds.Count() == 1
            ? Timed(new PropertyContent(name, string.Join(',', times)), times[0])
            : throw new ArgumentException("One property has times of one kind and zone.", nameof(times));
    }

    /// <summary>A list of PERIOD values.</summary>
    /// <exception cref="ArgumentException">None, or not all of one kind and zone.</exception>
    public static PropertyContent Periods(string name, IReadOnlyList<CalendarPeriod> periods)
    {
        var starts = Times(name, [.. periods.Select(period => period.Start)]);
        var property = starts with { RawValue = string.Join(',', periods) };
        return name == "FREEBUSY" ? property : property.With("VALUE", "PERIOD");
    }

    /// <summary>A DURATION.</summary>
    public static PropertyContent Duration(string name, CalendarDuration duration) =>
        new(name, duration.ToString());

    /// <summary>A RECUR.</summary>
    public static PropertyContent Recur(string name, Recur recur) => new(name, recur.ToString());

    /// <summary>A CAL-ADDRESS.</summary>
    public static PropertyContent Address(string name, CalAddress address) => Uri(name, address.Uri);

    /// <summary>A URI. Blanks and control characters, which no URI has, are percent-encoded.</summary>
    public static PropertyContent Uri(string name, string uri) => new(name, string.Concat(uri.Select(letter =>
        letter <= ' ' || letter == '\x7F' ? $"%{(int)letter:X2}" : letter.ToString())));

    /// <summary>A UTC-OFFSET.</summary>
    public static PropertyContent Offset(string name, UtcOffset offset) => new(name, offset.ToString());

    /// <summary>An INTEGER.</summary>
    public static PropertyContent Integer(string name, int number) =>
        new(name, number.ToString(CultureInfo.InvariantCulture));

    /// <summary>A FLOAT.</summary>
    public static PropertyContent Float(string name, double number) => new(name, FloatText.Write(number));

    /// <summary>A BOOLEAN.</summary>
    public static PropertyContent Boolean(string name, bool value) => new(name, value ? "TRUE" : "FALSE");

    /// <summary>A BINARY in base64, with the parameters that say so.</summary>
    public static PropertyContent Binary(string name, ImmutableArray<byte> octets) =>
        new PropertyContent(name, Convert.ToBase64String(octets.AsSpan()))
            .With("ENCODING", "BASE64").With("VALUE", "BINARY");

    /// <summary>GEO.</summary>
    public static PropertyContent Geo(GeoPosition place) => new("GEO", place.ToString());

    /// <summary>TRIGGER.</summary>
    public static PropertyContent Trigger(AlarmTrigger trigger) => trigger switch
    {
        AlarmTrigger.Relative { FromEnd: true } relative =>
            Duration("TRIGGER", relative.Offset).With("RELATED", "END"),
        AlarmTrigger.Relative relative => Duration("TRIGGER", relative.Offset),
        AlarmTrigger.Absolute absolute => Time("TRIGGER", absolute.Time).With("VALUE", "DATE-TIME"),
        _ => throw new System.Diagnostics.UnreachableException("Unknown trigger."),
    };

    private static PropertyContent Timed(PropertyContent property, CalendarTime time) => time switch
    {
        CalendarTime.Date => property.With("VALUE", "DATE"),
        CalendarTime.Zoned zoned => property.With("TZID", zoned.TzId),
        _ => property,
    };
}
