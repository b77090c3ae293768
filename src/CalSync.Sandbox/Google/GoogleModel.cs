using System.Globalization;

namespace CalSync.Sandbox.Google;

/// <summary>
/// The practice Google itself: accounts, calendars, and everything that happened, without any HTTP.
/// </summary>
/// <remarks>
/// Not thread-safe by itself: whoever calls a method holds <see cref="Gate"/>. Deterministic under the clock
/// and the random source it was given.
/// </remarks>
internal sealed class GoogleModel
{
    private readonly Dictionary<string, AccountState> _accounts = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, CalendarState> _calendars = new(StringComparer.Ordinal);
    private readonly TimeProvider _clock;
    private long _lastMicros;
    private long _change;
    private long _subjectCount = 100_000_000_000;

    public GoogleModel(TimeProvider clock, Random random)
    {
        _clock = clock;
        Ids = new Ids(random);
        Mails = new MailLog(clock, this);
        Conferences = new Conferences(this);
        Copies = new AttendeeCopies(this);
        Channels = new Channels(this);
        Writes = new EventWrites(this);
        Listing = new EventListing(this);
        Calendars = new CalendarWrites(this);
    }

    /// <summary>The one lock; calls are microseconds long, so finer locks would buy nothing.</summary>
    public Lock Gate { get; } = new();

    public Ids Ids { get; }

    public MailLog Mails { get; }

    public Conferences Conferences { get; }

    public AttendeeCopies Copies { get; }

    public Channels Channels { get; }

    public EventWrites Writes { get; }

    public EventListing Listing { get; }

    public CalendarWrites Calendars { get; }

    public SandboxSettings Settings { get; set; } = new();

    public DateTimeOffset Now => _clock.GetUtcNow();

    /// <summary>The number of the latest change; sync tokens carry one.</summary>
    public long LastChange => _change;

    public IEnumerable<AccountState> Accounts => _accounts.Values;

    public IEnumerable<CalendarState> AllCalendars => _calendars.Values;

    /// <summary>Adds an account with its primary calendar, whose id is the e-mail address.</summary>
    public AccountState AddAccount(string email, string name, string timeZone)
    {
        if (_accounts.TryGetValue(email, out var existing))
            return existing;
        var subject = (++_subjectCount).ToString(CultureInfo.InvariantCulture);
        var account = new AccountState(email, subject, name, timeZone);
        _accounts.Add(email, account);
        account.Primary = AddCalendar(email, email, timeZone, account);
        return account;
    }

    /// <summary>Adds a calendar owned by an account and puts it on the account's list.</summary>
    public CalendarState AddCalendar(string id, string summary, string timeZone, AccountState owner)
    {
        var calendar = new CalendarState(id, summary, timeZone, owner) { UpdatedMicros = NextMicros() };
        _calendars.Add(id, calendar);
        SetAccess(calendar, owner, "owner");
        return calendar;
    }

    /// <summary>
    /// Gives an account a role on a calendar, or takes it away; list and sync tokens follow.
    /// </summary>
    /// <remarks>
    /// <c>role</c>: Null removes the calendar from the account's list and leaves a tombstone.
    /// </remarks>
    public void SetAccess(CalendarState calendar, AccountState account, string? role)
    {
        if (role is null)
            calendar.Roles.Remove(account.Email);
        else
            calendar.Roles[account.Email] = role;
        if (!account.CalendarList.TryGetValue(calendar.Id, out var entry))
            account.CalendarList.Add(calendar.Id, entry = new CalendarListEntry(calendar));
        entry.Deleted = role is null;
        TouchListEntry(account, entry);
    }

    public void TouchListEntry(AccountState account, CalendarListEntry entry)
    {
        entry.Change = NextChange();
        entry.UpdatedMicros = NextMicros();
        Channels.Tell(null, account);
    }

    public AccountState? Account(string email) => _accounts.GetValueOrDefault(email);

    public CalendarState? Calendar(string id) => _calendars.GetValueOrDefault(id);

    /// <summary>
    /// The calendar an account means; null when it does not exist or is not shared with it.
    /// </summary>
    public CalendarState? Calendar(AccountState account, string id)
    {
        var calendar = id == "primary" ? account.Primary
            : _calendars.GetValueOrDefault(id) ?? _calendars.GetValueOrDefault(id.ToLowerInvariant());
        return calendar?.RoleOf(account) is null ? null : calendar;
    }

    public long NextChange() => ++_change;

    /// <summary>
    /// The clock in microseconds, made to rise with every use so that no two versions share an ETag.
    /// </summary>
    public long NextMicros()
    {
        var now = (Now - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        return _lastMicros = Math.Max(now, _lastMicros + 1);
    }

    /// <summary>Stores a version of an event, notes the change and wakes watchers.</summary>
    public EventSlot Store(CalendarState calendar, EventRecord record)
    {
        var slot = calendar.Put(record, NextChange());
        Channels.Tell(calendar, null);
        return slot;
    }
}

