using CalSync.Sync;

namespace CalSync.Remotes.Google;

/// <summary>Where Google Calendar is.</summary>
public sealed record GoogleOptions
{
    /// <summary>
    /// The API's base address, with the version and no trailing slash. Default
    /// <c>https://www.googleapis.com/calendar/v3</c>; the sandbox has the same paths.
    /// </summary>
    public Uri Endpoint { get; init; } = new("https://www.googleapis.com/calendar/v3");

    /// <summary>Events or calendars asked for per page. Default 250.</summary>
    [Limit("items", 1, 250)]
    public int PageCountMax { get; init; } = 250;

    /// <summary>
    /// Events asked for per page when a whole calendar is read; <see cref="PageCountMax"/> when such a page
    /// is too long an answer. Default 2,500.
    /// </summary>
    [Limit("items", 1, 2_500)]
    public int SyncPageCountMax { get; init; } = 2_500;

    /// <summary>A listing with more pages is given up as outside the protocol. Default 1,000.</summary>
    [Limit("pages", 1, 100_000)]
    public int ListingPagesMax { get; init; } = 1_000;

    /// <summary>The options for a server with Google's paths at another place, such as the sandbox.</summary>
    /// <param name="root">Scheme, host and port.</param>
    public static GoogleOptions At(Uri root) => new() { Endpoint = new(root, "/calendar/v3") };
}
