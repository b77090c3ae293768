using System.Text.Json.Nodes;
using CalSync.Lab.Running;
using CalSync.Sandbox;
using CalSync.Storage;
using CalSync.Tests.Contracts;
using Xunit;

namespace CalSync.Tests.Api;

/// <summary>
/// Goal: every change of the description happens once for a key. Method: each is arranged so that it
/// succeeds, sent, and sent again over loopback HTTP; rows and calendars are compared whole. A change without
/// a row here fails.
/// </summary>
[Trait("Category", "Slow")]
public abstract class ReplayContract(TestDatabase database) : ProductTest(database)
{
    // What moves by itself, and the keys themselves.
    private static readonly string[] Restless = ["workers", "idempotency_keys"];

    private static readonly string Nowhere = new('0', 26);

    [Fact]
    [Trait("Requirement", "R-FIX-4-E")]
    [Trait("Requirement", "R-FIX-4-C")]
    [Trait("Requirement", "R-FIX-4-B")]
    public async Task EveryChange_SentAgain_IsAnsweredAgainAndDoneOnce()
    {
        var deeds = Deeds();
        var wrong = new List<string>();
        foreach (var operation in await Operations.ReadAsync(Product))
        {
            if (operation.Method == HttpMethod.Get || Operations.Unkeyed.Contains(operation.Id))
                continue;
            if (deeds.Remove(operation.Id, out var arrange))
            {
                wrong.AddRange((await LookAsync(operation, await arrange())).Select(what =>
                    $"{operation.Id}: {what}"));
            }
            else
            {
                wrong.Add($"{operation.Id}: has no row");
            }
        }

        wrong.AddRange(deeds.Keys.Select(id => $"{id}: is no operation any more"));
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    /// <summary>Sends a deed under one key in every way there is; what is not as it should be.</summary>
    private async Task<IReadOnlyList<string>> LookAsync(Operation operation, Deed deed)
    {
        var (key, wrong) = (RunningProduct.NewKey(), new List<string>());
        Task<ApiAnswer> SendAsync(string path, JsonObject? body) => deed.Caller.SendAsync(
            operation.Method, path, operation.TakesBody ? body ?? [] : null,
            [("Idempotency-Key", key), .. deed.IfMatch is null ? [] : new[] { ("If-Match", deed.IfMatch) }]);
        void Check(bool holds, string what)
        {
            if (!holds)
                wrong.Add(what);
        }

        var first = await SendAsync(deed.Path, deed.Body);
        Check(first.Status is >= 200 and < 300, $"answered {first.Status} {first.Text}");
        Check(first.Header("Idempotent-Replayed") == "", "the first answer is marked as a repetition");
        await Product.QuietAsync();
        var before = await SnapshotAsync();

        var again = await SendAsync(deed.Path, deed.Body);
        Check((again.Status, again.Text) == (first.Status, first.Text),
            $"repeated as {again.Status} {again.Text}");
        Check(
            (again.ETag, again.Header("Location"), again.MediaType)
                == (first.ETag, first.Header("Location"), first.MediaType),
            "repeated with other headers");
        Check(again.Header("Idempotent-Replayed") == "true", "the repetition is not marked");

        if (deed.Other is { } address)
        {
            var other = await SendAsync(address, deed.OtherBody);
            Check((other.Status, other["code"]) == (422, "idempotency-mismatch"),
                $"another request gave {other.Status} {other.Text}");
        }

        // As while the first request has not been answered.
        var held = await Product.ExecuteAsync(
            """
            UPDATE idempotency_keys SET status = NULL, headers = NULL, body = NULL, lease_until = @until
            WHERE key = @key
            """,
            new { key, until = TimeProvider.System.GetUtcNow().AddMinutes(1) });
        Check(held == 1, $"{held} rows of the key");
        var second = await SendAsync(deed.Path, deed.Body);
        Check(
            (second.Status, second["code"], second.Header("Retry-After"))
                == (409, "idempotency-in-progress", "5"),
            $"while in flight {second.Status} {second.Text}");

        await Product.QuietAsync();
        var after = await SnapshotAsync();
        wrong.AddRange(before.Where(part => after[part.Key] != part.Value)
            .Select(part => $"{part.Key} changed"));
        return wrong;
    }

    private Dictionary<string, Func<Task<Deed>>> Deeds() =>
        new(ClassDeeds().Concat(SeatDeeds()).Concat(OtherDeeds()), StringComparer.Ordinal);

    private Dictionary<string, Func<Task<Deed>>> ClassDeeds() => new()
    {
        ["createClass"] = () => Task.FromResult(new Deed(Product.Maya, "classes", "classes")
        {
            Body = RunningProduct.ClassBody("Created", slots: 2),
            OtherBody = RunningProduct.ClassBody("Other"),
        }),
        ["updateClass"] = async () =>
        {
            var (path, other) = (Path(await NewClassAsync()), Path(await NewClassAsync()));
            return await OnAsync(path, other) with { Body = new JsonObject { ["title"] = "Painting" } };
        },
        ["cancelClass"] = async () => await OnAsync(Path(await NewClassAsync()), Path(await NewClassAsync())),
        ["moveSlot"] = async () =>
        {
            var slot = SlotPath(await NewClassAsync(), 0);
            return await OnAsync(slot, slot) with { Body = At(11), OtherBody = At(12) };
        },
        ["cancelSlot"] = async () =>
        {
            var made = await NewClassAsync(slots: 2);
            return await OnAsync(SlotPath(made, 0), SlotPath(made, 1));
        },
        ["acceptProposal"] = () => ProposalDeedAsync("accept"),
        ["refuseProposal"] = () => ProposalDeedAsync("refuse"),
    };

    private Dictionary<string, Func<Task<Deed>>> SeatDeeds() => new()
    {
        ["enrol"] = async () =>
        {
            var seats = $"{Path(await NewClassAsync())}/enrollments";
            return new Deed(Product.Bea, seats, seats)
            {
                OtherBody = new JsonObject { ["calendarEmail"] = "b@mail.test" },
            };
        },
        ["cancelEnrolment"] = async () =>
        {
            var (bea, chen) = await TwoSeatsAsync();
            return await OnAsync(bea, chen) with { Caller = Product.Bea };
        },
        ["confirmPayment"] = async () =>
        {
            var (bea, chen) = await TwoSeatsAsync();
            return new Deed(Product.Maya, $"{bea}/confirm-payment", $"{chen}/confirm-payment");
        },
    };

    private Dictionary<string, Func<Task<Deed>>> OtherDeeds() => new()
    {
        ["retryOperation"] = async () => new Deed(
            Product.Operator, $"operations/{await StuckAsync()}/retry",
            $"operations/{await StuckAsync()}/retry"),
        ["abandonOperation"] = async () =>
        {
            var path = $"operations/{await StuckAsync()}/abandon";
            return new Deed(Product.Operator, path, path)
            {
                Body = Because("entered by hand"),
                OtherBody = Because("tired"),
            };
        },
        ["connectGoogle"] = () => Task.FromResult(
            new Deed(Product.Maya, "calendar/connections/google", "calendar/connections/google")
            {
                OtherBody = new JsonObject { ["loginHint"] = "maya@studio.test" },
            }),
        ["selectCalendar"] = async () =>
        {
            var connection = await ConnectionAsync(Product.Maya);
            var path = $"calendar/connections/{connection["id"]}/calendar";
            return new Deed(Product.Maya, path, path)
            {
                Body = new JsonObject { ["calendarId"] = (string?)connection["calendars"]![0]!["id"] },
                OtherBody = new JsonObject { ["calendarId"] = $"cal_{Nowhere}" },
            };
        },
        ["disconnect"] = async () =>
        {
            await Product.ConnectAsync(Product.Arjun, Product.Arjun.Email);
            var connection = await ConnectionAsync(Product.Arjun);
            return new Deed(
                Product.Arjun, $"calendar/connections/{connection["id"]}",
                $"calendar/connections/con_{Nowhere}");
        },
        ["signOut"] = async () =>
        {
            var session = await Product.SignInAsync(Product.Chen);
            return new Deed(session, "auth/sessions/current", null);
        },
        ["signOutEverywhere"] = async () =>
        {
            await Product.SignInAsync(Product.Chen);
            return new Deed(Product.Chen, "auth/sessions", null);
        },
        ["refreshTokens"] = () => Task.FromResult(
            new Deed(Product.Maya, "oauth/google/refresh-tokens", null)),
        ["syncCalendar"] = () => Task.FromResult(new Deed(Product.Maya, "calendar/sync", null)),
        ["autoSyncCalendar"] = () => Task.FromResult(new Deed(Product.Maya, "calendar/sync/auto", null)),
        ["updateMyProfile"] = async () => await ProfileDeedAsync(Product.Arjun, "me/profile"),
        ["updateProfile"] = async () => await ProfileDeedAsync(
            Product.Admin, $"admin/users/{Product.Chen.Id}/profile"),
        ["setSwitch"] = () => Task.FromResult(
            new Deed(Product.Operator, "admin/switches/provider-timeout", "admin/switches/provider-timeout")
            {
                Body = Switch("9"),
                OtherBody = Switch("8"),
            }),
        ["clearSwitch"] = () => Task.FromResult(
            new Deed(Product.Operator, "admin/switches/provider-timeout", "admin/switches/verification")),
    };

    private static async Task<Deed> ProfileDeedAsync(Person person, string path) => new(person, path, path)
    {
        IfMatch = (await person.GetAsync(path)).Expect(200).ETag,
        Body = new JsonObject { ["phone"] = "+91 98765 43210" },
        OtherBody = new JsonObject { ["phone"] = "+91 98765 43211" },
    };

    private async Task<Deed> ProposalDeedAsync(string verb)
    {
        var one = await ProposeAsync(await NewClassAsync());
        var other = await ProposeAsync(await NewClassAsync());
        var deed = await OnAsync($"proposals/{one}", $"proposals/{other}");
        return deed with { Path = $"{deed.Path}/{verb}", Other = $"{deed.Other}/{verb}" };
    }

    /// <summary>Maya's deed on something seen with its ETag.</summary>
    private async Task<Deed> OnAsync(string path, string other) => new(Product.Maya, path, other)
    {
        IfMatch = (await Product.Maya.GetAsync(path)).Expect(200).ETag,
    };

    private async Task<(string Bea, string Chen)> TwoSeatsAsync()
    {
        var made = await NewClassAsync();
        var bea = (await EnrolAsync(Product.Bea, made["id"])).Expect(201);
        var chen = (await EnrolAsync(Product.Chen, made["id"])).Expect(201);
        return ($"{Path(made)}/enrollments/{bea["id"]}", $"{Path(made)}/enrollments/{chen["id"]}");
    }

    /// <summary>An operation that a person must look at: the provider refuses its only write once.</summary>
    private async Task<string> StuckAsync()
    {
        await Product.Control.AddFaultAsync(
            new FaultScript("events.insert", new FaultEffect { Status = 400 }) { Times = 1 },
                CancellationToken.None);
        var made = (await Product.Maya.PostAsync("classes", RunningProduct.ClassBody("Stuck"))).Expect(202);
        var id = (string)made.Body!["operation"]!["id"]!;
        await RunningProduct.UntilAsync(
            async () => (await Product.Operator.GetAsync($"operations/{id}"))["state"] == "needs_attention",
                "it is stuck");
        return id;
    }

    private static async Task<JsonNode> ConnectionAsync(Person person) =>
        (await person.GetAsync("calendar/connections")).Expect(200).Body!["items"]![0]!;

    /// <summary>Every row and everything at the provider, each part as one text.</summary>
    private async Task<IReadOnlyDictionary<string, string>> SnapshotAsync()
    {
        var tables = await Product.Database.ReadAsync(
            session => session.QueryAsync<string>(session.Engine == Engine.Postgres
                ? "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
                : "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"),
            CancellationToken.None);
        var parts = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["calendars of the provider"] = string.Join(
                '\n', (await Product.EventsAsync()).Select(found => found.Body.ToJsonString())),
        };
        foreach (var table in tables.Except(Restless))
        {
            var rows = await Product.Database.ReadAsync(
                session => session.QueryAsync<object>($"SELECT * FROM {table}"), CancellationToken.None);
            parts[$"table {table}"] = string.Join(
                '\n', rows.Select(row => row.ToString()).Order(StringComparer.Ordinal));
        }

        return parts;
    }

    private static string Path(ApiAnswer made) => $"classes/{made["id"]}";

    private static string SlotPath(ApiAnswer made, int index) =>
        $"{Path(made)}/slots/{Slots(made)[index]["id"]}";

    private static JsonObject At(int hour) => new() { ["start"] = $"2031-01-06T{hour}:00:00" };

    private static JsonObject Because(string reason) => new() { ["reason"] = reason };

    private static JsonObject Switch(string value) =>
        new() { ["value"] = value, ["reason"] = "rehearsal", ["ttlMinutes"] = 10 };

    /// <summary>A change that succeeds, and another one that its key cannot mean.</summary>
    // Other: the same route for something else; null where there is nothing else.
    private sealed record Deed(Person Caller, string Path, string? Other)
    {
        public JsonObject? Body { get; init; }

        public JsonObject? OtherBody { get; init; }

        public string? IfMatch { get; init; }
    }
}

public sealed class SqliteReplayTests(SqliteTestDatabase database)
    : ReplayContract(database), IClassFixture<SqliteTestDatabase>;

[Collection(PostgresFixture.Collection)]
public sealed class PostgresReplayTests(PostgresTestDatabase database)
    : ReplayContract(database), IClassFixture<PostgresTestDatabase>;
