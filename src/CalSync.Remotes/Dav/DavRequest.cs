using System.Collections.Immutable;
using CalSync.Sync.Providers;

namespace CalSync.Remotes.Dav;

/// <summary>One request to a WebDAV server.</summary>
/// <param name="Operation">Named in faults, metrics and the trace, such as <c>dav.put</c>.</param>
/// <param name="Method">HTTP method.</param>
/// <param name="Target">Absolute URL.</param>
internal sealed record DavRequest(string Operation, HttpMethod Method, Uri Target)
{
    /// <summary>Repeating it blindly could do harm.</summary>
    public bool IsWrite { get; init; }

    /// <summary>Null for nothing.</summary>
    public ReadOnlyMemory<byte>? Body { get; init; }

    /// <summary>Of the body. One server refuses XML without it.</summary>
    public string MediaType { get; init; } = "application/xml";

    /// <summary>Depth, If-Match and the like.</summary>
    public ImmutableArray<KeyValuePair<string, string>> Headers { get; init; } = [];

    /// <summary>Whether 500 and XML that is none are answers to this request, and no failure of the server
    /// that its breaker counts: one bad resource can spoil a report, and some servers fail over a
    /// token.</summary>
    public bool TakesServerError { get; init; }

    /// <summary>Whether redirects are followed. Never for writes: one server redirects a PUT for somebody
    /// else's calendar into the caller's own.</summary>
    public bool FollowsRedirects { get; init; }

    /// <summary>PROPFIND, RFC 4918 section 9.1.</summary>
    public static HttpMethod PropFind { get; } = new("PROPFIND");

    /// <summary>REPORT, RFC 3253 section 3.6.</summary>
    public static HttpMethod Report { get; } = new("REPORT");

    /// <summary>The same with one more header.</summary>
    public DavRequest With(string header, string value) =>
        this with { Headers = Headers.Add(new(header, value)) };
}

/// <summary>A complete answer.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="At">Where it came from after redirects.</param>
internal sealed record DavAnswer(int Status, Uri At)
{
    /// <summary>The rows; null unless the status is 207.</summary>
    public Multistatus? Multistatus { get; init; }

    /// <summary>The body of a success other than 207.</summary>
    public ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>What an answer that is no success names.</summary>
    public DavError Error { get; init; } = DavError.None;

    /// <summary>Of the body; null when none is named.</summary>
    public string? MediaType { get; init; }

    /// <summary>In its normal form; null for none.</summary>
    public string? ETag { get; init; }

    /// <summary>Where a redirect leads; null for none.</summary>
    public string? Location { get; init; }

    /// <summary>From Retry-After; null for none.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The DAV header; null for none.</summary>
    public string? Compliance { get; init; }

    /// <summary>The classes in the DAV header, RFC 4918 section 18.</summary>
    public ImmutableArray<string> Classes => Compliance is null
        ? []
        : [.. Compliance.Split(',').Select(one => one.Trim().ToLowerInvariant())];

    /// <summary>The Server header; null for none.</summary>
    public string? Server { get; init; }

    /// <summary>Whether the status is 2xx.</summary>
    public bool Succeeded => Status is >= 200 and <= 299;
}

/// <summary>How a request ended.</summary>
internal abstract record DavReply
{
    private DavReply()
    {
    }

    /// <summary>The server answered, whatever it said.</summary>
    public sealed record Answered(DavAnswer Answer) : DavReply;

    /// <summary>There is no answer that could be used.</summary>
    public sealed record Failed(ProviderFault Fault) : DavReply;
}
