using System.Diagnostics;
using System.Text.Json;
using CalSync.Calendar;

namespace CalSync.App.Ics;

/// <summary>One row of a collection of recurrence vectors, expanded.</summary>
/// <remarks>
/// A row is a JSON object: <c>id</c>; <c>dtstart</c> in basic form (Z is UTC, eight digits are a date);
/// <c>tzid</c>; <c>rrule</c>, <c>exrule</c>, <c>rdate</c>, <c>exdate</c>, each a text or a list;
/// <c>expected_kind</c> with <c>limit</c> and <c>window</c>, which say which instances to give; and
/// <c>dtstart_convention</c> when it is not the product's; a row with <c>expected_count</c> counts what the
/// rule itself produces. A row with <c>rules</c> and <c>dtstarts</c> gives
/// one list for each rule. What is missing is taken as absent; no row makes the reader throw.
/// </remarks>
internal static class RecurrenceVector
{
    /// <summary>Instances of a row that names no limit.</summary>
    public const int CountMax = 100_000;

    private const int EquivalenceCount = 200;

    /// <summary>What one row gave.</summary>
    /// <param name="Id">The row's id; null when it has none.</param>
    /// <param name="Instances">
    /// Local times in the form of the row's DTSTART, or one list of them for each rule of an equivalence.
    /// </param>
    /// <param name="Problem">
    /// What is wrong with the rule or the row, also when it could be read past; null for nothing.
    /// </param>
    internal sealed record Answer(string? Id, object Instances, string? Problem);

    /// <summary>Expands one line.</summary>
    public static Answer Expand(string line)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            var row = json.RootElement;
            if (row.ValueKind != JsonValueKind.Object)
            {
                return new Answer(null, Array.Empty<string>(), "The row is not a JSON object.");
            }

            var id = Text(row, "id");
            if (row.TryGetProperty("rules", out _))
            {
                return Equivalence(id, row);
            }

            var (instances, problem) = Instances(row, Texts(row, "rrule"), Text(row, "dtstart"));
            return new Answer(id, instances, problem);
        }
        catch (JsonException fault)
        {
            return new Answer(null, Array.Empty<string>(), $"The row is not JSON: {fault.Message}");
        }
    }

    private static Answer Equivalence(string? id, JsonElement row)
    {
        var starts = Texts(row, "dtstarts");
        var lists = new List<string[]>();
        string? problem = null;
        foreach (var (rule, index) in Texts(row, "rules").Select((rule, index) => (rule, index)))
        {
            var start = starts.Length == 0 ? null : starts[Math.Min(index, starts.Length - 1)];
            var (instances, itsProblem) = Instances(row, [rule], start, EquivalenceCount);
            problem ??= itsProblem;
            lists.Add(instances);
        }

        return new Answer(id, lists, problem);
    }

    private static (string[] Instances, string? Problem) Instances(
        JsonElement row, string[] rules, string? dtStart, int? limit = null)
    {
        var problem = rules.Select(Diagnose).FirstOrDefault(found => found is not null);
        if (dtStart is null || !TryStart(dtStart, Text(row, "tzid"), out var start, out var fault))
        {
            fault = dtStart is null ? "The row has no dtstart." : "The dtstart is malformed.";
            return ([], problem ?? fault);
        }

        if (fault is not null)
        {
            return ([], problem ?? fault);
        }

        string[] lines =
        [
            .. rules.Select(rule => "RRULE:" + rule),
            .. Texts(row, "exrule").Select(rule => "EXRULE:" + rule),
            .. Texts(row, "rdate").Select(date => DateLine("RDATE", date)),
            .. Texts(row, "exdate").Select(date => DateLine("EXDATE", date)),
        ];
        switch (RecurrenceSet.Parse(lines, start!))
        {
            case RecurrenceSetParse.Parsed parsed:
                var set = parsed.Set with { DtStartConvention = Convention(row) };
                var found = new VectorQuery(row, dtStart, limit).Take(set, out var ended);
                return ([.. found], problem ?? ended);
            case RecurrenceSetParse.Malformed malformed:
                return ([], problem
                    ?? $"{lines[malformed.Line]}: at {malformed.Offset}, {malformed.Expected}.");
            case RecurrenceSetParse.Unsupported unsupported:
                return ([], problem ?? $"{lines[unsupported.Line]}: {unsupported.Part} is not computed.");
            case RecurrenceSetParse.UnknownZone unknown:
                return ([], problem ?? $"{lines[unknown.Line]}: no zone is called {unknown.Zone.Name}.");
            default:
                throw new UnreachableException("Unknown outcome of a series.");
        }
    }

    /// <summary>What RFC 5545 has against a rule; null for nothing.</summary>
    private static string? Diagnose(string rule) => Recur.Parse(rule) switch
    {
        RecurParse.Parsed { Deviations: [var first, ..] } =>
            $"{first.Part}: {first.Requirement}.".TrimStart(':', ' '),
        RecurParse.Parsed => null,
        RecurParse.Malformed malformed =>
            $"{malformed.Part}: at {malformed.Offset}, expected {malformed.Expected}.".TrimStart(':', ' '),
        RecurParse.Unsupported unsupported => $"{unsupported.Part}: not supported (RFC 7529).",
        _ => throw new UnreachableException("Unknown outcome of a rule."),
    };

    private static DtStartConvention Convention(JsonElement row) => Text(row, "dtstart_convention") switch
    {
        "rule-only" => DtStartConvention.RuleOnly,
        "dtstart-added-not-counted" => DtStartConvention.AddedNotCounted,

        // A row that gives a number alone counts what the rule itself produces.
        null when row.TryGetProperty("expected_count", out _) => DtStartConvention.RuleOnly,
        _ => DtStartConvention.AddedAndCounted,
    };

    private static bool TryStart(string text, string? tzid, out RecurrenceStart? start, out string? fault)
    {
        (start, fault) = (null, null);
        if (!VectorTime.TryParse(text, out var time))
        {
            return false;
        }

        if (text.Length == 8)
        {
            start = new RecurrenceStart.AllDay(time.Date);
            return true;
        }

        switch (tzid is null || text.EndsWith('Z') ? null : CalendarZone.Resolve(tzid))
        {
            case ZoneResolution.Unknown:
                fault = $"No zone is called {tzid}.";
                return true;
            case ZoneResolution.Found found:
                start = new RecurrenceStart.Timed(time, found.Zone);
                return true;
            default:
                // A floating time is computed on a wall without changes.
                start = new RecurrenceStart.Timed(time, CalendarZone.Utc);
                return true;
        }
    }

    private static string DateLine(string name, string date) => date switch
    {
        { Length: 8 } => $"{name};VALUE=DATE:{date}",
        _ when date.Contains('/', StringComparison.Ordinal) => $"{name};VALUE=PERIOD:{date}",
        _ => $"{name}:{date}",
    };

    private static string? Text(JsonElement row, string name) =>
        row.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;

    private static string[] Texts(JsonElement row, string name)
    {
        if (!row.TryGetProperty(name, out var value))
        {
            return [];
        }

        return value.ValueKind switch
        {
            JsonValueKind.String => [value.GetString()!],
            JsonValueKind.Array =>
            [
                .. value.EnumerateArray().Where(item => item.ValueKind == JsonValueKind.String)
                    .Select(item => item.GetString()!),
            ],
            _ => [],
        };
    }
}
