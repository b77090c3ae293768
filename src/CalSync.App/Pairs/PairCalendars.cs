using System.Collections.Concurrent;
using System.Diagnostics;
using CalSync.Calendar;
using CalSync.Calendar.Comparison;
using CalSync.Remotes;
using CalSync.Remotes.CalDav;
using CalSync.Remotes.Dav;
using CalSync.Remotes.Google.Pairs;
using CalSync.Sync.Connections;
using CalSync.Sync.Pairs;
using CalSync.Sync.Providers;

namespace CalSync.App.Pairs;

/// <summary>What opening a calendar gave.</summary>
internal abstract record CalendarOpening
{
    private CalendarOpening()
    {
    }

    /// <summary>It can be asked; nothing was sent yet.</summary>
    /// <param name="Calendar">The calendar.</param>
    /// <param name="Place">Which it is, and its connection.</param>
    public sealed record Opened(IRemoteCalendar Calendar, CalendarPlace Place) : CalendarOpening;

    /// <summary>It cannot be asked.</summary>
    /// <param name="Why">One sentence for a person.</param>
    /// <param name="Advice">What to do: a command.</param>
    /// <param name="NeedsConsent">True when its owner must connect it again.</param>
    public sealed record Blocked(string Why, string Advice, bool NeedsConsent) : CalendarOpening;
}

/// <summary>Both calendars of a pair, or why there is none.</summary>
internal abstract record PairOpening
{
    private PairOpening()
    {
    }

    /// <summary>Both can be asked.</summary>
    public sealed record Opened(CalendarOpening.Opened Left, CalendarOpening.Opened Right) : PairOpening
    {
        /// <summary>One side.</summary>
        public CalendarOpening.Opened On(MergeSide side) => side == MergeSide.Left ? Left : Right;
    }

    /// <summary>One cannot be asked.</summary>
    public sealed record Blocked(MergeSide Side, CalendarOpening.Blocked Reason) : PairOpening;
}

/// <summary>
/// Opens the calendars pairs name: a pair's side is the id of a calendar of a connection, whatever provider
/// it is of.
/// </summary>
/// <remarks>
/// An account of a CalDAV server is kept for the life of the process, since it remembers how its server wants
/// requests signed; a new password makes a new one. Thread-safe.
/// </remarks>
/// <param name="store">The connections.</param>
/// <param name="providers">Which Google this process can reach.</param>
/// <param name="google">Google.</param>
/// <param name="dav">All CalDAV servers.</param>
/// <param name="tokens">Google's tokens.</param>
/// <param name="options">How long tokens must stay valid.</param>
/// <param name="clock">Dates what is found out about a connection.</param>
internal sealed class PairCalendars(
    IConnectionStore store, ProviderSet providers, GoogleRemotes google, CalDavRemotes dav,
    ConnectionTokens tokens, ConnectionOptions options, TimeProvider clock)
{
    private readonly ConcurrentDictionary<string, (long Version, CalDavAccount Account)> _accounts =
        new(StringComparer.Ordinal);

    /// <summary>Opens both calendars of a pair; nothing is sent.</summary>
    /// <param name="pair">The pair.</param>
    /// <param name="cancellation">Nothing is changed.</param>
    public async Task<PairOpening> OpenAsync(Pair pair, CancellationToken cancellation)
    {
        var left = await OpenAsync(pair.Left, cancellation);
        if (left is CalendarOpening.Blocked noLeft)
            return new PairOpening.Blocked(MergeSide.Left, noLeft);
        return await OpenAsync(pair.Right, cancellation) switch
        {
            CalendarOpening.Blocked noRight => new PairOpening.Blocked(MergeSide.Right, noRight),
            CalendarOpening.Opened right => new PairOpening.Opened((CalendarOpening.Opened)left, right),
            _ => throw new UnreachableException("Unknown kind of opening."),
        };
    }

    /// <summary>Opens one calendar; nothing is sent.</summary>
    /// <param name="calendarId">Our id of it.</param>
    /// <param name="cancellation">Nothing is changed.</param>
    public async Task<CalendarOpening> OpenAsync(string calendarId, CancellationToken cancellation)
    {
        var place = await store.PlaceAsync(calendarId, cancellation);
        if (place is null)
        {
            return new CalendarOpening.Blocked(
                $"There is no calendar {calendarId} any more.", "calsync calendars list", false);
        }

        if (place.NeedsOwner)
            return NeedsOwner(place);
        return ProviderNames.IsGoogle(place.Provider)
            ? OpenGoogle(place)
            : await OpenDavAsync(place, cancellation);
    }

    /// <summary>
    /// Marks the connection of a calendar whose server refused to let it in, so that nothing is tried until
    /// its owner has connected it again. Google's tokens are marked by whoever renews them.
    /// </summary>
    /// <param name="place">The calendar.</param>
    /// <param name="reason">What the provider said.</param>
    /// <param name="cancellation">Cancelled, nothing is changed.</param>
    public async Task MarkRefusedAsync(
        CalendarPlace place, ProviderReason reason, CancellationToken cancellation)
    {
        if (!ProviderNames.IsGoogle(place.Provider))
        {
            await store.SaveConsentNeededAsync(
                place.ConnectionId, place.TokenVersion, ConsentReason.PasswordRejected, clock.GetUtcNow(),
                cancellation);
        }
        else if (reason == ProviderReason.InsufficientScope)
        {
            await tokens.MarkScopeWithheldAsync(place.ConnectionId, cancellation);
        }
    }

    /// <summary>The command that connects an account again.</summary>
    /// <param name="place">A calendar of it.</param>
    public static string ConnectAgain(CalendarPlace place) =>
        ProviderNames.IsGoogle(place.Provider) ? $"calsync connect google --reconnect {place.ConnectionId}"
            : place.Provider == ProviderNames.CalDav
                ? $"calsync connect caldav --reconnect {place.ConnectionId}"
                : $"calsync connect icloud --reconnect {place.ConnectionId}";

    private static CalendarOpening.Blocked NeedsOwner(CalendarPlace place) => new(
        $"The account {place.AccountEmail} must be connected again by its owner.", ConnectAgain(place),
        true);

    private CalendarOpening OpenGoogle(CalendarPlace place)
    {
        if (!providers.Has(place.Provider))
        {
            return new CalendarOpening.Blocked(
                $"{place.Summary} is a calendar of {place.Provider}, which this configuration does not use.",
                $"--set google.provider={place.Provider}", false);
        }

        var zone = CalendarZone.Resolve(place.TimeZone) is ZoneResolution.Found found
            ? found.Zone
            : CalendarZone.Utc;
        var target = new GoogleCalendarTarget(place.RemoteId, zone, place.State != "available");
        return new CalendarOpening.Opened(
            google.Pair(target, new ConnectionAccess(tokens, options, place.ConnectionId)), place);
    }

    private async Task<CalendarOpening> OpenDavAsync(CalendarPlace place, CancellationToken cancellation)
    {
        if (!_accounts.TryGetValue(place.ConnectionId, out var known) || known.Version != place.TokenVersion)
        {
            var secret = await store.LoadAccountAsync(place.ConnectionId, cancellation);
            if (secret?.Password is null)
                return NeedsOwner(place);
            known = (place.TokenVersion, dav.Account(
                place.ConnectionId, new DavCredentials(secret.UserName, secret.Password)));
            _accounts[place.ConnectionId] = known;
        }

        return new CalendarOpening.Opened(
            known.Account.Calendar(new Uri(place.RemoteId), place.State == "unwritable"), place);
    }
}
