using System.Text;
using CalSync.Remotes.Google;
using CalSync.Remotes.Pipeline;
using CalSync.Sync.Providers;
using Xunit;

namespace CalSync.Tests.Remotes;

/// <summary>
/// Goal: every answer that is no success is exactly one fault. One case a row of the published table.
/// </summary>
public sealed class GoogleErrorsTests
{
    /// <summary>R-CAL-12-P, R-BCAL-2: reason code and status to reason, and whether a retry helps.</summary>
    public static TheoryData<string, int, ProviderReason, bool> Reasons => new()
    {
        { "timeRangeEmpty", 400, ProviderReason.InvalidRequest, false },
        { "invalid", 400, ProviderReason.InvalidRequest, false },
        { "required", 400, ProviderReason.InvalidRequest, false },
        { "badRequest", 400, ProviderReason.InvalidRequest, false },
        { "invalidParameter", 400, ProviderReason.InvalidRequest, false },
        { "invalidArgument", 400, ProviderReason.InvalidRequest, false },
        { "invalidHeader", 400, ProviderReason.InvalidRequest, false },
        { "parseError", 400, ProviderReason.InvalidRequest, false },
        { "participantIsNeitherOrganizerNorAttendee", 400, ProviderReason.InvalidRequest, false },
        { "invalidAttendee", 400, ProviderReason.AttendeeRejected, false },
        { "authError", 401, ProviderReason.CredentialsRejected, false },
        { "required", 401, ProviderReason.CredentialsRejected, false },
        { "expired", 401, ProviderReason.CredentialsRejected, false },
        { "rateLimitExceeded", 403, ProviderReason.RateLimited, true },
        { "rateLimitExceeded", 429, ProviderReason.RateLimited, true },
        { "userRateLimitExceeded", 403, ProviderReason.RateLimited, true },
        { "userRateLimitExceeded", 429, ProviderReason.RateLimited, true },
        { "RATE_LIMIT_EXCEEDED", 403, ProviderReason.RateLimited, true },
        { "RATE_LIMIT_EXCEEDED", 429, ProviderReason.RateLimited, true },
        { "quotaExceeded", 403, ProviderReason.QuotaExceeded, true },
        { "quotaExceeded", 429, ProviderReason.QuotaExceeded, true },
        { "dailyLimitExceeded", 403, ProviderReason.QuotaExceeded, true },
        { "dailyLimitExceeded", 429, ProviderReason.QuotaExceeded, true },
        { "insufficientPermissions", 403, ProviderReason.InsufficientScope, false },
        { "ACCESS_TOKEN_SCOPE_INSUFFICIENT", 403, ProviderReason.InsufficientScope, false },
        { "requiredAccessLevel", 403, ProviderReason.NotWritable, false },
        { "forbiddenForNonOrganizer", 403, ProviderReason.NotWritable, false },
        { "forbidden", 403, ProviderReason.NotWritable, false },
        { "accessNotConfigured", 403, ProviderReason.AccessNotConfigured, false },
        { "SERVICE_DISABLED", 403, ProviderReason.AccessNotConfigured, false },
        { "notFound", 404, ProviderReason.NotFound, true },
        { "duplicate", 409, ProviderReason.Duplicate, true },
        { "conflict", 409, ProviderReason.Conflict, true },
        { "deleted", 410, ProviderReason.Deleted, false },
        { "fullSyncRequired", 410, ProviderReason.FullSyncRequired, true },
        { "updatedMinTooLongAgo", 410, ProviderReason.UpdatedMinTooLongAgo, true },
        { "conditionNotMet", 412, ProviderReason.PreconditionFailed, true },
    };

    /// <summary>R-CAL-12-P: newer gateways say only a status word.</summary>
    public static TheoryData<string, int, ProviderReason> StatusWords => new()
    {
        { "INVALID_ARGUMENT", 400, ProviderReason.InvalidRequest },
        { "FAILED_PRECONDITION", 400, ProviderReason.InvalidRequest },
        { "OUT_OF_RANGE", 400, ProviderReason.InvalidRequest },
        { "UNAUTHENTICATED", 401, ProviderReason.CredentialsRejected },
        { "PERMISSION_DENIED", 403, ProviderReason.NotWritable },
        { "NOT_FOUND", 404, ProviderReason.NotFound },
        { "ALREADY_EXISTS", 409, ProviderReason.Duplicate },
        { "ABORTED", 409, ProviderReason.Conflict },
        { "RESOURCE_EXHAUSTED", 403, ProviderReason.RateLimited },
        { "RESOURCE_EXHAUSTED", 429, ProviderReason.RateLimited },
    };

    /// <summary>Every row, in the classic body.</summary>
    [Theory]
    [MemberData(nameof(Reasons))]
    [Trait("Requirement", "R-CAL-12-P")]
    [Trait("Requirement", "R-BCAL-2")]
    public void Classify_ReasonInErrors_IsItsRow(
        string code, int status, ProviderReason reason, bool retryHelps)
    {
        var fault = Classify(
            status,
            $$$"""{"error":{"errors":[{"reason":"{{{code}}}","message":"m"}],"code":{{{status}}}}}""");
        Assert.Equal((reason, code, status), (fault.Reason, fault.ProviderCode, fault.Status));
        Assert.Equal(retryHelps, fault.RetryHelps);
    }

    /// <summary>Every row, in the newer body: the detail is more exact than the status word.</summary>
    [Theory]
    [MemberData(nameof(Reasons))]
    [Trait("Requirement", "R-CAL-12-P")]
    public void Classify_ReasonInDetails_WinsOverTheStatusWord(
        string code, int status, ProviderReason reason, bool retryHelps)
    {
        var fault = Classify(
            status,
            $$$"""
            {"error":{"code":{{{status}}},"status":"PERMISSION_DENIED","details":[{"reason":"{{{code}}}"}]}}
            """);
        Assert.Equal((reason, retryHelps), (fault.Reason, fault.RetryHelps));
    }

    /// <summary>Every status word.</summary>
    [Theory]
    [MemberData(nameof(StatusWords))]
    [Trait("Requirement", "R-CAL-12-P")]
    public void Classify_OnlyAStatusWord_IsItsRow(string word, int status, ProviderReason reason) =>
        Assert.Equal(reason, Classify(status, $$$"""{"error":{"status":"{{{word}}}"}}""").Reason);

    /// <summary>R-CAL-12-P: no row without a case above, and none twice.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-12-P")]
    public void Table_HasACaseForEveryRow()
    {
        Assert.Equal(
            GoogleErrors.ByReason.SelectMany(row => row.Statuses.Select(status => (row.Code, status)))
                .Order(),
            Reasons.Select(row => ((string)row[0], (int)row[1])).Order());
        Assert.Equal(
            GoogleErrors.ByStatusWord.SelectMany(row => row.Statuses.Select(status => (row.Code, status)))
                .Order(),
            StatusWords.Select(row => ((string)row[0], (int)row[1])).Order());
    }

    /// <summary>D-11: what is not Google's word is never taken for it; above all never for "gone".</summary>
    [Theory]
    [InlineData(404, "<html>not found</html>", ProviderReason.OutsideProtocol)]
    [InlineData(404, "", ProviderReason.OutsideProtocol)]
    [InlineData(404, "{\"error\":\"notFound\"}", ProviderReason.OutsideProtocol)]
    [InlineData(
        410, "{\"error\":{\"errors\":[{\"reason\":\"somethingNew\"}]}}", ProviderReason.OutsideProtocol)]
    [InlineData(410, "deleted", ProviderReason.OutsideProtocol)]
    [InlineData(200, "{\"error\":{\"errors\":[{\"reason\":\"notFound\"}]}}", ProviderReason.OutsideProtocol)]
    [InlineData(302, "", ProviderReason.OutsideProtocol)]
    [InlineData(500, "<html>", ProviderReason.ServerError)]
    [InlineData(502, "", ProviderReason.ServerError)]
    [InlineData(503, "{\"error\":{\"errors\":[{\"reason\":\"notFound\"}]}}", ProviderReason.ServerError)]
    [InlineData(500, "{\"error\":{\"errors\":[{\"reason\":\"backendError\"}]}}", ProviderReason.ServerError)]
    [InlineData(401, "", ProviderReason.CredentialsRejected)]
    [InlineData(412, "", ProviderReason.PreconditionFailed)]
    [InlineData(429, "slow down", ProviderReason.RateLimited)]
    [InlineData(403, "{\"error\":{\"message\":\"rateLimitExceeded\"}}", ProviderReason.NotWritable)]
    [InlineData(403, "forbidden", ProviderReason.OutsideProtocol)]
    [InlineData(409, "{\"error\":{\"errors\":[{\"reason\":7}]}}", ProviderReason.Conflict)]
    [InlineData(400, "{\"error\":{\"errors\":{}}}", ProviderReason.InvalidRequest)]
    [Trait("Requirement", "R-CAL-12-P")]
    public void Classify_WithoutAKnownCode_IsDecidedByTheClosedFallback(
        int status, string body, ProviderReason reason) =>
        Assert.Equal(reason, Classify(status, body).Reason);

    /// <summary>A refused guest is named by the field, or by Google's one fixed sentence.</summary>
    [Theory]
    [InlineData("""{"error":{"errors":[{"reason":"invalid","location":"attendees[1].email"}]}}""")]
    [InlineData("""{"error":{"errors":[{"reason":"invalid","message":"Invalid attendee email."}]}}""")]
    public void Classify_InvalidNamingAnAttendee_IsAttendeeRejected(string body) =>
        Assert.Equal(ProviderReason.AttendeeRejected, Classify(400, body).Reason);

    /// <summary>
    /// C-08: what the provider wrote never reaches the message, and a code is only letters and digits.
    /// </summary>
    [Fact]
    public void Classify_WithSecretsInTheBody_ShowsNoneOfThem()
    {
        var fault = Classify(
            403,
            """
            {"error":{"message":"ann@example.test ya29.token",
              "errors":[{"reason":"<b>ann@example.test</b>"}]}}
            """);
        Assert.DoesNotContain("example", fault.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("ya29", fault.ToString(), StringComparison.Ordinal);
        Assert.Null(fault.ProviderCode);
    }

    /// <summary>
    /// A write that met a 5xx may have been applied; a refused one was not; a read has no outcome.
    /// </summary>
    [Theory]
    [InlineData(true, 503, true)]
    [InlineData(true, 409, false)]
    [InlineData(true, 302, true)]
    [InlineData(true, 418, false)]
    [InlineData(false, 503, false)]
    public void Classify_Write_SaysWhetherTheOutcomeIsUnknown(bool write, int status, bool unknown) =>
        Assert.Equal(unknown, Classify(status, "{\"error\":{}}", write).OutcomeUnknown);

    private static ProviderFault Classify(int status, string body, bool write = false) =>
        GoogleErrors.Classify(
        new ProviderRequest("events.get", HttpMethod.Get, new Uri("http://127.0.0.1/"), write),
        new ProviderAnswer(status, Encoding.UTF8.GetBytes(body), null));
}
