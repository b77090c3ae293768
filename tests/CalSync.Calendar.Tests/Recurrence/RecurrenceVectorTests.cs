using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using NodaTime.Text;
using Xunit;

namespace CalSync.Calendar.Tests.Recurrence;

/// <summary>
/// Expansion agrees with collections of vectors that lie beside the repository. Method: every row with an
/// agreed result, in the convention the row names; without the collections there are no rows and nothing is
/// claimed.
/// </summary>
public sealed class RecurrenceVectorTests
{
    private static readonly OccurrenceLimits Limits = new(CountMax: 5_000);

    private static readonly LocalDateTimePattern Basic =
        LocalDateTimePattern.CreateWithInvariantCulture("uuuuMMdd'T'HHmmss");

    /// <summary>Rules whose DTSTART is one of their instances.</summary>
    [Fact]
    public void Occurrences_OfSynchronizedVectors_AgreeWithEveryRow() => AssertAll("recurrence.jsonl");

    /// <summary>REC-1: instances in a gap shift forward and still count.</summary>
    [Fact]
    public void Occurrences_OfGapVectors_AgreeWithEveryRow() => AssertAll("dst_gap.jsonl");

    /// <summary>Rules found in real calendars.</summary>
    [Fact]
    public void Occurrences_OfWildVectors_AgreeWithEveryRow() => AssertAll("wild_rules.jsonl");

    /// <summary>REC-2 where the row has our convention, the bare rule where it has not.</summary>
    [Fact]
    public void Occurrences_OfUnsynchronizedVectors_AgreeWithEveryRow() =>
        AssertAll("unsynchronized_dtstart.jsonl");

    /// <summary>Rules their collectors call invalid: every one is diagnosed.</summary>
    [Fact]
    public void Parse_OfInvalidVectors_DiagnosesEveryRow()
    {
        foreach (var row in Rows("invalid_rules.jsonl"))
        {
            var outcome = Recur.Parse(row.GetProperty("rrule").GetString()!);
            Assert.False(outcome is RecurParse.Parsed { Deviations.IsEmpty: true },
                row.GetProperty("rrule").GetString());
        }
    }

    private static void AssertAll(string file)
    {
        var failures = Rows(file).Select(Failure).OfType<string>().ToArray();
        Assert.True(failures.Length == 0,
            $"{failures.Length} rows differ.\n{string.Join("\n", failures.Take(40))}");
    }

    private static string? Failure(JsonElement row)
    {
        var rules = Strings(row, "rrule");
        if (row.GetProperty("expected").ValueKind == JsonValueKind.Null
            || LeavesTheMonthToDtStart(row, rules))
        {
            return null;
        }

        var start = Start(row);
        var lines = rules.Select(rule => "RRULE:" + rule)
            .Concat(Strings(row, "exrule").Select(rule => "EXRULE:" + rule))
            .Concat(Strings(row, "rdate").Select(date => Line("RDATE", date)))
            .Concat(Strings(row, "exdate").Select(date => Line("EXDATE", date)));
        var outcome = RecurrenceSet.Parse(lines, start);
        if (outcome is RecurrenceSetParse.Unsupported
            && rules.Any(rule => rule.Contains("RSCALE", StringComparison.Ordinal)))
        {
            return null;
        }

        var expected = string.Join(',', Strings(row, "expected"));
        var actual = outcome is RecurrenceSetParse.Parsed parsed
            ? Expand(row, parsed.Set)
            : outcome.ToString();
        return expected == actual
            ? null
            : $"{row.GetProperty("id")} {row.GetProperty("dtstart")} {string.Join(' ', lines)}\n"
                + $"  {expected}\n  {actual}";
    }

    /// <summary>
    /// REC-3 reads YEARLY;BYMONTHDAY without BYMONTH in DTSTART's month; the collections do not.
    /// </summary>
    private static bool LeavesTheMonthToDtStart(JsonElement row, string[] rules) =>
        row.TryGetProperty("dtstart_convention", out _)
        && rules.Any(rule => rule.Contains("FREQ=YEARLY", StringComparison.Ordinal)
            && rule.Contains("BYMONTHDAY=", StringComparison.Ordinal)
            && !rule.Contains("BYMONTH=", StringComparison.Ordinal)
            && !rule.Contains("BYYEARDAY=", StringComparison.Ordinal)
            && !rule.Contains("BYWEEKNO=", StringComparison.Ordinal));

    private static string Expand(JsonElement row, RecurrenceSet set)
    {
        var kind = row.GetProperty("expected_kind").GetString();
        var ruleOnly = row.TryGetProperty("dtstart_convention", out var convention)
            && convention.GetString() == "rule-only";
        var steps = set.Occurrences(null, Limits, addStart: !ruleOnly);
        var expectedCount = Strings(row, "expected").Length;
        var count = row.GetProperty("limit").ValueKind == JsonValueKind.Number
            ? row.GetProperty("limit").GetInt32()
            : kind == "all" ? int.MaxValue : expectedCount;
        var window = row.GetProperty("window");
        var texts = steps.Where(step => step is not OccurrenceStep.Ended).Select(step => Text(row, step));
        return string.Join(',', kind switch
        {
            "window" => texts.TakeWhile(text => !Beyond(text, window, "to_exclusive", orEqual: true)
                    && !Beyond(text, window, "to_inclusive", orEqual: false))
                .Where(text => At(text, window, "from") >= 0),
            "between" => texts.TakeWhile(text => At(text, window, "to") < (Inclusive(window) ? 1 : 0))
                .Where(text => At(text, window, "from") > (Inclusive(window) ? -1 : 0)),
            "before" => texts.TakeWhile(text =>
                At(text, window, "at") < (Inclusive(window) ? 1 : 0)).TakeLast(1),
            "after" => texts.Where(text => At(text, window, "at") > (Inclusive(window) ? -1 : 0)).Take(1),
            "from" => texts.Where(text => At(text, window, "from") >= 0).Take(Math.Max(count, 1)),
            _ => texts.Take(count),
        });
    }

    private static bool Inclusive(JsonElement window) => window.GetProperty("inclusive").GetBoolean();

    private static bool Beyond(string text, JsonElement window, string name, bool orEqual) =>
        window.TryGetProperty(name, out _) && At(text, window, name) >= (orEqual ? 0 : 1);

    private static int At(string text, JsonElement window, string name) =>
        string.CompareOrdinal(text, window.GetProperty(name).GetString());

    private static string Text(JsonElement row, OccurrenceStep step) => step switch
    {
        OccurrenceStep.AllDay day => day.Date.ToString("uuuuMMdd", CultureInfo.InvariantCulture),
        OccurrenceStep.Timed timed => Basic.Format(timed.Start.Local)
            + (row.GetProperty("dtstart").GetString()!.EndsWith('Z') ? "Z" : ""),
        _ => "",
    };

    private static RecurrenceStart Start(JsonElement row)
    {
        var text = row.GetProperty("dtstart").GetString()!;
        var zone = row.GetProperty("tzid").GetString() is { } name ? Zones.Of(name) : CalendarZone.Utc;
        return text.Length == 8
            ? new RecurrenceStart.AllDay(Basic.Parse(text + "T000000").Value.Date)
            : new RecurrenceStart.Timed(Basic.Parse(text[..15]).Value, zone);
    }

    private static string Line(string name, string date) =>
        date.Length == 8 ? $"{name};VALUE=DATE:{date}" : $"{name}:{date}";

    private static string[] Strings(JsonElement row, string name) =>
        [.. row.GetProperty(name).EnumerateArray().Select(item => item.GetString()!)];

    private static IEnumerable<JsonElement> Rows(string file, [CallerFilePath] string thisFile = "")
    {
        for (var folder = Path.GetDirectoryName(thisFile);
            folder is not null;
            folder = Path.GetDirectoryName(folder))
        {
            var path = Path.Combine(folder, "shared", "data", "vectors", "permissive", file);
            if (File.Exists(path))
            {
                return File.ReadLines(path).Select(line => JsonDocument.Parse(line).RootElement);
            }
        }

        return [];
    }
}
