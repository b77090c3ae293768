using System.Collections.Frozen;
using CalSync.Remotes.Pipeline;
using CalSync.Sync.Providers;

namespace CalSync.Remotes.OAuth;

/// <summary>The <c>error</c> codes of RFC 6749 sections 4.1.2.1 and 5.2 and RFC 7009 as faults.</summary>
/// <remarks>
/// 5xx is <c>ServerError</c> and 429 <c>RateLimited</c> whatever the code; a code not in the table is
/// <c>OutsideProtocol</c>. <c>invalid_client</c> and its like are mistakes of the installation: no grant is
/// harmed, and no retry helps until somebody corrects the configuration.
/// </remarks>
internal static class OAuthErrors
{
    /// <summary>The whole table.</summary>
    public static FrozenDictionary<string, ProviderReason> ByCode { get; } =
        new Dictionary<string, ProviderReason>(StringComparer.Ordinal)
        {
            ["invalid_grant"] = ProviderReason.CredentialsRejected,
            ["invalid_token"] = ProviderReason.CredentialsRejected,
            ["invalid_client"] = ProviderReason.AccessNotConfigured,
            ["unauthorized_client"] = ProviderReason.AccessNotConfigured,
            ["org_internal"] = ProviderReason.AccessNotConfigured,
            ["admin_policy_enforced"] = ProviderReason.InsufficientScope,
            ["access_denied"] = ProviderReason.InsufficientScope,
            ["invalid_scope"] = ProviderReason.InvalidRequest,
            ["invalid_request"] = ProviderReason.InvalidRequest,
            ["unsupported_grant_type"] = ProviderReason.InvalidRequest,
            ["unsupported_token_type"] = ProviderReason.InvalidRequest,
            ["redirect_uri_mismatch"] = ProviderReason.InvalidRequest,
            ["rate_limit_exceeded"] = ProviderReason.RateLimited,
            ["slow_down"] = ProviderReason.RateLimited,
            ["temporarily_unavailable"] = ProviderReason.ServerError,
            ["server_error"] = ProviderReason.ServerError,
            ["internal_failure"] = ProviderReason.ServerError,
        }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The fault of an answer that is no success.</summary>
    /// <param name="request">What was asked.</param>
    /// <param name="answer">Status and Retry-After.</param>
    /// <param name="code">The body's <c>error</c>; null when it has none.</param>
    public static ProviderFault Classify(ProviderRequest request, ProviderAnswer answer, string? code)
    {
        var known = code is not null && ByCode.ContainsKey(code) ? code : null;
        ProviderReason reason;
        if (answer.Status is >= 500 and <= 599)
            reason = ProviderReason.ServerError;
        else if (answer.Status == 429)
            reason = ProviderReason.RateLimited;
        else if (known is null || answer.Status is < 400 or > 499)
            return Faults.OutsideProtocol(request, answer.Status, "the answer is outside the protocol");
        else
            reason = ByCode[known];
        return new(
            reason, known, answer.Status, $"{request.Operation} failed: {Words(reason)}.", answer.RetryAfter,
            OutcomeUnknown: reason == ProviderReason.ServerError);
    }

    private static string Words(ProviderReason reason) => reason switch
    {
        ProviderReason.ServerError => "the sign-in server had an error of its own",
        ProviderReason.RateLimited => "the sign-in server asks to slow down",
        ProviderReason.CredentialsRejected => "the grant is no longer valid",
        ProviderReason.AccessNotConfigured => "the sign-in server does not accept this installation",
        ProviderReason.InsufficientScope => "the permission was not given",
        _ => "the sign-in server found the request wrong",
    };
}
