using System.Collections.Immutable;

namespace CalSync.Remotes.Dav;

/// <summary>A complete multistatus. RFC 4918 section 14.16.</summary>
/// <param name="Rows">In the server's order; a response with several hrefs is several rows.</param>
/// <param name="SyncToken">RFC 6578 section 6.4; null when there is none.</param>
internal sealed record Multistatus(ImmutableArray<DavRow> Rows, string? SyncToken);

/// <summary>One response of a multistatus: what was said of one resource.</summary>
/// <param name="Href">As the server wrote it, trimmed.</param>
/// <param name="Status">Of the whole resource; null when only its properties have one.</param>
/// <param name="Condition">Which precondition failed, the first one named; null for none.</param>
/// <param name="Properties">What was given with a status of 2xx.</param>
internal sealed record DavRow(string Href, int? Status, string? Condition, DavProperties Properties);

/// <summary>The properties of a resource that were given; what was not is null or empty.</summary>
internal sealed class DavProperties
{
    /// <summary>Nothing was given.</summary>
    public static DavProperties None { get; } = new();

    /// <summary>In its normal form (<see cref="DavETag"/>).</summary>
    public string? ETag { get; set; }

    /// <summary>getcontenttype, as written.</summary>
    public string? ContentType { get; set; }

    /// <summary>getcontentlength, in bytes.</summary>
    public long? ContentLength { get; set; }

    /// <summary>calendar-data as UTF-8 with CRLF, which XML takes from it.</summary>
    public ReadOnlyMemory<byte>? CalendarData { get; set; }

    /// <summary>Where <see cref="CalendarData"/> waits while the answer is read; null for nowhere.</summary>
    public Range? CalendarPlace { get; set; }

    /// <summary>Local names of the types in resourcetype; empty for a plain resource.</summary>
    public ImmutableArray<string> Types { get; set; } = [];

    public string? DisplayName { get; set; }

    /// <summary>calendar-color (Apple's namespace), as written.</summary>
    public string? Color { get; set; }

    public string? CTag { get; set; }

    public string? SyncToken { get; set; }

    /// <summary>supported-calendar-component-set; default when the server names none.</summary>
    public ImmutableArray<string> Components { get; set; }

    /// <summary>supported-report-set; default when the server names none.</summary>
    public ImmutableArray<string> Reports { get; set; }

    /// <summary>current-user-privilege-set; default when the server names none.</summary>
    public ImmutableArray<string> Privileges { get; set; }

    /// <summary>current-user-principal.</summary>
    public string? Principal { get; set; }

    /// <summary>calendar-home-set; a principal may have several.</summary>
    public ImmutableArray<string> Homes { get; set; } = [];

    /// <summary>calendar-user-address-set: the addresses by which the account is invited.</summary>
    public ImmutableArray<string> UserAddresses { get; set; } = [];

    public bool IsCollection => Types.Contains("collection") || IsCalendar;

    public bool IsCalendar => Types.Contains("calendar");

    /// <summary>Takes what another propstat of the same response gave.</summary>
    public void Add(DavProperties other)
    {
        ETag ??= other.ETag;
        ContentType ??= other.ContentType;
        ContentLength ??= other.ContentLength;
        CalendarPlace ??= other.CalendarPlace;
        Types = Types.IsEmpty ? other.Types : Types;
        DisplayName ??= other.DisplayName;
        Color ??= other.Color;
        CTag ??= other.CTag;
        SyncToken ??= other.SyncToken;
        Components = Components.IsDefault ? other.Components : Components;
        Reports = Reports.IsDefault ? other.Reports : Reports;
        Privileges = Privileges.IsDefault ? other.Privileges : Privileges;
        Principal ??= other.Principal;
        Homes = Homes.IsEmpty ? other.Homes : Homes;
        UserAddresses = UserAddresses.IsEmpty ? other.UserAddresses : UserAddresses;
    }
}

/// <summary>The body of an error. RFC 4918 section 16.</summary>
/// <param name="Conditions">Local names of the conditions that failed, such as
/// <c>no-uid-conflict</c>.</param>
/// <param name="Href">The resource it names; null for none.</param>
internal sealed record DavError(ImmutableArray<string> Conditions, string? Href)
{
    /// <summary>Nothing that can be understood.</summary>
    public static DavError None { get; } = new([], null);

    /// <summary>Whether one of the conditions failed.</summary>
    public bool Names(params ReadOnlySpan<string> conditions)
    {
        foreach (var condition in conditions)
        {
            if (Conditions.Contains(condition))
                return true;
        }

        return false;
    }
}
