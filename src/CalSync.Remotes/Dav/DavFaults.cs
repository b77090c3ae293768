using CalSync.Sync.Providers;

namespace CalSync.Remotes.Dav;

/// <summary>Turns what a server answered into one of the closed list of faults. Fixed words (C-08).</summary>
internal static class DavFaults
{
    private const int ConditionLengthMax = 64;

    /// <summary>The fault of an answer that is not what was asked for. Total.</summary>
    public static ProviderFault Of(DavRequest request, DavAnswer answer)
    {
        var reason = Reason(answer.Status);
        return new(
            reason,
            Code(answer.Error),
            answer.Status,
            $"{request.Operation} failed: {Words(reason, answer.Status)}.",
            answer.RetryAfter,
            OutcomeUnknown: request.IsWrite && reason is ProviderReason.ServerError
                or ProviderReason.OutsideProtocol);
    }

    /// <summary>The fault of a write whose content the server refuses, whatever status it says that
    /// with: 412 tells of no other writer then, and 403 of no missing right.</summary>
    public static ProviderFault OfContent(DavRequest request, DavAnswer answer)
    {
        var code = Code(answer.Error);
        return new(
            ProviderReason.InvalidRequest, code, answer.Status,
            $"{request.Operation} failed: the server does not take this content"
                + (code is null ? "." : $" ({code})."));
    }

    /// <summary>An answer that does not fit the request.</summary>
    public static ProviderFault OutsideProtocol(DavRequest request, int? status, string words) =>
        new(
            ProviderReason.OutsideProtocol, null, status, $"{request.Operation} failed: {words}.",
            OutcomeUnknown: request.IsWrite && status is not (>= 400 and <= 499));

    /// <summary>A status inside a multistatus, judged as if it were the answer's.</summary>
    public static ProviderFault Of(DavRequest request, int status, string? condition) =>
        Of(request, new DavAnswer(status, request.Target)
        {
            Error = condition is null ? DavError.None : new([condition], null),
        });

    /// <summary>The condition a server named, when it can be shown.</summary>
    public static string? Code(DavError error) => error.Conditions.FirstOrDefault(
        name => name.Length <= ConditionLengthMax && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-'));

    private static ProviderReason Reason(int status) => status switch
    {
        401 => ProviderReason.CredentialsRejected,
        403 or 405 => ProviderReason.NotWritable,
        404 or 410 => ProviderReason.NotFound,
        409 or 423 => ProviderReason.Conflict,
        412 => ProviderReason.PreconditionFailed,
        429 => ProviderReason.RateLimited,
        507 => ProviderReason.QuotaExceeded,
        >= 400 and <= 499 => ProviderReason.InvalidRequest,
        501 => ProviderReason.InvalidRequest,
        >= 500 and <= 599 => ProviderReason.ServerError,
        _ => ProviderReason.OutsideProtocol,
    };

    private static string Words(ProviderReason reason, int status) => reason switch
    {
        ProviderReason.CredentialsRejected => "the server did not accept the user name or the password",
        ProviderReason.NotWritable => "the account may not do this here",
        ProviderReason.NotFound => "not there, or not visible to the account",
        ProviderReason.Conflict => "it conflicts with what the server holds",
        ProviderReason.PreconditionFailed => "it was changed by somebody else in between",
        ProviderReason.RateLimited => "the server asks to slow down",
        ProviderReason.QuotaExceeded => "the account's space on the server is used up",
        ProviderReason.InvalidRequest => "the server refuses it",
        ProviderReason.ServerError => "the server had an error of its own",
        _ when status is >= 300 and <= 399 => "the server sends us to another address",
        _ => "the answer is outside the protocol",
    };
}
