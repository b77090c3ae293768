using System.Collections.Immutable;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CalSync.Remotes.Google.Mapping;
using CalSync.Remotes.Pipeline;
using CalSync.Sync.Connections;
using CalSync.Sync.Providers;

namespace CalSync.Remotes.Google.Pairs;

/// <summary>One calendar's events over HTTP, for one operation of a pair: one token, few calls.</summary>
/// <remarks>
/// A 401 replaces the token once and the call is made again: the provider did nothing. Every write says
/// <c>sendUpdates=none</c> and speaks <c>conferenceDataVersion=1</c> without ever naming
/// <c>conferenceData</c>, which leaves a conference as it is. An import takes no <c>sendUpdates</c>: it never
/// mails, and Google refuses parameters it does not know.
/// </remarks>
internal sealed class GoogleEvents(
    ProviderPipeline pipeline, GoogleOptions options, IAccessTokens tokens, string calendarId)
{
    private const string Quiet = "?conferenceDataVersion=1&sendUpdates=none";
    private const int ReadAttempts = 3;
    private ProviderCall? _call;
    private bool _replaced;

    /// <summary>One event; null with a fault.</summary>
    public Task<(ProviderFault? Fault, GoogleEvent? Event)> GetAsync(
        string id, CancellationToken cancellation) =>
        OneAsync("events.get", HttpMethod.Get, EventUri(id), null, null, cancellation);

    /// <summary>Makes an event out of an iCalendar UID; its id follows from the UID.</summary>
    public Task<(ProviderFault? Fault, GoogleEvent? Event)> ImportAsync(
        JsonObject body, CancellationToken cancellation) =>
        OneAsync(
            "events.import", HttpMethod.Post, Uri("/import?conferenceDataVersion=1"), body, null,
            cancellation);

    /// <summary>Makes an event with a UID and an id of Google's own.</summary>
    public Task<(ProviderFault? Fault, GoogleEvent? Event)> InsertAsync(
        JsonObject body, CancellationToken cancellation) =>
        OneAsync("events.insert", HttpMethod.Post, Uri(Quiet), body, null, cancellation);

    /// <summary>Changes the fields named; an instance nobody changed yet becomes an exception.</summary>
    public Task<(ProviderFault? Fault, GoogleEvent? Event)> PatchAsync(
        string id, JsonObject body, string? ifMatch, CancellationToken cancellation) =>
        OneAsync("events.patch", HttpMethod.Patch, EventUri(id, Quiet), body, ifMatch, cancellation);

    /// <summary>Deletes an event or series.</summary>
    public Task<ProviderFault?> DeleteAsync(string id, string? ifMatch, CancellationToken cancellation) =>
        SendAsync(
            "events.delete", HttpMethod.Delete, EventUri(id, "?sendUpdates=none"), null, ifMatch,
            (request, answer) => answer.Status == 204 ? null
                : answer.Succeeded ? Faults.OutsideProtocol(
                    request, answer.Status, "the answer is not the documented one")
                : GoogleErrors.Classify(request, answer),
            cancellation);

    /// <summary>The id of the instance of a series that began at a moment; null when there is none.</summary>
    public async Task<(ProviderFault? Fault, string? Id)> FindInstanceAsync(
        string masterId, GoogleTime original, CancellationToken cancellation)
    {
        var moment = original switch
        {
            GoogleTime.AllDay day => NodaTime.Text.LocalDatePattern.Iso.Format(day.Day),
            GoogleTime.Timed timed => timed.At.ToRfc3339(),
            _ => throw new UnreachableException("Unknown kind of time."),
        };
        var target = Uri($"/{System.Uri.EscapeDataString(masterId)}/instances?showDeleted=true&maxResults=10"
            + $"&originalStart={System.Uri.EscapeDataString(moment)}");
        GooglePage? page = null;
        var fault = await SendAsync(
            "events.instances", HttpMethod.Get, target, null, null,
            (request, answer) => GooglePage.Read(request, answer, out page), cancellation);
        return (fault, page?.Items.FirstOrDefault()?.Id);
    }

    /// <summary>Every event with a UID, deleted ones too.</summary>
    public Task<(ProviderFault? Fault, GoogleListing Listing)> FindAsync(
        string uid, CancellationToken cancellation) =>
        ListAsync($"&iCalUID={System.Uri.EscapeDataString(uid)}", needsToken: false, cancellation);

    /// <summary>Every event, or what changed since a token.</summary>
    public Task<(ProviderFault? Fault, GoogleListing Listing)> ListAsync(
        string? syncToken, CancellationToken cancellation) =>
        ListAsync(
            syncToken is null ? "" : $"&syncToken={System.Uri.EscapeDataString(syncToken)}",
            needsToken: true, cancellation);

    /// <summary>Reads all pages; a page may be empty and still have a next one.</summary>
    private async Task<(ProviderFault? Fault, GoogleListing Listing)> ListAsync(
        string query, bool needsToken, CancellationToken cancellation)
    {
        const string Operation = "events.list";
        var items = ImmutableArray.CreateBuilder<GoogleEvent>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var size = options.SyncPageCountMax;
        var (page, pages, pageToken) = ((GooglePage?)null, 0, "");
        while (true)
        {
            var target = Uri($"?singleEvents=false&showDeleted=true&maxResults={size}{query}{pageToken}");
            var fault = await SendAsync(
                Operation, HttpMethod.Get, target, null, null,
                (request, answer) => GooglePage.Read(request, answer, out page), cancellation);
            if (fault is { Reason: ProviderReason.OutsideProtocol } && size > options.PageCountMax)
            {
                // Perhaps too long an answer: events with long descriptions come in smaller pages.
                size = options.PageCountMax;
                continue;
            }

            if (fault is not null)
                return (fault, GoogleListing.Empty);
            pages++;
            items.AddRange(page!.Items);
            if (page.NextPage is not { } next)
                break;
            if (!seen.Add(next) || pages >= options.ListingPagesMax)
                return (Outside(Operation, "the listing does not end"), GoogleListing.Empty);
            pageToken = $"&pageToken={System.Uri.EscapeDataString(next)}";
        }

        // The last page without a token is not the end of a sync: nothing could go on from it.
        return needsToken && page.NextSync is null
            ? (Outside(Operation, "the last page has no sync token"), GoogleListing.Empty)
            : (null, new GoogleListing(items.ToImmutable(), page.NextSync, page.TimeZone, pages));
    }

    private async Task<(ProviderFault? Fault, GoogleEvent? Event)> OneAsync(
        string operation, HttpMethod method, Uri target, JsonObject? body, string? ifMatch,
        CancellationToken cancellation)
    {
        GoogleEvent? found = null;
        var fault = await SendAsync(
            operation, method, target, body, ifMatch, (request, answer) =>
            {
                if (!answer.Succeeded)
                    return GoogleErrors.Classify(request, answer);
                using var document = Json.Parse(answer.Body);
                found = document is null ? null : GoogleEvent.Read(document.RootElement);
                return found is null
                    ? Faults.OutsideProtocol(request, answer.Status, "the answer is no event")
                    : null;
            },
            cancellation);
        return (fault, fault is null ? found : null);
    }

    private async Task<ProviderFault?> SendAsync(
        string operation, HttpMethod method, Uri target, JsonObject? body, string? ifMatch,
        Func<ProviderRequest, ProviderAnswer, ProviderFault?> read, CancellationToken cancellation)
    {
        if (_call is null && Take(await tokens.GetAsync(cancellation), operation) is { } missing)
            return missing;
        ReadOnlyMemory<byte>? octets = body is null
            ? null
            : (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(body.ToJsonString());
        while (true)
        {
            var request = new ProviderRequest(
                operation, method, target, IsWrite: method != HttpMethod.Get, _call!.AccessToken, octets,
                IfMatch: ifMatch);
            var fault = await pipeline.SendAsync(
                request, Caller.Of(_call), answer => read(request, answer), cancellation);
            if (fault is not { Reason: ProviderReason.CredentialsRejected } || _replaced)
                return fault;
            _replaced = true;
            var another = await tokens.ReplaceAsync(_call.AccessToken, cancellation);
            if (Take(another, operation) is { } refused)
                return refused;
        }
    }

    private ProviderFault? Take(TokenOutcome outcome, string operation)
    {
        switch (outcome)
        {
            case TokenOutcome.Fresh fresh:
                _call = new ProviderCall(
                    tokens.ConnectionId, fresh.AccessToken, Interactive: false, "sync")
                {
                    ReadAttempts = ReadAttempts,
                };
                return null;
            case TokenOutcome.NeedsConsent:
                return new ProviderFault(
                    ProviderReason.CredentialsRejected, null, null,
                    $"{operation} was not sent: the owner must consent again.");
            case TokenOutcome.TryLater later:
                return new ProviderFault(
                    ProviderReason.Unreachable, null, null,
                    $"{operation} was not sent: there is no access token now ({later.Reason}).");
            default:
                throw new UnreachableException();
        }
    }

    private static ProviderFault Outside(string operation, string words) =>
        new(ProviderReason.OutsideProtocol, null, 200, $"{operation} failed: {words}.");

    private Uri EventUri(string id, string query = "") => Uri($"/{System.Uri.EscapeDataString(id)}{query}");

    private Uri Uri(string more) => new(
        $"{options.Endpoint.AbsoluteUri.TrimEnd('/')}/calendars/{System.Uri.EscapeDataString(calendarId)}"
        + $"/events{more}");
}

/// <summary>All pages of one listing.</summary>
/// <param name="Items">The events, in Google's order.</param>
/// <param name="NextSync">Where the next read goes on; null for a search.</param>
/// <param name="TimeZone">The calendar's zone, for times that name none.</param>
/// <param name="Pages">How many pages it had.</param>
internal sealed record GoogleListing(
    ImmutableArray<GoogleEvent> Items, string? NextSync, string? TimeZone, int Pages)
{
    public static GoogleListing Empty { get; } = new([], null, null, 0);
}

/// <summary>One page of a listing.</summary>
internal sealed record GooglePage(
    ImmutableArray<GoogleEvent> Items, string? NextPage, string? NextSync, string? TimeZone)
{
    /// <summary>Reads a page; an item nothing can be said of makes the whole page unusable.</summary>
    public static ProviderFault? Read(ProviderRequest request, ProviderAnswer answer, out GooglePage? page)
    {
        page = null;
        if (!answer.Succeeded)
            return GoogleErrors.Classify(request, answer);
        using var document = answer.Status == 200 ? Json.Parse(answer.Body) : null;
        if (document?.RootElement is not { ValueKind: JsonValueKind.Object } root)
            return Faults.OutsideProtocol(request, answer.Status, "the answer is not a listing");
        var fields = new Fields(root);
        var list = fields.List("items");
        var items = (list ?? []).Select(GoogleEvent.Read).ToList();
        page = new GooglePage(
            [.. items.OfType<GoogleEvent>()], fields.Text("nextPageToken"), fields.Text("nextSyncToken"),
            fields.Text("timeZone"));

        // An absent list is not an empty one: nothing may be concluded from it.
        return list is null || !fields.Sound || items.Contains(null)
            ? Faults.OutsideProtocol(request, answer.Status, "the listing has another shape")
            : null;
    }
}
