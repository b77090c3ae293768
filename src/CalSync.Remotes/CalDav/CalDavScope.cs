using System.Collections.Concurrent;
using CalSync.Remotes.Dav;
using CalSync.Sync.Pairs;
using CalSync.Sync.Providers;

namespace CalSync.Remotes.CalDav;

/// <summary>One calendar on one server: what all of its requests share.</summary>
internal sealed class CalDavScope
{
    private readonly ConcurrentDictionary<string, string> _asWritten = new(StringComparer.Ordinal);

    /// <summary>What the server calls the collection, where it has another name for it.</summary>
    private volatile string? _alias;

    public CalDavScope(DavClient client, Uri address)
    {
        Client = client;
        var path = address.AbsolutePath.EndsWith('/') ? address.AbsolutePath : address.AbsolutePath + "/";
        Address = DavHref.On(address, path);
        Path = DavHref.Normalise(path, "/") ?? throw new ArgumentException("No calendar has this path.");
        Quirks = CalDavQuirks.Of(address);
    }

    public DavClient Client { get; }

    public DavOptions Options => Client.Options;

    public CalDavQuirks Quirks { get; }

    /// <summary>The collection, with a slash at its end.</summary>
    public Uri Address { get; }

    /// <summary>The collection's path in its normal form, with a slash at its end.</summary>
    public string Path { get; }

    /// <summary>The collection's path as it is sent.</summary>
    public string PathAsWritten => Address.AbsolutePath;

    /// <summary>The resource a row is about; null when its href is none.</summary>
    /// <remarks>
    /// Its address is the normal form, so that it is the same however the server escapes it today. What the
    /// server wrote is remembered for as long as this object lives, and used in requests.
    /// </remarks>
    public ResourceAddress? Resource(string href)
    {
        if (DavHref.Normalise(href, PathAsWritten) is not { } normal)
            return null;
        if (!normal.Equals(href, StringComparison.Ordinal)
            && DavHref.AsWritten(href, PathAsWritten) is { } written && written != normal)
        {
            _asWritten[normal] = written;
        }

        return new(normal);
    }

    /// <summary>Whether a row is about the collection itself, as several servers' reports are.</summary>
    public bool IsCollection(ResourceAddress address) =>
        DavHref.IsSameCollection(address.Value, Path)
        || (_alias is { } alias && DavHref.IsSameCollection(address.Value, alias));

    /// <summary>The path to send for a resource.</summary>
    public string Sendable(ResourceAddress address) =>
        _asWritten.GetValueOrDefault(address.Value, address.Value);

    /// <summary>The URL of a resource.</summary>
    public Uri At(ResourceAddress address) => DavHref.On(Address, Sendable(address));

    /// <summary>A request about something in or around the calendar.</summary>
    public DavRequest Ask(string operation, HttpMethod method, Uri target)
    {
        var request = new DavRequest(operation, method, target);
        return Quirks.ClosesSilently ? request.With("Connection", "close") : request;
    }

    /// <summary>A request about the collection.</summary>
    public DavRequest OnCollection(string operation, HttpMethod method, byte[] body, string depth) =>
        (Ask(operation, method, Address) with { Body = body }).With("Depth", depth);

    /// <summary>Asks whether the calendar is there, and in which state.</summary>
    public async Task<CalendarProbe> ProbeAsync(CancellationToken cancellation)
    {
        var request = OnCollection("dav.propfind", DavRequest.PropFind, CalDavBodies.State, "0") with
        {
            FollowsRedirects = true,
        };
        var (rows, answer, fault) = await Client.ListAsync(request, cancellation);
        if (rows is null)
        {
            return answer is { Status: 403 or 404 or 410 }
                ? new CalendarProbe.Gone(fault!)
                : new CalendarProbe.Failed(fault!);
        }

        if (rows.Rows is not [var row, ..])
        {
            return new CalendarProbe.Failed(
                DavFaults.OutsideProtocol(request, 207, "the answer does not name the calendar"));
        }

        _alias = DavHref.Normalise(row.Href, PathAsWritten);

        // One server wraps the status of what is not there into a multistatus.
        if (row.Status is { } status and (< 200 or > 299))
        {
            var inner = DavFaults.Of(request, status, row.Condition);
            return status is 403 or 404 or 410
                ? new CalendarProbe.Gone(inner)
                : new CalendarProbe.Failed(inner);
        }

        return row.Properties.IsCalendar
            ? new CalendarProbe.There(row.Properties)
            : new CalendarProbe.Gone(new(
                ProviderReason.NotFound, null, 207, "dav.propfind failed: there is no calendar any more."));
    }
}

/// <summary>Whether a calendar is there.</summary>
internal abstract record CalendarProbe
{
    private CalendarProbe()
    {
    }

    /// <summary>It is, in this state.</summary>
    public sealed record There(DavProperties State) : CalendarProbe
    {
        /// <summary>Whether a sync token of it is worth keeping. RFC 6578 section 3.</summary>
        public bool CanSync => State.SyncToken is not null
            && (State.Reports.IsDefault || State.Reports.Contains("sync-collection"));
    }

    /// <summary>It is not, or the account may not see it any more.</summary>
    public sealed record Gone(ProviderFault Fault) : CalendarProbe;

    /// <summary>Nothing is known.</summary>
    public sealed record Failed(ProviderFault Fault) : CalendarProbe;
}
