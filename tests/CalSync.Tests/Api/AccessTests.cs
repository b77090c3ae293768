using System.Text.Json.Nodes;
using CalSync.App.Api.Authentication;
using CalSync.Lab.Running;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace CalSync.Tests.Api;

/// <summary>
/// Goal: nobody reads or changes what is not theirs. Method: every route the running product has, asked by
/// every kind of person about the same objects of one instructor and one student. A new route without a row
/// fails.
/// </summary>
public sealed class AccessTests : ProductTest
{
    // In this order: nobody, the administrator of another organisation, administrator, operator, the
    // instructor, another instructor, the student, another student. 1 = 401, 3 = 403, 4 = 404, + = let in
    // (whatever the answer then is).
    private const string Everybody = "1+++++++";
    private const string Catalogue = "14+++4++";
    private const string Staff = "14+3+433";
    private const string Teachers = "1++3++33";
    private const string Watchers = "14+++433";
    private const string Operators = "1+++3333";
    private const string Owner = "1443+433";

    private static readonly Dictionary<string, string> Expected = new(StringComparer.Ordinal)
    {
        ["POST /api/v1/classes"] = Teachers,
        ["POST /api/classes"] = Teachers,
        ["POST /add-new-class"] = Teachers,
        ["GET /api/v1/classes"] = Everybody,
        ["GET /api/classes"] = Everybody,
        ["GET /api/v1/classes/{classId}"] = Catalogue,
        ["GET /api/classes/{classId}"] = Catalogue,
        ["PATCH /api/v1/classes/{classId}"] = Staff,
        ["PATCH /api/classes/{classId}"] = Staff,
        ["PUT /update-class/{classId}"] = Staff,
        ["DELETE /api/v1/classes/{classId}"] = Staff,
        ["DELETE /api/classes/{classId}"] = Staff,
        ["GET /api/v1/classes/{classId}/slots/{slotId}"] = Catalogue,
        ["PATCH /api/v1/classes/{classId}/slots/{slotId}"] = Staff,
        ["DELETE /api/v1/classes/{classId}/slots/{slotId}"] = Staff,
        ["GET /api/v1/classes/{classId}/enrollments"] = Catalogue,
        ["POST /api/v1/classes/{classId}/enrollments"] = "14+3+43+",
        ["GET /api/v1/classes/{classId}/enrollments/{enrolmentId}"] = "14+++4+4",
        ["DELETE /api/v1/classes/{classId}/enrollments/{enrolmentId}"] = "14+3+4+4",
        ["POST /api/v1/classes/{classId}/enrollments/{enrolmentId}/confirm-payment"] = Staff,
        ["GET /api/v1/classes/{classId}/history"] = Watchers,
        ["GET /api/v1/events/{subject}/history"] = Watchers,
        ["GET /api/v1/operations"] = Everybody,
        ["GET /api/v1/operations/{operationId}"] = "14+++4+4",
        ["POST /api/v1/operations/{operationId}/retry"] = "14++3333",
        ["POST /api/v1/operations/{operationId}/abandon"] = "14++3333",
        ["GET /api/v1/proposals"] = "1+++++33",
        ["GET /api/v1/proposals/{proposalId}"] = Watchers,
        ["POST /api/v1/proposals/{proposalId}/accept"] = Staff,
        ["POST /api/v1/proposals/{proposalId}/refuse"] = Staff,
        ["GET /api/v1/changes"] = Everybody,
        ["DELETE /api/v1/auth/sessions/current"] = Everybody,
        ["DELETE /api/v1/auth/sessions"] = Everybody,
        ["PUT /api/v1/me/password"] = Everybody,
        ["GET /api/v1/me"] = Everybody,
        ["GET /api/v1/me/profile"] = Everybody,
        ["PATCH /api/v1/me/profile"] = Everybody,
        ["GET /api/v1/admin/users/{userId}/profile"] = "14+33333",
        ["PATCH /api/v1/admin/users/{userId}/profile"] = "14+33333",
        ["GET /api/v1/me/schedule"] = Everybody,
        ["GET /api/v1/me/events"] = Everybody,
        ["GET /api/v1/me/notices"] = Everybody,
        ["GET /api/v1/calendar/connections"] = Everybody,
        ["POST /api/v1/calendar/connections/google"] = Teachers,
        ["GET /api/v1/oauth/google/health-check"] = Everybody,
        ["POST /api/v1/oauth/google/refresh-tokens"] = Teachers,
        ["POST /api/v1/calendar/sync"] = Teachers,
        ["POST /api/v1/calendar/sync/auto"] = Teachers,
        ["GET /api/v1/calendar/sync/auto"] = Teachers,
        ["PUT /api/v1/calendar/connections/{connectionId}/calendar"] = Owner,
        ["DELETE /api/v1/calendar/connections/{connectionId}"] = Owner,
        ["GET /api/v1/admin/switches"] = Operators,
        ["GET /api/v1/admin/switches/{name}"] = Operators,
        ["PUT /api/v1/admin/switches/{name}"] = Operators,
        ["DELETE /api/v1/admin/switches/{name}"] = Operators,
        ["GET /api/v1/admin/breakers"] = Operators,
        ["GET /metrics"] = Operators,
    };

    private static readonly string[] Open =
    [
        "GET /errors/{name}", "GET /health", "GET /health/live", "GET /health/ready",
            "GET /oauth/google/callback",
        "POST /api/v1/auth/sessions", "POST /api/v1/auth/google/attempts",
        "POST /api/v1/auth/google/sessions", "GET /.well-known/jwks.json", "GET /openapi/{documentName}.json",
    ];

    protected override ProductSettings Settings =>
        new() { RunsWorkers = false, VerificationWait = TimeSpan.Zero };

    [Fact]
    public void EveryRoute_HasItsRow()
    {
        var routes =
            Product.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .SelectMany(route => Methods(route).Select(method => (
                Name: $"{method} {route.RoutePattern.RawText}",
                IsOpen: route.Metadata.GetMetadata<Access>()!.Allowed is null)))
            .Distinct().ToArray();

        Assert.Equal(
            Expected.Keys.Order(StringComparer.Ordinal),
            routes.Where(route => !route.IsOpen).Select(route => route.Name).Order(StringComparer.Ordinal));
        Assert.Equal(
            Open.Order(StringComparer.Ordinal),
            routes.Where(route => route.IsOpen).Select(route => route.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task EveryRoute_LetsInWhoItShould_AndNobodyElse()
    {
        var ids = await ObjectsAsync();
        Person[] people =
        [
            Product.Nobody, Product.Stranger, Product.Admin, Product.Operator, Product.Maya, Product.Arjun,
                Product.Bea,
            Product.Chen,
        ];
        var wrong = new List<string>();
        // The connection goes last: its owner ends it.
        foreach (var (route, expected) in Expected.OrderBy(
            row => row.Key.StartsWith("DELETE /api/v1/calendar", StringComparison.Ordinal)))
        {
            var (method, path) = (route.Split(' ')[0], route.Split(' ')[1]);
            foreach (var (name, id) in ids)
                path = path.Replace($"{{{name}}}", id, StringComparison.Ordinal);
            var seen = "";
            foreach (var person in people)
                seen += Sign((await AskAsync(person, method, path, ids)).Status);
            if (seen != expected)
                wrong.Add($"{route}: expected {expected}, seen {seen}");
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    [Fact]
    public async Task Lists_HoldOnlyWhatTheReaderMaySee()
    {
        var ids = await ObjectsAsync();

        foreach (var stranger in new[] { Product.Stranger, Product.Arjun })
        {
            Assert.Empty(await ItemsAsync(stranger, "classes"));
            Assert.Empty(await ItemsAsync(stranger, "operations"));
            Assert.Empty(await ItemsAsync(stranger, "proposals"));
            Assert.Empty(await ItemsAsync(stranger, "me/schedule"));
            Assert.Empty(await ItemsAsync(stranger, "calendar/connections"));
            Assert.DoesNotContain(
                await ItemsAsync(stranger, "changes"),
                change => (string?)change!["classId"] == ids["classId"]);
        }

        var seats = $"classes/{ids["classId"]}/enrollments";
        Assert.Single(await ItemsAsync(Product.Bea, seats));
        Assert.Empty(await ItemsAsync(Product.Chen, seats));
        Assert.Empty(await ItemsAsync(Product.Chen, "operations"));
        Assert.Single(await ItemsAsync(Product.Maya, seats));
        // Students follow the class, and never learn who else is in it.
        var changes = await ItemsAsync(Product.Bea, "changes");
        Assert.Contains(changes, change => (string?)change!["subjectId"] == ids["enrolmentId"]);
        Assert.DoesNotContain(
            await ItemsAsync(Product.Chen, "changes"),
                change => change!.ToJsonString().Contains(Product.Bea.Email, StringComparison.Ordinal));
    }

    private static IEnumerable<string> Methods(RouteEndpoint route) =>
        route.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods.Where(method => method != "HEAD")
            ?? [];

    private static async Task<JsonArray> ItemsAsync(Person person, string path) =>
        (await person.GetAsync(path)).Expect(200).Body!["items"]!.AsArray();

    private static char Sign(int status) => status switch
    {
        401 => '1',
        403 => '3',
        404 => '4',
        >= 500 => '!',
        _ => '+',
    };

    /// <summary>A class of Maya's with Bea in it, and Maya's connection.</summary>
    private async Task<Dictionary<string, string>> ObjectsAsync()
    {
        var made = (await Product.Maya.PostAsync("classes", RunningProduct.ClassBody("Drawing"))).Expect(202);
        var seat = (await EnrolAsync(Product.Bea, made["id"])).Expect(202);
        var connection = (await Product.Maya.GetAsync("calendar/connections"))
            .Expect(200).Body!["items"]![0]!;
        var slotId = Slots(made)[0]["id"]!.ToString();
        var proposalId = "prp_" + new string('0', 26);
        await Product.ExecuteAsync(
            """
            INSERT INTO proposals (id, tenant_id, class_id, slot_id, mirror_id, kind, state, from_start,
                from_end, slot_version, event_id, found_at, updated_at)
            SELECT @proposalId, m.tenant_id, s.class_id, s.id, m.id, 'deleted', 'pending', s.start_at,
                s.end_at, s.version, m.provider_event_id, s.created_at, s.created_at
            FROM slots s JOIN mirrors m ON m.slot_id = s.id
            """,
            new { proposalId });
        return new(StringComparer.Ordinal)
        {
            ["classId"] = made["id"],
            ["slotId"] = slotId,
            ["subject"] = slotId,
            ["enrolmentId"] = seat["id"],
            ["proposalId"] = proposalId,
            ["operationId"] = seat.Body!["operation"]!["id"]!.ToString(),
            ["connectionId"] = connection["id"]!.ToString(),
            ["calendarId"] = connection["calendars"]![0]!["id"]!.ToString(),
            ["name"] = "verification",
            ["student"] = Product.Chen.Id,
            ["userId"] = Product.Chen.Id,
        };
    }

    /// <summary>Asks so that somebody who is let in changes as little as possible: a stale version, an
    /// impossible value.</summary>
    private static Task<ApiAnswer> AskAsync(
        Person person, string method, string path, Dictionary<string, string> ids)
    {
        if (method == "GET")
            return person.SendAsync(HttpMethod.Get, path, null);
        JsonObject? body = null;
        if (path.EndsWith("/calendar", StringComparison.Ordinal))
            body = new JsonObject { ["calendarId"] = ids["calendarId"] };
        else if (path.EndsWith("/enrollments", StringComparison.Ordinal))
            body = new JsonObject { ["studentId"] = ids["student"], ["calendarEmail"] = "nowhere" };
        else if (method != "DELETE")
            body = [];
        return person.SendAsync(new HttpMethod(method), path, body, ("If-Match", "\"999999\""));
    }
}
