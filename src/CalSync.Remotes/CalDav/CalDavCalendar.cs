using CalSync.Remotes.Dav;
using CalSync.Sync.Pairs;
using CalSync.Sync.Providers;

namespace CalSync.Remotes.CalDav;

/// <summary>One calendar of any CalDAV server (RFC 4791).</summary>
internal sealed class CalDavCalendar : IRemoteCalendar
{
    private readonly CalDavScope _scope;
    private readonly ResourceReader _resources;
    private readonly ChangeReader _changes;
    private readonly ResourceWriter _writer;

    /// <param name="client">Signed in for the account.</param>
    /// <param name="address">The calendar's URL.</param>
    /// <param name="isReadOnly">Whether writes are refused here.</param>
    public CalDavCalendar(DavClient client, Uri address, bool isReadOnly)
    {
        _scope = new(client, address);
        _resources = new(_scope);
        _changes = new(_scope, _resources);
        _writer = new(_scope, _resources, new SchedulingGuard(_scope));
        Traits = new(
            _scope.Quirks.Provider, isReadOnly,
            Math.Min(
                client.Options.ParallelWritesMax,
                _scope.Quirks.ParallelWritesMax ?? client.Options.ParallelWritesMax));
    }

    /// <inheritdoc/>
    public RemoteTraits Traits { get; }

    /// <inheritdoc/>
    public Task<ChangeRead> ReadChangesAsync(
        SyncCursor? since, IReadOnlyDictionary<ResourceAddress, string> known,
        CancellationToken cancellation) => _changes.ReadAsync(since, known, cancellation);

    /// <inheritdoc/>
    public Task<ResourceRead> ReadAsync(ResourceAddress address, CancellationToken cancellation) =>
        _writer.CurrentAsync(address, cancellation);

    /// <inheritdoc/>
    /// <remarks>What a multiget does not give is asked for alone: only that tells why.</remarks>
    public async Task<IReadOnlyList<ResourceRead>> ReadManyAsync(
        IReadOnlyList<ResourceAddress> addresses, CancellationToken cancellation)
    {
        var given = addresses.Count == 1
            ? []
            : (await _resources.ReadAsync(
                [.. addresses.Select(address => new WantedResource(address, null))], cancellation))
                .Found.ToDictionary(resource => resource.Address);
        var reads = new List<ResourceRead>(addresses.Count);
        foreach (var address in addresses)
        {
            reads.Add(given.TryGetValue(address, out var found) && found.Version is not null
                ? new ResourceRead.Found(found)
                : await ReadAsync(address, cancellation));
        }

        return reads;
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<string?>> ReadVersionsAsync(
        IReadOnlyList<ResourceAddress> addresses, CancellationToken cancellation) =>
        _resources.ReadVersionsAsync(addresses, cancellation);

    /// <inheritdoc/>
    /// <remarks>
    /// Tried in turn: the address a create would have used, a query by UID, and, because some servers answer
    /// such queries with nothing, the whole calendar. Only that last one proves that there is none.
    /// </remarks>
    public async Task<ResourceRead> FindAsync(string uid, CancellationToken cancellation)
    {
        var own = new ResourceAddress(_scope.Path + ResourceNames.Of(uid));
        if (await _resources.GetAsync(own, cancellation) is SingleRead.Found(var resource)
            && CalendarContent.Has(resource, uid))
        {
            return new ResourceRead.Found(resource);
        }

        return await QueryAsync(uid, cancellation) is { } found
            ? new ResourceRead.Found(found)
            : await SearchAsync(uid, cancellation);
    }

    /// <inheritdoc/>
    public Task<ResourceWrite> CreateAsync(ResourceDraft draft, CancellationToken cancellation) =>
        Traits.IsReadOnly
            ? Task.FromResult<ResourceWrite>(new ResourceWrite.Refused(ReadOnly("dav.put")))
            : _writer.CreateAsync(draft, cancellation);

    /// <inheritdoc/>
    public Task<ResourceWrite> UpdateAsync(
        ResourceAddress address, string? version, ResourceDraft draft, CancellationToken cancellation) =>
        Traits.IsReadOnly
            ? Task.FromResult<ResourceWrite>(new ResourceWrite.Refused(ReadOnly("dav.put")))
            : _writer.UpdateAsync(address, version, draft, cancellation);

    /// <inheritdoc/>
    public Task<ResourceDelete> DeleteAsync(
        ResourceAddress address, string? version, CancellationToken cancellation) =>
        Traits.IsReadOnly
            ? Task.FromResult<ResourceDelete>(new ResourceDelete.Failed(ReadOnly("dav.delete")))
            : _writer.DeleteAsync(address, version, cancellation);

    private static ProviderFault ReadOnly(string operation) => new(
        ProviderReason.NotWritable, null, null, $"{operation} was not sent: the calendar is read-only.");

    /// <summary>Asks for a UID; null when the server names none, whatever that means.</summary>
    private async Task<RemoteResource?> QueryAsync(string uid, CancellationToken cancellation)
    {
        if (uid.Any(char.IsControl))
            return null;
        var request = _scope.OnCollection(
            "dav.query", DavRequest.Report, CalDavBodies.FindUid(uid), "1") with
        {
            TakesServerError = true,
        };
        var (rows, _, _) = await _scope.Client.ListAsync(request, cancellation);
        foreach (var row in rows?.Rows ?? [])
        {
            // A server may ignore the filter, and name the collection itself.
            if (row.Properties.CalendarData is { Length: > 0 } octets
                && _scope.Resource(row.Href) is { } address
                && CalendarContent.Read(address, row.Properties.ETag, octets) is var resource
                && CalendarContent.Has(resource, uid))
            {
                return resource;
            }
        }

        return null;
    }

    private async Task<ResourceRead> SearchAsync(string uid, CancellationToken cancellation)
    {
        var none = new Dictionary<ResourceAddress, string>();
        switch (await _changes.ReadAsync(null, none, cancellation))
        {
            case ChangeRead.Done({ Certificate: var certificate, Upserts: var all }):
                if (all.FirstOrDefault(one => CalendarContent.Has(one, uid)) is { } found)
                    return new ResourceRead.Found(found);
                return certificate is Certificate.Complete && all.All(one => one.Content is not null)
                    ? new ResourceRead.Gone()
                    : new ResourceRead.Failed(new(
                        ProviderReason.OutsideProtocol, null, null,
                        "dav.query failed: the calendar could not be searched to its end."));
            case ChangeRead.CalendarGone(var gone):
                return new ResourceRead.Failed(gone);
            case ChangeRead.Failed(var failed):
                return new ResourceRead.Failed(failed);
            default:
                throw new System.Diagnostics.UnreachableException("A listing has no cursor.");
        }
    }
}
