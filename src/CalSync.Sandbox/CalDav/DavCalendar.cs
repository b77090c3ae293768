namespace CalSync.Sandbox.CalDav;

/// <summary>One version of a resource; never changed after it was made.</summary>
/// <remarks>
/// <c>Revision</c>: Of the whole server; rises with every change and is in the ETag.
/// </remarks>
internal sealed record DavVersion(
    ReadOnlyMemory<byte> Octets, string Uid, long Revision, DateTimeOffset ModifiedAt);

/// <summary>One resource: its current version and, while reading is delayed, the one before.</summary>
internal sealed class DavResource(string name, DavVersion version)
{
    private DavVersion? _shownMeanwhile;
    private DateTimeOffset _delayedUntil;

    public string Name { get; } = name;

    public DavVersion Current { get; private set; } = version;

    public DavVersion? Previous { get; private set; }

    public void Replace(DavVersion version)
    {
        Previous = Current;
        Current = version;
    }

    /// <summary>Reads of the content see the version before until then; 404 for a new resource.</summary>
    public void DelayReadsUntil(DateTimeOffset until)
    {
        _shownMeanwhile = Previous;
        _delayedUntil = until;
    }

    public DavVersion? SeenAt(DateTimeOffset now) => now < _delayedUntil ? _shownMeanwhile : Current;
}

/// <summary>One calendar: its properties, its resources, and the order in which they changed.</summary>
/// <remarks>
/// <c>serial</c>: Never the same for two calendars, not even under one address: sync tokens carry it.
/// </remarks>
internal sealed class DavCalendar(
    DavAccount owner, string id, string name, string component, string serial, long revision)
{
    private readonly Dictionary<string, DavResource> _resources = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _nameByUid = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _latest = new(StringComparer.Ordinal);
    private readonly List<(long Revision, string Name)> _log = [];

    public DavAccount Owner { get; } = owner;

    public string Id { get; } = id;

    public string Serial { get; } = serial;

    public string Component { get; } = component;

    public string Name { get; set; } = name;

    public string Color { get; set; } = "#1BADF8FF";

    public string? Order { get; set; }

    public string? Description { get; set; }

    public string? TimeZone { get; set; }

    public bool IsReadOnly { get; set; }

    public bool Deleted { get; set; }

    /// <summary>Sync tokens of an earlier epoch are dead.</summary>
    public int TokenEpoch { get; set; }

    /// <summary>Of the latest change, properties included.</summary>
    public long Revision { get; set; } = revision;

    public IEnumerable<DavResource> Resources => _resources.Values;

    public DavResource? Find(string name) => _resources.GetValueOrDefault(name);

    public string? NameOf(string uid) => _nameByUid.GetValueOrDefault(uid);

    public DavResource Put(string name, DavVersion version)
    {
        if (_resources.TryGetValue(name, out var resource))
        {
            _nameByUid.Remove(resource.Current.Uid);
            resource.Replace(version);
        }
        else
        {
            _resources.Add(name, resource = new DavResource(name, version));
        }

        if (version.Uid.Length > 0)
            _nameByUid[version.Uid] = name;
        Note(name, version.Revision);
        return resource;
    }

    public void Delete(DavResource resource, long revision)
    {
        _resources.Remove(resource.Name);
        _nameByUid.Remove(resource.Current.Uid);
        Note(resource.Name, revision);
    }

    /// <summary>
    /// What changed after a revision, each name once at its latest change, oldest first; null resources are
    /// deleted.
    /// </summary>
    public IEnumerable<(long Revision, string Name, DavResource? Resource)> ChangedSince(long revision)
    {
        for (var index = FirstAfter(revision); index < _log.Count; index++)
        {
            var (at, name) = _log[index];
            if (_latest[name] == at)
                yield return (at, name, Find(name));
        }
    }

    private void Note(string name, long revision)
    {
        _latest[name] = revision;
        _log.Add((revision, name));
        Revision = revision;
    }

    private int FirstAfter(long revision)
    {
        var (low, high) = (0, _log.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_log[middle].Revision <= revision)
                low = middle + 1;
            else
                high = middle;
        }

        return low;
    }
}

/// <summary>One account: its passwords and its calendars.</summary>
internal sealed class DavAccount(CalDavUser user, string dsid)
{
    public string Email { get; } = user.Email;

    public string Name { get; } = user.Name;

    /// <summary>The number in all its addresses.</summary>
    public string Dsid { get; } = dsid;

    public string Password { get; } = user.Password;

    public HashSet<string> AppPasswords { get; } = new(user.AppPasswords, StringComparer.Ordinal);

    public Dictionary<string, DavCalendar> Calendars { get; } = new(StringComparer.Ordinal);

    /// <summary>Deleted ones; the latest under each address is the one that may be remembered.</summary>
    public List<DavCalendar> DeletedCalendars { get; } = [];
}
