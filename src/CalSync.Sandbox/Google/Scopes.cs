namespace CalSync.Sandbox.Google;

/// <summary>OAuth scopes of Calendar v3 and which calls each of them opens.</summary>
internal static class Scopes
{
    private const string Prefix = "https://www.googleapis.com/auth/calendar";

    public static readonly IReadOnlyList<string> EventsRead =
    [
        Prefix, Prefix + ".readonly", Prefix + ".events", Prefix + ".events.readonly",
        Prefix + ".events.owned",
        Prefix + ".events.owned.readonly", Prefix + ".app.created",
    ];

    public static readonly IReadOnlyList<string> EventsWrite =
        [Prefix, Prefix + ".events", Prefix + ".events.owned", Prefix + ".app.created"];

    public static readonly IReadOnlyList<string> ListRead =
    [
        Prefix, Prefix + ".readonly", Prefix + ".calendarlist", Prefix + ".calendarlist.readonly",
    ];

    public static readonly IReadOnlyList<string> CalendarsRead =
    [
        Prefix, Prefix + ".readonly", Prefix + ".calendars", Prefix + ".calendars.readonly",
            Prefix + ".app.created",
    ];

    public static readonly IReadOnlyList<string> CalendarsWrite =
        [Prefix, Prefix + ".calendars", Prefix + ".app.created"];

    public static readonly IReadOnlyList<string> FreeBusy =
        [Prefix, Prefix + ".readonly", Prefix + ".freebusy", Prefix + ".events.freebusy"];
}
