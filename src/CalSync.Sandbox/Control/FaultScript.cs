using System.Text.Json.Nodes;

namespace CalSync.Sandbox;

/// <summary>One line of a fault script: which calls go wrong, and how.</summary>
/// <remarks>
/// Scripts are asked in the order they were added; each counts the calls it matches, the first that decides
/// to fire wins. Without <see cref="Nth"/>, <see cref="Every"/> and <see cref="Probability"/> each matching
/// call fires.
/// </remarks>
/// <param name="Operation">
/// An operation ("events.insert", "token", "revoke", "userinfo", "caldav.put", ...), a family ("events.*",
/// "caldav.*") or all ("*"). "caldav-row" is one resource in a multiget, query or sync-collection.
/// </param>
/// <param name="Effect">What happens.</param>
public sealed record FaultScript(string Operation, FaultEffect Effect)
{
    /// <summary>
    /// Only calls on this calendar ("primary" in a call counts as its real id; of CalDAV the last segment of
    /// its address); null means any.
    /// </summary>
    public string? CalendarId { get; init; }

    /// <summary>Only calls on this event id (CalDAV: resource name, decoded); null means any.</summary>
    public string? EventId { get; init; }

    /// <summary>Only calls with a token of this account (e-mail); null means any.</summary>
    public string? User { get; init; }

    /// <summary>Only writes that name this guest (e-mail); null means any call.</summary>
    public string? Attendee { get; init; }

    /// <summary>Fires on the n-th matching call only, counted from 1.</summary>
    public int? Nth { get; init; }

    /// <summary>Fires on every n-th matching call.</summary>
    public int? Every { get; init; }

    /// <summary>Fires with this probability, 0 to 1, from <see cref="Seed"/>.</summary>
    public double? Probability { get; init; }

    /// <summary>Seed of this script's own random source; 0 when absent.</summary>
    public int Seed { get; init; }

    /// <summary>Fires at most so often; null means without end.</summary>
    public int? Times { get; init; }
}

/// <summary>What a fired fault does. Several parts may be combined (a delay and a status, say).</summary>
public sealed record FaultEffect
{
    /// <summary>Answer with this HTTP status instead of doing anything.</summary>
    public int? Status { get; init; }

    /// <summary>
    /// Google's reason, OAuth's error or the CalDAV precondition ("valid-sync-token",
    /// "CALDAV:no-uid-conflict") for <see cref="Status"/>; a usual one, or of CalDAV none, when absent.
    /// </summary>
    public string? Reason { get; init; }

    /// <summary>Retry-After header in seconds, with <see cref="Status"/>.</summary>
    public int? RetryAfter { get; init; }

    /// <summary>
    /// With <see cref="Status"/>: apply the call first, then answer the error all the same.
    /// </summary>
    public bool ApplyFirst { get; init; }

    /// <summary>
    /// Wait so many milliseconds before applying; applied even when the client has left by then.
    /// </summary>
    public int? DelayMs { get; init; }

    /// <summary>Wait so many milliseconds after applying, before the answer.</summary>
    public int? DelayAfterMs { get; init; }

    /// <summary>
    /// "before": abort the connection, nothing applied. "after": apply, then abort. "middle": apply, send
    /// half of the answer, then abort.
    /// </summary>
    public string? Drop { get; init; }

    /// <summary>Reads see the version before this one for so many seconds.</summary>
    public int? StaleSeconds { get; init; }

    /// <summary>On a write, store this field differently; on a read, show it differently.</summary>
    public FaultField? ChangeField { get; init; }

    /// <summary>Answer success, store nothing.</summary>
    public bool Swallow { get; init; }

    /// <summary>Store in this calendar of the same account instead.</summary>
    public string? StoreIn { get; init; }

    /// <summary>Apply the call and send this status with the usual answer.</summary>
    public int? AnswerAs { get; init; }

    /// <summary>Apply the call and send this instead of the answer: a login page, nothing.</summary>
    public string? Body { get; init; }

    /// <summary>The content type of <see cref="Body"/>; text/html when absent.</summary>
    public string? BodyType { get; init; }

    /// <summary>Send only so many octets of the answer, as if that were all of it.</summary>
    public int? KeepBytes { get; init; }

    /// <summary>Never answer; the client has to give up.</summary>
    public bool Blackhole { get; init; }
}

/// <summary>One field and the value a fault gives it.</summary>
/// <param name="Path">
/// Names joined by dots, indexes as numbers: "start.dateTime", "attendees.0.responseStatus".
/// </param>
/// <param name="Value">Null removes the field.</param>
public sealed record FaultField(string Path, JsonNode? Value);

/// <summary>A script and how it fared so far.</summary>
/// <param name="Id">Counts from 1 in the order of adding.</param>
/// <param name="Script">As it was added.</param>
/// <param name="Seen">How many calls matched it.</param>
/// <param name="Fired">How many of those it spoiled.</param>
public sealed record FaultReport(int Id, FaultScript Script, int Seen, int Fired);
