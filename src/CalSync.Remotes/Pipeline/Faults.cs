using CalSync.Sync.Providers;

namespace CalSync.Remotes.Pipeline;

/// <summary>Faults that do not depend on what the provider said. Messages are fixed words (C-08).</summary>
internal static class Faults
{
    /// <summary>No usable answer.</summary>
    /// <param name="request">What was sent.</param>
    /// <param name="error">Where it broke, as far as the handler knows.</param>
    public static ProviderFault Unreachable(ProviderRequest request, HttpRequestError error)
    {
        // These break before a byte of the request is sent; everything else may have been applied.
        var neverSent = error is HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError
            or HttpRequestError.SecureConnectionError or HttpRequestError.ProxyTunnelError;
        if (error is HttpRequestError.InvalidResponse or HttpRequestError.ConfigurationLimitExceeded)
            return OutsideProtocol(request, null, "the answer is not HTTP");
        var words = neverSent
            ? "the provider could not be reached"
            : "the connection broke before the answer";
        return new(
            ProviderReason.Unreachable, null, null, $"{request.Operation} failed: {words}.",
            OutcomeUnknown: request.IsWrite && !neverSent);
    }

    /// <summary>An answer that is not what the protocol allows.</summary>
    /// <param name="request">What was sent.</param>
    /// <param name="status">HTTP status; null when even that is unknown.</param>
    /// <param name="words">What is wrong, fixed words.</param>
    public static ProviderFault OutsideProtocol(ProviderRequest request, int? status, string words) =>
        new(
            ProviderReason.OutsideProtocol, null, status, $"{request.Operation} failed: {words}.",
            OutcomeUnknown: request.IsWrite && status is not (>= 400 and <= 499));

    /// <summary>A request that must not be sent, found before sending.</summary>
    /// <param name="operation">The provider's method name.</param>
    /// <param name="words">Why, fixed words.</param>
    public static ProviderFault NotSent(string operation, string words) =>
        new(ProviderReason.InvalidRequest, null, null, $"{operation} was not sent: {words}.");
}
