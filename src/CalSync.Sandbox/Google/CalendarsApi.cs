using CalSync.Sandbox.Http;
using Microsoft.AspNetCore.Routing;

namespace CalSync.Sandbox.Google;

/// <summary>calendars.get, insert, patch and delete; calendarList.list and get.</summary>
internal static class CalendarsApi
{
    private const string Calendars = "/calendar/v3/calendars";
    private const string Calendar = Calendars + "/{calendarId}";
    private const string List = "/calendar/v3/users/me/calendarList";

    public static void Map(IEndpointRouteBuilder routes, Gateway gateway, SandboxState state)
    {
        gateway.Map(
            routes, "GET", Calendar, new Operation("calendars.get", Scopes.CalendarsRead),
            call => state.Model.Calendars.Get(call.User, call.CalendarId));
        gateway.Map(
            routes, "POST", Calendars, new Operation("calendars.insert", Scopes.CalendarsWrite),
            call => state.Model.Calendars.Insert(call.User, call.Body));
        gateway.Map(
            routes, "PATCH", Calendar, new Operation("calendars.patch", Scopes.CalendarsWrite),
            call => state.Model.Calendars.Patch(call.User, call.CalendarId, call.Body));
        gateway.Map(
            routes, "DELETE", Calendar, new Operation("calendars.delete", Scopes.CalendarsWrite),
            call => state.Model.Calendars.Delete(call.User, call.CalendarId));
        gateway.Map(
            routes, "GET", List, new Operation("calendarList.list", Scopes.ListRead),
            call => state.Model.Calendars.ListEntries(call.User, call.Query));
        gateway.Map(
            routes, "GET", List + "/{calendarId}", new Operation("calendarList.get", Scopes.ListRead),
            call => state.Model.Calendars.GetEntry(call.User, call.CalendarId));
    }
}
