using System.Text.Json.Serialization;

namespace CalSync.Sandbox;

/// <summary>Which habits the practice iCloud has, each switchable by itself.</summary>
/// <remarks>
/// The defaults are what several independent programs report of iCloud; what one voice alone reports, or
/// only other servers do, is off. <see cref="None"/> keeps to the standards alone.
/// </remarks>
public sealed record CalDavQuirks
{
    /// <summary>
    /// The calendar home is an absolute address on another host and port than the entry. Default true.
    /// </summary>
    public bool MovesToShard { get; init; } = true;

    /// <summary>Only app-specific passwords sign in, never the account's own. Default true.</summary>
    public bool NeedsAppPassword { get; init; } = true;

    /// <summary>
    /// XML without prefixes, indented, calendar data as CDATA, and an empty 404 propstat in every response.
    /// Default true.
    /// </summary>
    public bool WritesUnprefixedXml { get; init; } = true;

    /// <summary>
    /// Every second response leaves the status of what it found empty. Default false.
    /// </summary>
    public bool LeavesStatusEmpty { get; init; }

    /// <summary>The home lists inbox, outbox and notification beside calendars. Default true.</summary>
    public bool ListsOtherCollections { get; init; } = true;

    /// <summary>Reports contain the collection they were asked of. Default true.</summary>
    public bool ReportsCollectionItself { get; init; } = true;

    /// <summary>sync-collection names each changed resource twice. Default true.</summary>
    public bool RepeatsHrefs { get; init; } = true;

    /// <summary>sync-collection is refused and not offered: ctag and listing only. Default false.</summary>
    public bool LacksSyncCollection { get; init; }

    /// <summary>What a sync token that is not valid any more is answered. Default a bare 403.</summary>
    public DeadSyncToken DeadSyncToken { get; init; } = DeadSyncToken.BareForbidden;

    /// <summary>
    /// A sync-collection names at most so many resources and ends with 507 when there are more; null, the
    /// default, sets no limit of its own. A client's own limit always counts.
    /// </summary>
    public int? SyncPageCountMax { get; init; }

    /// <summary>calendar-query without a component filter answers 400. Default true.</summary>
    public bool QueryNeedsComponent { get; init; } = true;

    /// <summary>calendar-query by UID finds nothing. Default true.</summary>
    public bool QueryByUidFindsNothing { get; init; } = true;

    /// <summary>
    /// calendar-query by time looks at the first occurrence of a series only. Default false.
    /// </summary>
    public bool TimeRangeMissesSeries { get; init; }

    /// <summary>PUT of an event with neither DTEND nor DURATION answers 404. Default true.</summary>
    public bool RefusesEventWithoutEnd { get; init; } = true;

    /// <summary>A UID can be in one calendar of an account only. Default true.</summary>
    public bool KeepsUidOncePerAccount { get; init; } = true;

    /// <summary>
    /// What is PUT is stored in another order and folding, with CREATED and LAST-MODIFIED. Default true.
    /// </summary>
    public bool RewritesOnPut { get; init; } = true;

    /// <summary>When the answer to a PUT names an ETag. Default when the octets are stored as sent.</summary>
    public PutETag PutETag { get; init; } = PutETag.WhenStoredAsSent;

    /// <summary>What kind of ETag resources have. Default strong.</summary>
    public ETagForm ETagForm { get; init; } = ETagForm.Strong;

    /// <summary>
    /// Events with ORGANIZER and ATTENDEE are mailed by the server (RFC 6638) unless SCHEDULE-AGENT says
    /// otherwise; the mails are only noted. Default true.
    /// </summary>
    public bool MailsAttendees { get; init; } = true;

    /// <summary>
    /// A new calendar needs a name of four characters or more without <c>/ \ &lt; &gt; &amp; "</c>, and
    /// cannot hold tasks. Default true.
    /// </summary>
    public bool RefusesOddCalendars { get; init; } = true;

    /// <summary>
    /// A calendar made again under the address of a deleted one holds its old events. Default false.
    /// </summary>
    public bool RemembersDeletedCalendars { get; init; }

    /// <summary>
    /// For so many seconds after a write, listings and reports show its ETag while GET, multiget and query
    /// still give the content before (404 for a new resource). Default 0.
    /// </summary>
    public int ReadDelaySeconds { get; init; }

    /// <summary>
    /// Requests of one account in a sliding minute; those above answer 503 with Retry-After. Null, the
    /// default, sets no limit.
    /// </summary>
    public int? RequestsPerMinuteMax { get; init; }

    /// <summary>iCloud as documented: the defaults.</summary>
    public static CalDavQuirks ICloud { get; } = new();

    /// <summary>A server without habits, that does what the standards say.</summary>
    public static CalDavQuirks None { get; } = new()
    {
        MovesToShard = false,
        NeedsAppPassword = false,
        WritesUnprefixedXml = false,
        ListsOtherCollections = false,
        ReportsCollectionItself = false,
        RepeatsHrefs = false,
        DeadSyncToken = DeadSyncToken.Precondition,
        QueryNeedsComponent = false,
        QueryByUidFindsNothing = false,
        RefusesEventWithoutEnd = false,
        KeepsUidOncePerAccount = false,
        RewritesOnPut = false,
        PutETag = PutETag.WhenStoredAsSent,
        MailsAttendees = false,
        RefusesOddCalendars = false,
    };
}

/// <summary>How a dead sync token is answered. Sent by name.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<DeadSyncToken>))]
public enum DeadSyncToken
{
    /// <summary>403 with DAV:valid-sync-token, as RFC 6578 section 3.2 asks.</summary>
    Precondition = 0,

    /// <summary>403 without a body.</summary>
    BareForbidden = 1,

    /// <summary>410.</summary>
    Gone = 2,

    /// <summary>500.</summary>
    Error = 3,

    /// <summary>207 with everything there is: what vanished meanwhile is not named.</summary>
    FullListing = 4,

    /// <summary>207 with nothing, and a new token: what changed meanwhile is never named.</summary>
    Nothing = 5,
}

/// <summary>When the answer to a PUT names an ETag. Sent by name.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<PutETag>))]
public enum PutETag
{
    /// <summary>Only when the octets are stored as sent, as RFC 4791 section 5.3.4 asks.</summary>
    WhenStoredAsSent = 0,

    /// <summary>Also when something else is stored than was sent.</summary>
    Always = 1,

    /// <summary>Never.</summary>
    Never = 2,
}

/// <summary>What kind of ETag resources have. Sent by name.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ETagForm>))]
public enum ETagForm
{
    /// <summary>Strong.</summary>
    Strong = 0,

    /// <summary>Weak: <c>W/"..."</c>; If-Match compares its opaque part.</summary>
    Weak = 1,

    /// <summary>None at all, neither as header nor as property.</summary>
    None = 2,
}
