using CalSync.App.Api.Authentication;
using CalSync.App.Api.Bodies;
using CalSync.App.Api.Idempotency;
using CalSync.Classes;
using CalSync.Storage.Classes;
using static CalSync.App.Api.Problems.ProblemCatalogue;

namespace CalSync.App.Api;

/// <summary>Operations: what was promised to the calendar and how far it is.</summary>
internal static class OperationsApi
{
    private const Roles Operators = Roles.Admin | Roles.Operator;

    /// <summary>Adds the routes.</summary>
    public static void MapOperations(this IEndpointRouteBuilder api)
    {
        api.MapGet("/api/v1/operations", ListAsync).Allow(Roles.Any).Gives<Page<OperationSummary>>(200)
            .Says("listOperations", "List operations",
                "Newest first. Students and teachers see those of their seats and classes; state narrows.");
        api.MapGet("/api/v1/operations/{operationId}", GetAsync).Allow(Roles.Any).Gives<OperationView>(200)
            .Fails(NotFound)
            .Says(
                "getOperation", "Read an operation", "With every event it touches, reason and next attempt.");
        api.MapPost("/api/v1/operations/{operationId}/retry", RetryAsync).Allow(Operators)
            .Takes<EmptyRequest>().Gives<OperationView>(202).Keyed().Fails(NotFound, NotPossibleNow)
            .Says("retryOperation", "Try again now", "Sends what is not verified yet round again at once.");
        api.MapPost("/api/v1/operations/{operationId}/abandon", AbandonAsync).Allow(Operators)
            .Takes<AbandonRequest>().Gives<OperationView>(200).Keyed()
            .Fails(NotFound, NotPossibleNow, ValidationFailed)
            .Says("abandonOperation", "Give an operation up",
                "No more attempts; its seat is kept for a person to look at. Needs a reason.");
    }

    private static async Task<Answer> ListAsync(
        HttpRequest request, RequestScope scope, OperationReads reads, CancellationToken cancellation)
    {
        if (PageQuery.Read(request, out var page, "state", "classId") is { } problem)
            return scope.Refuse(problem);
        string? state = request.Query["state"];
        string? classId = request.Query["classId"];
        if ((classId is not null && !RouteWords.IsId(classId))
            || (state is not null
            && (state.Length > 40 || !state.All(letter => char.IsAsciiLetterLower(letter) || letter == '_'))))
        {
            return scope.Refuse(MalformedRequest.With("state or classId cannot be read."));
        }

        var operations = await reads.ListAsync(
            scope.Who.Actor, state, classId, page.After, page.Limit, cancellation);
        return Answer.Json(200, operations, ApiJson.Default.PageOperationSummary);
    }

    private static async Task<Answer> GetAsync(
        string operationId, RequestScope scope, OperationReads reads, CancellationToken cancellation) =>
        await reads.FindAsync(scope.Who.Actor, operationId, cancellation) is { } operation
            ? Answer.Json(200, operation, ApiJson.Default.OperationView)
            : scope.Refuse(NotFound.With("There is no such operation for you."));

    private static Task<Answer> RetryAsync(
        string operationId, Body<EmptyRequest> body, RequestScope scope, RequestKey key, CommandFlow flow,
        OperationReads reads) =>
        flow.RunAsync(
            new Change(scope, key, "POST /operations/{operationId}/retry", operationId, body.Fingerprint,
                new ClassCommand.RetryOperation(operationId), null),
            _ => PresentAsync(scope, reads, operationId, 202));

    private static Task<Answer> AbandonAsync(
        string operationId, Body<AbandonRequest> body, RequestScope scope, RequestKey key, CommandFlow flow,
        OperationReads reads) =>
        flow.RunAsync(
            new Change(scope, key, "POST /operations/{operationId}/abandon", operationId, body.Fingerprint,
                new ClassCommand.AbandonOperation(operationId, body.Value.Reason ?? ""), null),
            _ => PresentAsync(scope, reads, operationId, 200));

    private static async Task<Answer> PresentAsync(
        RequestScope scope, OperationReads reads, string operationId, int status)
    {
        var operation = await reads.FindAsync(scope.Who.Actor, operationId, CancellationToken.None)
            ?? throw new InvalidOperationException("The operation of a committed command cannot be read.");
        return Answer.Json(status, operation, ApiJson.Default.OperationView);
    }
}
