using System.Collections.Immutable;
using CalSync.Calendar.Document;

namespace CalSync.Calendar.Comparison;

/// <summary>Compares calendars by what they mean, property by property.</summary>
/// <remarks>
/// <para>
/// Components are paired by UID and RECURRENCE-ID. Not a difference are: the order of components and
/// properties, folding and letter case of names; the order of ATTENDEE, CATEGORIES, RESOURCES, EXDATE, RDATE
/// and FREEBUSY values and how they are spread over lines; alarms in another order, paired by UID where
/// both sides know it and else by content; DURATION for DTEND or DUE; the order of the parts of an RRULE;
/// values and parameters that say what their absence says (TRANSP:OPAQUE, PARTSTAT=NEEDS-ACTION, an empty
/// text); two names of one zone (Asia/Calcutta); and VTIMEZONE, which counts only through the times that
/// name it.
/// </para>
/// <para>
/// Times are compared as instant and zone. Unknown properties are compared by text without escapes, values
/// that cannot be read letter for letter.
/// </para>
/// </remarks>
public static class CalendarDiff
{
    /// <summary>What differs, in the order of component, property, member and parameter.</summary>
    /// <param name="before">The earlier side.</param>
    /// <param name="after">The later side.</param>
    /// <param name="noise">What is not looked at; null for nothing.</param>
    /// <returns>Empty when both mean the same. Never throws on what the calendars hold.</returns>
    public static ImmutableArray<CalendarChange> Compare(
        CalendarDocument before, CalendarDocument after, CalendarNoise? noise = null) =>
        before.Bytes.Span.SequenceEqual(after.Bytes.Span)
            ? []
            : Compare(
                new CalendarSide(before, noise ?? CalendarNoise.None),
                new CalendarSide(after, noise ?? CalendarNoise.None));

    /// <summary>The components of a stream, under the keys that changes name them by.</summary>
    public static IReadOnlyDictionary<ComponentKey, CalendarComponent> Components(
        CalendarDocument document) => new CalendarSide(document, CalendarNoise.None).Components;

    internal static ImmutableArray<CalendarChange> Compare(CalendarSide before, CalendarSide after)
    {
        var changes = ImmutableArray.CreateBuilder<CalendarChange>();
        foreach (var key in before.Keys.Union(after.Keys).Order())
        {
            switch (before.Statements(key), after.Statements(key))
            {
                case ({ } left, { } right):
                    AddChanges(changes, key, StatementTable.Align(left, right));
                    break;
                case ({ }, null):
                    changes.Add(new CalendarChange(
                        key, null, null, null, ChangeKind.Removed, before.Label(key), null));
                    break;
                default:
                    changes.Add(new CalendarChange(
                        key, null, null, null, ChangeKind.Added, null, after.Label(key)));
                    break;
            }
        }

        return changes.ToImmutable();
    }

    private static void AddChanges(
        ImmutableArray<CalendarChange>.Builder changes, ComponentKey component, StatementTable[] sides)
    {
        var keys = sides[0].Entries.Keys.Union(sides[1].Entries.Keys).Order(StatementKey.Order);
        foreach (var key in keys)
        {
            var (before, after) = (sides[0].Said(key)?.Meaning, sides[1].Said(key)?.Meaning);
            if (before?.Text == after?.Text)
                continue;
            var change = new CalendarChange(
                component, key.Property, key.Label, null, ChangeKind.Changed, before?.Full, after?.Full);
            if (before is null || after is null)
            {
                changes.Add(change with
                {
                    Kind = before is null ? ChangeKind.Added : ChangeKind.Removed,
                });
                continue;
            }

            var isSameValue = before.Value == after.Value;
            if (!isSameValue || before.Zone != after.Zone)
            {
                changes.Add(change with
                {
                    Kind = isSameValue ? ChangeKind.ZoneChanged : ChangeKind.Changed,
                    Before = before.Readable,
                    After = after.Readable,
                });
            }

            AddParameterChanges(changes, change, before, after);
        }
    }

    private static void AddParameterChanges(
        ImmutableArray<CalendarChange>.Builder changes, CalendarChange change, Meaning before, Meaning after)
    {
        var names = before.Parameters.Concat(after.Parameters).Select(parameter => parameter.Key)
            .Distinct().Order(StringComparer.Ordinal);
        foreach (var name in names)
        {
            var (was, then) = (before.Parameter(name), after.Parameter(name));
            if (was == then)
                continue;
            changes.Add(change with
            {
                Parameter = name,
                Kind = was is null ? ChangeKind.Added
                    : then is null ? ChangeKind.Removed
                    : ChangeKind.Changed,
                Before = was,
                After = then,
            });
        }
    }
}
