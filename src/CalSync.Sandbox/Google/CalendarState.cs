namespace CalSync.Sandbox.Google;

/// <summary>One calendar: its properties, who may see it, and its events with their change log.</summary>
internal sealed class CalendarState(string id, string summary, string timeZone, AccountState owner)
{
    private readonly Dictionary<string, EventSlot> _slots = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<EventSlot>> _slotsByICalUid = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<EventSlot>> _exceptions = new(StringComparer.Ordinal);
    private readonly List<EventSlot> _order = [];
    private readonly List<(long Change, EventSlot Slot)> _log = [];

    public string Id { get; } = id;

    public AccountState Owner { get; } = owner;

    public string Summary { get; set; } = summary;

    public string? Description { get; set; }

    public string? Location { get; set; }

    public string TimeZone { get; set; } = timeZone;

    public bool IsPrimary => ReferenceEquals(Owner.Primary, this);

    public bool Deleted { get; set; }

    public long UpdatedMicros { get; set; }

    /// <summary>Sync tokens of an earlier epoch answer 410 fullSyncRequired.</summary>
    public int TokenEpoch { get; set; }

    /// <summary>
    /// Access role by account e-mail: owner, writer, reader or freeBusyReader; absent means no access.
    /// </summary>
    public Dictionary<string, string> Roles { get; } = new(StringComparer.OrdinalIgnoreCase);

    public string ETag => $"\"{UpdatedMicros}\"";

    public IReadOnlyList<EventSlot> Slots => _order;

    public string? RoleOf(AccountState account) => Deleted ? null : Roles.GetValueOrDefault(account.Email);

    public bool IsWritableBy(AccountState account) => RoleOf(account) is "owner" or "writer";

    public EventSlot? Find(string eventId) => _slots.GetValueOrDefault(eventId);

    public IReadOnlyList<EventSlot> WithICalUid(string uid) => _slotsByICalUid.GetValueOrDefault(uid) ?? [];

    public IReadOnlyList<EventSlot> ExceptionsOf(string masterId) =>
        _exceptions.GetValueOrDefault(masterId) ?? [];

    /// <summary>Stores a version of an event and notes the change for incremental listings.</summary>
    public EventSlot Put(EventRecord record, long change)
    {
        if (!_slots.TryGetValue(record.Id, out var slot))
        {
            slot = new EventSlot(record, _order.Count);
            _slots.Add(record.Id, slot);
            _order.Add(slot);
            Append(_slotsByICalUid, record.ICalUid, slot);
            if (record.RecurringEventId is { } master)
                Append(_exceptions, master, slot);
        }
        else
        {
            slot.Replace(record);
        }

        slot.Change = change;
        _log.Add((change, slot));
        return slot;
    }

    /// <summary>Events whose latest change lies in (after, upTo], oldest change first.</summary>
    public IEnumerable<EventSlot> ChangedBetween(long after, long upTo)
    {
        for (var index = FirstAfter(after); index < _log.Count && _log[index].Change <= upTo; index++)
        {
            // An event changed several times stands in the log several times; only its latest entry counts.
            if (_log[index].Slot.Change == _log[index].Change)
                yield return _log[index].Slot;
        }
    }

    private int FirstAfter(long change)
    {
        var (low, high) = (0, _log.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_log[middle].Change <= change)
                low = middle + 1;
            else
                high = middle;
        }

        return low;
    }

    private static void Append(Dictionary<string, List<EventSlot>> index, string key, EventSlot slot)
    {
        if (!index.TryGetValue(key, out var slots))
            index.Add(key, slots = []);
        slots.Add(slot);
    }
}

/// <summary>One account: its primary calendar and its list of calendars.</summary>
internal sealed class AccountState(string email, string subject, string name, string timeZone)
{
    public string Email { get; } = email;

    /// <summary>The <c>sub</c> of the account: stable, digits, never reused.</summary>
    public string Subject { get; } = subject;

    public string Name { get; } = name;

    public string TimeZone { get; } = timeZone;

    public CalendarState Primary { get; set; } = null!;

    public Dictionary<string, CalendarListEntry> CalendarList { get; } = new(StringComparer.Ordinal);

    public int ListTokenEpoch { get; set; }
}

/// <summary>
/// One line of an account's calendar list; kept as a tombstone when the calendar goes away.
/// </summary>
internal sealed class CalendarListEntry(CalendarState calendar)
{
    public CalendarState Calendar { get; } = calendar;

    public bool Deleted { get; set; }

    public long Change { get; set; }

    public long UpdatedMicros { get; set; }
}
