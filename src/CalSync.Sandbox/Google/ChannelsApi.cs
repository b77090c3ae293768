using CalSync.Sandbox.Http;
using Microsoft.AspNetCore.Routing;

namespace CalSync.Sandbox.Google;

/// <summary>events.watch, calendarList.watch and channels.stop.</summary>
internal static class ChannelsApi
{
    public static void Map(IEndpointRouteBuilder routes, Gateway gateway, SandboxState state)
    {
        gateway.Map(
            routes, "POST", "/calendar/v3/calendars/{calendarId}/events/watch",
            new Operation("events.watch", Scopes.EventsRead), WatchEvents);
        gateway.Map(
            routes, "POST", "/calendar/v3/users/me/calendarList/watch",
            new Operation("calendarList.watch", Scopes.ListRead),
            call => state.Model.Channels.Open(call.User, null, "/users/me/calendarList", call.Body));
        gateway.Map(
            routes, "POST", "/calendar/v3/channels/stop", new Operation("channels.stop", []),
            call => state.Model.Channels.Stop(call.User, call.Body));

        Answer WatchEvents(GoogleCall call) =>
            state.Model.Calendar(call.User, call.CalendarId) is { } calendar
                ? state.Model.Channels.Open(
                    call.User, calendar, $"/calendars/{Uri.EscapeDataString(
                        call.CalendarId)}/events", call.Body)
                : GoogleError.NotFound;
    }
}
