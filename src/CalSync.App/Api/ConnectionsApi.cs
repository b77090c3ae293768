using System.Diagnostics;
using System.Net;
using CalSync.App.Api.Authentication;
using CalSync.App.Api.Bodies;
using CalSync.App.Api.Idempotency;
using CalSync.Storage.Classes;
using CalSync.Storage.Identity;
using CalSync.Sync.Connections;
using static CalSync.App.Api.Problems.ProblemCatalogue;

namespace CalSync.App.Api;

/// <summary>A connection with its calendars.</summary>
/// <param name="Id">The connection.</param>
/// <param name="Provider"><c>google</c> or <c>google-sandbox</c>.</param>
/// <param name="AccountEmail">The account at the provider.</param>
/// <param name="State">
/// <c>healthy</c>, <c>expiring_soon</c>, <c>refreshing</c>, <c>degraded</c>, <c>needs_reauth</c> or
/// <c>disconnected</c>.
/// </param>
/// <param name="Reason">Why it does not work, as a code; null when it does.</param>
/// <param name="Message">Why it is in this state, in a sentence; null when it is healthy.</param>
/// <param name="Action">What its owner can do; null when there is nothing to do.</param>
/// <param name="AccessExpiresAt">End of the access token, UTC; it is renewed before.</param>
/// <param name="GrantExpiresAt">End of the permission itself, UTC; null when it has none.</param>
/// <param name="NextAttemptAt">When the next attempt is due, UTC.</param>
/// <param name="Warnings">What is to come.</param>
/// <param name="Calendars">Primary first.</param>
internal sealed record ConnectionView(
    string Id, string Provider, string AccountEmail, string State, string? Reason, string? Message,
    string? Action, DateTimeOffset? AccessExpiresAt, DateTimeOffset? GrantExpiresAt,
    DateTimeOffset? NextAttemptAt, IReadOnlyList<ConnectionWarning> Warnings,
    IReadOnlyList<CalendarListing> Calendars);

/// <summary>Where to send the person's browser.</summary>
/// <param name="AuthorizationUrl">The provider's consent page; usable once, for ten minutes.</param>
internal sealed record AuthorizationView(string AuthorizationUrl);

/// <summary>The caller's provider connections. Nobody sees anybody else's.</summary>
internal static class ConnectionsApi
{
    private const string Callback = "/oauth/google/callback";
    private const int CodeLengthMax = 2048;

    /// <summary>Adds the routes.</summary>
    public static void MapConnections(this IEndpointRouteBuilder api)
    {
        api.MapGet("/api/v1/calendar/connections", ListAsync).Allow(Roles.Any)
            .Gives<Page<ConnectionView>>(200)
            .Says("listConnections", "List my connections", "With health and calendars; never with tokens.");
        api.MapPost("/api/v1/calendar/connections/google", StartAsync).Allow(Roles.Admin | Roles.Instructor)
            .Takes<ConnectRequest>().Gives<AuthorizationView>(200).KeyedHere().Fails(NotFound)
            .Says("connectGoogle", "Connect a Google account",
                "Answers the page to open in a browser; Google brings the person back to the callback "
                    + "address.");
        api.MapDelete("/api/v1/calendar/connections/{connectionId}", DisconnectAsync)
            .Allow(Roles.Admin | Roles.Instructor).KeyedHere().Fails(NotFound)
            .Says(
                "disconnect", "End a connection",
                "Revokes the grant and parks its work until it is connected again.");
        api.MapPut("/api/v1/calendar/connections/{connectionId}/calendar", SelectAsync)
            .Allow(Roles.Admin | Roles.Instructor).Takes<SelectCalendarRequest>().Gives<ConnectionView>(200)
            .KeyedHere()
            .Fails(NotFound, CalendarNotWritable)
            .Says("selectCalendar", "Choose where new events go", "Events already made stay where they are.");
        api.MapGet(Callback, FinishAsync).Open().ExcludeFromDescription();
    }

    private static async Task<Answer> ListAsync(
        RequestScope scope, IConnectionStore store, ConnectionOptions tokens, CancellationToken cancellation)
    {
        var views = new List<ConnectionView>();
        foreach (var connection in await store.ListAsync(scope.Who.UserId, cancellation))
            views.Add(await ViewAsync(connection, store, tokens, scope.Now, cancellation));
        return Answer.Json(200, new Page<ConnectionView>(views, null), ApiJson.Default.PageConnectionView);
    }

    private static async Task<ConnectionView> ViewAsync(
        ConnectionListing connection, IConnectionStore store, ConnectionOptions tokens, DateTimeOffset now,
        CancellationToken cancellation)
    {
        var health = ConnectionHealth.Of(connection, tokens, now);
        return new(
            connection.Id, connection.Provider, connection.AccountEmail, health.Word, connection.Reason,
            health.Message, health.Action, connection.AccessExpiresAt, connection.GrantExpiresAt,
            connection.NextAttemptAt, health.Warnings,
            await store.CalendarsAsync(connection.Id, cancellation));
    }

    private static async Task<Answer> StartAsync(
        Body<ConnectRequest> body, RequestKey _, HttpRequest request, RequestScope scope, ConnectionFlow flow,
        IConnectionStore store, ApiOptions options, CancellationToken cancellation)
    {
        var asked = body.Value;
        if (asked.LoginHint is { } hint && (hint.Length > 254 || hint.Any(char.IsControl)))
        {
            return scope.Refuse(
                ValidationFailed.With("loginHint: at most 254 characters and no control characters."));
        }

        if (asked.ReconnectId is { } old
            && (await store.ListAsync(scope.Who.UserId, cancellation))
                .All(connection => connection.Id != old))
        {
            return scope.Refuse(NotFound.With("There is no such connection for you."));
        }

        // R-CAL-20-A: practice tenants practise, real ones do not.
        if ((scope.Who.TenantKind == TenantKind.Test) != (options.Provider == "google-sandbox"))
        {
            return scope.Refuse(ValidationFailed.With(
                $"Your organisation is {(scope.Who.TenantKind == TenantKind.Test ? "a test" : "a live")} "
                    + "one; "
                + $"this server connects {options.Provider} only."));
        }

        var address = options.PublicAddress ?? new Uri($"{request.Scheme}://{request.Host}");
        var page = await flow.StartAsync(
            scope.Who.TenantId, scope.Who.UserId, options.Provider, new Uri(address, Callback),
            asked.ReconnectId, asked.LoginHint, cancellation);
        return Answer.Json(200, new AuthorizationView(page.AbsoluteUri), ApiJson.Default.AuthorizationView);
    }

    private static async Task<Answer> DisconnectAsync(
        string connectionId, RequestKey _, RequestScope scope, ConnectionFlow flow) =>
        // Not the request's token: half a disconnection would leave a grant nobody lists.
        await flow.DisconnectAsync(connectionId, scope.Who.UserId, CancellationToken.None)
            ? Answer.NoContent
            : scope.Refuse(NotFound.With("There is no such connection for you."));

    private static async Task<Answer> SelectAsync(
        string connectionId, Body<SelectCalendarRequest> body, RequestKey _, RequestScope scope,
        ConnectionFlow flow, IConnectionStore store, ConnectionOptions tokens, CancellationToken cancellation)
    {
        if (!RouteWords.IsId(body.Value.CalendarId))
        {
            return scope.Refuse(
                ValidationFailed.With("calendarId: the id of one of the connection's calendars."));
        }

        var choice = await flow.SelectCalendarAsync(
            connectionId, scope.Who.UserId, body.Value.CalendarId!, cancellation);
        switch (choice)
        {
            case CalendarChoice.Unknown:
                return scope.Refuse(NotFound.With("There is no such calendar of yours."));
            case CalendarChoice.NotWritable:
                return scope.Refuse(CalendarNotWritable.With("The calendar is gone or may only be read."));
            case CalendarChoice.Chosen:
                break;
        }

        var connection = (await store.ListAsync(scope.Who.UserId, cancellation))
            .First(found => found.Id == connectionId);
        var view = await ViewAsync(connection, store, tokens, scope.Now, cancellation);
        return Answer.Json(200, view, ApiJson.Default.ConnectionView);
    }

    /// <summary>Where the provider brings the browser back; answers a page, because a person reads
    /// it.</summary>
    private static async Task<Answer> FinishAsync(
        HttpRequest request, ConnectionFlow flow, CancellationToken cancellation)
    {
        string? state = request.Query["state"];
        string? code = request.Query["code"];
        if (request.Query["error"].Count > 0)
        {
            return Page(
                200, "Not connected",
                "Access was not granted. Nothing was stored. You can close this page and start again.");
        }

        if (Unusable(state) || Unusable(code))
            return Page(400, "Not connected", "The address is incomplete. Please start connecting again.");
        try
        {
            return Page(await flow.CompleteAsync(state!, code!, null, cancellation));
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return Page(
                504, "Not connected",
                "The provider takes too long at the moment. Please start again in a minute.");
        }
    }

    private static Answer Page(ConnectOutcome outcome) => outcome switch
    {
        ConnectOutcome.Connected =>
            Page(200, "Connected", "Your Google Calendar is connected. You can close this page."),
        ConnectOutcome.AttemptUnknown => Page(
            400, "Not connected",
            "This attempt is unknown, already used or too old. Please start connecting again."),
        ConnectOutcome.Refused => Page(
            400, "Not connected", "The provider did not accept the answer. Please start connecting again."),
        ConnectOutcome.DifferentAccount => Page(
            409, "Not connected",
            "This is another account than the one to be reconnected. Nothing was stored."),
        ConnectOutcome.ScopeWithheld => Page(
            409, "Not connected",
            "A permission that is needed was not granted. Please start again and allow all of them."),
        ConnectOutcome.Failed => Page(
            503, "Not connected",
            "The provider does not answer at the moment. Please start again in a minute."),
        _ => throw new UnreachableException($"Unknown outcome {outcome.GetType().Name}."),
    };

    private static bool Unusable(string? value) =>
        value is null or "" || value.Length > CodeLengthMax || value.Any(letter => letter is <= ' ' or > '~');

    private static Answer Page(int status, string title, string text) => new(
        status,
        $"<!doctype html><html lang=\"en\"><head><meta "
            + $"charset=\"utf-8\"><title>{WebUtility.HtmlEncode(title)}</title></head>"
        + $"<body><h1>{WebUtility.HtmlEncode(title)}</h1><p>{WebUtility.HtmlEncode(text)}</p></body></html>",
        "text/html; charset=utf-8", []);
}
