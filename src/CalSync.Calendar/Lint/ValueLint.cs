using System.Collections.Frozen;
using CalSync.Calendar.Document;
using CalSync.Calendar.Values;

namespace CalSync.Calendar.Lint;

/// <summary>
/// Values: each property has the type its name or its VALUE asks for. RFC 5545 section 3.8.
/// </summary>
internal static class ValueLint
{
    /// <summary>The type of a property without VALUE, and the types VALUE may name.</summary>
    private sealed record Types(string Default, params string[] Others);

    private static readonly FrozenDictionary<string, Types> ByName = Table();

    public static void Check(CalendarProperty property, LintReport report)
    {
        var name = property.Name;
        if (!ByName.TryGetValue(name, out var types))
            return;
        var type = property.ParameterValue("VALUE"u8)?.ToUpperInvariant();
        if (type is null)
        {
            type = types.Default;
        }
        else if (!types.Others.Contains(type) && type != types.Default.Split('/')[0])
        {
            if (!type.StartsWith("X-", StringComparison.Ordinal))
            {
                report
                    .Add(property
                        .LineProblem(CalendarProblemCode.ValueTypeMismatch, ProblemSeverity.Deviation,
                    "RFC 5545 3.2.20", $"VALUE={string.Join(" or ", types.Others.Prepend(types.Default))}"));
            }

            return;
        }

        report.Add(Read(property, type == types.Default.Split('/')[0] ? types.Default : type));
        CheckMeaning(property, name, report);
    }

    private static CalendarProblem? Read(CalendarProperty property, string type) => type switch
    {
        "TEXT" => property.ReadText().Problem ?? Unescaped(property),
        "TEXT/LIST" => property.ReadTexts().Problem,
        "DATE-TIME" or "DATE" => property.Is("TRIGGER"u8) ? property.ReadTrigger().Problem
            : property.Is("EXDATE"u8) || property.Is("RDATE"u8) ? property.ReadTimes().Problem
            : property.ReadTime().Problem,
        "DATE-TIME/LIST" => property.ReadTimes().Problem,
        "DURATION" =>
            property.Is("TRIGGER"u8) ? property.ReadTrigger().Problem : property.ReadDuration().Problem,
        "PERIOD" => property.ReadPeriods().Problem,
        "RECUR" => property.ReadRecur().Problem,
        "URI" => property.ReadUri().Problem,
        "CAL-ADDRESS" => property.ReadAddress().Problem,
        "INTEGER" => property.ReadInteger().Problem,
        "UTC-OFFSET" => property.ReadOffset().Problem,
        "BINARY" => property.ReadBinary().Problem,
        "FLOAT/GEO" => property.ReadGeo().Problem,
        "TEXT/STATUS" => property.ReadStatus().Problem,
        _ => null,
    };

    private static CalendarProblem? Unescaped(CalendarProperty property)
    {
        if (!property.Is("SUMMARY"u8) && !property.Is("DESCRIPTION"u8) && !property.Is("LOCATION"u8))
            return null;
        var value = property.ValueOctets;
        var bare = Math.Min(TextValue.End(value, (byte)','), TextValue.End(value, (byte)';'));
        return bare == value.Length ? null : property.Problem(
            bare, CalendarProblemCode.UnescapedText, ProblemSeverity.Deviation, "RFC 5545 3.3.11",
            "a backslash before comma and semicolon");
    }

    private static void CheckMeaning(CalendarProperty property, string name, LintReport report)
    {
        var (isGood, section, expected) = name switch
        {
            "DTSTAMP" or "CREATED" or "LAST-MODIFIED" or "COMPLETED" =>
                (property.ReadTime() is { Value: CalendarTime.Utc or null }, "3.8.7", "a time in UTC"),
            "PRIORITY" => (property.ReadInteger().Or(0) is >= 0 and <= 9, "3.8.1.9", "0 to 9"),
            "PERCENT-COMPLETE" => (property.ReadInteger().Or(0) is >= 0 and <= 100, "3.8.1.8", "0 to 100"),
            "SEQUENCE" or "REPEAT" => (property.ReadInteger().Or(0) >= 0, "3.8.7.4", "0 or more"),
            "STATUS" => (IsOneOf(property, Statuses(property)), "3.8.1.11", "a status of this component"),
            "TRANSP" => (IsOneOf(property, ["OPAQUE", "TRANSPARENT"]), "3.8.2.7", "OPAQUE or TRANSPARENT"),
            "VERSION" => (IsOneOf(property, ["2.0"]), "3.7.4", "2.0"),
            _ => (true, "", ""),
        };
        if (!isGood)
        {
            report.Add(property.Problem(0, CalendarProblemCode.ValueOutOfRange,
                section == "3.8.7" ? ProblemSeverity.Deviation : ProblemSeverity.Warning,
                "RFC 5545 " + section, expected));
        }
    }

    private static bool IsOneOf(CalendarProperty property, ReadOnlySpan<string> words) =>
        words.Contains(property.ReadText().Or("").Trim().ToUpperInvariant());

    private static string[] Statuses(CalendarProperty property) => property.Component?.Name switch
    {
        "VTODO" => ["NEEDS-ACTION", "COMPLETED", "IN-PROCESS", "CANCELLED"],
        "VJOURNAL" => ["DRAFT", "FINAL", "CANCELLED"],
        "VEVENT" => ["TENTATIVE", "CONFIRMED", "CANCELLED"],
        _ => [property.ReadText().Or("").Trim().ToUpperInvariant()],
    };

    private static FrozenDictionary<string, Types> Table()
    {
        var table = new Dictionary<string, Types>(StringComparer.Ordinal);
        Add(new Types("TEXT"),
            "CALSCALE METHOD PRODID VERSION CLASS COMMENT DESCRIPTION LOCATION STATUS SUMMARY "
            + "TRANSP TZID TZNAME CONTACT RELATED-TO UID ACTION NAME COLOR");
        Add(new Types("TEXT/LIST"), "CATEGORIES RESOURCES");
        Add(new Types("TEXT/STATUS"), "REQUEST-STATUS");
        Add(new Types("URI", "BINARY"), "ATTACH IMAGE");
        Add(new Types("URI"), "TZURL URL SOURCE CONFERENCE");
        Add(new Types("FLOAT/GEO"), "GEO");
        Add(new Types("INTEGER"), "PERCENT-COMPLETE PRIORITY REPEAT SEQUENCE");
        Add(new Types("DATE-TIME", "DATE"), "DTEND DUE DTSTART RECURRENCE-ID");
        Add(new Types("DATE-TIME"), "COMPLETED CREATED DTSTAMP LAST-MODIFIED");
        Add(new Types("DATE-TIME/LIST", "DATE"), "EXDATE");
        Add(new Types("DATE-TIME/LIST", "DATE", "PERIOD"), "RDATE");
        Add(new Types("DURATION"), "DURATION REFRESH-INTERVAL");
        Add(new Types("DURATION", "DATE-TIME"), "TRIGGER");
        Add(new Types("PERIOD"), "FREEBUSY");
        Add(new Types("UTC-OFFSET"), "TZOFFSETFROM TZOFFSETTO");
        Add(new Types("CAL-ADDRESS"), "ATTENDEE ORGANIZER");
        Add(new Types("RECUR"), "RRULE EXRULE");
        return table.ToFrozenDictionary(StringComparer.Ordinal);

        void Add(Types types, string names)
        {
            foreach (var name in names.Split(' '))
                table.Add(name, types);
        }
    }
}
