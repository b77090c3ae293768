using System.Diagnostics.Metrics;

namespace CalSync.App.Api.Authentication;

/// <summary>Counts who is let in, under the meter name <c>CalSync.Auth</c>.</summary>
internal sealed class AuthMeter : IDisposable
{
    /// <summary>The meter's name.</summary>
    public const string Name = "CalSync.Auth";

    private readonly Meter _meter = new(Name);
    private readonly Counter<long> _accepted;
    private readonly Counter<long> _refused;

    /// <summary>Makes the instruments.</summary>
    public AuthMeter()
    {
        _accepted = _meter.CreateCounter<long>(
            "auth_requests_total", "{request}", "Requests let in, by the format of their token.");
        _refused = _meter.CreateCounter<long>(
            "auth_refused_total", "{request}", "Requests not let in, by reason.");
    }

    /// <summary>A request was let in with a token of a format.</summary>
    public void Accepted(AuthenticationMethod method) =>
        _accepted.Add(1, new KeyValuePair<string, object?>("format", method.Word()));

    /// <summary>A request was not let in, for one of few reasons.</summary>
    public void Refused(string reason) =>
        _refused.Add(1, new KeyValuePair<string, object?>("reason", reason));

    /// <summary>Whether a meter is this instance's, where several live in one process.</summary>
    public bool Owns(Meter meter) => ReferenceEquals(meter, _meter);

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();
}

/// <summary>Methods in words.</summary>
internal static class AuthenticationMethods
{
    /// <summary>For labels, logs and the journal.</summary>
    public static string Word(this AuthenticationMethod method) => method switch
    {
        AuthenticationMethod.ApiToken => "api-token",
        AuthenticationMethod.Enhanced => "enhanced",
        AuthenticationMethod.Legacy => "legacy",
    };
}
