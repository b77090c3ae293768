using CalSync.App.Api.Authentication;
using CalSync.Calendar;
using CalSync.Storage.Classes;
using CalSync.Storage.Identity;
using static CalSync.App.Api.Problems.ProblemCatalogue;

namespace CalSync.App.Api;

/// <summary>The person behind the token.</summary>
/// <param name="Id">The user.</param>
/// <param name="TenantId">The organisation.</param>
/// <param name="TenantKind"><c>live</c> or <c>test</c>.</param>
/// <param name="Name">Shown name.</param>
/// <param name="Email">Account address.</param>
/// <param name="CalendarEmail">Where invitations go.</param>
/// <param name="Role">One role.</param>
/// <param name="TimeZone">IANA name.</param>
/// <param name="Version">For the ETag.</param>
internal sealed record MeView(
    string Id, string TenantId, string TenantKind, string Name, string Email, string CalendarEmail,
    string Role, string TimeZone, long Version);

/// <summary>What concerns the caller alone.</summary>
internal static class MeApi
{
    private static readonly TimeSpan ScheduleBack = TimeSpan.FromDays(1);
    private static readonly TimeSpan ScheduleAhead = TimeSpan.FromDays(366 * 10);

    /// <summary>Adds the routes.</summary>
    public static void MapMe(this IEndpointRouteBuilder api)
    {
        api.MapGet("/api/v1/me", GetAsync).Allow(Roles.Any).Gives<MeView>(200)
            .Says("getMe", "Who am I", "The user and tenant the token speaks for.");
        api.MapGet("/api/v1/me/schedule", ScheduleAsync).Allow(Roles.Any).Gives<Page<ScheduleEntry>>(200)
            .Says(
                "getMySchedule", "My schedule",
                "The slots taught or sat in, by start, as wanted and as mirrored, "
                + "in the class's zone, as instants and in the reader's zone; from now on unless from and "
                + "to say otherwise.");
        api.MapGet("/api/v1/me/notices", NoticesAsync).Allow(Roles.Any).Gives<Page<NoticeView>>(200)
            .Says("listMyNotices", "My notices", "Messages and reminders, newest first.");
    }

    private static async Task<Answer> GetAsync(
        RequestScope scope, IdentityStore identity, CancellationToken cancellation)
    {
        var user = await identity.FindUserAsync(scope.Who.UserId, cancellation);
        if (user is null)
            return scope.Refuse(NotFound.With("The user of the token is gone."));
        var view = new MeView(
            user.Id, user.TenantId, Word(scope.Who.TenantKind), user.Name, user.Email, user.CalendarEmail,
            Word(user.Role), user.TimeZone, user.Version);
        return Answer.Json(200, view, ApiJson.Default.MeView).WithETag(view.Version);
    }

    private static async Task<Answer> ScheduleAsync(
        HttpRequest request, RequestScope scope, ClassReads reads, CancellationToken cancellation)
    {
        if (PageQuery.Read(request, out var page, "from", "to") is { } problem)
            return scope.Refuse(problem);
        if (!Moment(request, "from", scope.Now - ScheduleBack, out var from)
            || !Moment(request, "to", scope.Now + ScheduleAhead, out var to))
        {
            return scope.Refuse(
                MalformedRequest.With("from and to are RFC 3339 times, such as 2026-03-08T09:00:00Z."));
        }

        var entries = await reads.ScheduleAsync(
            scope.Who.Actor, from, to, page.After, page.Limit, cancellation);
        return Answer.Json(200, entries, ApiJson.Default.PageScheduleEntry);
    }

    private static async Task<Answer> NoticesAsync(
        HttpRequest request, RequestScope scope, OperationReads reads, CancellationToken cancellation)
    {
        if (PageQuery.Read(request, out var page) is { } problem)
            return scope.Refuse(problem);
        var notices = await reads.NoticesAsync(scope.Who.Actor, page.After, page.Limit, cancellation);
        return Answer.Json(200, notices, ApiJson.Default.PageNoticeView);
    }

    private static bool Moment(
        HttpRequest request, string name, DateTimeOffset otherwise, out DateTimeOffset at)
    {
        at = otherwise;
        return !request.Query.TryGetValue(name, out var text)
            || (Rfc3339.TryParse(text, out at) && at.UtcDateTime.Year is >= 1970 and <= 9000);
    }

    private static string Word<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();
}
