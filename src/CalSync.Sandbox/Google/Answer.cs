using System.Text.Json.Nodes;

namespace CalSync.Sandbox.Google;

/// <summary>What the model answers to one call; HTTP only writes it out.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Body">Null for an answer without a body (204, 304).</param>
/// <param name="ETag">Sent as header too; only single resources have one (measured: never on lists).</param>
internal sealed record Answer(int Status, JsonObject? Body, string? ETag = null)
{
    public static readonly Answer NoContent = new(204, null);

    public static Answer Ok(JsonObject body, string? etag = null) => new(200, body, etag);

    public static implicit operator Answer(GoogleError error) => new(error.Code, error.ToBody());
}

/// <summary>
/// One error as Google words it: the client must decide on <paramref name="Reason"/>, not on the status.
/// </summary>
internal sealed record GoogleError(
    int Code,
    string Reason,
    string Message,
    string Domain = "global",
    string? LocationType = null,
    string? Location = null,
    string? Status = null)
{
    public static readonly GoogleError NotFound = new(404, "notFound", "Not Found");

    public static readonly GoogleError Deleted = new(410, "deleted", "Resource has been deleted");

    public static readonly GoogleError Duplicate =
        new(409, "duplicate", "The requested identifier already exists.");

    public static readonly GoogleError ConditionNotMet =
        new(412, "conditionNotMet", "Precondition Failed", "global", "header", "If-Match");

    public static readonly GoogleError InvalidCredentials = new(
        401, "authError", "Invalid Credentials", "global", "header", "Authorization", "UNAUTHENTICATED");

    public static readonly GoogleError LoginRequired = new(
        401, "required", "Login Required.", "global", "header", "Authorization", "UNAUTHENTICATED");

    public static readonly GoogleError WriterNeeded = new(
        403, "requiredAccessLevel", "You need to have writer access to this calendar.", "calendar");

    public static readonly GoogleError NonOrganizer = new(
        403, "forbiddenForNonOrganizer",
        "Shared properties can only be changed by the organizer of the event.", "calendar");

    public static readonly GoogleError FullSyncRequired = new(
        410, "fullSyncRequired", "Sync token is no longer valid, a full sync is required.",
        "calendar", "parameter", "syncToken");

    public static readonly GoogleError UpdatedMinTooLongAgo = new(
        410, "updatedMinTooLongAgo", "The requested minimum modification time lies too far in the past.",
        "calendar", "parameter", "updatedMin");

    public static readonly GoogleError TimeRangeEmpty =
        new(400, "timeRangeEmpty", "The specified time range is empty.", "calendar");

    public static readonly GoogleError ParseError = new(400, "parseError", "Parse Error");

    public static readonly GoogleError InsufficientScope = new(
        403, "insufficientPermissions", "Request had insufficient authentication scopes.",
        Status: "PERMISSION_DENIED");

    public static readonly GoogleError UserRateLimit =
        new(403, "userRateLimitExceeded", "User Rate Limit Exceeded", "usageLimits");

    public static readonly GoogleError ProjectRateLimit =
        new(429, "rateLimitExceeded", "Rate Limit Exceeded", "usageLimits");

    public static readonly GoogleError Quota =
        new(403, "quotaExceeded", "Calendar usage limits exceeded.", "usageLimits");

    public static GoogleError Invalid(string message, string? parameter = null) =>
        new(400, "invalid", message, "global", parameter is null ? null : "parameter", parameter);

    public static GoogleError Required(string message) => new(400, "required", message);

    /// <summary>The error a fault script names, with Google's own words where the reason is known.</summary>
    public static GoogleError Scripted(int status, string? reason) => (status, reason) switch
    {
        (401, null or "authError") => InvalidCredentials,
        (403, "userRateLimitExceeded") => UserRateLimit,
        (403 or 429, "rateLimitExceeded") => ProjectRateLimit with { Code = status },
        (403 or 429, "quotaExceeded") => Quota with { Code = status },
        (403, "requiredAccessLevel") => WriterNeeded,
        (403, "forbiddenForNonOrganizer") => NonOrganizer,
        (403, "insufficientPermissions") => InsufficientScope,
        (403, null) => new GoogleError(403, "forbidden", "Forbidden"),
        (404, null or "notFound") => NotFound,
        (409, null or "duplicate") => Duplicate,
        (410, "deleted") => Deleted,
        (410, "updatedMinTooLongAgo") => UpdatedMinTooLongAgo,
        (410, null or "fullSyncRequired") => FullSyncRequired,
        (412, null or "conditionNotMet") => ConditionNotMet,
        (429, null) => ProjectRateLimit,
        ( >= 500, null) => new GoogleError(status, "backendError", "Backend Error"),
        _ => new GoogleError(status, reason ?? "badRequest", reason ?? "Bad Request"),
    };

    public JsonObject ToBody()
    {
        var detail = new JsonObject { ["domain"] = Domain, ["reason"] = Reason, ["message"] = Message };
        if (LocationType is not null)
        {
            detail["locationType"] = LocationType;
            detail["location"] = Location;
        }

        var error = new JsonObject
        {
            ["errors"] = new JsonArray(detail),
            ["code"] = Code,
            ["message"] = Message,
        };
        if (Status is not null)
            error["status"] = Status;
        if (this == InsufficientScope)
            error["details"] = new JsonArray(ScopeDetail());
        return new JsonObject { ["error"] = error };
    }

    private static JsonObject ScopeDetail() => new()
    {
        ["@type"] = "type.googleapis.com/google.rpc.ErrorInfo",
        ["reason"] = "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
        ["domain"] = "googleapis.com",
        ["metadata"] = new JsonObject { ["service"] = "calendar-json.googleapis.com" },
    };
}
