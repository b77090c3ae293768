using System.Collections.Immutable;
using static CalSync.App.Api.Problems.RetryAdvice;

namespace CalSync.App.Api.Problems;

/// <summary>Every problem the product answers with. Each has a page of its name in docs/errors.</summary>
/// <remarks>Append only: a published type keeps its name, status and meaning.</remarks>
internal static class ProblemCatalogue
{
    public static readonly ProblemType Unauthenticated = new("unauthenticated", 401,
        "The request carries no valid API token.",
        "Send Authorization: Bearer with a token made by calsync users token.", AfterAPerson);

    public static readonly ProblemType SignInRefused = new("sign-in-refused", 401,
        "Address and password do not belong together.",
        "Try again, or ask an administrator of your organisation for a new password.", AfterAPerson);

    public static readonly ProblemType GoogleSignInRefused = new("google-sign-in-refused", 401,
        "This Google account signs nobody in here.",
        "Sign in with your password, or ask an administrator which Google account is yours.", AfterAPerson);

    public static readonly ProblemType SignInAttemptOver = new("sign-in-attempt-over", 401,
        "This sign-in is not under way in this browser.",
        "Start signing in again, and finish in the same browser within ten minutes.", ChangeTheRequest);

    public static readonly ProblemType SignInUnavailable = new("sign-in-unavailable", 503,
        "Signing in with Google is not possible at the moment.",
        "Wait for the time in Retry-After and start again, or sign in with your password.", Later);

    public static readonly ProblemType TooManyAttempts = new("too-many-attempts", 429,
        "There were too many attempts to sign in.",
        "Wait for the time in Retry-After and try again.", Later);

    public static readonly ProblemType Forbidden = new("forbidden", 403,
        "Your role does not allow this.",
        "Ask an administrator of your organisation to do it, or for another role.", AfterAPerson);

    public static readonly ProblemType NotFound = new("not-found", 404,
        "There is nothing here that you may see.",
        "Check the address and the id; list the collection to see what exists.", ChangeTheRequest);

    public static readonly ProblemType MethodNotAllowed = new("method-not-allowed", 405,
        "This resource does not support this method.",
        "Use one of the methods in the Allow header.", ChangeTheRequest);

    public static readonly ProblemType NotAcceptable = new("not-acceptable", 406,
        "Answers exist as JSON only.",
        "Accept application/json and application/problem+json.", ChangeTheRequest);

    public static readonly ProblemType UnsupportedMediaType = new("unsupported-media-type", 415,
        "The body must be JSON in UTF-8.",
        "Send Content-Type: application/json.", ChangeTheRequest);

    public static readonly ProblemType BodyTooLarge = new("body-too-large", 413,
        "The body is larger than 64 KiB.",
        "Send less in one request, for example a class with fewer listed slots.", ChangeTheRequest);

    public static readonly ProblemType RequestTimeout = new("request-timeout", 408,
        "The body did not arrive in time.",
        "Send the request again, with the same idempotency key.", Later);

    public static readonly ProblemType MalformedRequest = new("malformed-request", 400,
        "The request cannot be read.",
        "Correct the member, parameter or header named in detail.", ChangeTheRequest);

    public static readonly ProblemType ValidationFailed = new("validation-failed", 422,
        "The request can be read, but some values are not possible.",
        "Correct the values listed in errors; each names its place and the reason.", ChangeTheRequest);

    public static readonly ProblemType InvalidTimeZone = new("invalid-timezone", 422,
        "The time zone is not a known IANA name.",
        "Use a name such as Asia/Kolkata; suggestions lists likely ones.", ChangeTheRequest);

    public static readonly ProblemType NonexistentLocalTime = new("nonexistent-local-time", 422,
        "The local time does not exist: clocks jump over it.",
        "Choose a time before or after the jump.", ChangeTheRequest);

    public static readonly ProblemType AmbiguousLocalTime = new("ambiguous-local-time", 422,
        "The local time happens twice: clocks go back over it.",
        "Send fold 0 for the first or 1 for the second pass, or write the offset.", ChangeTheRequest);

    public static readonly ProblemType OffsetZoneMismatch = new("offset-zone-mismatch", 422,
        "The offset disagrees with the time zone.",
        "Leave the offset out, or send the one the zone has at that time.", ChangeTheRequest);

    public static readonly ProblemType PreconditionRequired = new("precondition-required", 428,
        "A change must name the version it was decided on.",
        "Read the resource and send its ETag as If-Match.", ReadAgain);

    public static readonly ProblemType StaleVersion = new("stale-version", 412,
        "Someone changed it after you read it.",
        "Look at changed, decide again, and send If-Match with the current ETag.", ReadAgain);

    public static readonly ProblemType IdempotencyInProgress = new("idempotency-in-progress", 409,
        "The first request with this idempotency key is still running.",
        "Wait for the time in Retry-After and send the same request again.", Later);

    public static readonly ProblemType IdempotencyMismatch = new("idempotency-mismatch", 422,
        "This idempotency key was used for a different request.",
        "Use a new key for a new intent, and repeat a request unchanged.", ChangeTheRequest);

    public static readonly ProblemType IdempotencyKeyRequired = new("idempotency-key-required", 400,
        "This server requires an idempotency key on every change.",
        "Send Idempotency-Key with one fresh UUID per intent and keep it on retries.", ChangeTheRequest);

    public static readonly ProblemType IdempotencyKeyInvalid = new("idempotency-key-invalid", 400,
        "The idempotency key cannot be used.",
        "Send one key of 1 to 255 visible ASCII characters, in one header or the same in both.",
            ChangeTheRequest);

    public static readonly ProblemType ClassFull = new("class-full", 409,
        "Every seat of the class is taken.",
        "Choose another class, or try again when a seat is given back.", AfterAPerson);

    public static readonly ProblemType ClassCancelled = new("class-cancelled", 409,
        "The class or slot is cancelled or being cancelled.",
        "Nothing more can be changed here; choose or create another class.", AfterAPerson);

    public static readonly ProblemType NotPossibleNow = new("not-possible-now", 409,
        "The state of the resource does not allow this.",
        "Read the resource, look at its state and decide again.", ReadAgain);

    public static readonly ProblemType CapacityBelowSeats = new("capacity-below-seats", 409,
        "More seats are taken than the class would have.",
        "Choose a capacity of at least seatsTaken, or cancel seats first.", ChangeTheRequest);

    public static readonly ProblemType LooksDuplicate = new("looks-duplicate", 409,
        "An equal class was created a moment ago.",
        "Read the class in classId; to make another one, send duplicate: allow or an idempotency key.",
            ChangeTheRequest);

    public static readonly ProblemType EnrolmentFailed = new("enrolment-failed", 409,
        "The seat was given back because the calendar entry could not be made.",
        "Please try enrolling again or contact support.", Later);

    public static readonly ProblemType GoogleReauthRequired = new("google-reauth-required", 409,
        "The Google Calendar connection has expired.",
        "Go to Settings → Connected Accounts → Reconnect Google Calendar", AfterAPerson)
    { Code = "GOOGLE_AUTH_REQUIRED" };

    public static readonly ProblemType GoogleRefreshFailed = new("google-refresh-failed", 409,
        "The Google Calendar connection could not be refreshed.",
        "Please try again. If the problem persists, reconnect your Google account.", Later)
    { Code = "GOOGLE_AUTH_FAILED" };

    public static readonly ProblemType GooglePermissionMissing = new("google-permission-missing", 403,
        "The Google Calendar connection lacks a permission.",
        "Go to Settings → Connected Accounts → Reconnect Google Calendar, and tick every box.", AfterAPerson)
    { Code = "GOOGLE_PERMISSION_MISSING" };

    public static readonly ProblemType ProviderBusy = new("provider-busy", 429,
        "The calendar provider asks to slow down.",
        "Wait for the time in Retry-After and try again.", Later)
    { Code = "GOOGLE_RATE_LIMITED" };

    public static readonly ProblemType NoCalendar = new("no-calendar", 409,
        "The instructor has no calendar that events can be written to.",
        "Connect a Google account and choose one of its calendars.", AfterAPerson);

    public static readonly ProblemType VerificationFailed = new("verification-failed", 409,
        "The calendar did not show what was written to it.",
        "Look at the operation; it names what differs and what happens next.", AfterAPerson)
    { Code = "VERIFICATION_FAILED" };

    public static readonly ProblemType CalendarNotWritable = new("calendar-not-writable", 409,
        "The calendar may not be written with this connection.",
        "Choose another calendar, or ask its owner for the right to change events.", AfterAPerson);

    public static readonly ProblemType ConsentRefused = new("consent-refused", 409,
        "The provider did not grant access.",
        "Start connecting again and allow access to the calendar.", AfterAPerson);

    public static readonly ProblemType AlreadyTaken = new("already-taken", 409,
        "Somebody else has this value, and only one may.",
        "Send another value for the member named in errors, or ask an administrator.", ChangeTheRequest);

    public static readonly ProblemType TooManyStreams = new("too-many-streams", 429,
        "Too many streams of events are open.",
        "Close one, or share one among the tabs of a browser, and open it again.", Later);

    public static readonly ProblemType ProviderUnavailable = new("provider-unreachable", 503,
        "The calendar provider does not answer.",
        "Wait for the time in Retry-After and try again.", Later);

    public static readonly ProblemType DependencyUnavailable = new("dependency-unavailable", 503,
        "The database does not answer.",
        "Wait for the time in Retry-After and send the same request with the same key.", Later);

    public static readonly ProblemType DatabaseBusy = new("database-busy", 503,
        "Every connection to the database is in use.",
        "Wait for the time in Retry-After and send the same request with the same key.", Later);

    public static readonly ProblemType DatabaseReadOnly = new("database-read-only", 503,
        "The database takes no changes now.",
        "Wait for the time in Retry-After and send the same request with the same key.", Later);

    public static readonly ProblemType TookTooLong = new("took-too-long", 504,
        "The answer took longer than a request may.",
        "Send the same request with the same key: it tells how the first one ended.", Later);

    public static readonly ProblemType Internal = new("internal", 500,
        "Something broke on our side.",
        "Try again with the same idempotency key; if it stays, report the correlationId.", Later);

    /// <summary>All of them, by name.</summary>
    public static readonly ImmutableSortedDictionary<string, ProblemType> All =
        new[]
        {
            Unauthenticated, SignInRefused, GoogleSignInRefused, SignInAttemptOver, SignInUnavailable,
            TooManyAttempts, Forbidden, NotFound, MethodNotAllowed,
            NotAcceptable, UnsupportedMediaType, BodyTooLarge,
            RequestTimeout, MalformedRequest, ValidationFailed, InvalidTimeZone, NonexistentLocalTime,
            AmbiguousLocalTime, OffsetZoneMismatch, PreconditionRequired, StaleVersion, IdempotencyInProgress,
            IdempotencyMismatch, IdempotencyKeyRequired, IdempotencyKeyInvalid, ClassFull, ClassCancelled,
            NotPossibleNow, CapacityBelowSeats, LooksDuplicate, EnrolmentFailed, GoogleReauthRequired,
                GoogleRefreshFailed, GooglePermissionMissing, ProviderBusy, NoCalendar,
            VerificationFailed, CalendarNotWritable, ConsentRefused, AlreadyTaken, TooManyStreams,
            ProviderUnavailable, DependencyUnavailable, DatabaseBusy, DatabaseReadOnly, TookTooLong, Internal,
        }.ToImmutableSortedDictionary(type => type.Name, type => type, StringComparer.Ordinal);

    /// <summary>
    /// The problem for a bare status that the server itself set, such as 405 for a wrong method.
    /// </summary>
    /// <returns>Null when the status is no error or has no entry.</returns>
    public static Problem? ForStatus(int status) => status switch
    {
        400 => MalformedRequest.With("The request line, a header or the body framing is not valid HTTP."),
        401 => Unauthenticated.With("No token was accepted."),
        403 => Forbidden.With("The role of the token does not allow this request."),
        404 => NotFound.With("No such address."),
        405 => MethodNotAllowed.With("The address exists, the method does not."),
        406 => NotAcceptable.With("None of the accepted media types can be produced."),
        408 => RequestTimeout.With("The body did not arrive in time."),
        413 => BodyTooLarge.With("The body is larger than the limit."),
        415 => UnsupportedMediaType.With("The media type of the body is not supported here."),
        503 => DependencyUnavailable.With("A part of the service is not ready."),
        504 => TookTooLong.With("The request was not finished in time."),
        >= 500 => Internal.With("The request could not be completed."),
        _ => null,
    };
}
