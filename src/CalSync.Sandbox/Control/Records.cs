using System.Text.Json.Nodes;

namespace CalSync.Sandbox;

/// <summary>One mail the practice Google would have sent, or kept back.</summary>
/// <param name="At">When, by the sandbox's clock.</param>
/// <param name="Kind">invitation, update or cancellation.</param>
/// <param name="To">The recipient's address.</param>
/// <param name="CalendarId">The organizer's calendar.</param>
/// <param name="EventId">The event's id there.</param>
/// <param name="ICalUid">The event's iCalUID.</param>
/// <param name="SendUpdates">The parameter of the write: all, externalOnly or none.</param>
/// <param name="Mailed">False when the parameter kept it back.</param>
public sealed record SandboxMail(
    DateTimeOffset At, string Kind, string To, string CalendarId, string EventId, string ICalUid,
    string SendUpdates, bool Mailed);

/// <summary>One request the sandbox received.</summary>
/// <param name="Number">Counts from 1 since the start or the last clearing.</param>
/// <param name="At">When it arrived, by the sandbox's clock.</param>
/// <param name="Operation">
/// "events.insert", "token", "revoke", "authorize", ...; "unknown" for other paths.
/// </param>
/// <param name="User">The token's account; null without a valid or expired token.</param>
/// <param name="CalendarId">The real calendar id ("primary" is resolved).</param>
/// <param name="EventId">The event id of the path, or of an insert's body.</param>
/// <param name="Status">The status answered; 0 when no answer was sent.</param>
/// <param name="Fault">Id of the fault script that fired; null when none did.</param>
/// <param name="TokenState">valid, expired, absent or unknown; null where no token is due.</param>
/// <param name="ClientDisconnected">The client left before the answer.</param>
/// <param name="IfMatch">Whether an If-Match header came with it.</param>
/// <param name="Detail">The grant_type of a token call, the sendUpdates of a write.</param>
public sealed record SandboxCall(
    long Number, DateTimeOffset At, string Operation, string? User, string? CalendarId, string? EventId,
    int Status,
    int? Fault, string? TokenState, bool ClientDisconnected, bool IfMatch, string? Detail);

/// <summary>Everything the sandbox holds.</summary>
/// <param name="Calendars">Every calendar of every account, deleted ones included.</param>
public sealed record SandboxTruth(IReadOnlyList<TruthCalendar> Calendars);

/// <summary>One calendar as it really is.</summary>
/// <param name="Id">The e-mail address for a primary calendar.</param>
/// <param name="Owner">The owning account's e-mail.</param>
/// <param name="Summary">Its title.</param>
/// <param name="TimeZone">IANA id.</param>
/// <param name="Deleted">True when it was deleted; its events are kept to look at.</param>
/// <param name="Events">Cancelled ones and guests' copies included, in order of creation.</param>
public sealed record TruthCalendar(
    string Id, string Owner, string Summary, string TimeZone, bool Deleted, IReadOnlyList<TruthEvent> Events);

/// <summary>One event as it really is, stale reads and tokens aside.</summary>
/// <param name="Id">Unique in the calendar; a guest's copy has the organizer's.</param>
/// <param name="ICalUid">The same in every calendar that holds the event.</param>
/// <param name="Status">confirmed, tentative or cancelled.</param>
/// <param name="Summary">The title; null when it has none.</param>
/// <param name="Start">The instant; midnight in the calendar's zone for an all-day event.</param>
/// <param name="End">The instant; exclusive.</param>
/// <param name="Sequence">iCalendar SEQUENCE: 0 first, raised when the time changes.</param>
/// <param name="ETag">The ETag a read would give.</param>
/// <param name="IsCopy">True for the copy in a guest's calendar.</param>
/// <param name="Attendees">Answer by e-mail address.</param>
/// <param name="Body">The event as its organizer would read it.</param>
public sealed record TruthEvent(
    string Id, string ICalUid, string Status, string? Summary, DateTimeOffset Start, DateTimeOffset End,
    int Sequence, string ETag, bool IsCopy, IReadOnlyDictionary<string, string> Attendees, JsonObject Body);

/// <summary>Request limits of the practice Google, per sliding 60 seconds; null means none.</summary>
/// <param name="PerUser">Calls per user; beyond it 403 userRateLimitExceeded. Google publishes 600.</param>
/// <param name="PerProject">Calls together; beyond it 429 rateLimitExceeded. Google publishes 10,000.</param>
/// <param name="CalendarUseExceeded">True: every write answers 403 quotaExceeded until switched off.</param>
public sealed record SandboxQuota(
    int? PerUser = null, int? PerProject = null, bool CalendarUseExceeded = false);

/// <summary>The sandbox's time.</summary>
/// <param name="Now">In UTC.</param>
public sealed record SandboxTime(DateTimeOffset Now);

/// <summary>Latency of every provider call.</summary>
/// <param name="Milliseconds">Waited before a call is applied; 0 by default.</param>
public sealed record SandboxLatency(int Milliseconds);
