using CalSync.App.Api.Authentication;
using CalSync.App.Api.Idempotency;
using CalSync.App.Api.Problems;
using CalSync.Storage.Mirroring;
using static CalSync.App.Api.Problems.ProblemCatalogue;

namespace CalSync.App.Api;

/// <summary>How the caller's events stand after they were looked at. R-OAUTH-10.</summary>
/// <param name="Status">
/// <c>synced</c>, <c>partial</c> when some failed or were not tried, or <c>pending</c> while some are under
/// way.
/// </param>
/// <param name="Message">The same in a sentence.</param>
/// <param name="Synced">Events that were read back as they should be.</param>
/// <param name="Pending">Events under way.</param>
/// <param name="FailedCount">How many failed; the list names at most 100.</param>
/// <param name="SkippedCount">How many were not tried; the list names at most 100.</param>
/// <param name="Failed">Tried, and not as they should be.</param>
/// <param name="Skipped">Not tried: they wait for a person.</param>
internal sealed record SyncView(
    string Status, string Message, int Synced, int Pending, int FailedCount, int SkippedCount,
    IReadOnlyList<SyncEventView> Failed, IReadOnlyList<SyncEventView> Skipped);

/// <summary>An event that is not as it should be. R-BCAL-5.</summary>
/// <param name="EventId">Its id at the provider.</param>
/// <param name="SlotId">Its slot.</param>
/// <param name="ClassId">Its class.</param>
/// <param name="Class">
/// What is wrong: <c>authentication_expired</c>, <c>permission_denied</c>, <c>rate_limited</c>,
/// <c>service_unavailable</c>, <c>not_found</c>, <c>refused</c> or <c>not_verified</c>.
/// </param>
/// <param name="Reason">The code behind it.</param>
/// <param name="Attempt">How often it was tried in a row.</param>
/// <param name="NextAttemptAt">When it is tried next, UTC; null when nothing is tried by itself.</param>
internal sealed record SyncEventView(
    string EventId, string SlotId, string ClassId, string Class, string? Reason, int Attempt,
    DateTimeOffset? NextAttemptAt);

/// <summary>Has the caller's calendar brought up to date now, and says how it stands.</summary>
/// <remarks>
/// The calendar is kept up to date without anybody asking. These routes look at the connection first, make
/// what waits to be tried again due at once, and wait for it within the limit of every change.
/// </remarks>
internal static class CalendarSyncApi
{
    private const Roles Teachers = Roles.Admin | Roles.Instructor;
    private const string Json = "application/json";
    private const string ProblemJson = "application/problem+json";

    /// <summary>Adds the routes.</summary>
    public static void MapCalendarSync(this IEndpointRouteBuilder api)
    {
        api.MapPost("/api/v1/calendar/sync", SyncAsync).Allow(Teachers).Gives<SyncView>(200)
            .Gives<SyncView>(202).KeyedHere().Fails(Problems)
            .Says(
                "syncCalendar", "Bring my calendar up to date",
                "200 when nothing is under way any more, 202 when something is. A connection that does not "
                    + "work is a problem; who accepts application/json and no problem gets it as status, "
                    + "message and error_type.");
        api.MapPost("/api/v1/calendar/sync/auto", AutoAsync).Allow(Teachers).Gives<SyncView>(200)
            .Gives<SyncView>(202).KeyedHere().Fails(Problems)
            .Says(
                "autoSyncCalendar", "Bring my calendar up to date, by a program",
                "As syncCalendar; who accepts application/json and no problem gets one with status 200.");
        api.MapGet("/api/v1/calendar/sync/auto", LookAsync).Allow(Teachers).Gives<SyncView>(200)
            .Fails(Problems)
            .Says(
                "getAutoSync", "Is my calendar up to date",
                "Looks at the connection and the events; starts nothing. Problems as in autoSyncCalendar.");
    }

    private static ProblemType[] Problems =>
    [
        NoCalendar, GoogleReauthRequired, GoogleRefreshFailed, GooglePermissionMissing, ProviderBusy,
        ProviderUnavailable,
    ];

    private static async Task<Answer> SyncAsync(
        RequestKey _, HttpRequest request, RequestScope scope, CalendarSync sync,
        CancellationToken cancellation) =>
        Tell(
            request, scope, await sync.RunAsync(scope, isLook: false, cancellation),
            problem => problem.Status);

    private static async Task<Answer> AutoAsync(
        RequestKey _, HttpRequest request, RequestScope scope, CalendarSync sync,
        CancellationToken cancellation) =>
        Tell(request, scope, await sync.RunAsync(scope, isLook: false, cancellation), _ => 200);

    private static async Task<Answer> LookAsync(
        HttpRequest request, RequestScope scope, CalendarSync sync, CancellationToken cancellation) =>
        Tell(request, scope, await sync.RunAsync(scope, isLook: true, cancellation), _ => 200);

    private static Answer Tell(
        HttpRequest request, RequestScope scope, CalendarSyncOutcome outcome, Func<Problem, int> legacyStatus)
    {
        if (outcome is CalendarSyncOutcome.Refused { Problem: var problem })
        {
            return IsLegacy(request)
                ? ProviderProblems.Legacy(problem, legacyStatus(problem))
                : scope.Refuse(problem);
        }

        var (standing, isLook) = (CalendarSyncOutcome.Looked)outcome;
        var (status, message) = Words(standing);
        var view = new SyncView(
            status, message, standing.SyncedCount, standing.UnderWayCount, standing.FailedCount,
            standing.SkippedCount, [.. standing.Failed.Select(View)], [.. standing.Skipped.Select(View)]);
        var answer = Answer.Json(
            standing.UnderWayCount > 0 && !isLook ? 202 : 200, view, ApiJson.Default.SyncView);
        return answer.Status == 202 ? answer.With("Retry-After", "2") : answer;
    }

    private static (string Status, string Message) Words(SyncStanding standing) => standing switch
    {
        { UnderWayCount: > 0 } => ("pending", "Your calendar is being brought up to date."),
        { FailedCount: > 0 } or { SkippedCount: > 0 } =>
            ("partial", "Some events are not on your calendar as they should be."),
        _ => ("synced", "Your calendar is up to date."),
    };

    private static SyncEventView View(SyncEvent found) => new(
        found.EventId, found.SlotId, found.ClassId, ProviderErrors.ClassOf(found.Reason), found.Reason,
        found.Attempts, found.NextAttemptAt);

    // Decision C-09: the older contract's clients say application/json and know no problem.
    private static bool IsLegacy(HttpRequest request)
    {
        var named = request.GetTypedHeaders().Accept.Where(range => range.Quality != 0)
            .Select(range => range.MediaType.Value).ToList();
        return named.Contains(Json, StringComparer.OrdinalIgnoreCase)
            && !named.Contains(ProblemJson, StringComparer.OrdinalIgnoreCase);
    }
}
