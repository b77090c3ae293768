using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using CalSync.App.Api.Preconditions;

namespace CalSync.App.Api;

/// <summary>A finished answer as plain values, so that it can be stored and repeated byte for byte.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Body">JSON or text; null for none.</param>
/// <param name="ContentType">Media type of the body.</param>
/// <param name="Headers">In order; never Content-Type or Content-Length.</param>
internal sealed record Answer(
    int Status, string? Body, string ContentType, ImmutableArray<(string Name, string Value)> Headers)
        : IResult
{
    /// <summary>
    /// True: it tells of something that will pass, and is not kept under the request's key although its
    /// status is a success.
    /// </summary>
    public bool IsPassing { get; init; }

    /// <summary>204.</summary>
    public static Answer NoContent { get; } = new(204, null, "application/json", []);

    /// <summary>An answer with a JSON body.</summary>
    public static Answer Json<T>(int status, T value, JsonTypeInfo<T> type) =>
        new(status, JsonSerializer.Serialize(value, type), "application/json", []);

    /// <summary>The same answer with one more header.</summary>
    public Answer With(string header, string value) => this with { Headers = Headers.Add((header, value)) };

    /// <summary>The same answer with a strong ETag made of a row version.</summary>
    public Answer WithETag(long version) => With("ETag", EntityTag.Of(version));

    /// <summary>A Retry-After value: whole seconds, rounded up, at least 1.</summary>
    public static string Seconds(TimeSpan delay) =>
        Math.Max(1, (long)Math.Ceiling(delay.TotalSeconds)).ToString(CultureInfo.InvariantCulture);

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.StatusCode = Status;
        foreach (var (name, value) in Headers)
            response.Headers[name] = value;
        if (Body is null)
            return;
        var bytes = Encoding.UTF8.GetBytes(Body);
        response.ContentType = ContentType;
        response.ContentLength = bytes.Length;
        if (!HttpMethods.IsHead(httpContext.Request.Method))
        {
            // An answer that was made is sent, although the budget ends meanwhile; the server itself drops it
            // when nobody listens, and cuts off who does not read.
            await response.Body.WriteAsync(bytes, CancellationToken.None);
        }
    }
}
