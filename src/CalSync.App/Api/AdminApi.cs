using System.Diagnostics;
using CalSync.App.Api.Authentication;
using CalSync.App.Api.Bodies;
using CalSync.App.Api.Idempotency;
using CalSync.App.Api.Problems;
using CalSync.Remotes;
using CalSync.Storage.Classes;
using CalSync.Storage.Running;
using CalSync.Sync.Providers;
using static CalSync.App.Api.Problems.ProblemCatalogue;

namespace CalSync.App.Api;

/// <summary>The breakers between us and the provider.</summary>
/// <param name="Calendar">Of the calendar API: <c>closed</c>, <c>open</c> or <c>halfOpen</c>.</param>
/// <param name="OAuth">Of the token endpoint.</param>
/// <param name="RetriesLeft">Repeated calls the retry budget allows now.</param>
/// <param name="Connections">The organisation's connections whose own breaker is open or has counted a
/// failure; of all processes.</param>
internal sealed record BreakersView(
    string Calendar, string OAuth, int RetriesLeft, IReadOnlyList<ConnectionBreakerView> Connections);

/// <summary>The breaker of one connection.</summary>
/// <param name="ConnectionId">The connection.</param>
/// <param name="Provider">Its provider.</param>
/// <param name="Phase"><c>closed</c>, <c>open</c> or <c>halfOpen</c>.</param>
/// <param name="ConsecutiveFailures">Since the last success.</param>
/// <param name="OpenUntil">Until when no call passes, UTC; null while calls pass.</param>
internal sealed record ConnectionBreakerView(
    string ConnectionId, string Provider, string Phase, int ConsecutiveFailures, DateTimeOffset? OpenUntil);

/// <summary>For those who run it.</summary>
internal static class AdminApi
{
    private const Roles Operators = Roles.Admin | Roles.Operator;

    /// <summary>Adds the routes.</summary>
    public static void MapAdmin(this IEndpointRouteBuilder api)
    {
        api.MapGet("/api/v1/admin/switches", ListAsync).Allow(Operators).Gives<Page<SwitchState>>(200)
            .Says("listSwitches", "List the kill switches", "Each with the value in force.");
        api.MapGet("/api/v1/admin/switches/{name}", GetAsync).Allow(Operators).Gives<SwitchState>(200)
            .Fails(NotFound)
            .Says("getSwitch", "Read a kill switch", "The value in force, with who, why and until when.");
        api.MapPut("/api/v1/admin/switches/{name}", SetAsync).Allow(Operators).Takes<SwitchRequest>()
            .Gives<SwitchState>(200).KeyedHere().Fails(NotFound, ValidationFailed)
            .Says(
                "setSwitch", "Set a kill switch",
                "Needs a reason and a term of at most seven days; it ends by itself.");
        api.MapDelete("/api/v1/admin/switches/{name}", ClearAsync).Allow(Operators).Gives<SwitchState>(200)
            .KeyedHere()
            .Fails(NotFound)
            .Says("clearSwitch", "Put a kill switch back", "Doing so twice changes nothing more.");
        api.MapGet("/api/v1/admin/breakers", BreakersAsync).Allow(Operators).Gives<BreakersView>(200)
            .Says("getBreakers", "Read the breakers",
                "Those of the provider in this process, and those of connections in all.");
    }

    private static async Task<Answer> ListAsync(SwitchStore switches, CancellationToken cancellation) =>
        Answer.Json(
            200, new Page<SwitchState>(await switches.ReadAsync(cancellation), null),
            ApiJson.Default.PageSwitchState);

    private static async Task<Answer> GetAsync(
        string name, RequestScope scope, SwitchStore switches, CancellationToken cancellation) =>
        (await switches.ReadAsync(cancellation)).FirstOrDefault(state => state.Name == name) is { } state
            ? Answer.Json(200, state, ApiJson.Default.SwitchState)
            : scope.Refuse(NotFound.With("There is no such switch."));

    private static async Task<Answer> SetAsync(
        string name, Body<SwitchRequest> body, RequestKey _, RequestScope scope, SwitchStore switches,
        SwitchReader reader)
    {
        var asked = body.Value;
        if (TextProblem(asked.Reason) is { } problem)
            return scope.Refuse(problem);
        // A change under way must finish: the audit entry is part of it.
        var change = await switches.SetAsync(
            name, asked.Value ?? "", TimeSpan.FromMinutes(asked.TtlMinutes ?? 0), asked.Reason ?? "",
            scope.Who.UserId, scope.CorrelationId, CancellationToken.None);
        reader.Forget();
        return Tell(scope, change);
    }

    private static async Task<Answer> ClearAsync(
        string name, RequestKey _, RequestScope scope, SwitchStore switches, SwitchReader reader)
    {
        // As above.
        var change = await switches.ClearAsync(
            name, scope.Who.UserId, scope.CorrelationId, CancellationToken.None);
        reader.Forget();
        return Tell(scope, change);
    }

    private static Answer Tell(RequestScope scope, SwitchChange change) => change switch
    {
        SwitchChange.Done done => Answer.Json(200, done.State, ApiJson.Default.SwitchState),
        SwitchChange.UnknownName => scope.Refuse(NotFound.With("There is no such switch.")),
        SwitchChange.BadValue bad => scope.Refuse(ValidationFailed.With(bad.Definition.Values.IsEmpty
            ? "value: a whole number from 1 to 30."
            : $"value: one of {string.Join(", ", bad.Definition.Values)}.")),
        SwitchChange.NeedsReasonAndTerm => scope.Refuse(ValidationFailed.With(
            "reason must say something and ttlMinutes must be 1 to 10080.")),
        _ => throw new UnreachableException($"Unknown outcome {change.GetType().Name}."),
    };

    private static Problem? TextProblem(string? reason) =>
        reason is not null && (reason.Length > 500 || reason.Any(char.IsControl))
            ? ValidationFailed.With("reason: at most 500 characters and no control characters.")
            : null;

    private static async Task<Answer> BreakersAsync(
        RequestScope scope, GoogleRemotes remotes, BreakerDesk desk, CancellationToken cancellation)
    {
        var health = remotes.Health();
        var connections = (await desk.ListAsync(scope.Who.TenantId, cancellation)).Select(row =>
            new ConnectionBreakerView(
                row.ConnectionId, row.Provider,
                Word(new ConnectionBreaker(row.ConsecutiveFailures, row.OpenUntil).PhaseAt(scope.Now)),
                row.ConsecutiveFailures, row.OpenUntil));
        var view = new BreakersView(
            Word(health.Calendar), Word(health.OAuth), health.RetriesLeft, [.. connections]);
        return Answer.Json(200, view, ApiJson.Default.BreakersView);
    }

    private static string Word<T>(T value)
        where T : struct, Enum
    {
        var text = value.ToString();
        return char.ToLowerInvariant(text[0]) + text[1..];
    }
}
