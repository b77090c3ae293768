using System.Text.Json.Nodes;
using CalSync.Lab.Running;
using Xunit;

namespace CalSync.Tests.Api;

/// <summary>
/// Who may do what to whose objects: every operation of the description against every kind of caller. An
/// operation without a row fails, so a new route cannot be forgotten.
/// </summary>
[Trait("Category", "Slow")]
public sealed class AuthorisationTests : ProductTest
{
    // Stale preconditions and hopeless bodies keep the objects as they are: 412, 409 and 422 mean "you may,
    // but not so". Columns: admin, operator, the class's instructor, another, the seat's student, another,
    // another organisation's admin, nobody.
    private const string Table =
        """
        createClass        422 403 422 422 403 403 422 401
        listClasses        200 200 200 200 200 200 200 401
        getClass           200 200 200 404 200 200 404 401
        updateClass        412 403 412 404 403 403 404 401
        cancelClass        412 403 412 404 403 403 404 401
        getSlot            200 200 200 404 200 200 404 401
        moveSlot           412 403 412 404 403 403 404 401
        cancelSlot         412 403 412 404 403 403 404 401
        listEnrolments     200 200 200 404 200 200 404 401
        enrol              404 403 404 404 200 422 404 401
        getEnrolment       200 200 200 404 200 404 404 401
        cancelEnrolment    412 403 412 404 412 404 404 401
        confirmPayment     200 403 200 404 403 403 404 401
        listOperations     200 200 200 200 200 200 200 401
        getOperation       200 200 200 404 404 404 404 401
        retryOperation     409 409 403 403 403 403 404 401
        abandonOperation   409 409 403 403 403 403 404 401
        listProposals      200 200 200 200 403 403 200 401
        getProposal        200 200 200 404 403 403 404 401
        acceptProposal     412 403 412 404 403 403 404 401
        refuseProposal     412 403 412 404 403 403 404 401
        getClassHistory    200 200 200 404 403 403 404 401
        getEventHistory    200 200 200 404 403 403 404 401
        listChanges        200 200 200 200 200 200 200 401
        listConnections    200 200 200 200 200 200 200 401
        connectGoogle      422 403 422 422 403 403 422 401
        disconnect         404 403 204 404 403 403 404 401
        selectCalendar     404 403 404 404 403 403 404 401
        checkTokens        200 200 200 200 200 200 200 401
        refreshTokens      200 403 200 200 403 403 200 401
        syncCalendar       409 403 200 409 403 403 409 401
        autoSyncCalendar   409 403 200 409 403 403 409 401
        getAutoSync        409 403 200 409 403 403 409 401
        getMe              200 200 200 200 200 200 200 401
        getMyProfile       200 200 200 200 200 200 200 401
        updateMyProfile    412 412 412 412 412 412 412 401
        getProfile         200 403 403 403 403 403 404 401
        updateProfile      412 403 403 403 403 403 404 401
        getMySchedule      200 200 200 200 200 200 200 401
        streamMyEvents     200 200 200 200 200 200 200 401
        listMyNotices      200 200 200 200 200 200 200 401
        listSwitches       200 200 403 403 403 403 200 401
        getSwitch          200 200 403 403 403 403 200 401
        setSwitch          422 422 403 403 403 403 422 401
        clearSwitch        200 200 403 403 403 403 200 401
        getBreakers        200 200 403 403 403 403 200 401
        signIn             422 422 422 422 422 422 422 422
        startGoogleSignIn  404 404 404 404 404 404 404 404
        finishGoogleSignIn 422 422 422 422 422 422 422 422
        signOut            409 409 409 409 409 409 409 401
        signOutEverywhere  204 204 204 204 204 204 204 401
        changeMyPassword   422 422 422 422 422 422 422 401
        getKeySet          200 200 200 200 200 200 200 200
        getLiveness        200 200 200 200 200 200 200 200
        getReadiness       200 200 200 200 200 200 200 200
        getHealth          200 200 200 200 200 200 200 200
        getMetrics         200 200 403 403 403 403 200 401
        """;

    [Fact]
    [Trait("Requirement", "R-FIX-4-E")]
    public async Task EveryOperation_AnswersEveryCallerAsTheTableSays()
    {
        var made = await NewClassAsync();
        var seat = (await EnrolAsync(Product.Bea, made["id"])).Expect(201);
        var connection = (await Product.Maya.GetAsync("calendar/connections")).Body!["items"]![0]!;
        var ids = new Dictionary<string, string>
        {
            ["classId"] = made["id"],
            ["slotId"] = (string)Slots(made)[0]["id"]!,
            ["subject"] = (string)Slots(made)[0]["id"]!,
            ["enrolmentId"] = seat["id"],
            ["operationId"] = (string)made.Body!["operation"]!["id"]!,
            ["proposalId"] = await ProposeAsync(made),
            ["connectionId"] = (string)connection["id"]!,
            ["name"] = "verification",
            ["userId"] = Product.Chen.Id,
        };
        Person[] callers =
        [
            Product.Admin, Product.Operator, Product.Maya, Product.Arjun, Product.Bea, Product.Chen,
                Product.Stranger,
            Product.Nobody,
        ];
        var rows = Table.Split('\n').Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .ToDictionary(cells => cells[0], cells => string.Join(' ', cells[1..]));
        var wrong = new List<string>();
        foreach (var operation in (await Operations.ReadAsync(Product))
            .OrderBy(found => found.Id == "disconnect"))
        {
            var observed = new List<int>();
            foreach (var caller in callers)
            {
                observed.Add(
                    (await operation.SendAsync(
                    caller, ids, Body(operation.Id), ("If-Match", "\"99\""))).Status);
            }

            var expected = rows.GetValueOrDefault(operation.Id, "no row");
            if (string.Join(' ', observed) != expected)
                wrong.Add($"{operation.Id}: expected {expected}, observed {string.Join(' ', observed)}");
            Assert.True(
                operation.Method == HttpMethod.Get || operation.IsIdempotent
                    || Operations.Unkeyed.Contains(operation.Id),
                $"{operation.Id} takes no key");
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    private static JsonObject Body(string operation) => operation switch
    {
        "createClass" => new JsonObject { ["title"] = "" },
        "enrol" => new JsonObject { ["calendarEmail"] = "not an address" },
        "abandonOperation" => new JsonObject { ["reason"] = "tired of it" },
        "connectGoogle" => new JsonObject { ["loginHint"] = "a\u0001b" },
        "selectCalendar" => new JsonObject { ["calendarId"] = "cal_00000000000000000000000000" },
        "setSwitch" => new JsonObject { ["value"] = "never heard of" },
        "updateClass" => new JsonObject { ["title"] = "Taken over" },
        "moveSlot" => new JsonObject { ["start"] = "2031-02-01T10:00:00" },
        _ => [],
    };
}
