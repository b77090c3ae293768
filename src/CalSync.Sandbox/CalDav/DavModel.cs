using System.Globalization;
using System.Text;
using CalSync.Sandbox.Google;

namespace CalSync.Sandbox.CalDav;

/// <summary>The practice iCloud itself: accounts, calendars and resources, without any HTTP.</summary>
/// <remarks>
/// Not thread-safe by itself: whoever calls a method holds <see cref="Gate"/>. Deterministic under the clock
/// and the random source it was given.
/// </remarks>
internal sealed class DavModel(TimeProvider clock, Random random)
{
    private readonly Dictionary<string, DavAccount> _accounts = new(StringComparer.OrdinalIgnoreCase);
    private long _revision;
    private long _dsid = 1_000_000_000;

    public Lock Gate { get; } = new();

    public Ids Ids { get; } = new(random);

    public CalDavQuirks Quirks { get; set; } = new();

    /// <summary>What the server would have mailed.</summary>
    public List<SandboxMail> Mails { get; } = [];

    public DateTimeOffset Now => clock.GetUtcNow();

    public IEnumerable<DavCalendar> AllCalendars => _accounts.Values.SelectMany(
        account => account.Calendars.Values.Concat(account.DeletedCalendars));

    /// <summary>Adds an account with its first calendars; one that is there already stays as it is.</summary>
    public DavAccount AddAccount(CalDavUser user)
    {
        if (_accounts.TryGetValue(user.Email, out var existing))
            return existing;
        var account = new DavAccount(user, (++_dsid).ToString(CultureInfo.InvariantCulture));
        _accounts.Add(user.Email, account);
        AddCalendar(account, "home", "Home", "VEVENT");
        AddCalendar(account, "work", "Work", "VEVENT");
        AddCalendar(account, "tasks", "Reminders", "VTODO");
        return account;
    }

    public DavCalendar AddCalendar(DavAccount account, string id, string name, string component)
    {
        var serial = Ids.NextBase32Hex(16);
        var calendar = new DavCalendar(account, id, name, component, serial, NextRevision());
        account.Calendars[id] = calendar;
        return calendar;
    }

    public static void DeleteCalendar(DavCalendar calendar)
    {
        calendar.Deleted = true;
        calendar.Owner.Calendars.Remove(calendar.Id);
        calendar.Owner.DeletedCalendars.Add(calendar);
    }

    public DavAccount? Account(string email) => _accounts.GetValueOrDefault(email);

    public DavCalendar? Calendar(string user, string id) =>
        Account(user)?.Calendars.GetValueOrDefault(id);

    public long NextRevision() => ++_revision;

    /// <summary>Stores a version of a resource.</summary>
    public DavResource Store(DavCalendar calendar, string name, ReadOnlyMemory<byte> octets, string uid)
    {
        var resource = calendar.Put(name, new DavVersion(octets, uid, NextRevision(), Now));
        if (Quirks.ReadDelaySeconds > 0)
            resource.DelayReadsUntil(Now.AddSeconds(Quirks.ReadDelaySeconds));
        return resource;
    }

    public void Delete(DavCalendar calendar, DavResource resource) =>
        calendar.Delete(resource, NextRevision());

    /// <summary>The strong ETag of a version, whatever the quirks show of it.</summary>
    public static string ETagOf(DavCalendar calendar, DavVersion version) => string.Create(
        CultureInfo.InvariantCulture, $"\"C={version.Revision}@U={calendar.Serial}\"");

    /// <summary>The ETag shown; null when the quirks show none.</summary>
    public string? ShownETag(DavCalendar calendar, DavVersion version) => Quirks.ETagForm switch
    {
        ETagForm.Strong => ETagOf(calendar, version),
        ETagForm.Weak => "W/" + ETagOf(calendar, version),
        ETagForm.None => null,
    };

    public static string CTagOf(DavCalendar calendar) =>
        Encode($"ctag {calendar.Serial} {calendar.Revision}");

    public static string TokenOf(DavCalendar calendar, long revision) =>
        Encode($"sync {calendar.Serial} {calendar.TokenEpoch} {revision}");

    /// <summary>The revision a sync token stands for; null when it is not a valid one of this
    /// calendar.</summary>
    public long? RevisionOf(DavCalendar calendar, string token)
    {
        var octets = new byte[token.Length];
        if (!Convert.TryFromBase64String(token, octets, out var length))
            return null;
        var words = Encoding.UTF8.GetString(octets, 0, length).Split(' ');
        return words is ["sync", var serial, var epoch, var at]
            && serial == calendar.Serial
            && epoch == calendar.TokenEpoch.ToString(CultureInfo.InvariantCulture)
            && long.TryParse(at, NumberStyles.None, CultureInfo.InvariantCulture, out var revision)
            && revision <= _revision
                ? revision
                : null;
    }

    private static string Encode(FormattableString text) =>
        Convert.ToBase64String(Encoding.UTF8.GetBytes(FormattableString.Invariant(text)));
}
