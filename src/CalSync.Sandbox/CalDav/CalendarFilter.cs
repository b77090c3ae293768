using System.Globalization;
using System.Xml.Linq;
using CalSync.Calendar;
using CalSync.Calendar.Components;
using CalSync.Calendar.Document;
using CalSync.Calendar.Values;

namespace CalSync.Sandbox.CalDav;

/// <summary>The filter of a calendar-query. RFC 4791 section 9.7.</summary>
internal sealed class CalendarFilter
{
    private readonly XElement _calendar;
    private readonly CalDavQuirks _quirks;

    private CalendarFilter(XElement calendar, CalDavQuirks quirks)
    {
        _calendar = calendar;
        _quirks = quirks;
    }

    /// <summary>The component the filter asks for; null when it asks for none.</summary>
    public string? Component =>
        (string?)_calendar.Elements(DavNames.C + "comp-filter").FirstOrDefault()?.Attribute("name");

    /// <summary>Whether it asks for one UID.</summary>
    public bool AsksForUid => _calendar.Descendants(DavNames.C + "prop-filter")
        .Any(filter => (string?)filter.Attribute("name") == "UID");

    /// <summary>Reads the filter of a report; null when there is none or it is not valid.</summary>
    public static CalendarFilter? Read(XElement report, CalDavQuirks quirks)
    {
        var calendar = report.Element(DavNames.C + "filter")?.Element(DavNames.C + "comp-filter");
        return calendar is not null && (string?)calendar.Attribute("name") == "VCALENDAR"
            && calendar.Descendants(DavNames.C + "time-range").All(range => Span(range) is not null)
                ? new CalendarFilter(calendar, quirks)
                : null;
    }

    public bool Matches(CalendarDocument document) =>
        document.Components.Any(calendar => Holds(_calendar, calendar));

    private bool Holds(XElement filter, CalendarComponent component) =>
        filter.Elements().All(part => part.Name.LocalName switch
        {
            "comp-filter" => HoldsInner(part, component),
            "prop-filter" => HoldsProperty(part, component),
            "time-range" => IsWithin(component, Span(part)!.Value),
            _ => true,
        });

    private bool HoldsInner(XElement filter, CalendarComponent component)
    {
        var inner = component.Components.Where(
            each => each.Name == (string?)filter.Attribute("name")).ToList();
        return filter.Element(DavNames.C + "is-not-defined") is not null
            ? inner.Count == 0
            : inner.Any(each => Holds(filter, each));
    }

    private static bool HoldsProperty(XElement filter, CalendarComponent component)
    {
        var properties = component.PropertiesNamed((string?)filter.Attribute("name") ?? "").ToList();
        if (filter.Element(DavNames.C + "is-not-defined") is not null)
            return properties.Count == 0;
        return filter.Element(DavNames.C + "text-match") is not { } match
            ? properties.Count > 0
            : properties.Any(property => Contains(property.ReadText().Or(property.RawValue), match));
    }

    private static bool Contains(string text, XElement match)
    {
        var comparison = (string?)match.Attribute("collation") == "i;octet"
            ? StringComparison.Ordinal
            : StringComparison.OrdinalIgnoreCase;
        var isNegated = (string?)match.Attribute("negate-condition") == "yes";
        return text.Contains(match.Value, comparison) != isNegated;
    }

    private bool IsWithin(CalendarComponent component, (DateTimeOffset? From, DateTimeOffset? To) span)
    {
        var (from, to) = span;
        var document = component.Document;
        if (_quirks.TimeRangeMissesSeries && component.Property("RRULE"u8) is not null)
        {
            to = Earlier(to, component.Time("DTSTART"u8).Value?.Day is { } day
                ? new DateTimeOffset(day.ToDateTimeUnspecified(), TimeSpan.Zero).AddDays(2)
                : to);
        }

        return CalendarExpansion.Read(document, CalendarZone.Utc).Occurrences(from, to)
            .OfType<ExpansionStep.Found>().Any(step => step.Value.Component.Equals(component));
    }

    private static DateTimeOffset? Earlier(DateTimeOffset? left, DateTimeOffset? right) =>
        left is null || right < left ? right : left;

    private static (DateTimeOffset? From, DateTimeOffset? To)? Span(XElement range)
    {
        var (start, end) = ((string?)range.Attribute("start"), (string?)range.Attribute("end"));
        var (from, to) = (Moment(start), Moment(end));
        return (start is null) == (from is null) && (end is null) == (to is null)
            && (from ?? to) is not null && !(to <= from)
                ? (from, to)
                : null;
    }

    private static DateTimeOffset? Moment(string? text) => DateTimeOffset.TryParseExact(
        text, "yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal,
        out var moment) ? moment : null;
}
