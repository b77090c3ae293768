using System.Text;
using CalSync.Calendar.Document;
using CalSync.Sandbox.CalDav;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace CalSync.Sandbox.Control;

/// <summary>The practice iCloud's part of the control plane, under /_sandbox/caldav.</summary>
internal static class CalDavControlApi
{
    public static void Map(IEndpointRouteBuilder routes, SandboxState state)
    {
        var control = routes.MapGroup("/_sandbox/caldav");
        control.MapGet("/quirks", () => state.CalDav.Quirks);
        control.MapPost("/quirks", (CalDavQuirks quirks) => state.CalDav.Quirks = quirks);
        control.MapGet("/truth", () => Locked(state, model => Results.Ok(Truth(model))));
        control.MapPost("/users", (CalDavUser user) => Locked(state, model =>
        {
            if (user.Email.Length == 0)
                return Results.BadRequest();
            model.AddAccount(user);
            return Results.Ok(user);
        }));
        control.MapPost("/app-passwords", (AppPasswordRequest request) => Locked(state, model =>
            model.Account(request.User) is { } account && account.AppPasswords.Add(request.Password)
                ? Results.NoContent()
                : Results.NotFound()));
        control.MapPost("/revoke", (AccountRequest request) => Locked(state, model =>
        {
            if (model.Account(request.User) is not { } account)
                return Results.NotFound();
            var count = account.AppPasswords.Count;
            account.AppPasswords.Clear();
            return Results.Ok(new CountAnswer(count));
        }));
        MapCalendars(control, state);
        control.MapPost("/edit", (CalDavHandEdit edit) => Locked(state, model => Edit(model, edit)));
    }

    private static void MapCalendars(RouteGroupBuilder control, SandboxState state)
    {
        control.MapPost("/calendars", (NewCalDavCalendar request) => Locked(state, model =>
        {
            if (model.Account(request.User) is not { } account
                || account.Calendars.ContainsKey(request.CalendarId)
                || request.CalendarId.Length == 0 || request.Component is not ("VEVENT" or "VTODO"))
            {
                return Results.BadRequest();
            }

            var made = model.AddCalendar(account, request.CalendarId, request.Name, request.Component);
            made.IsReadOnly = request.ReadOnly;
            return Results.NoContent();
        }));
        control.MapPost("/delete-calendar", (CalDavCalendarRequest request) => Locked(
            state, model => Change(model, request.User, request.CalendarId, DavModel.DeleteCalendar)));
        control.MapPost("/access", (CalDavAccessRequest request) => Locked(state, model => Change(
            model, request.User, request.CalendarId, calendar => calendar.IsReadOnly = request.ReadOnly)));
        control.MapPost("/invalidate-sync-tokens", (CalDavTokensRequest request) => Locked(state, model =>
        {
            foreach (var calendar in model.AllCalendars)
            {
                if ((request.User is null || calendar.Owner.Email == request.User)
                    && (request.CalendarId is null || calendar.Id == request.CalendarId))
                {
                    calendar.TokenEpoch++;
                }
            }

            return Results.NoContent();
        }));
    }

    private static IResult Change(
        DavModel model, string user, string calendarId, Action<DavCalendar> change)
    {
        if (model.Calendar(user, calendarId) is not { } calendar)
            return Results.NotFound();
        change(calendar);
        return Results.NoContent();
    }

    private static IResult Edit(DavModel model, CalDavHandEdit edit)
    {
        if (model.Calendar(edit.User, edit.CalendarId) is not { } calendar)
            return Results.NotFound();
        var resource = calendar.Find(edit.Resource);
        switch (edit.Action)
        {
            case "put" when edit.Content is { } content && edit.Resource.Length > 0:
                var octets = Encoding.UTF8.GetBytes(content);
                var uid = StoredForm.UidOf(CalendarDocument.Parse(octets));
                resource = model.Store(calendar, edit.Resource, octets, uid);
                return Results.Ok(Truth(calendar, resource));
            case "touch" when resource is not null:
                resource = model.Store(
                    calendar, edit.Resource, resource.Current.Octets, resource.Current.Uid);
                return Results.Ok(Truth(calendar, resource));
            case "delete" when resource is not null:
                model.Delete(calendar, resource);
                return Results.Ok(Truth(calendar, resource));
            case "touch" or "delete":
                return Results.NotFound();
            default:
                return Results.BadRequest();
        }
    }

    private static CalDavTruth Truth(DavModel model) => new(
        [.. model.AllCalendars.Select(calendar => new CalDavTruthCalendar(
            calendar.Owner.Email, calendar.Id, DavPath.Of(calendar).ToString(), calendar.Name,
            calendar.Component, calendar.IsReadOnly, calendar.Deleted,
            [.. calendar.Resources.OrderBy(resource => resource.Current.Revision)
                .Select(resource => Truth(calendar, resource))]))]);

    private static CalDavTruthResource Truth(DavCalendar calendar, DavResource resource) => new(
        resource.Name, DavPath.Of(calendar, resource.Name).ToString(), resource.Current.Uid,
        DavModel.ETagOf(calendar, resource.Current), Encoding.UTF8.GetString(resource.Current.Octets.Span));

    private static IResult Locked(SandboxState state, Func<DavModel, IResult> action)
    {
        var model = state.CalDav;
        lock (model.Gate)
            return action(model);
    }
}
