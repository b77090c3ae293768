using System.Xml.Linq;

namespace CalSync.Sandbox.CalDav;

/// <summary>One call on its way into the model.</summary>
/// <param name="Method">Upper-case.</param>
/// <param name="Path">What it is about.</param>
/// <param name="Body">The octets sent.</param>
/// <param name="Xml">The body as XML, where the method has such a body; null when there is none.</param>
internal sealed record DavRequest(string Method, DavPath Path, byte[] Body, XElement? Xml)
{
    public string? Depth { get; init; }

    public string? IfMatch { get; init; }

    public string? IfNoneMatch { get; init; }

    /// <summary>Without parameters; null when none was sent.</summary>
    public string? ContentType { get; init; }

    /// <summary>False when the client sent Schedule-Reply: F. RFC 6638 section 8.1.</summary>
    public bool AnswersOrganizer { get; init; } = true;

    /// <summary>What a fault script does to this call; null for nothing.</summary>
    public FaultEffect? Effect { get; init; }

    /// <summary>Spoils single rows of a report, by resource name.</summary>
    public Func<string, FaultEffect?> RowFault { get; init; } = static _ => null;

    /// <summary>As in the call log and in fault scripts.</summary>
    public string Operation => "caldav." + Method switch
    {
        "REPORT" => Xml?.Name.LocalName switch
        {
            "sync-collection" => "sync",
            "calendar-multiget" => "multiget",
            "calendar-query" => "query",
            _ => "report",
        },
        "HEAD" => "get",
        var method => method.ToLowerInvariant(),
    };

    public bool IsWrite => Method is "PUT" or "DELETE" or "MKCALENDAR" or "PROPPATCH";
}
