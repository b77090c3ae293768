using System.Collections.Immutable;
using CalSync.Remotes.Google.Mapping;
using CalSync.Sync.Pairs;
using CalSync.Sync.Providers;

namespace CalSync.Remotes.Google.Pairs;

/// <summary>Puts the events of a listing together to whole resources.</summary>
/// <remarks>
/// A delta names only the events that changed: of a series perhaps one instance, or the master without its
/// exceptions. Such a series is read again by its UID, which gives all its events in one call, or two where
/// the UID is not known; where that makes more calls than the whole calendar has pages, as after a run that
/// wrote many series, the calendar is listed instead.
/// </remarks>
/// <param name="events">The calendar's events.</param>
/// <param name="pagesExpected">Pages of the whole calendar; null when nobody knows.</param>
internal sealed class SeriesListing(GoogleEvents events, int? pagesExpected = null)
{
    private readonly ImmutableArray<GoogleSeries>.Builder _present =
        ImmutableArray.CreateBuilder<GoogleSeries>();

    private readonly ImmutableArray<ResourceAddress>.Builder _deleted =
        ImmutableArray.CreateBuilder<ResourceAddress>();

    /// <summary>The resources that are there.</summary>
    public IReadOnlyList<GoogleSeries> Present => _present;

    /// <summary>What the provider named as deleted.</summary>
    public ImmutableArray<ResourceAddress> Deleted => _deleted.ToImmutable();

    /// <summary>Groups events by their series; of an event listed twice the later counts.</summary>
    public static IEnumerable<GoogleSeries> Group(IEnumerable<GoogleEvent> items)
    {
        var groups = new OrderedDictionary<string, OrderedDictionary<string, GoogleEvent>>(
            StringComparer.Ordinal);
        foreach (var item in items)
        {
            var master = item.MasterId ?? item.Id;
            if (!groups.TryGetValue(master, out var group))
                groups.Add(master, group = new(StringComparer.Ordinal));
            group[item.Id] = item;
        }

        return groups.Select(pair => GoogleSeries.Of(
            pair.Value.GetValueOrDefault(pair.Key), pair.Value.Values.Where(each => each.Id != pair.Key)));
    }

    /// <summary>Takes a listing of the whole calendar.</summary>
    public void AddAll(ImmutableArray<GoogleEvent> items) =>
        _present.AddRange(Group(items).Where(series => !series.IsGone));

    /// <summary>Takes a delta, and reads what it names only in part.</summary>
    public async Task<ProviderFault?> AddChangesAsync(
        ImmutableArray<GoogleEvent> items, CancellationToken cancellation)
    {
        var groups = Group(items).ToList();
        var calls = groups.Where(IsPart).Sum(group => Uid(group) is null ? 2 : 1);
        ILookup<string, GoogleEvent>? everything = null;
        if (calls > pagesExpected)
        {
            var (fault, listing) = await events.ListAsync(null, cancellation);
            if (fault is not null)
                return fault;
            everything = listing.Items.ToLookup(each => each.MasterId ?? each.Id, StringComparer.Ordinal);
        }

        foreach (var group in groups)
        {
            var series = group;
            if (IsPart(group))
            {
                if (Whole(group, everything) is { } listed)
                {
                    series = listed;
                }
                else
                {
                    var (fault, whole) = await CompleteAsync(group, cancellation);
                    if (fault is not null)
                        return fault;
                    series = whole!;
                }
            }

            if (!series.IsGone)
                _present.Add(series);
            else if (series.Master is { } master)
                _deleted.Add(new ResourceAddress(master.Id));
            else
                _deleted.AddRange(series.Exceptions.Select(each => new ResourceAddress(each.Id)));
        }

        return null;
    }

    /// <summary>
    /// An event that is to become a series, with what is left of instances it had as one before.
    /// </summary>
    public async Task<(ProviderFault? Fault, GoogleSeries? Series)> WithLeftoversAsync(
        GoogleEvent master, CancellationToken cancellation)
    {
        if (master.Uid is not { } uid)
            return (null, GoogleSeries.Of(master, []));
        var (fault, listing) = await events.FindAsync(uid, cancellation);
        return fault is null
            ? (null, new GoogleSeries(
                master, [.. listing.Items.Where(each => each.MasterId == master.Id)]))
            : (fault, null);
    }

    /// <summary>Reads all events of the series that some events belong to.</summary>
    public async Task<(ProviderFault? Fault, GoogleSeries? Series)> CompleteAsync(
        GoogleSeries part, CancellationToken cancellation)
    {
        var masterId = part.Master?.Id ?? part.Exceptions[0].MasterId!;
        var master = part.Master;
        var uid = Uid(part);
        if (uid is null)
        {
            var (missing, found) = await events.GetAsync(masterId, cancellation);
            if (missing is not (null or { Reason: ProviderReason.NotFound or ProviderReason.Deleted }))
                return (missing, null);
            if (found is null or { IsCancelled: true })
                return (null, part with { Master = found });
            (master, uid) = (found, found.Uid);
        }

        // A UID that is not shown: what we have is all we may see.
        if (uid is null)
            return (null, part with { Master = master });
        var (fault, listing) = await events.FindAsync(uid, cancellation);
        if (fault is not null)
            return (fault, null);
        var all = part.Exceptions.Concat(listing.Items
            .Where(each => each.MasterId == masterId || each.Id == masterId));
        if (master is not null)
            all = all.Prepend(master);
        return (null, Group(all).First());
    }

    /// <summary>Whether a delta may have named only some of a resource's events.</summary>
    private static bool IsPart(GoogleSeries group) =>
        group.Master is null || group is { Master: { Recurs: true, IsCancelled: false } };

    private static string? Uid(GoogleSeries part) => part.Master?.Uid
        ?? part.Exceptions.Select(each => each.Uid).FirstOrDefault(own => own is not null);

    /// <summary>A series with all its events out of a whole listing; null when its master is not in
    /// it.</summary>
    private static GoogleSeries? Whole(GoogleSeries part, ILookup<string, GoogleEvent>? everything)
    {
        var masterId = part.Master?.Id ?? part.Exceptions[0].MasterId!;
        return everything?[masterId].Any(each => each.Id == masterId) == true
            ? Group(part.Exceptions.Concat(everything[masterId])).First()
            : null;
    }
}
