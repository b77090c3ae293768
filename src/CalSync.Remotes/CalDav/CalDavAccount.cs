using System.Collections.Immutable;
using CalSync.Remotes.Dav;
using CalSync.Sync.Pairs;
using CalSync.Sync.Providers;

namespace CalSync.Remotes.CalDav;

/// <summary>One account on a CalDAV server.</summary>
/// <remarks>
/// Remembers how the server wants requests signed, so one for the life of a connection saves requests.
/// Thread-safe.
/// </remarks>
public sealed class CalDavAccount
{
    private readonly DavClient _client;

    internal CalDavAccount(DavClient client) => _client = client;

    /// <summary>Reads what a person types: a host, or the URL of a server, account, home or
    /// calendar.</summary>
    /// <param name="text">For example <c>caldav.icloud.com</c> or <c>https://example.org/dav/</c>.</param>
    /// <returns>Null when it is neither. Without a scheme https is meant.</returns>
    public static Uri? ParseEntry(string text)
    {
        var entry = text.Trim();
        if (!entry.Contains("://", StringComparison.Ordinal))
            entry = "https://" + entry;
        if (!Uri.TryCreate(entry, UriKind.Absolute, out var found) || found.Host.Length == 0)
            return null;
        return found.Scheme == Uri.UriSchemeHttps || found.Scheme == Uri.UriSchemeHttp
            ? new UriBuilder(found) { UserName = "", Password = "", Fragment = "" }.Uri
            : null;
    }

    /// <summary>Finds the account's calendars. RFC 6764 section 6, RFC 5397, RFC 4791 section
    /// 6.2.1.</summary>
    /// <param name="entry">
    /// The server, the account, the home or one calendar; only that one calendar is given for the last.
    /// </param>
    /// <param name="cancellation">Nothing is changed.</param>
    public async Task<CalDavDiscovery> DiscoverAsync(Uri entry, CancellationToken cancellation)
    {
        ProviderFault? telling = null;
        foreach (var place in Places(entry))
        {
            var (rows, at, fault) = await AskAsync(place, "0", CalDavBodies.Place, cancellation);
            if (rows is [{ Properties.IsCalendar: true }, ..])
                (rows, at, fault) = await AskAsync(at, "0", CalDavBodies.Collection, cancellation);
            if (rows is null)
            {
                if (!MayBeElsewhere(fault!))
                    return new CalDavDiscovery.Failed(fault!);
                telling ??= fault;
                continue;
            }

            if (rows is not [{ Properties: var here }, ..])
                continue;
            if (here.IsCalendar)
                return new CalDavDiscovery.Found(Resolve(here.Principal, at), [Describe(rows[0], at)]);
            if (await InAsync(at, here, cancellation) is { } found)
                return found;
        }

        return new CalDavDiscovery.Failed(telling ?? new(
            ProviderReason.NotFound, null, null,
            "dav.propfind failed: no calendars of an account were found there."));
    }

    /// <summary>Opens a calendar; nothing is sent.</summary>
    /// <param name="address">Its URL, from <see cref="FoundCalendar.Address"/> or a person.</param>
    /// <param name="isReadOnly">True refuses writes before they are sent.</param>
    public IRemoteCalendar Calendar(Uri address, bool isReadOnly = false) =>
        new CalDavCalendar(_client, address, isReadOnly);

    private static List<Uri> Places(Uri entry)
    {
        var root = new Uri(entry, "/");
        var wellKnown = new Uri(entry, "/.well-known/caldav");
        return entry.AbsolutePath is "/" or "" ? [wellKnown, root] : [entry, wellKnown, root];
    }

    /// <summary>Whether the next place may know better: it is not the password, nor the way there.</summary>
    private static bool MayBeElsewhere(ProviderFault fault) =>
        fault.Status is not null and not (401 or 429 or 503);

    /// <summary>The calendars that can be found from a place that is none; null for none.</summary>
    private async Task<CalDavDiscovery?> InAsync(Uri at, DavProperties here, CancellationToken cancellation)
    {
        if (!here.Homes.IsEmpty)
            return await HomesAsync(at, at, here.Homes, cancellation);

        // A person who names a place that is no server's root means that place, as long as it has calendars.
        if (at.AbsolutePath.Trim('/').Length > 0 && here.IsCollection)
        {
            var (rows, listedAt, _) = await AskAsync(at, "1", CalDavBodies.Collection, cancellation);
            var calendars = Calendars(rows ?? [], listedAt);
            if (calendars.Count > 0)
                return new CalDavDiscovery.Found(Resolve(here.Principal, at), [.. calendars]);
        }

        if (Resolve(here.Principal, at) is not { } principal)
            return null;
        var (described, principalAt, fault) = await AskAsync(
            principal, "0", CalDavBodies.Place, cancellation);
        if (described is null)
            return new CalDavDiscovery.Failed(fault!);
        return described is [{ Properties.Homes: { IsEmpty: false } homes }, ..]
            ? await HomesAsync(principalAt, principalAt, homes, cancellation)
            : null;
    }

    private async Task<CalDavDiscovery> HomesAsync(
        Uri principal, Uri at, ImmutableArray<string> homes, CancellationToken cancellation)
    {
        List<FoundCalendar> all = [];
        foreach (var home in homes)
        {
            if (Resolve(home, at) is not { } target)
            {
                return new CalDavDiscovery.Failed(new(
                    ProviderReason.OutsideProtocol, null, 207,
                    "dav.propfind failed: the account's calendars are on another host; enter that host's "
                    + "address to trust it."));
            }

            var (rows, listedAt, fault) = await AskAsync(
                target, "1", CalDavBodies.Collection, cancellation);
            if (rows is null)
                return new CalDavDiscovery.Failed(fault!);
            all.AddRange(Calendars(rows, listedAt).Where(
                one => !all.Any(other => other.Address == one.Address)));
        }

        return new CalDavDiscovery.Found(principal, [.. all]);
    }

    private async Task<(IReadOnlyList<DavRow>? Rows, Uri At, ProviderFault? Fault)> AskAsync(
        Uri target, string depth, byte[] body, CancellationToken cancellation)
    {
        var request = new DavRequest("dav.propfind", DavRequest.PropFind, target)
        {
            Body = body,
            FollowsRedirects = true,
        }.With("Depth", depth);
        var (rows, answer, fault) = await _client.ListAsync(request, cancellation);
        return (rows?.Rows, answer?.At ?? target, fault);
    }

    /// <summary>Calendars among rows; inboxes and what is in the bin are none.</summary>
    /// <remarks>SOGo calls the calendar each user begins with an outbox too.</remarks>
    private static List<FoundCalendar> Calendars(IReadOnlyList<DavRow> rows, Uri at) =>
        [.. rows
            .Where(row => row.Status is null or (>= 200 and <= 299) && row.Properties.IsCalendar)
            .Where(row => !row.Properties.Types.Any(
                type => type is "schedule-inbox" or "deleted-calendar"))
            .Where(row => Resolve(row.Href, at) is not null)
            .Select(row => Describe(row, at))];

    private static FoundCalendar Describe(DavRow row, Uri at)
    {
        var said = row.Properties;
        var address = Resolve(row.Href, at) ?? at;
        var name = said.DisplayName
            ?? Uri.UnescapeDataString(address.AbsolutePath.TrimEnd('/').Split('/')[^1]);
        var mayWrite = said.Privileges.IsDefaultOrEmpty
            || said.Privileges.Any(one => one is "all" or "write" or "write-content" or "bind");
        return new(
            address, name, said.Color, said.Components.IsDefault ? [] : said.Components,
            !mayWrite || said.Types.Contains("subscribed"), said.CTag, said.SyncToken,
            said.SyncToken is not null
                && (said.Reports.IsDefault || said.Reports.Contains("sync-collection")));
    }

    /// <summary>An address a server names, when it may be trusted with the credentials.</summary>
    private static Uri? Resolve(string? href, Uri at)
    {
        if (href is null || DavHref.Resolve(href, at) is not { } found)
            return null;
        found = DavTrust.Mend(at, found);
        return DavTrust.MaySend(at, found) ? found : null;
    }
}
