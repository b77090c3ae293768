using System.Diagnostics;
using System.Diagnostics.Metrics;
using CalSync.Storage;

namespace CalSync.App.Api;

/// <summary>Times requests, under the meter name <c>CalSync.Api</c>. Routes are labels, addresses are
/// not.</summary>
internal sealed class ApiMeter : IDisposable
{
    /// <summary>The meter's name.</summary>
    public const string Name = "CalSync.Api";

    private readonly Meter _meter = new(Name);
    private readonly Histogram<double> _requests;
    private readonly Counter<long> _faults;

    /// <summary>Makes the instruments.</summary>
    public ApiMeter()
    {
        _requests = _meter.CreateHistogram<double>(
            "calsync.http.request.duration", "s", "Requests of the API, from the first octet to the last.");
        _faults = _meter.CreateCounter<long>(
            "calsync.database.faults", "{fault}", "Requests the database failed, by reason.");
    }

    /// <summary>A request was answered.</summary>
    /// <param name="method">Of HTTP.</param>
    /// <param name="route">Its pattern; <c>-</c> for an address that is none.</param>
    /// <param name="status">Of the answer.</param>
    /// <param name="elapsed">From its begin.</param>
    public void Answered(string method, string route, int status, TimeSpan elapsed) => _requests.Record(
        elapsed.TotalSeconds,
        // A method anybody makes up is no label.
        new TagList
        {
            { "method", IsKnown(method) ? method : "other" }, { "route", route }, { "status", status },
        });

    /// <summary>The database failed a request.</summary>
    /// <param name="fault">How; anything else than its own word is contention.</param>
    public void Failed(Exception fault) => _faults.Add(1, new KeyValuePair<string, object?>(
        "reason", (fault as DatabaseUnavailableException)?.Reason.ToString() ?? "Contention"));

    /// <summary>Whether a meter is this instance's, where several live in one process.</summary>
    public bool Owns(Meter meter) => ReferenceEquals(meter, _meter);

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    private static bool IsKnown(string method) =>
        method is "GET" or "HEAD" or "POST" or "PUT" or "PATCH" or "DELETE" or "OPTIONS";
}
