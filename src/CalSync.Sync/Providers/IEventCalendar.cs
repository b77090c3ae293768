using System.Collections.Immutable;

namespace CalSync.Sync.Providers;

/// <summary>The calls the product makes to a provider's calendars. Every expected failure is a
/// value.</summary>
/// <remarks>
/// One call is one attempt with the attempt timeout, behind the quota and the breakers; nothing here repeats
/// a write. Cancelling a write may leave it stored: the caller reads back before it writes again.
/// </remarks>
public interface IEventCalendar
{
    /// <summary>Reads one event. A deleted event is found, with status <c>cancelled</c>.</summary>
    Task<EventRead> GetAsync(ProviderCall call, EventAddress address, CancellationToken cancellation);

    /// <summary>Creates an event under an id of our choice.</summary>
    Task<EventWrite> InsertAsync(
        ProviderCall call, EventAddress address, EventContent content, Notify notify,
        CancellationToken cancellation);

    /// <summary>Changes the named fields of an event and leaves every other as it is.</summary>
    /// <param name="call">Who calls, with which token.</param>
    /// <param name="address">Which event.</param>
    /// <param name="content">Where the new values come from.</param>
    /// <param name="fields">Which fields to send.</param>
    /// <param name="ifMatch">The ETag the change was decided on; null only when none is known.</param>
    /// <param name="notify">Whom the provider may mail.</param>
    /// <param name="cancellation">A cancelled write may still have been stored.</param>
    Task<EventWrite> PatchAsync(
        ProviderCall call, EventAddress address, EventContent content, ImmutableHashSet<EventField> fields,
        string? ifMatch, Notify notify, CancellationToken cancellation);

    /// <summary>Deletes an event.</summary>
    Task<EventDelete> DeleteAsync(
        ProviderCall call, EventAddress address, string? ifMatch, Notify notify,
        CancellationToken cancellation);

    /// <summary>Moves an event to another calendar of the same account. Its id, guests and links
    /// stay.</summary>
    Task<EventMove> MoveAsync(
        ProviderCall call, EventAddress address, string toCalendarId, Notify notify,
        CancellationToken cancellation);

    /// <summary>Finds live events that carry our private mark for a mirror, in one calendar.</summary>
    Task<EventSearch> FindByMirrorAsync(
        ProviderCall call, string calendarId, string mirrorId, CancellationToken cancellation);

    /// <summary>Finds live events with an iCalendar UID, in one calendar.</summary>
    Task<EventSearch> FindByICalUidAsync(
        ProviderCall call, string calendarId, string uid, CancellationToken cancellation);

    /// <summary>Lists what changed in a calendar since a sync token, or everything; all pages.</summary>
    /// <param name="call">Who calls, with which token.</param>
    /// <param name="calendarId">The provider's id of the calendar.</param>
    /// <param name="syncToken">From the reading before; null for everything.</param>
    /// <param name="cancellation">Changes nothing.</param>
    Task<EventChanges> ListChangesAsync(
        ProviderCall call, string calendarId, string? syncToken, CancellationToken cancellation);

    /// <summary>Lists the account's calendars, all pages.</summary>
    Task<CalendarSearch> ListCalendarsAsync(ProviderCall call, CancellationToken cancellation);
}

/// <summary>Who calls, for what, with which token.</summary>
/// <param name="ConnectionId">The connection; its quota and breaker apply.</param>
/// <param name="AccessToken">A bearer token valid for at least the operation validity. Never logged.</param>
/// <param name="Interactive">True when a person waits: served before bulk work when the quota is
/// short.</param>
/// <param name="CorrelationId">Recorded with the call.</param>
/// <param name="Timeout">Limit of this attempt; null for the configured one (10 s).</param>
public sealed record ProviderCall(
    string ConnectionId, string AccessToken, bool Interactive, string CorrelationId, TimeSpan? Timeout = null)
{
    /// <summary>
    /// How often a read may be tried in all, within the retry budget; 1 by default. Writes are never
    /// repeated.
    /// </summary>
    public int ReadAttempts { get; init; } = 1;

    /// <summary>What was called with which result, in order, for the journal and <c>calsync
    /// trace</c>.</summary>
    public List<CallTrace> Trace { get; } = [];
}

/// <summary>One attempt, as recorded.</summary>
/// <param name="Operation">Google's method name, such as <c>events.patch</c>.</param>
/// <param name="StartedAt">When it was sent, UTC.</param>
/// <param name="Elapsed">Until the answer or the failure.</param>
/// <param name="Status">HTTP status; null without an answer.</param>
/// <param name="Reason">Null when it succeeded.</param>
/// <param name="Message">The safe sentence of the fault; null when it succeeded.</param>
public sealed record CallTrace(
    string Operation, DateTimeOffset StartedAt, TimeSpan Elapsed, int? Status, ProviderReason? Reason,
    string? Message);

/// <summary>Where an event lives at the provider.</summary>
/// <param name="CalendarId">The provider's calendar id.</param>
/// <param name="EventId">The provider's event id; for Google base32hex, 5 to 1024 characters.</param>
public sealed record EventAddress(string CalendarId, string EventId);

/// <summary>Whom the provider may mail about a write (Google's <c>sendUpdates</c>).</summary>
public enum Notify
{
    /// <summary>Nobody; the default of every operation.</summary>
    None = 0,

    /// <summary>Guests outside the provider only.</summary>
    ExternalOnly = 1,

    /// <summary>All guests.</summary>
    All = 2,
}

/// <summary>The fields the mirror owns.</summary>
public enum EventField
{
    /// <summary><c>summary</c>.</summary>
    Summary = 1,

    /// <summary><c>description</c>.</summary>
    Description = 2,

    /// <summary><c>location</c>.</summary>
    Location = 3,

    /// <summary><c>start</c> and <c>end</c>, always sent together.</summary>
    Time = 4,

    /// <summary><c>attendees</c>, the whole array.</summary>
    Attendees = 5,

    /// <summary>Our private extended properties.</summary>
    Mark = 6,

    /// <summary><c>conferenceData</c>; asks for a link with a fixed request id.</summary>
    Conference = 7,

    /// <summary><c>status</c>: sent as <c>confirmed</c> to undelete.</summary>
    Status = 8,
}
