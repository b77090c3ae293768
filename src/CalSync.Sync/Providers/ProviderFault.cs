namespace CalSync.Sync.Providers;

/// <summary>Why a provider call did not do what was asked. A closed list, append only; stored by
/// name.</summary>
public enum ProviderReason
{
    /// <summary>No answer: connection refused, reset or name not found.</summary>
    Unreachable = 1,

    /// <summary>No answer within the attempt timeout; the call was cancelled.</summary>
    TimedOut = 2,

    /// <summary>403 or 429 with <c>rateLimitExceeded</c> or <c>userRateLimitExceeded</c>.</summary>
    RateLimited = 3,

    /// <summary>403 <c>quotaExceeded</c>: a use limit of the account; the pause is hours.</summary>
    QuotaExceeded = 4,

    /// <summary>Any 5xx.</summary>
    ServerError = 5,

    /// <summary>401: the access token is not accepted.</summary>
    CredentialsRejected = 6,

    /// <summary>403: the grant lacks the scope this call needs.</summary>
    InsufficientScope = 7,

    /// <summary>403: the calendar or event may not be written by this account.</summary>
    NotWritable = 8,

    /// <summary>404: absent, or not shared with this account; may be transient just after a write.</summary>
    NotFound = 9,

    /// <summary>409 <c>duplicate</c>: the event id is taken, by a live or a deleted event.</summary>
    Duplicate = 10,

    /// <summary>410 <c>deleted</c>: the event was already deleted.</summary>
    Deleted = 11,

    /// <summary>410 <c>fullSyncRequired</c>: the sync token is dead.</summary>
    FullSyncRequired = 12,

    /// <summary>410 <c>updatedMinTooLongAgo</c>.</summary>
    UpdatedMinTooLongAgo = 13,

    /// <summary>412: someone else wrote first.</summary>
    PreconditionFailed = 14,

    /// <summary>400: the request itself is wrong; repeating it cannot help.</summary>
    InvalidRequest = 15,

    /// <summary>400 naming an attendee address the provider refuses.</summary>
    AttendeeRejected = 16,

    /// <summary>403 <c>accessNotConfigured</c>: the API is off for the project.</summary>
    AccessNotConfigured = 17,

    /// <summary>409 other than a duplicate id.</summary>
    Conflict = 18,

    /// <summary>Not sent: a breaker is open.</summary>
    BreakerOpen = 19,

    /// <summary>Not sent: our own quota would have been exceeded within the time the caller could
    /// wait.</summary>
    QuotaWait = 20,

    /// <summary>An answer outside the protocol: not JSON, not the documented shape, too large.</summary>
    OutsideProtocol = 21,
}

/// <summary>A provider call that failed, as a value.</summary>
/// <param name="Reason">Which of the closed list.</param>
/// <param name="ProviderCode">The provider's own reason code, such as <c>rateLimitExceeded</c>; null without
/// an answer.</param>
/// <param name="Status">The HTTP status; null without an answer.</param>
/// <param name="Message">One safe sentence: no tokens, no addresses, no provider body.</param>
/// <param name="RetryAfter">From the moment of the answer, when the provider or a breaker named a
/// delay.</param>
/// <param name="OutcomeUnknown">
/// True when the request may have been applied although no answer came: read back before writing again.
/// </param>
public sealed record ProviderFault(
    ProviderReason Reason,
    string? ProviderCode,
    int? Status,
    string Message,
    TimeSpan? RetryAfter = null,
    bool OutcomeUnknown = false)
{
    /// <summary>Whether the same call can succeed later without a person doing something.</summary>
    public bool RetryHelps => Reason switch
    {
        ProviderReason.Unreachable or ProviderReason.TimedOut or ProviderReason.RateLimited
            or ProviderReason.QuotaExceeded or ProviderReason.ServerError or ProviderReason.NotFound
            or ProviderReason.FullSyncRequired or ProviderReason.UpdatedMinTooLongAgo
            or ProviderReason.PreconditionFailed or ProviderReason.Conflict or ProviderReason.BreakerOpen
            or ProviderReason.QuotaWait or ProviderReason.OutsideProtocol or ProviderReason.Duplicate => true,
        ProviderReason.CredentialsRejected or ProviderReason.InsufficientScope or ProviderReason.NotWritable
            or ProviderReason.Deleted or ProviderReason.InvalidRequest or ProviderReason.AttendeeRejected
            or ProviderReason.AccessNotConfigured => false,
    };
}
