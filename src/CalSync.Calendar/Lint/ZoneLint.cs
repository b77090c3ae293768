using CalSync.Calendar.Components;
using CalSync.Calendar.Document;

namespace CalSync.Calendar.Lint;

/// <summary>
/// TZID parameters: the stream explains each, or at least its name is known. Section 3.2.19.
/// </summary>
internal sealed class ZoneLint
{
    private readonly HashSet<string> _defined = new(StringComparer.Ordinal);
    private readonly Dictionary<string, CalendarZone?> _known = new(StringComparer.Ordinal);

    public ZoneLint(CalendarDocument document)
    {
        foreach (var component in document.AllComponents.Where(component => component.Is("VTIMEZONE"u8)))
        {
            if (new CalendarTimeZone(component).TzId.TryGet(out var tzId))
                _defined.Add(tzId);
        }
    }

    /// <summary>The zone a name means; null when nobody knows it.</summary>
    public CalendarZone? Find(string tzId)
    {
        if (!_known.TryGetValue(tzId, out var zone))
        {
            zone = CalendarZone.Resolve(tzId) is ZoneResolution.Found found ? found.Zone : null;
            _known.Add(tzId, zone);
        }

        return zone;
    }

    public void Check(CalendarProperty property, LintReport report)
    {
        if (!property.HasParameters || property.Parameter("TZID"u8) is not { } parameter
            || _defined.Contains(parameter.Value))
        {
            return;
        }

        var isKnown = Find(parameter.Value) is not null;
        report.Add(property.ParameterProblem(
            parameter.Offset,
            isKnown ? CalendarProblemCode.TimeZoneMissing : CalendarProblemCode.UnknownZone,
            isKnown ? ProblemSeverity.Deviation : ProblemSeverity.Warning,
            "RFC 5545 3.2.19", "a VTIMEZONE with this TZID"));
    }
}
