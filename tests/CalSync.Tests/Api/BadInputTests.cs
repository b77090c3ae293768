using System.Text;
using System.Text.Json.Nodes;
using CalSync.Lab.Running;
using Xunit;

namespace CalSync.Tests.Api;

/// <summary>
/// Whatever arrives, the answer is a problem a person can act on, never a fault, and what is refused changes
/// nothing. Every member of every body is spoiled in every way; workers are off so that only requests can
/// change rows.
/// </summary>
[Trait("Category", "Slow")]
public sealed class BadInputTests : ProductTest
{
    private const int Seed = 20310106;

    private static readonly string[] Values =
    [
        "null", "true", "0", "-1", "1e400", "1.5", "99999999999999999999", "-9223372036854775808", "\"\"",
            "\" \"", "[]", "{}", "[null]",
        "[[]]", "{\"a\":1}", "\"\\u0000\"", "\"\\ud800\"", "\"a\\ud800b\"", "\"\\u202e\"", "\"' OR 1=1 --\"",
            "\"2031-02-30T10:00:00\"",
        "\"9999-12-31T23:59:59\"", "\"0001-01-01T00:00:00\"", "\"+99:99\"",
            "\"usr_00000000000000000000000000\"", "\"../../etc\"",
        "\"FREQ=SECONDLY\"", "\"FREQ=DAILY;COUNT=99999999\"", "\"\u00e9\u4e2d\ud83d\ude00\"",
    ];

    protected override ProductSettings Settings =>
        new() { RunsWorkers = false, VerificationWait = TimeSpan.Zero };

    [Fact]
    [Trait("Requirement", "R-CAL-13-P")]
    public async Task EveryMemberOfEveryBody_Spoiled_GivesNoFaultAndNoChange()
    {
        var random = new Random(Seed);
        var made = (await Product.Maya.PostAsync("classes", RunningProduct.ClassBody("Target"))).Expect(202);
        var seat = (await EnrolAsync(Product.Bea, made["id"])).Expect(202);
        var ids = new Dictionary<string, string>
        {
            ["classId"] = made["id"],
            ["slotId"] = (string)Slots(made)[0]["id"]!,
            ["enrolmentId"] = seat["id"],
            ["operationId"] = (string)made.Body!["operation"]!["id"]!,
            // One that is there would be decided by the first good body.
            ["proposalId"] = "prp_" + new string('0', 26),
            ["connectionId"] =
                (string)(await Product.Maya.GetAsync("calendar/connections")).Body!["items"]![0]!["id"]!,
            ["name"] = "verification",
            ["userId"] = Product.Chen.Id,
        };
        var bad = new List<string>();
        var state = await StateAsync();
        var count = 0;
        foreach (var operation in (await Operations.ReadAsync(Product)).Where(found => found.TakesBody))
        {
            // Profiles have a fuzzer of their own, which reads the version before each change.
            var caller = operation.Path.Contains("/admin/users/", StringComparison.Ordinal) ? Product.Admin
                : operation.Path.Contains("/admin/", StringComparison.Ordinal)
                || operation.Path.Contains("/operations/", StringComparison.Ordinal)
                    ? Product.Operator
                    : Product.Maya;
            foreach (var (name, bytes, type) in Bodies(operation.Id, random))
            {
                var answer = await caller.SendBytesAsync(
                    operation.Method, operation.Address(ids), bytes, type,
                    ("Idempotency-Key", RunningProduct.NewKey()),
                    ("If-Match", "\"1\""));
                count++;
                var after = await StateAsync();
                if (answer.Status >= 500 || (answer.Status >= 400
                    && (!IsWhole(answer)
                        || (after != state && !Operations.Unkeyed.Contains(operation.Id)))))
                {
                    bad.Add(
                        $"{operation.Id} {name}: {answer.Status} "
                        + $"{answer.Text[..Math.Min(200, answer.Text.Length)]} {state}/"
                        + after);
                }

                state = after;
            }
        }

        Assert.True(count > 500, $"only {count} requests were sent");
        Assert.True(
            bad.Count == 0, $"seed {Seed}, {bad.Count} of {count}:\n" + string.Join('\n', bad.Take(30)));
    }

    [Fact]
    public async Task PathsAndQueriesOfGarbage_GiveProblems()
    {
        string[] tails =
        [
            "classes/%00", "classes/%ff%fe", "classes/..%2f..%2fetc", "classes/" + new string('a', 3000),
                "classes?limit=-1",
            "classes?limit=1e9", "classes?limit=1&limit=2", "classes?after=%00", "classes?after=%f0%9f%98%80",
                "classes?after=abc",
            "classes?state=nonsense", "classes?x=1",
            "operations?state=%27", "operations?after=zzz", "operations?classId=1",
            "changes?after=-1",
            "changes?after=99999999999999999999", "changes?after=9223372036854775807", "me/schedule?from=x",
            "me/schedule?to=0001-01-01T00:00:00Z",
            "me/schedule?after=zzz", "me/notices?after=zzz", "events/%00/history", "events/%F0%9F/history",
            "admin/switches/%00", "nowhere",
        ];
        foreach (var tail in tails)
        {
            foreach (var caller in new[] { Product.Admin, Product.Maya, Product.Bea })
            {
                var answer = await caller.GetAsync(tail);
                Assert.True(answer.Status < 500, $"{tail}: {answer.Status} {answer.Text}");
                Assert.True(
                    answer.Status < 400 || answer.Text.Length == 0 || IsWhole(answer),
                    $"{tail}: {answer.Status} {answer.Text}");
            }
        }
    }

    private static bool IsWhole(ApiAnswer answer) =>
        answer.MediaType == "application/problem+json"
        && new[] { "type", "title", "status", "code", "action", "correlationId" }.All(
            member => answer[member].Length > 0);

    private static IEnumerable<(string Name, byte[] Body, string? Type)> Bodies(
        string operation, Random random)
    {
        const string json = "application/json";
        var good = Good(operation);
        var text = good.ToJsonString();
        foreach (var path in Members(good, []))
        {
            foreach (var value in Values.Append($"\"{new string('x', 9000)}\"")
                .Append($"\"{Letters(random)}\""))
            {
                yield return ($"{string.Join('.', path)}={value[..Math.Min(30, value.Length)]}",
                    Replace(good, path, value), json);
            }
        }

        var deep = string.Concat(Enumerable.Repeat("{\"a\":", 100)) + "1" + new string('}', 100);
        yield return ("empty", [], json);
        yield return ("text/plain", Encoding.UTF8.GetBytes(text), "text/plain");
        yield return ("no type", Encoding.UTF8.GetBytes(text), null);
        yield return ("utf-16", Encoding.Unicode.GetBytes(text), json);
        yield return ("bom", [0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes("{\"zzz\":1}")], json);
        yield return ("invalid utf-8", [.. "{\"a\":\""u8, 0xC3, 0x28, 0xFF, .. "\"}"u8], json);
        yield return ("deep", Encoding.UTF8.GetBytes(deep), json);
        yield return ("twice", "{\"zzz\":1,\"zzz\":2}"u8.ToArray(), json);
        yield return ("1 MB", Encoding.UTF8.GetBytes($"{{\"a\":\"{new string('x', 1 << 20)}\"}}"), json);
        yield return ("array", "[]"u8.ToArray(), json);
        yield return ("null", "null"u8.ToArray(), json);
        yield return ("cut", Encoding.UTF8.GetBytes(text[..^1]), json);
        yield return ("noise", Noise(random), json);
    }

    private static byte[] Noise(Random random)
    {
        var bytes = new byte[200];
        random.NextBytes(bytes);
        return bytes;
    }

    private static string Letters(Random random) =>
        string.Concat(Enumerable.Range(0, 40).Select(_ => $"\\u{random.Next(0x10000):x4}"));

    private static IEnumerable<string[]> Members(JsonNode node, string[] path)
    {
        var children = node switch
        {
            JsonObject members => members.Select(member => (member.Key, member.Value)),
            JsonArray items =>
                items.Select((item, index) => (Key: index.ToString((IFormatProvider?)null), Value: item)),
            _ => [],
        };
        return children.SelectMany(
            child => Members(child.Value!, [.. path, child.Key]).Prepend([.. path, child.Key]));
    }

    private static byte[] Replace(JsonObject good, string[] path, string value)
    {
        const string mark = "\"@here@\"";
        var copy = good.DeepClone();
        var at = copy;
        foreach (var step in path[..^1])
            at = at is JsonArray items ? items[int.Parse(step, null)]! : at[step]!;
        if (at is JsonArray array)
            array[int.Parse(path[^1], null)] = "@here@";
        else
            at[path[^1]] = "@here@";
        return Encoding.UTF8.GetBytes(copy.ToJsonString().Replace(mark, value, StringComparison.Ordinal));
    }

    private static JsonObject Good(string operation)
    {
        var slot = new JsonObject
        {
            ["start"] = "2031-03-01T10:00:00",
            ["end"] = "2031-03-01T11:00:00",
            ["durationMinutes"] = 60,
            ["offset"] = "-05:00",
            ["fold"] = 0,
            ["endFold"] = 0,
        };
        var whole = RunningProduct.ClassBody("Spoiled");
        foreach (var (name, value) in new (string, JsonNode)[]
            { ("description", "d"), ("location", "l"), ("conference", false), ("instructorId", "usr_x"),
                ("duplicate", "allow") })
        {
            whole[name] = value;
        }

        whole["schedules"] = new JsonArray(new JsonObject
        {
            ["rrule"] = "FREQ=WEEKLY;COUNT=2",
            ["slots"] = new JsonArray(slot.DeepClone()),
        });
        return operation switch
        {
            "createClass" => whole,
            "updateClass" =>
                new JsonObject
                {
                    ["title"] = "t",
                    ["description"] = "d",
                    ["location"] = "l",
                    ["capacity"] = 5
                },
            "moveSlot" => slot,
            "enrol" => new JsonObject { ["studentId"] = "usr_x", ["calendarEmail"] = "a@b.test" },
            "abandonOperation" => new JsonObject { ["reason"] = "r" },
            "connectGoogle" => new JsonObject { ["loginHint"] = "a@b.test", ["reconnectId"] = "con_x" },
            "selectCalendar" => new JsonObject { ["calendarId"] = "cal_x" },
            "setSwitch" => new JsonObject { ["value"] = "on", ["reason"] = "r", ["ttlMinutes"] = 5 },
            _ => new JsonObject { ["unexpected"] = 1 },
        };
    }

    private async Task<string> StateAsync() => await Product.TextAsync(
        """
        SELECT (SELECT seq FROM journal_head) || '/' || (SELECT count(*)
            FROM classes) || '/' || (SELECT count(*) FROM slots)
            || '/' || (SELECT count(*) FROM enrolments) || '/' || (SELECT count(*) FROM operations)
            || '/' || (SELECT count(*) FROM mirrors)
            || '/' || (SELECT sum(version) FROM classes) || '/' || (SELECT sum(version) FROM slots)
            || '/' || (SELECT count(*) FROM idempotency_keys) || '/' || (SELECT count(*)
                FROM connection_attempts)
        """) ?? "";
}
