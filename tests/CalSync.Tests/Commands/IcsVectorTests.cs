using System.Runtime.CompilerServices;
using System.Text.Json;
using Xunit;

namespace CalSync.Tests.Commands;

/// <summary>
/// Rules expand as independent engines agree they do. Method: the whole way through the command, over the
/// sample in Fixtures/Vectors and over the full collection where one lies beside the repository.
/// </summary>
public sealed class IcsVectorTests
{
    private static readonly Shell Shell = new();

    /// <summary>
    /// RFC 5545 3.3.10: what a row lists is what comes out, in the row's convention for DTSTART.
    /// </summary>
    [Theory]
    [InlineData("recurrence.jsonl")]
    [InlineData("wild_rules.jsonl")]
    [InlineData("dst_gap.jsonl")]
    [InlineData("unsynchronized_dtstart.jsonl")]
    public async Task Expand_OfAgreedRows_GivesWhatTheyList(string file)
    {
        foreach (var (row, answer) in await AnswersAsync(file))
        {
            if (row.GetProperty("expected").ValueKind == JsonValueKind.Array && !IsDecidedOtherwise(row))
            {
                Assert.True(
                    Strings(row.GetProperty("expected"))
                        .SequenceEqual(Strings(answer.GetProperty("instances"))),
                    $"{row}\n{answer}");
            }
        }
    }

    /// <summary>Rows that give a number alone.</summary>
    [Fact]
    public async Task Expand_OfCountedRows_GivesAsMany()
    {
        foreach (var (row, answer) in await AnswersAsync("counts.jsonl"))
        {
            Assert.Equal(
                row.GetProperty("expected_count").GetInt32(),
                answer.GetProperty("instances").GetArrayLength());
        }
    }

    /// <summary>Rules that say the same in other words.</summary>
    [Fact]
    public async Task Expand_OfEquivalentRules_GivesOneList()
    {
        foreach (var (row, answer) in await AnswersAsync("equivalence.jsonl"))
        {
            // Nobody has confirmed the others.
            if (row.GetProperty("verified_by").GetArrayLength() > 0)
            {
                var lists = answer.GetProperty("instances").EnumerateArray()
                    .Select(list => string.Join(',', Strings(list))).ToArray();
                Assert.NotEmpty(lists[0]);
                Assert.All(lists, list => Assert.Equal(lists[0], list));
            }
        }
    }

    /// <summary>Rules the RFC forbids are named as such, whether or not they can be read past.</summary>
    [Fact]
    public async Task Expand_OfInvalidRules_SaysWhatIsWrong()
    {
        foreach (var (row, answer) in await AnswersAsync("invalid_rules.jsonl"))
        {
            Assert.False(string.IsNullOrEmpty(answer.GetProperty("problem").GetString()), row.ToString());
        }
    }

    /// <summary>No line stops the command or is left without an answer.</summary>
    [Fact]
    public async Task Expand_OfBrokenRows_AnswersEach()
    {
        string[] rows =
        [
            "{", "[]", "{}", """{"id":"a","rrule":["FREQ=DAILY"],"dtstart":"20260230"}""",
            """{"id":"b","rrule":"FREQ=DAILY","dtstart":"20260301T090000","tzid":"IST"}""",
            """{"id":"c","rrule":["FREQ=SECONDLY"],"dtstart":"20260301T090000Z","expected_kind":"all"}""",
            """{"id":"d","rrule":["FREQ=DAILY"],"rdate":["x"],"dtstart":"20260301T090000Z"}""",
            """{"id":7,"rrule":{},"dtstart":"20260301","expected_kind":"prefix","limit":-1,"window":3}""",
        ];
        var answers = await RunAsync(string.Join('\n', rows));
        Assert.Equal(rows.Length, answers.Count);
        Assert.All(
            answers.SkipLast(1),
            answer => Assert.False(
                string.IsNullOrEmpty(answer.GetProperty("problem").GetString()), answer.ToString()));
    }

    /// <summary>No rule keeps the command busy for long, whatever is asked of it.</summary>
    [Theory]
    [InlineData("FREQ=SECONDLY;COUNT=2147483647", "from", "90000101T000000Z")]
    [InlineData("FREQ=SECONDLY", "before", "90000101T000000Z")]
    [InlineData("FREQ=SECONDLY;INTERVAL=60;BYSECOND=30", "all", null)]
    [InlineData("FREQ=SECONDLY", "all", null)]
    public async Task Expand_OfAnEndlessRow_EndsWithAProblem(string rule, string kind, string? bound)
    {
        var row = new
        {
            id = "endless",
            dtstart = "20260101T000000Z",
            rrule = rule,
            expected_kind = kind,
            window = new { from = bound, at = bound },
        };
        var answer = Assert.Single(await RunAsync(JsonSerializer.Serialize(row)));
        Assert.False(string.IsNullOrEmpty(answer.GetProperty("problem").GetString()));
    }

    /// <summary>REC-3: a yearly BYMONTHDAY is in DTSTART's month; rows of other conventions differ.</summary>
    private static bool IsDecidedOtherwise(JsonElement row) =>
        row.TryGetProperty("dtstart_convention", out _)
        && Strings(row.GetProperty("rrule")).Any(rule =>
            rule.Contains("FREQ=YEARLY", StringComparison.Ordinal)
            && rule.Contains("BYMONTHDAY=", StringComparison.Ordinal)
            && !rule.Contains("BYMONTH=", StringComparison.Ordinal)
            && !rule.Contains("BYYEARDAY=", StringComparison.Ordinal)
            && !rule.Contains("BYWEEKNO=", StringComparison.Ordinal));

    private static async Task<List<(JsonElement Row, JsonElement Answer)>> AnswersAsync(string file)
    {
        var pairs = new List<(JsonElement, JsonElement)>();
        foreach (var path in Files(file))
        {
            var rows = await File.ReadAllTextAsync(path);
            var answers = await RunAsync(rows);
            var parsed = rows.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Parse);
            pairs.AddRange(parsed.Zip(answers));
        }

        Assert.All(pairs, pair => Assert.Equal(
            pair.Item1.GetProperty("id").GetString(), pair.Item2.GetProperty("id").GetString()));
        return pairs;
    }

    private static async Task<List<JsonElement>> RunAsync(string rows)
    {
        var path = Path.GetTempFileName();
        await File.WriteAllTextAsync(path, rows);
        var (code, output, error) = await Shell.RunAsync("ics", "expand", "--vectors", path);
        File.Delete(path);
        Assert.True(code == 0, error);
        return [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Parse)];
    }

    private static JsonElement Parse(string line) => JsonDocument.Parse(line).RootElement;

    private static string[] Strings(JsonElement list) => list.ValueKind == JsonValueKind.Array
        ? [.. list.EnumerateArray().Select(item => item.GetString()!)]
        : [list.GetString()!];

    private static IEnumerable<string> Files(string file, [CallerFilePath] string thisFile = "")
    {
        var tests = Path.GetDirectoryName(Path.GetDirectoryName(thisFile))!;
        var folders = new List<string> { Path.Combine(tests, "Fixtures", "Vectors") };
        for (var folder = tests; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            var vectors = Path.Combine(folder, "shared", "data", "vectors");
            folders.AddRange(Directory.Exists(vectors) ? Directory.GetDirectories(vectors) : []);
        }

        return folders.Select(folder => Path.Combine(folder, file)).Where(File.Exists);
    }
}
