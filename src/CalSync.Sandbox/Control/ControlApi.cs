using CalSync.Sandbox.Google;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace CalSync.Sandbox.Control;

/// <summary>The control plane under /_sandbox: no token, no faults, no log entry.</summary>
internal static class ControlApi
{
    public static void Map(IEndpointRouteBuilder routes, SandboxState state)
    {
        var control = routes.MapGroup("/_sandbox");
        MapScripts(control, state);
        MapObservation(control, state);
        MapInterventions(control, state);
        MapHand(control, state);
    }

    private static void MapScripts(RouteGroupBuilder control, SandboxState state)
    {
        control.MapGet("/faults", () => state.Faults.Reports());
        control.MapPost("/faults", (FaultScript script) => state.Faults.Add(script));
        control.MapDelete("/faults", () =>
        {
            state.Faults.Clear();
            return Results.NoContent();
        });
        control.MapGet("/latency", () => new SandboxLatency((int)state.Latency.TotalMilliseconds));
        control.MapPost("/latency", (SandboxLatency latency) =>
        {
            state.Latency = TimeSpan.FromMilliseconds(latency.Milliseconds);
            return latency;
        });
        control.MapGet("/quota", () => state.Quota.Limits);
        control.MapPost("/quota", (SandboxQuota quota) => state.Quota.Limits = quota);
        control.MapGet("/settings", () => state.Model.Settings);
        control.MapPost("/settings", (SandboxSettings settings) => state.Model.Settings = settings);
        control.MapGet("/clock", () => new SandboxTime(state.Clock.GetUtcNow()));
        control.MapPost("/clock", (ClockRequest request) =>
        {
            state.Clock.Advance(TimeSpan.FromSeconds(request.AdvanceSeconds));
            return new SandboxTime(state.Clock.GetUtcNow());
        });
        control.MapPost("/reset", () =>
        {
            state.Reset();
            return Results.NoContent();
        });
    }

    private static void MapObservation(RouteGroupBuilder control, SandboxState state)
    {
        control.MapGet("/calls", () => state.Calls.All());
        control.MapDelete("/calls", () =>
        {
            state.Calls.Clear();
            return Results.NoContent();
        });
        control.MapGet("/truth", (string? calendar) =>
        {
            lock (state.Model.Gate)
                return GroundTruth.Show(state.Model, calendar);
        });
        control.MapGet("/mails", (bool? all) =>
        {
            IReadOnlyList<SandboxMail> mails;
            lock (state.Model.Gate)
                mails = [.. state.Model.Mails.All];
            lock (state.CalDav.Gate)
                return mails.Concat(state.CalDav.Mails).Where(mail => mail.Mailed || all == true).ToList();
        });
        control.MapDelete("/mails", () =>
        {
            lock (state.Model.Gate)
                state.Model.Mails.Clear();
            lock (state.CalDav.Gate)
                state.CalDav.Mails.Clear();
            return Results.NoContent();
        });
    }

    private static void MapInterventions(RouteGroupBuilder control, SandboxState state)
    {
        control.MapPost("/users", (SandboxUser user) =>
        {
            if (user.Email is not { Length: > 0 } || user.TimeZone is null
                || EventTime.Zone(user.TimeZone) is null)
            {
                return Refusal(GoogleError.Invalid("An e-mail address and an IANA time zone are needed."));
            }

            lock (state.Model.Gate)
                state.Model.AddAccount(user.Email, user.Name ?? user.Email, user.TimeZone);
            return Results.Ok(user);
        });
        control.MapPost("/calendars", (NewCalendarRequest request) =>
        {
            lock (state.Model.Gate)
            {
                if (state.Model.Account(request.User) is not { } account
                    || EventTime.Zone(request.TimeZone) is null)
                {
                    return Refusal(GoogleError.Invalid("A known account and an IANA time zone are needed."));
                }

                var id = state.Model.Ids.NextBase32Hex() + "@group.calendar.google.com";
                state.Model.AddCalendar(id, request.Summary, request.TimeZone, account);
                return Results.Ok(new CalendarRequest(id));
            }
        });
        control.MapPost("/revoke", (AccountRequest request) =>
        {
            lock (state.Model.Gate)
                return new CountAnswer(state.OAuth.RevokeAll(request.User));
        });
        control.MapPost("/expire-tokens", (AccountRequest request) =>
        {
            lock (state.Model.Gate)
                return new CountAnswer(state.OAuth.ExpireAccessTokens(request.User));
        });
        control.MapPost("/delete-calendar", (CalendarRequest request) =>
        {
            lock (state.Model.Gate)
            {
                if (state.Model.Calendar(request.CalendarId) is not { } calendar)
                    return Refusal(GoogleError.NotFound);
                state.Model.Calendars.Remove(calendar);
                return Results.NoContent();
            }
        });
        control.MapPost("/set-access", (AccessRequest request) => SetAccess(state, request));
        control.MapPost("/invalidate-sync-tokens", (InvalidateRequest request) => Invalidate(state, request));
    }

    private static void MapHand(RouteGroupBuilder control, SandboxState state) =>
        control.MapPost("/edit-event", (HandEdit edit) =>
        {
            lock (state.Model.Gate)
            {
                return HandEdits.Apply(state.Model, edit, out var edited) is { } error
                    ? Refusal(error)
                    : Results.Ok(edited);
            }
        });

    private static IResult SetAccess(SandboxState state, AccessRequest request)
    {
        lock (state.Model.Gate)
        {
            if (state.Model.Calendar(request.CalendarId) is not { } calendar
                || state.Model.Account(request.User) is not { } account)
            {
                return Refusal(GoogleError.NotFound);
            }

            if (request.Role is not ("owner" or "writer" or "reader" or "freeBusyReader" or "none"))
                return Refusal(GoogleError.Invalid("Unknown role.", "role"));
            state.Model.SetAccess(calendar, account, request.Role == "none" ? null : request.Role);
            return Results.NoContent();
        }
    }

    private static IResult Invalidate(SandboxState state, InvalidateRequest request)
    {
        lock (state.Model.Gate)
        {
            var everything = request is { CalendarId: null, User: null };
            foreach (var calendar in state.Model.AllCalendars)
            {
                if (everything || calendar.Id == request.CalendarId)
                    calendar.TokenEpoch++;
            }

            foreach (var account in state.Model.Accounts)
            {
                if (everything || account.Email == request.User)
                    account.ListTokenEpoch++;
            }

            return Results.NoContent();
        }
    }

    private static IResult Refusal(GoogleError error) =>
        Results.Text(error.ToBody().ToJsonString(), "application/json", statusCode: error.Code);
}
