using CalSync.Calendar.Comparison;

namespace CalSync.Sync.Pairs.Planning;

/// <summary>One event of the ledger without its content: where it lies on both sides.</summary>
/// <param name="Id">The mapping.</param>
/// <param name="Uid">The common UID.</param>
/// <param name="Status">How it stands.</param>
/// <param name="Left">Its place on the left; null when it is not there.</param>
/// <param name="Right">Its place on the right; null when it is not there.</param>
public sealed record MappingEntry(
    string Id, string Uid, MappingStatus Status, EntryPlace? Left, EntryPlace? Right)
{
    /// <summary>Its place on one side.</summary>
    public EntryPlace? On(MergeSide side) => side == MergeSide.Left ? Left : Right;
}

/// <summary>Where one side holds an event.</summary>
/// <param name="Address">Where.</param>
/// <param name="Version">The version last recorded; null when there is none.</param>
/// <param name="Uid">The UID it has on that side.</param>
public sealed record EntryPlace(ResourceAddress Address, string? Version, string Uid);

/// <summary>Something a side holds that cannot be synced as it is.</summary>
/// <param name="Side">Which side.</param>
/// <param name="Address">Where.</param>
/// <param name="Uid">Its UID; null when it has none.</param>
/// <param name="MappingId">The event the ledger knows there; null when it knows none.</param>
/// <param name="Trouble">Why.</param>
public sealed record SideTrouble(
    MergeSide Side, ResourceAddress Address, string? Uid, string? MappingId, Trouble Trouble);

/// <summary>What one side's read says of the events it is about. Pure.</summary>
/// <remarks>
/// First by address, then by UID, so that an event that was moved to another address is not taken for one
/// deleted and one created. What the read does not name is not touched. The ledger can know two events at
/// one address: one that was deleted, its deletion not being carried over yet, and another in its place.
/// </remarks>
internal sealed class ChangeMatch
{
    private readonly MergeSide _side;
    private readonly HashSet<ResourceAddress> _listed;
    private readonly HashSet<ResourceAddress> _tombstones;
    private readonly bool _isComplete;
    private readonly Dictionary<ResourceAddress, (string? Uid, string? Problem)> _read = [];
    private readonly ILookup<ResourceAddress, MappingEntry> _byAddress;
    private readonly Dictionary<string, MappingEntry> _byUid = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SideFact> _known = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SidePlace> _new = new(StringComparer.Ordinal);
    private readonly List<SideTrouble> _troubles = [];
    private readonly HashSet<string> _blocked = new(StringComparer.Ordinal);

    /// <summary>Matches one read with the ledger.</summary>
    /// <param name="side">Whose read.</param>
    /// <param name="ledger">All events the read may be about; with a complete listing all there are.</param>
    /// <param name="changes">The read.</param>
    /// <param name="opened">Writes whose end is not known: an event that was brought back under a UID of its
    /// own is known by it, although the ledger has no place of it.</param>
    public ChangeMatch(
        MergeSide side, IEnumerable<MappingEntry> ledger, ChangeSet changes,
        IEnumerable<OpenWrite>? opened = null)
    {
        _side = side;
        var entries = ledger.ToList();
        _byAddress = entries.Where(entry => entry.On(side) is not null)
            .ToLookup(entry => entry.On(side)!.Address);
        foreach (var entry in entries)
        {
            if (entry.On(side) is { } place)
                _byUid[place.Uid] = entry;
            _byUid.TryAdd(entry.Uid, entry);
        }

        foreach (var write in (opened ?? []).Where(write => write.IsTakeBack && write.Side == side))
        {
            if (write.UidThere is { } there && entries.Find(entry => entry.Uid == write.Uid) is { } known)
                _byUid.TryAdd(there, known);
        }

        _listed = [.. changes.Upserts.Select(each => each.Address)];
        _tombstones = [.. changes.Tombstones.Where(address => !_listed.Contains(address))];
        _isComplete = changes.Certificate is Certificate.Complete;
        foreach (var resource in changes.Upserts)
        {
            if (resource.Content is { } content)
                _read[resource.Address] = (ResourceContent.Uid(content, out var problem), problem);
        }

        foreach (var resource in changes.Upserts.OrderBy(
            each => each.Address.Value, StringComparer.Ordinal))
        {
            Add(resource);
        }

        foreach (var entry in _tombstones.SelectMany(address => _byAddress[address]))
            _known.TryAdd(entry.Id, new SideFact.Gone(DeletionProof.Tombstone));
        if (_isComplete)
        {
            foreach (var entry in _byAddress.Where(each => !_listed.Contains(each.Key))
                .SelectMany(each => each).Where(each => each.Status != MappingStatus.Deleted))
            {
                _known.TryAdd(entry.Id, new SideFact.Gone(DeletionProof.AbsentFromListing));
            }
        }

        foreach (var id in _blocked)
            _known.Remove(id);
    }

    /// <summary>Events of the ledger that the read is about, by mapping.</summary>
    public IReadOnlyDictionary<string, SideFact> Known => _known;

    /// <summary>Events of the ledger that nothing may be decided about on this side now.</summary>
    public IReadOnlySet<string> Blocked => _blocked;

    /// <summary>Events the ledger does not know, by UID.</summary>
    public IReadOnlyDictionary<string, SidePlace> New => _new;

    /// <summary>What cannot be synced as it is.</summary>
    public IReadOnlyList<SideTrouble> Troubles => _troubles;

    private void Add(RemoteResource resource)
    {
        var known = _byAddress[resource.Address].ToList();
        if (resource.Content is null && resource.Problem is null)
        {
            // Its version is the one we hold; the ledger knows the rest.
            if (known.Count > 1)
                SetReplaced(known.Where(entry => entry.On(_side)!.Version != resource.Version));
            return;
        }

        var (uid, problem) = _read.GetValueOrDefault(resource.Address);
        if (uid is null || resource.Problem is not null || resource.Content is null)
        {
            _blocked.UnionWith(known.Select(entry => entry.Id));
            _troubles.Add(new SideTrouble(
                _side, resource.Address, uid, known.Select(entry => entry.Id).FirstOrDefault(),
                new Trouble(
                    TroubleKind.Unreadable, resource.Problem ?? problem ?? "It cannot be read.",
                    resource.Raw ?? resource.Content?.ToString())));
            return;
        }

        var here = known.Find(entry => entry.On(_side)!.Uid == uid)
            ?? known.Find(entry => entry.Uid == uid);
        SetReplaced(known.Where(entry => entry != here));
        var entry = here ?? _byUid.GetValueOrDefault(uid);
        var place = new SidePlace(
            resource.Address, resource.Version, uid,
            entry is null || entry.Uid == uid
                ? resource.Content
                : ResourceContent.WithUid(resource.Content, entry.Uid));
        if (entry is null)
        {
            if (!_new.TryAdd(uid, place))
                AddDuplicate(resource, uid, null);
        }
        else if (_known.TryGetValue(entry.Id, out var before) && before is SideFact.Present other)
        {
            // The one at the address the ledger knows is the event, wherever it stands in the read.
            if (here is not null && entry.On(_side)!.Address != other.Place.Address)
            {
                _known[entry.Id] = new SideFact.Present(place);
                AddDuplicate(new RemoteResource(
                    other.Place.Address, other.Place.Version, other.Place.Seen), uid, entry.Id);
            }
            else
            {
                AddDuplicate(resource, uid, entry.Id);
            }
        }
        else if (entry.Status != MappingStatus.Deleted && entry.On(_side) is { } last
            && last.Address != resource.Address && IsStillThere(entry, last.Address))
        {
            AddDuplicate(resource, uid, entry.Id);
        }
        else
        {
            _known[entry.Id] = new SideFact.Present(place);
        }
    }

    /// <summary>Another event took their address, which proves as well as a tombstone that they are
    /// gone.</summary>
    private void SetReplaced(IEnumerable<MappingEntry> entries)
    {
        foreach (var entry in entries)
            _known.TryAdd(entry.Id, new SideFact.Gone(DeletionProof.Tombstone));
    }

    /// <summary>Whether an event is still where the ledger has it: else it was moved, not copied.</summary>
    private bool IsStillThere(MappingEntry entry, ResourceAddress address) => _listed.Contains(address)
        ? !_read.TryGetValue(address, out var there) || there.Uid is null
            || there.Uid == entry.On(_side)!.Uid || there.Uid == entry.Uid
        : !_isComplete && !_tombstones.Contains(address);

    private void AddDuplicate(RemoteResource resource, string uid, string? mappingId) =>
        _troubles.Add(new SideTrouble(
            _side, resource.Address, uid, mappingId,
            new Trouble(
                TroubleKind.DuplicateUid,
                $"This side has the UID {uid} twice; the other one is synced.",
                resource.Raw ?? resource.Content?.ToString())));
}
