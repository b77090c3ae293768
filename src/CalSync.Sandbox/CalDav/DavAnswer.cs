using System.Xml.Linq;

namespace CalSync.Sandbox.CalDav;

/// <summary>What the model answers to one call; the gateway only writes it out.</summary>
/// <param name="Status">The HTTP status.</param>
internal sealed record DavAnswer(int Status)
{
    /// <summary>The body as XML; null for another body or none.</summary>
    public XElement? Xml { get; init; }

    /// <summary>The body of a calendar object; null for none.</summary>
    public ReadOnlyMemory<byte>? Calendar { get; init; }

    public string? ETag { get; init; }

    public string? Location { get; init; }

    public string? Allow { get; init; }

    public int? RetryAfterSeconds { get; init; }

    /// <summary>How many resources a report names; for the call log.</summary>
    public string? Detail { get; init; }

    public static DavAnswer NotFound { get; } = new(404);

    public static DavAnswer PreconditionFailed { get; } = new(412);

    // Made anew each time: writing an element out adds to it.
    public static DavAnswer NeedsPrivileges => Refused(403, DavNames.D + "need-privileges");

    /// <summary>A refusal that names the condition that does not hold. RFC 4918 section 16.</summary>
    public static DavAnswer Refused(int status, XName condition, params object[] inside) =>
        new(status) { Xml = new XElement(DavNames.D + "error", new XElement(condition, inside)) };

    /// <summary>A refusal of a calendar object. RFC 4791 section 5.3.2.1.</summary>
    public static DavAnswer RefusedObject(string condition, params object[] inside) =>
        Refused(403, DavNames.C + condition, inside);
}
