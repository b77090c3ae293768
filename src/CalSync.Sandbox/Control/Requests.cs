using System.Text.Json.Nodes;

namespace CalSync.Sandbox;

/// <summary>A person changes an event in the calendar's user interface, past the API.</summary>
/// <param name="CalendarId">The calendar that holds it.</param>
/// <param name="EventId">The event's id there.</param>
/// <param name="Action">
/// patch, delete, recreate (same content, new id), copy (same content beside it) or answer.
/// </param>
public sealed record HandEdit(string CalendarId, string EventId, string Action)
{
    /// <summary>
    /// patch: the fields to change, with patch semantics; recreate and copy: what the new event has instead.
    /// </summary>
    public JsonObject? Fields { get; init; }

    /// <summary>recreate and copy: the new event's id; made up when absent.</summary>
    public string? NewId { get; init; }

    /// <summary>answer: whose.</summary>
    public string? Attendee { get; init; }

    /// <summary>answer: accepted, declined, tentative or needsAction.</summary>
    public string? Answer { get; init; }

    /// <summary>
    /// delete: let a later undelete answer 403 forbidden, as was reported of the real service.
    /// </summary>
    public bool ForbidUndelete { get; init; }

    /// <summary>Who would be mailed: all, externalOnly or none (the default).</summary>
    public string SendUpdates { get; init; } = "none";
}

/// <summary>What a hand edit left behind.</summary>
/// <param name="EventId">The event edited, or the new one.</param>
/// <param name="ETag">Its ETag now.</param>
public sealed record HandEdited(string EventId, string ETag);

/// <summary>Switches that last until changed.</summary>
/// <param name="EmptyPages">Each event listing begins with an empty page that has a next-page token.</param>
/// <param name="ConferenceDelaySeconds">How long a requested conference stays pending; 0 by default.</param>
/// <param name="SyncTokenLifetimeDays">
/// After this a sync token answers 410 fullSyncRequired; 28 by default.
/// </param>
/// <param name="RotatesRefreshTokens">
/// Every refresh gives a new refresh token, and the one before dies when the new one is used; false by
/// default, as Google does.
/// </param>
public sealed record SandboxSettings(
    bool EmptyPages = false, int ConferenceDelaySeconds = 0, int SyncTokenLifetimeDays = 28,
    bool RotatesRefreshTokens = false);

internal sealed record AccountRequest(string User);

internal sealed record CalendarRequest(string CalendarId);

internal sealed record AccessRequest(string CalendarId, string User, string Role);

internal sealed record ClockRequest(double AdvanceSeconds);

internal sealed record InvalidateRequest(string? CalendarId, string? User);

internal sealed record CountAnswer(int Count);

/// <summary>A secondary calendar to create "by hand".</summary>
internal sealed record NewCalendarRequest(string User, string Summary, string TimeZone);
