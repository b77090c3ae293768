namespace CalSync.Sandbox.CalDav;

/// <summary>A thing that exists and has properties.</summary>
internal abstract record DavTarget(DavPath Path)
{
    /// <summary>The top of the tree.</summary>
    public sealed record Root(DavPath Path) : DavTarget(Path);

    /// <summary>An account as somebody who has calendars.</summary>
    public sealed record Principal(DavAccount Account, DavPath Path) : DavTarget(Path);

    /// <summary>The collection of an account's calendars.</summary>
    public sealed record Home(DavAccount Account, DavPath Path) : DavTarget(Path);

    /// <summary>A collection beside the calendars: inbox, outbox, notification.</summary>
    public sealed record Other(DavAccount Account, DavPath Path) : DavTarget(Path);

    /// <summary>A calendar.</summary>
    public sealed record Collection(DavCalendar Calendar) : DavTarget(DavPath.Of(Calendar));

    /// <summary>A calendar object in the version that is shown.</summary>
    public sealed record Item(DavCalendar Calendar, string Name, DavVersion Version)
        : DavTarget(DavPath.Of(Calendar, Name));
}
