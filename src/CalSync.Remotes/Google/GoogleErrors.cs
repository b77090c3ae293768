using System.Collections.Immutable;
using System.Text.Json;
using CalSync.Remotes.Pipeline;
using CalSync.Sync.Providers;

namespace CalSync.Remotes.Google;

/// <summary>A row of the table: a reason code, the statuses it is believed with, and what it means.</summary>
internal sealed record GoogleErrorRow(string Code, ImmutableArray<int> Statuses, ProviderReason Reason);

/// <summary>Turns an answer other than success into one of the closed list of faults.</summary>
/// <remarks>
/// <para>
/// Decided on <c>error.errors[].reason</c> first, then on <c>error.details[].reason</c>, then on
/// <c>error.status</c>; the status only says whether a code is believed. <see cref="ByReason"/> and
/// <see cref="ByStatusWord"/> are the whole table; sources: the Calendar API's error guide and AIP-193.
/// </para>
/// <para>
/// Without a known code: 5xx is <c>ServerError</c> whatever its body; 401 <c>CredentialsRejected</c>; 429
/// <c>RateLimited</c>; 412 <c>PreconditionFailed</c>. In Google's error shape also 400 <c>InvalidRequest</c>,
/// 403 <c>NotWritable</c>, 404 <c>NotFound</c>, 409 <c>Conflict</c>. Anything else is <c>OutsideProtocol</c>:
/// above all a 404 or 410 of some proxy never says that an event is gone.
/// </para>
/// </remarks>
internal static class GoogleErrors
{
    private const int CodeLengthMax = 64;

    /// <summary><c>error.errors[].reason</c> and <c>error.details[].reason</c>.</summary>
    public static ImmutableArray<GoogleErrorRow> ByReason { get; } =
    [
        new("timeRangeEmpty", [400], ProviderReason.InvalidRequest),
        new("invalid", [400], ProviderReason.InvalidRequest),
        new("required", [400], ProviderReason.InvalidRequest),
        new("badRequest", [400], ProviderReason.InvalidRequest),
        new("invalidParameter", [400], ProviderReason.InvalidRequest),
        new("invalidArgument", [400], ProviderReason.InvalidRequest),
        new("invalidHeader", [400], ProviderReason.InvalidRequest),
        new("parseError", [400], ProviderReason.InvalidRequest),
        new("participantIsNeitherOrganizerNorAttendee", [400], ProviderReason.InvalidRequest),
        new("invalidAttendee", [400], ProviderReason.AttendeeRejected),
        new("authError", [401], ProviderReason.CredentialsRejected),
        new("required", [401], ProviderReason.CredentialsRejected),
        new("expired", [401], ProviderReason.CredentialsRejected),
        new("rateLimitExceeded", [403, 429], ProviderReason.RateLimited),
        new("userRateLimitExceeded", [403, 429], ProviderReason.RateLimited),
        new("RATE_LIMIT_EXCEEDED", [403, 429], ProviderReason.RateLimited),
        new("quotaExceeded", [403, 429], ProviderReason.QuotaExceeded),
        new("dailyLimitExceeded", [403, 429], ProviderReason.QuotaExceeded),
        new("insufficientPermissions", [403], ProviderReason.InsufficientScope),
        new("ACCESS_TOKEN_SCOPE_INSUFFICIENT", [403], ProviderReason.InsufficientScope),
        new("requiredAccessLevel", [403], ProviderReason.NotWritable),
        new("forbiddenForNonOrganizer", [403], ProviderReason.NotWritable),
        new("forbidden", [403], ProviderReason.NotWritable),
        new("accessNotConfigured", [403], ProviderReason.AccessNotConfigured),
        new("SERVICE_DISABLED", [403], ProviderReason.AccessNotConfigured),
        new("notFound", [404], ProviderReason.NotFound),
        new("duplicate", [409], ProviderReason.Duplicate),
        new("conflict", [409], ProviderReason.Conflict),
        new("deleted", [410], ProviderReason.Deleted),
        new("fullSyncRequired", [410], ProviderReason.FullSyncRequired),
        new("updatedMinTooLongAgo", [410], ProviderReason.UpdatedMinTooLongAgo),
        new("conditionNotMet", [412], ProviderReason.PreconditionFailed),
    ];

    /// <summary><c>error.status</c> of newer gateways (AIP-193), when no reason code decided.</summary>
    public static ImmutableArray<GoogleErrorRow> ByStatusWord { get; } =
    [
        new("INVALID_ARGUMENT", [400], ProviderReason.InvalidRequest),
        new("FAILED_PRECONDITION", [400], ProviderReason.InvalidRequest),
        new("OUT_OF_RANGE", [400], ProviderReason.InvalidRequest),
        new("UNAUTHENTICATED", [401], ProviderReason.CredentialsRejected),
        new("PERMISSION_DENIED", [403], ProviderReason.NotWritable),
        new("NOT_FOUND", [404], ProviderReason.NotFound),
        new("ALREADY_EXISTS", [409], ProviderReason.Duplicate),
        new("ABORTED", [409], ProviderReason.Conflict),
        new("RESOURCE_EXHAUSTED", [403, 429], ProviderReason.RateLimited),
    ];

    /// <summary>The fault of an answer that is no success. Total: every status and body has one.</summary>
    public static ProviderFault Classify(ProviderRequest request, ProviderAnswer answer)
    {
        var said = Read(answer.Body);
        var (reason, code) = Decide(answer.Status, said);
        if (reason == ProviderReason.OutsideProtocol)
            return Faults.OutsideProtocol(request, answer.Status, "the answer is outside the protocol");
        return new(
            reason,
            code,
            answer.Status,
            $"{request.Operation} failed: {Words(reason)}.",
            answer.RetryAfter,
            OutcomeUnknown: request.IsWrite && reason == ProviderReason.ServerError);
    }

    private static (ProviderReason Reason, string? Code) Decide(int status, Said? said)
    {
        if (status is >= 500 and <= 599)
            return (ProviderReason.ServerError, said?.Codes.FirstOrDefault() ?? said?.StatusWord);
        if (said is not null)
        {
            foreach (var code in said.Codes)
            {
                if (Find(ByReason, code, status) is { } reason)
                    return (NamesAttendee(reason, said) ? ProviderReason.AttendeeRejected : reason, code);
            }

            if (said.StatusWord is { } word && Find(ByStatusWord, word, status) is { } byWord)
                return (byWord, word);
        }

        return (WithoutCode(status, said is not null), said?.Codes.FirstOrDefault() ?? said?.StatusWord);
    }

    private static ProviderReason WithoutCode(int status, bool googleShape) => (status, googleShape) switch
    {
        (401, _) => ProviderReason.CredentialsRejected,
        (429, _) => ProviderReason.RateLimited,
        (412, _) => ProviderReason.PreconditionFailed,
        (400, true) => ProviderReason.InvalidRequest,
        (403, true) => ProviderReason.NotWritable,
        (404, true) => ProviderReason.NotFound,
        (409, true) => ProviderReason.Conflict,
        _ => ProviderReason.OutsideProtocol,
    };

    private static ProviderReason? Find(ImmutableArray<GoogleErrorRow> rows, string code, int status)
    {
        foreach (var row in rows)
        {
            if (string.Equals(row.Code, code, StringComparison.Ordinal) && row.Statuses.Contains(status))
                return row.Reason;
        }

        return null;
    }

    /// <summary>
    /// Google says which field a 400 is about in <c>location</c>, or by this one fixed sentence.
    /// </summary>
    private static bool NamesAttendee(ProviderReason reason, Said said) =>
        reason == ProviderReason.InvalidRequest
        && (said.Location?.StartsWith("attendees", StringComparison.Ordinal) == true
            || string.Equals(said.Message, "Invalid attendee email.", StringComparison.Ordinal));

    private static string Words(ProviderReason reason) => reason switch
    {
        ProviderReason.RateLimited => "the provider asks to slow down",
        ProviderReason.QuotaExceeded => "the account's usage limit at the provider is reached",
        ProviderReason.ServerError => "the provider had an error of its own",
        ProviderReason.CredentialsRejected => "the provider did not accept the access token",
        ProviderReason.InsufficientScope => "the grant lacks a permission this needs",
        ProviderReason.NotWritable => "the account may not do this on that calendar",
        ProviderReason.NotFound => "not there, or not shared with the account",
        ProviderReason.Duplicate => "the id is taken",
        ProviderReason.Deleted => "already deleted",
        ProviderReason.FullSyncRequired => "the provider wants the calendar read from the beginning",
        ProviderReason.UpdatedMinTooLongAgo => "the provider wants the calendar read from the beginning",
        ProviderReason.PreconditionFailed => "it was changed by somebody else in between",
        ProviderReason.InvalidRequest => "the provider found the request wrong",
        ProviderReason.AttendeeRejected => "the provider refuses a guest's address",
        ProviderReason.AccessNotConfigured => "the calendar API is not enabled for the project",
        ProviderReason.Conflict => "it conflicts with another change",
        ProviderReason.Unreachable or ProviderReason.TimedOut or ProviderReason.BreakerOpen
            or ProviderReason.QuotaWait or ProviderReason.OutsideProtocol => "no usable answer",
    };

    private static Said? Read(ReadOnlyMemory<byte> body)
    {
        using var document = Json.Parse(body);
        if (document?.RootElement is not { ValueKind: JsonValueKind.Object } root
            || !root.TryGetProperty("error", out var error) || error.ValueKind != JsonValueKind.Object)
        {
            return null;
        }

        var codes = ImmutableArray.CreateBuilder<string>();
        string? location = null;
        string? message = null;
        foreach (var entry in Json.Objects(error, "errors"))
        {
            AddCode(codes, Json.Text(entry, "reason"));
            location ??= Json.Text(entry, "location");
            message ??= Json.Text(entry, "message");
        }

        foreach (var entry in Json.Objects(error, "details"))
            AddCode(codes, Json.Text(entry, "reason"));
        var word = Json.Text(error, "status");
        return new(codes.ToImmutable(), IsCode(word) ? word : null, location, message);
    }

    private static void AddCode(ImmutableArray<string>.Builder codes, string? code)
    {
        if (IsCode(code))
            codes.Add(code!);
    }

    /// <summary>A code is shown and stored: letters, digits and underscores, or it is not one.</summary>
    private static bool IsCode(string? text) =>
        text is { Length: > 0 and <= CodeLengthMax }
            && text.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');

    private sealed record Said(
        ImmutableArray<string> Codes, string? StatusWord, string? Location, string? Message);
}
