using System.Collections.Immutable;
using CalSync.Remotes.Dav;
using CalSync.Sync.Pairs;
using CalSync.Sync.Providers;

namespace CalSync.Remotes.CalDav;

/// <summary>Reads what changed in a calendar: by its sync token, by its ctag, or by listing it.</summary>
/// <remarks>
/// <para>
/// A delta (RFC 6578) deletes only what a row names with 404 or 410. Servers answer a dead token with 403,
/// 409, 410, 500 or a condition: when the calendar itself can still be read, each of these is a dead token.
/// Some accept a dead token silently; the engine's complete listing once a day is for them.
/// </para>
/// <para>
/// A listing is two requests: the calendar's state first, its members second. What happens in between is
/// read again by the next delta, never lost. It counts as complete only when the server named the calendar
/// itself among the rows and gave no row another status than success.
/// </para>
/// </remarks>
/// <param name="scope">The calendar.</param>
/// <param name="resources">Reads contents.</param>
internal sealed class ChangeReader(CalDavScope scope, ResourceReader resources)
{
    /// <summary>Reads since a cursor, or everything.</summary>
    public Task<ChangeRead> ReadAsync(
        SyncCursor? since, IReadOnlyDictionary<ResourceAddress, string> known,
        CancellationToken cancellation) => since switch
        {
            { Kind: CursorKind.SyncToken, Token: var token } => DeltaAsync(token, known, cancellation),
            { Token: var tag } => ListUnlessAsync(tag, known, cancellation),
            null => ListUnlessAsync(null, known, cancellation),
        };

    private async Task<ChangeRead> DeltaAsync(
        string token, IReadOnlyDictionary<ResourceAddress, string> known, CancellationToken cancellation)
    {
        var named = new Dictionary<ResourceAddress, NamedChange>();
        string? doubt = null;
        for (var pages = 1; ; pages++)
        {
            var request = scope.OnCollection(
                "dav.sync-collection", DavRequest.Report, CalDavBodies.SyncCollection(token), "0") with
            {
                TakesServerError = true,
            };
            var (rows, answer, fault) = await scope.Client.ListAsync(request, cancellation);
            if (rows is null)
                return await RefusedAsync(answer, fault!, cancellation);
            if (rows.SyncToken is not { } next)
                return new ChangeRead.CursorInvalid("The server gave changes without a new sync token.");
            var page = DeltaPage.Read(scope, rows, named);
            doubt ??= page.Doubt;
            if (!page.HasMore)
                return await WithContentsAsync(named, next, known, doubt, cancellation);
            if (next == token || pages >= scope.Options.SyncPagesMax)
            {
                return new ChangeRead.Failed(
                    DavFaults.OutsideProtocol(request, 207, "the delta does not end"));
            }

            token = next;
        }
    }

    /// <summary>Finds out whether a token or the calendar is to blame.</summary>
    private async Task<ChangeRead> RefusedAsync(
        DavAnswer? answer, ProviderFault fault, CancellationToken cancellation)
    {
        // 429, 502 and the like, a broken way, a rejected password: nothing was said about the token.
        if (answer is null || answer.Succeeded || answer.Status is >= 300 and <= 399)
            return new ChangeRead.Failed(fault);
        if (answer.Error.Names("valid-sync-token"))
            return new ChangeRead.CursorInvalid("The server does not know the sync token any more.");
        return await scope.ProbeAsync(cancellation) switch
        {
            CalendarProbe.There => new ChangeRead.CursorInvalid(
                $"The server refused the sync token with status {answer.Status}, and has the calendar."),
            CalendarProbe.Gone(var gone) => new ChangeRead.CalendarGone(gone),
            CalendarProbe.Failed(var failed) => new ChangeRead.Failed(failed),
            _ => throw new System.Diagnostics.UnreachableException("Unknown probe."),
        };
    }

    private async Task<ChangeRead> WithContentsAsync(
        Dictionary<ResourceAddress, NamedChange> named, string token,
        IReadOnlyDictionary<ResourceAddress, string> known, string? doubt, CancellationToken cancellation)
    {
        var wanted = named
            .Where(one => one.Value.IsPresent
                && (scope.Quirks.RepeatsETags || one.Value.Version is null
                    || known.GetValueOrDefault(one.Key) != one.Value.Version))
            .Select(one => new WantedResource(one.Key, one.Value.Version))
            .ToArray();
        var read = await resources.ReadAsync(wanted, cancellation);
        if (read.Fault is { } fault && read.Found.IsEmpty && wanted.Length > 0)
            return new ChangeRead.Failed(fault);

        // Named as changed and as deleted at once: not being there settles it.
        var gone = read.Missing.Where(address => named[address].IsDeleted).ToHashSet();
        doubt ??= read.Fault?.Message;
        return Done(
            [.. read.Found, .. read.Missing.Where(one => !gone.Contains(one)).Select(
                CalendarContent.Unreadable)],
            [.. named.Where(one => !one.Value.IsPresent).Select(one => one.Key), .. gone],
            new SyncCursor(token, CursorKind.SyncToken),
            doubt is null ? new Certificate.Delta() : new Certificate.Partial(doubt));
    }

    /// <param name="tag">The ctag of the last complete listing; null to list in any case.</param>
    /// <param name="known">Versions whose contents need not be read.</param>
    /// <param name="cancellation">Nothing is changed by a read.</param>
    private async Task<ChangeRead> ListUnlessAsync(
        string? tag, IReadOnlyDictionary<ResourceAddress, string> known, CancellationToken cancellation)
    {
        switch (await scope.ProbeAsync(cancellation))
        {
            case CalendarProbe.Gone(var gone):
                return new ChangeRead.CalendarGone(gone);
            case CalendarProbe.Failed(var failed):
                return new ChangeRead.Failed(failed);
            case CalendarProbe.There({ CTag: { } now }) when now == tag:
                return Done([], [], new(now, CursorKind.Tag), new Certificate.Delta());
            case CalendarProbe.There there:
                return await ListAsync(Cursor(there), known, cancellation);
            default:
                throw new System.Diagnostics.UnreachableException("Unknown probe.");
        }
    }

    private SyncCursor? Cursor(CalendarProbe.There there) =>
        there.CanSync ? new(scope.Quirks.Safe(there.State.SyncToken!), CursorKind.SyncToken)
        : there.State.CTag is { } tag ? new(tag, CursorKind.Tag)
        : null;

    private async Task<ChangeRead> ListAsync(
        SyncCursor? next, IReadOnlyDictionary<ResourceAddress, string> known,
        CancellationToken cancellation)
    {
        var request = scope.OnCollection(
            "dav.propfind", DavRequest.PropFind, CalDavBodies.Members, "1") with
        {
            FollowsRedirects = true,
        };
        var (rows, _, fault) = await scope.Client.ListAsync(request, cancellation);
        if (rows is null)
            return new ChangeRead.Failed(fault!);
        var listing = Listing.Read(scope, rows, known);
        if (!listing.NamesCalendar)
        {
            return new ChangeRead.Failed(
                DavFaults.OutsideProtocol(request, 207, "the listing does not name the calendar"));
        }

        var read = await resources.ReadAsync(listing.Wanted, cancellation);
        if (read.Fault is { } failed && read.Found.IsEmpty && listing.Unchanged.IsEmpty)
            return new ChangeRead.Failed(failed);
        var doubt = listing.Doubt ?? read.Fault?.Message;
        return Done(
            [.. listing.Unchanged, .. read.Found, .. read.Missing.Select(CalendarContent.Unreadable)],
            [],
            next,
            doubt is null ? new Certificate.Complete(1) : new Certificate.Partial(doubt));
    }

    /// <summary>No cursor goes with a partial read.</summary>
    private static ChangeRead.Done Done(
        ImmutableArray<RemoteResource> upserts, ImmutableArray<ResourceAddress> tombstones,
        SyncCursor? next, Certificate certificate) =>
        new(new(upserts, tombstones, certificate is Certificate.Partial ? null : next, certificate));
}

/// <summary>What a delta says of one resource, over all rows and pages.</summary>
/// <param name="IsPresent">Named as changed.</param>
/// <param name="IsDeleted">Named as deleted.</param>
/// <param name="Version">The ETag named last; null for none.</param>
internal readonly record struct NamedChange(bool IsPresent, bool IsDeleted, string? Version);

/// <summary>One page of a delta.</summary>
/// <param name="HasMore">The server cut the page (507 for the collection) and has more.</param>
/// <param name="Doubt">Why the page is not to be believed as a whole; null when it is.</param>
internal sealed record DeltaPage(bool HasMore, string? Doubt)
{
    /// <summary>Takes a page into what was named before: the later page knows better.</summary>
    public static DeltaPage Read(
        CalDavScope scope, Multistatus page, Dictionary<ResourceAddress, NamedChange> named)
    {
        var hasMore = false;
        string? doubt = null;
        var here = new Dictionary<ResourceAddress, NamedChange>();
        foreach (var row in page.Rows)
        {
            if (scope.Resource(row.Href) is not { } address)
            {
                doubt ??= "A row of the delta names no resource.";
                continue;
            }

            if (scope.IsCollection(address))
            {
                hasMore |= row.Status == 507;
                doubt ??= row.Status is null or 507 or (>= 200 and <= 299)
                    ? null
                    : "The delta has an error for the calendar itself.";
                continue;
            }

            // A collection inside this one is no calendar object.
            if (address.Value.EndsWith('/'))
                continue;
            var before = here.GetValueOrDefault(address);
            switch (row.Status)
            {
                case 404 or 410:
                    here[address] = before with { IsDeleted = true };
                    break;
                case null or (>= 200 and <= 299) when row.Properties.IsCollection:
                    break;
                case null or (>= 200 and <= 299):
                    here[address] = before with { IsPresent = true, Version = row.Properties.ETag };
                    break;
                default:
                    doubt ??= "A row of the delta has an error.";
                    break;
            }
        }

        foreach (var (address, change) in here)
            named[address] = change;
        return new(hasMore, doubt);
    }
}

/// <summary>The members a listing named.</summary>
/// <param name="NamesCalendar">Whether the calendar itself is among the rows, as it must be.</param>
/// <param name="Unchanged">Members whose version is known, without contents.</param>
/// <param name="Wanted">Members to be read.</param>
/// <param name="Doubt">Why it is not complete; null when it is.</param>
internal sealed record Listing(
    bool NamesCalendar, ImmutableArray<RemoteResource> Unchanged, IReadOnlyList<WantedResource> Wanted,
    string? Doubt)
{
    /// <summary>Sorts the rows of a listing.</summary>
    public static Listing Read(
        CalDavScope scope, Multistatus rows, IReadOnlyDictionary<ResourceAddress, string> known)
    {
        var namesCalendar = false;
        string? doubt = null;
        var seen = new HashSet<ResourceAddress>();
        var unchanged = ImmutableArray.CreateBuilder<RemoteResource>();
        List<WantedResource> wanted = [];
        foreach (var row in rows.Rows)
        {
            if (scope.Resource(row.Href) is not { } address)
            {
                doubt ??= "A row of the listing names no resource.";
                continue;
            }

            var isThere = row.Status is null or (>= 200 and <= 299);
            if (scope.IsCollection(address))
            {
                namesCalendar |= isThere;
                doubt ??= isThere ? null : "The listing was cut by the server.";
                continue;
            }

            // A collection inside this one, or deleted while it was listed.
            if (address.Value.EndsWith('/') || row.Status is 404 or 410)
                continue;
            if (!isThere)
            {
                doubt ??= "A row of the listing has an error.";
                continue;
            }

            var properties = row.Properties;
            if (!IsObject(properties) || !seen.Add(address))
                continue;
            if (properties.ETag is { } version && known.GetValueOrDefault(address) == version)
                unchanged.Add(new(address, version, null));
            else
                wanted.Add(new(address, properties.ETag, properties.ContentLength));
        }

        return new(namesCalendar, unchanged.ToImmutable(), wanted, doubt);
    }

    /// <summary>Whether a member can be a calendar object; a missing type says nothing.</summary>
    private static bool IsObject(DavProperties properties) =>
        !properties.IsCollection
        && (properties.ContentType is not { } type
            || type.StartsWith("text/calendar", StringComparison.OrdinalIgnoreCase)
            || type.StartsWith("application/octet-stream", StringComparison.OrdinalIgnoreCase)
            || type.StartsWith("text/plain", StringComparison.OrdinalIgnoreCase));
}
