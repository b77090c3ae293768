using System.Collections.Immutable;
using System.Globalization;
using CalSync.Calendar.Document;
using CalSync.Calendar.Values;

namespace CalSync.Calendar.Comparison;

/// <summary>Reads one property as what it means.</summary>
/// <param name="moments">Reads times.</param>
/// <param name="noise">Parameters that are not looked at.</param>
internal sealed class PropertyMeaning(MomentReader moments, CalendarNoise noise)
{
    /// <summary>What a property with one value says.</summary>
    public Meaning Of(CalendarProperty property, string name)
    {
        var kind = PropertyCatalog.Kind(name);
        var meaning = Value(property, kind) ?? Malformed(property);
        meaning = meaning with { Parameters = Parameters(property, kind) };
        return meaning with { IsDefault = IsDefault(name, kind, meaning) };
    }

    /// <summary>The values of a property that lists members of a set; none when it is malformed.</summary>
    public List<Meaning> Members(CalendarProperty property, string name)
    {
        var kind = PropertyCatalog.Kind(name);
        var members = kind == MeaningKind.TextSet ? Texts(property)
            : IsPeriods(property, name) ? Periods(property)
            : Times(property);
        var parameters = Parameters(property, kind);
        return
        [
            .. members.Select(member => member with
            {
                Parameters = parameters,
                IsDefault = kind == MeaningKind.TextSet && member.Value.Length == 0,
            }),
        ];
    }

    /// <summary>The meaning of a time.</summary>
    public static Meaning Of(Moment moment) => new(moment.Value, moment.Zone, moment.Readable);

    /// <summary>Parameters that say something, in the order of their names.</summary>
    private ImmutableSortedDictionary<string, string> Parameters(CalendarProperty property, MeaningKind kind)
    {
        if (!property.HasParameters)
            return Meaning.NoParameters;
        var said = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (var parameter in property.Parameters)
        {
            var name = parameter.Name;
            if (name.Length == 0 || IsInValue(parameter, name, kind) || noise.Parameters.Contains(name))
                continue;
            var value = ParameterValue(parameter, name);
            if (value == PropertyCatalog.ParameterDefault(name))
                continue;
            if (!said.TryGetValue(name, out var values))
                said.Add(name, values = []);
            values.Add(value);
        }

        return said.ToImmutableSortedDictionary(
            each => each.Key, each => string.Join(',', each.Value), StringComparer.Ordinal);
    }

    private static string ParameterValue(CalendarParameter parameter, string name)
    {
        IEnumerable<string> values = parameter.Values;
        if (PropertyCatalog.IsKeyword(name))
        {
            values = values.Select(value => value.Trim().ToUpperInvariant());
        }
        else if (PropertyCatalog.IsAddresses(name))
        {
            values = values.Select(value => value.ToLowerInvariant())
                .Distinct().Order(StringComparer.Ordinal);
        }

        return string.Join(',', values.Select(ParameterText.Encode));
    }

    /// <summary>Whether what a parameter says is already part of the value that was read.</summary>
    private static bool IsInValue(CalendarParameter parameter, string name, MeaningKind kind) => name switch
    {
        "VALUE" => kind switch
        {
            MeaningKind.Raw => parameter.Value.Equals("URI", StringComparison.OrdinalIgnoreCase),
            MeaningKind.Text or MeaningKind.Keyword =>
                parameter.Value.Equals("TEXT", StringComparison.OrdinalIgnoreCase),
            _ => true,
        },
        "TZID" => kind is MeaningKind.Time or MeaningKind.TimeSet,
        "RELATED" => kind == MeaningKind.Trigger,
        "CHARSET" or "QUOTED-PRINTABLE" => kind == MeaningKind.Text,
        "ENCODING" => kind == MeaningKind.Text
            && parameter.Value.Equals("QUOTED-PRINTABLE", StringComparison.OrdinalIgnoreCase),
        _ => false,
    };

    private static bool IsDefault(string name, MeaningKind kind, Meaning meaning) =>
        meaning.Parameters.Count == 0
        && (meaning.Value == PropertyCatalog.ValueDefault(name)
            || (kind is MeaningKind.Text or MeaningKind.Raw && meaning.Value.Length == 0));

    private Meaning? Value(CalendarProperty property, MeaningKind kind)
    {
        switch (kind)
        {
            case MeaningKind.Text:
                return property.ReadText().TryGet(out var text) ? Same(text) : null;
            case MeaningKind.Keyword:
                return property.ReadText().TryGet(out var word) ? Same(word.Trim().ToUpperInvariant()) : null;
            case MeaningKind.Raw:
                return Same(property.RawValue.Trim());
            case MeaningKind.Time:
                return property.ReadTime().TryGet(out var time) ? Of(moments.Of(time, property)) : null;
            case MeaningKind.Duration:
                return property.ReadDuration().TryGet(out var length) ? Same(length.ToString()) : null;
            case MeaningKind.Recur:
                return property.ReadRecur().TryGet(out var rule) ? Same(rule.ToString()) : null;
            case MeaningKind.Address:
                return property.ReadAddress().TryGet(out var who)
                    ? new Meaning(who.Uri.ToLowerInvariant(), "", who.Mail ?? who.Uri)
                    : null;
            case MeaningKind.Integer:
                return property.ReadInteger().TryGet(out var number)
                    ? Same(number.ToString(CultureInfo.InvariantCulture))
                    : null;
            case MeaningKind.Geo:
                return property.ReadGeo().TryGet(out var place) ? Same(place.ToString()) : null;
            case MeaningKind.Trigger:
                return property.ReadTrigger().TryGet(out var trigger) ? OfTrigger(trigger, property) : null;
            case MeaningKind.TextSet or MeaningKind.TimeSet:
                return null;
            default:
                throw new System.Diagnostics.UnreachableException("Unknown kind of value.");
        }
    }

    private Meaning OfTrigger(AlarmTrigger trigger, CalendarProperty property) => trigger switch
    {
        AlarmTrigger.Relative { FromEnd: true } fromEnd => Same($"{fromEnd.Offset} from the end"),
        AlarmTrigger.Relative fromStart => Same(fromStart.Offset.ToString()),
        AlarmTrigger.Absolute absolute => Of(moments.Of(absolute.Time, property)),
        _ => throw new System.Diagnostics.UnreachableException("Unknown trigger."),
    };

    private static IEnumerable<Meaning> Texts(CalendarProperty property) =>
        property.ReadTexts().TryGet(out var texts) ? texts.Select(Same) : [];

    private IEnumerable<Meaning> Times(CalendarProperty property) =>
        property.ReadTimes().TryGet(out var times)
            ? times.Select(time => Of(moments.Of(time, property)))
            : [];

    private IEnumerable<Meaning> Periods(CalendarProperty property) =>
        property.ReadPeriods().TryGet(out var periods)
            ? periods.Select(period => Of(period, property))
            : [];

    private Meaning Of(CalendarPeriod period, CalendarProperty property)
    {
        var start = moments.Of(period.Start, property);
        var end = period switch
        {
            CalendarPeriod.Until until => moments.Of(until.End, property),
            CalendarPeriod.For length => moments.After(period.Start, length.Duration, property)
                ?? new Moment(length.Duration.ToString(), "", length.Duration.ToString()),
            _ => throw new System.Diagnostics.UnreachableException("Unknown period."),
        };
        return new Meaning($"{start.Value}/{end.Value}", start.Zone, $"{start.Readable}/{end.Readable}");
    }

    private static bool IsPeriods(CalendarProperty property, string name) =>
        name == "FREEBUSY" || "PERIOD".Equals(
            property.ParameterValue("VALUE"u8), StringComparison.OrdinalIgnoreCase);

    private static Meaning Same(string text) => new(text, "", text);

    // No value that can be read begins so.
    private static Meaning Malformed(CalendarProperty property) =>
        new("\u001e" + property.RawValue, "", property.RawValue);
}
