namespace CalSync.Sandbox.CalDav;

/// <summary>What kind of thing a path names.</summary>
internal enum DavKind
{
    Unknown = 0,
    Root = 1,
    WellKnown = 2,
    Principal = 3,
    Home = 4,
    Calendar = 5,
    Resource = 6,
}

/// <summary>A request path, taken apart and percent-decoded.</summary>
/// <param name="Kind">What it names by its form; whether that exists is another question.</param>
/// <param name="Dsid">The account's number; empty above it.</param>
/// <param name="CalendarId">The calendar; empty above it.</param>
/// <param name="Name">The resource; empty above it.</param>
internal readonly record struct DavPath(DavKind Kind, string Dsid, string CalendarId, string Name)
{
    private static readonly DavPath Nothing = new(DavKind.Unknown, "", "", "");

    public static DavPath Of(DavAccount account, DavKind kind) => new(kind, account.Dsid, "", "");

    public static DavPath Of(DavCalendar calendar) =>
        new(DavKind.Calendar, calendar.Owner.Dsid, calendar.Id, "");

    public static DavPath Of(DavCalendar calendar, string name) =>
        new(DavKind.Resource, calendar.Owner.Dsid, calendar.Id, name);

    /// <summary>Reads a request target or an href, as path or as absolute address.</summary>
    public static DavPath Parse(string target)
    {
        if (!target.StartsWith('/'))
        {
            if (!Uri.TryCreate(target, UriKind.Absolute, out var address))
                return Nothing;
            target = address.AbsolutePath;
        }

        var query = target.IndexOfAny(['?', '#']);
        var segments = (query < 0 ? target : target[..query]).Split('/')[1..]
            .Select(Uri.UnescapeDataString).ToArray();
        var isCollection = segments[^1].Length == 0;
        return (isCollection ? segments[..^1] : segments) switch
        {
            [] => new DavPath(DavKind.Root, "", "", ""),
            [".well-known", "caldav"] => new DavPath(DavKind.WellKnown, "", "", ""),
            [var dsid, "principal"] => new DavPath(DavKind.Principal, dsid, "", ""),
            [var dsid, "calendars"] => new DavPath(DavKind.Home, dsid, "", ""),
            [var dsid, "calendars", var calendar] => new DavPath(DavKind.Calendar, dsid, calendar, ""),
            [var dsid, "calendars", var calendar, var name] when !isCollection =>
                new DavPath(DavKind.Resource, dsid, calendar, name),
            _ => Nothing,
        };
    }

    /// <summary>The href, percent-encoded; collections end with a slash.</summary>
    public override string ToString() => Kind switch
    {
        DavKind.Principal => $"/{Dsid}/principal/",
        DavKind.Home => $"/{Dsid}/calendars/",
        DavKind.Calendar => $"/{Dsid}/calendars/{Uri.EscapeDataString(CalendarId)}/",
        DavKind.Resource =>
            $"/{Dsid}/calendars/{Uri.EscapeDataString(CalendarId)}/{Uri.EscapeDataString(Name)}",
        DavKind.WellKnown => "/.well-known/caldav",
        DavKind.Unknown or DavKind.Root => "/",
    };
}
