using System.Collections.Immutable;
using CalSync.Remotes.Dav;
using CalSync.Sync.Pairs;
using CalSync.Sync.Providers;

namespace CalSync.Remotes.CalDav;

/// <summary>A resource to be read, as a listing or delta named it.</summary>
/// <param name="Address">Where it lies.</param>
/// <param name="Version">The ETag that was named; null for none.</param>
/// <param name="SizeBytes">The size that was named; null for none.</param>
internal sealed record WantedResource(ResourceAddress Address, string? Version, long? SizeBytes = null);

/// <summary>What reading many resources gave.</summary>
/// <param name="Found">What was read, and what is listed but cannot be read.</param>
/// <param name="Missing">What the server says is not there although it was named.</param>
/// <param name="Fault">Why some were not read; null when all were.</param>
internal sealed record ManyRead(
    ImmutableArray<RemoteResource> Found, ImmutableArray<ResourceAddress> Missing, ProviderFault? Fault);

/// <summary>Reads the contents of resources, many at a time.</summary>
/// <remarks>
/// Servers answer a multiget that names one missing resource in three ways: a row with 404, no row, or 404
/// for the whole. So a row that does not come is asked for alone, and a batch that is refused is asked for in
/// halves.
/// </remarks>
/// <param name="scope">The calendar.</param>
internal sealed class ResourceReader(CalDavScope scope)
{
    private const long UnknownSizeBytes = 4 * 1024;

    /// <summary>Reads one resource with GET.</summary>
    public async Task<SingleRead> GetAsync(ResourceAddress address, CancellationToken cancellation)
    {
        var request = scope.Ask("dav.get", HttpMethod.Get, scope.At(address));
        switch (await scope.Client.SendAsync(request, cancellation))
        {
            case DavReply.Failed(var fault):
                return new SingleRead.Failed(fault);
            case DavReply.Answered({ Status: 200 } answer) when CalendarContent.IsCalendar(answer.Body.Span):
                return answer.ETag is null && await OneRowAsync(address, cancellation) is { } tagged
                    ? new SingleRead.Found(tagged)
                    : new SingleRead.Found(
                        CalendarContent.Read(address, answer.ETag, answer.Body.ToArray()));
            case DavReply.Answered({ Status: 404 or 410 } answer):
                return new SingleRead.Missing(DavFaults.Of(request, answer));
            case DavReply.Answered({ Status: 200 } answer) when IsCalendarType(answer.MediaType):
                return new SingleRead.Found(
                    CalendarContent.Read(address, answer.ETag, answer.Body.ToArray()));
            case DavReply.Answered({ Succeeded: true } answer):
                return new SingleRead.Failed(DavFaults.OutsideProtocol(
                    request, answer.Status, "the answer is no calendar"));
            case DavReply.Answered(var answer):
                return new SingleRead.Failed(DavFaults.Of(request, answer));
            default:
                throw new System.Diagnostics.UnreachableException("Unknown reply.");
        }
    }

    /// <summary>Reads many resources, several batches at once.</summary>
    public async Task<ManyRead> ReadAsync(
        IReadOnlyList<WantedResource> wanted, CancellationToken cancellation)
    {
        var batches = Batches(wanted);
        var results = new ManyRead[batches.Count];
        ProviderFault? stopped = null;
        using var places = new SemaphoreSlim(scope.Options.ParallelReadsMax);
        await Task.WhenAll(batches.Select(async (batch, index) =>
        {
            await places.WaitAsync(cancellation);
            try
            {
                // One failure is enough: a server in trouble is not asked for the rest.
                results[index] = Volatile.Read(ref stopped) is { } fault
                    ? new([], [], fault)
                    : await BatchAsync(batch, cancellation);
                if (results[index].Fault is { } failed)
                    Volatile.Write(ref stopped, failed);
            }
            finally
            {
                places.Release();
            }
        }));
        return Joined(results);
    }

    /// <summary>Reads which ETags resources have.</summary>
    /// <returns>One for each, in their order; null where none was given, for whatever reason.</returns>
    public async Task<IReadOnlyList<string?>> ReadVersionsAsync(
        IReadOnlyList<ResourceAddress> addresses, CancellationToken cancellation)
    {
        Dictionary<ResourceAddress, DavProperties> given = [];
        var wanted = addresses.Select(address => new WantedResource(address, null, SizeBytes: 0)).ToList();
        foreach (var batch in Batches(wanted))
        {
            var (rows, _) = await MultiGetAsync(
                batch.Select(one => one.Address), withContents: false, cancellation);
            foreach (var (address, properties) in rows ?? [])
                given[address] = properties;
        }

        return [.. addresses.Select(address => given.GetValueOrDefault(address)?.ETag)];
    }

    private static ManyRead Joined(IReadOnlyList<ManyRead> parts) => new(
        [.. parts.SelectMany(part => part.Found)],
        [.. parts.SelectMany(part => part.Missing)],
        parts.Select(part => part.Fault).FirstOrDefault(fault => fault is not null));

    /// <summary>Batches bounded by number and by the sizes the server named.</summary>
    private List<ArraySegment<WantedResource>> Batches(IReadOnlyList<WantedResource> wanted)
    {
        var all = wanted.ToArray();
        var countMax = Math.Min(
            scope.Options.BatchCountMax, scope.Quirks.BatchCountMax ?? scope.Options.BatchCountMax);
        List<ArraySegment<WantedResource>> batches = [];
        var start = 0;
        var size = 0L;
        for (var index = 0; index < all.Length; index++)
        {
            var next = Math.Clamp(all[index].SizeBytes ?? UnknownSizeBytes, 0, int.MaxValue);
            if (index > start
                && (index - start >= countMax || size + next > scope.Options.BatchSizeBytesMax))
            {
                batches.Add(new(all, start, index - start));
                start = index;
                size = 0;
            }

            size += next;
        }

        if (all.Length > start)
            batches.Add(new(all, start, all.Length - start));
        return batches;
    }

    private async Task<ManyRead> BatchAsync(
        ArraySegment<WantedResource> batch, CancellationToken cancellation)
    {
        if (batch.Count == 1)
            return await OneAsync(batch[0], cancellation);
        var (rows, fault) = await MultiGetAsync(
            batch.Select(one => one.Address), withContents: true, cancellation);
        if (rows is null)
        {
            if (fault!.Status is 405 or 501)
                return await EachAsync(batch, cancellation);
            if (!MayBeOneOfThem(fault))
                return new([], [], fault);
            var half = batch.Count / 2;
            var left = await BatchAsync(batch[..half], cancellation);
            return left.Fault is null
                ? Joined([left, await BatchAsync(batch[half..], cancellation)])
                : left;
        }

        var found = ImmutableArray.CreateBuilder<RemoteResource>(batch.Count);
        List<WantedResource> rest = [];
        foreach (var one in batch)
        {
            if (rows.TryGetValue(one.Address, out var given) && given.CalendarData is { Length: > 0 } octets)
                found.Add(CalendarContent.Read(one.Address, Newer(one.Version, given.ETag), octets));
            else
                rest.Add(one);
        }

        return Joined([new(found.ToImmutable(), [], null), await EachAsync(rest, cancellation)]);
    }

    private async Task<ManyRead> EachAsync(
        IReadOnlyCollection<WantedResource> batch, CancellationToken cancellation)
    {
        List<ManyRead> parts = [];
        foreach (var one in batch)
        {
            parts.Add(await OneAsync(one, cancellation));
            if (parts[^1].Fault is not null)
                break;
        }

        return Joined(parts);
    }

    private async Task<ManyRead> OneAsync(WantedResource one, CancellationToken cancellation) =>
        await GetAsync(one.Address, cancellation) switch
        {
            SingleRead.Found(var resource) => new([WithVersion(resource, one.Version)], [], null),
            SingleRead.Missing => new([], [one.Address], null),
            SingleRead.Failed(var fault) => new([], [], fault),
            _ => throw new System.Diagnostics.UnreachableException("Unknown read."),
        };

    /// <summary>What was given last; when it is the same again, one of the two texts is kept.</summary>
    private static string? Newer(string? listed, string? given) =>
        given is null || given == listed ? listed : given;

    private static RemoteResource WithVersion(RemoteResource resource, string? version) =>
        resource.Version is null ? resource with { Version = version } : resource;

    /// <summary>Content and ETag of one resource together, for servers that name no ETag with GET.</summary>
    private async Task<RemoteResource?> OneRowAsync(ResourceAddress address, CancellationToken cancellation)
    {
        var (rows, _) = await MultiGetAsync([address], withContents: true, cancellation);
        return rows is not null && rows.TryGetValue(address, out var given)
            && given is { ETag: not null, CalendarData: { Length: > 0 } octets }
                ? CalendarContent.Read(address, given.ETag, octets)
                : null;
    }

    private async Task<(Dictionary<ResourceAddress, DavProperties>? Rows, ProviderFault? Fault)>
        MultiGetAsync(
            IEnumerable<ResourceAddress> addresses, bool withContents, CancellationToken cancellation)
    {
        var request = scope.OnCollection(
            "dav.multiget", DavRequest.Report,
            CalDavBodies.MultiGet(addresses.Select(scope.Sendable), withContents), "1")
            with
        {
            TakesServerError = true,
        };
        var (rows, _, fault) = await scope.Client.ListAsync(request, cancellation);
        if (rows is null)
            return (null, fault);
        var given = new Dictionary<ResourceAddress, DavProperties>(rows.Rows.Length);
        foreach (var row in rows.Rows)
        {
            if (row.Status is null or (>= 200 and <= 299) && scope.Resource(row.Href) is { } address)
                given[address] = row.Properties;
        }

        return (given, null);
    }

    /// <summary>Whether one resource may have spoilt the answer about all of them.</summary>
    private static bool MayBeOneOfThem(ProviderFault fault) =>
        fault.Reason == ProviderReason.OutsideProtocol
        || fault.Status is 400 or 403 or 404 or 409 or 412 or 413 or 414 or 422 or 500 or 507;

    private static bool IsCalendarType(string? mediaType) =>
        mediaType is not null && mediaType.Equals("text/calendar", StringComparison.OrdinalIgnoreCase);
}

/// <summary>How reading one resource ended.</summary>
internal abstract record SingleRead
{
    private SingleRead()
    {
    }

    /// <summary>It is there.</summary>
    public sealed record Found(RemoteResource Resource) : SingleRead;

    /// <summary>404 or 410, from whoever answered.</summary>
    public sealed record Missing(ProviderFault Fault) : SingleRead;

    /// <summary>Nothing is known.</summary>
    public sealed record Failed(ProviderFault Fault) : SingleRead;
}
