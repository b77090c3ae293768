using CalSync.Sandbox.Http;
using Microsoft.AspNetCore.Routing;

namespace CalSync.Sandbox.Google;

/// <summary>events.* but watch.</summary>
internal static class EventsApi
{
    private const string Events = "/calendar/v3/calendars/{calendarId}/events";
    private const string Event = Events + "/{eventId}";

    public static void Map(IEndpointRouteBuilder routes, Gateway gateway, SandboxState state)
    {
        gateway.Map(routes, "GET", Events, new Operation("events.list", Scopes.EventsRead), List);
        gateway.Map(routes, "GET", Event, new Operation("events.get", Scopes.EventsRead), Get);
        Write("POST", Events, "events.insert", write => state.Model.Writes.Insert(write));
        Write("POST", Events + "/import", "events.import", write => state.Model.Writes.Import(write));
        Write("PATCH", Event, "events.patch", write => state.Model.Writes.Patch(write));
        Write("PUT", Event, "events.update", write => state.Model.Writes.Update(write));
        Write("DELETE", Event, "events.delete", write => state.Model.Writes.Delete(write));
        gateway.Map(
            routes, "GET", Event + "/instances", new Operation("events.instances", Scopes.EventsRead),
            ListInstances);
        gateway.Map(
            routes, "POST", Event + "/move", new Operation("events.move", Scopes.EventsWrite), Move);

        Answer List(GoogleCall call) => EventQuery.Read(call.Query, out var query) is { } invalid
            ? invalid
            : state.Model.Listing.List(call.User, call.CalendarId, query);

        Answer Get(GoogleCall call) => EventQuery.Read(call.Query, out var query) is { } invalid
            ? invalid
            : state.Model.Listing.Get(call.User, call.CalendarId, call.EventId, query, call.IfNoneMatch);

        Answer ListInstances(GoogleCall call) => EventQuery.Read(call.Query, out var query) is { } invalid
            ? invalid
            : state.Model.Listing.ListInstances(
                call.User, call.CalendarId, call.EventId, query,
                call.Query["originalStart"].FirstOrDefault());

        Answer Move(GoogleCall call)
        {
            if (call.Query["destination"].FirstOrDefault() is not { Length: > 0 } destination)
                return GoogleError.Required("Required parameter: destination");
            return call.ReadWrite(out var write) is { } invalid
                ? invalid
                : state.Model.Writes.Move(write, destination);
        }

        void Write(string method, string pattern, string operation, Func<EventWrite, Answer> apply) =>
            gateway.Map(
                routes, method, pattern, new Operation(operation, Scopes.EventsWrite),
                call => call.ReadWrite(out var write) is { } invalid ? invalid : apply(write));
    }
}
