using System.Collections.Immutable;
using System.Text.Json;
using CalSync.Remotes.Pipeline;
using CalSync.Sync.Providers;

namespace CalSync.Remotes.Google;

/// <summary>Google Calendar API v3 over HTTP.</summary>
/// <remarks>
/// Every write names <c>sendUpdates</c> and <c>conferenceDataVersion=1</c>: Google's defaults would drop the
/// video link. Nothing is ever read with <c>maxAttendees</c>, and attendees of a truncated read are never
/// written.
/// </remarks>
internal sealed class GoogleCalendar(ProviderPipeline pipeline, GoogleOptions options) : IEventCalendar
{
    private const int IdLengthMax = 1024;

    /// <inheritdoc/>
    public async Task<EventRead> GetAsync(
        ProviderCall call, EventAddress address, CancellationToken cancellation)
    {
        const string Operation = "events.get";
        if (Unsendable(Operation, address) is { } unsendable)
            return new EventRead.Failed(unsendable);
        ProviderEvent? found = null;
        var request = new ProviderRequest(
            Operation, HttpMethod.Get, EventUri(address), IsWrite: false, call.AccessToken);
        var fault = await pipeline.SendAsync(
            request, Caller.Of(call), answer => ReadEvent(request, answer, address, out found), cancellation);
        return fault switch
        {
            null => new EventRead.Found(found!),
            { Reason: ProviderReason.NotFound } => new EventRead.Missing(),
            _ => new EventRead.Failed(fault),
        };
    }

    /// <inheritdoc/>
    public async Task<EventWrite> InsertAsync(
        ProviderCall call, EventAddress address, EventContent content, Notify notify,
        CancellationToken cancellation)
    {
        const string Operation = "events.insert";
        if ((Unsendable(Operation, address) ?? Truncated(Operation, content)) is { } unsendable)
            return new EventWrite.Failed(unsendable);
        var request = new ProviderRequest(
            Operation, HttpMethod.Post, EventsUri(address.CalendarId, WriteQuery(notify)), IsWrite: true,
            call.AccessToken, EventWriter.Insert(address, content));
        return await WriteAsync(call, request, address, cancellation);
    }

    /// <inheritdoc/>
    public async Task<EventWrite> PatchAsync(
        ProviderCall call, EventAddress address, EventContent content, ImmutableHashSet<EventField> fields,
        string? ifMatch, Notify notify, CancellationToken cancellation)
    {
        const string Operation = "events.patch";
        var unsendable = Unsendable(Operation, address)
            ?? (fields.Contains(EventField.Attendees) ? Truncated(Operation, content) : null);
        if (unsendable is not null)
            return new EventWrite.Failed(unsendable);
        var request = new ProviderRequest(
            Operation, HttpMethod.Patch, EventUri(address, WriteQuery(notify)), IsWrite: true,
            call.AccessToken, EventWriter.Patch(content, fields), IfMatch: ifMatch);
        return await WriteAsync(call, request, address, cancellation);
    }

    /// <inheritdoc/>
    public async Task<EventDelete> DeleteAsync(
        ProviderCall call, EventAddress address, string? ifMatch, Notify notify,
        CancellationToken cancellation)
    {
        const string Operation = "events.delete";
        if (Unsendable(Operation, address) is { } unsendable)
            return new EventDelete.Failed(unsendable);
        var request = new ProviderRequest(
            Operation, HttpMethod.Delete, EventUri(address, $"?sendUpdates={Word(notify)}"), IsWrite: true,
            call.AccessToken, IfMatch: ifMatch);
        var fault = await pipeline.SendAsync(
            request, Caller.Of(call), answer => ReadNothing(request, answer), cancellation);
        return fault switch
        {
            null or { Reason: ProviderReason.Deleted } => new EventDelete.Gone(),
            { Reason: ProviderReason.NotFound } => new EventDelete.Missing(),
            _ => new EventDelete.Failed(fault),
        };
    }

    /// <inheritdoc/>
    public async Task<EventMove> MoveAsync(
        ProviderCall call, EventAddress address, string toCalendarId, Notify notify,
        CancellationToken cancellation)
    {
        const string Operation = "events.move";
        var target = new EventAddress(toCalendarId, address.EventId);
        if ((Unsendable(Operation, address) ?? Unsendable(Operation, target)) is { } unsendable)
            return new EventMove.Failed(unsendable);
        var query = $"?destination={Uri.EscapeDataString(toCalendarId)}&sendUpdates={Word(notify)}";
        var request = new ProviderRequest(
            Operation, HttpMethod.Post, EventsUri(
                address.CalendarId, $"/{Uri.EscapeDataString(address.EventId)}/move{query}"),
            IsWrite: true, call.AccessToken);

        // The answer shows the copy that was left behind, as cancelled: it is about another event than the
        // one that was moved.
        var fault = await pipeline.SendAsync(
            request, Caller.Of(call),
            answer => answer.Succeeded ? null : GoogleErrors.Classify(request, answer), cancellation);
        return fault switch
        {
            null => new EventMove.Moved(),
            { Reason: ProviderReason.NotFound or ProviderReason.Deleted } => new EventMove.Missing(),
            _ => new EventMove.Failed(fault),
        };
    }

    /// <inheritdoc/>
    public Task<EventSearch> FindByMirrorAsync(
        ProviderCall call, string calendarId, string mirrorId, CancellationToken cancellation) =>
        FindAsync(
            call, calendarId, $"privateExtendedProperty={Uri.EscapeDataString($"calsyncMirror={mirrorId}")}",
            one => one.Mark.GetValueOrDefault("calsyncMirror") == mirrorId, cancellation);

    /// <inheritdoc/>
    public Task<EventSearch> FindByICalUidAsync(
        ProviderCall call, string calendarId, string uid, CancellationToken cancellation) =>
        FindAsync(
            call, calendarId, $"iCalUID={Uri.EscapeDataString(uid)}", one => one.ICalUid == uid,
            cancellation);

    /// <inheritdoc/>
    public async Task<EventChanges> ListChangesAsync(
        ProviderCall call, string calendarId, string? syncToken, CancellationToken cancellation)
    {
        const string Operation = "events.list";
        if (Unsendable(Operation, new(calendarId, "list")) is { } unsendable)
            return new EventChanges.Failed(unsendable);
        // No filter: beside a sync token there must be none.
        var query = $"?singleEvents=false&showDeleted=true&maxResults={options.SyncPageCountMax}"
            + (syncToken is null ? "" : $"&syncToken={Uri.EscapeDataString(syncToken)}");
        string? next = null;
        var found = ImmutableArray.CreateBuilder<ListedEvent>();
        var fault = await ListAsync(
            call, Operation, page => EventsUri(calendarId, query + page),
            (root, item) => EventReader.Listed(item, Json.Text(root, "timeZone")), found, cancellation,
            root => next = Json.Text(root, "nextSyncToken"));
        if (fault is not null)
        {
            return fault.Reason == ProviderReason.FullSyncRequired
                ? new EventChanges.TokenDead()
                : new EventChanges.Failed(fault);
        }

        // The last page without a token is not the end of a listing: nothing could go on from it.
        return next is { } token
            ? new EventChanges.Read(found.ToImmutable(), syncToken is null, token)
            : new EventChanges.Failed(new ProviderFault(
                ProviderReason.OutsideProtocol, null, 200, "events.list failed: there is no sync token."));
    }

    private async Task<EventSearch> FindAsync(
        ProviderCall call, string calendarId, string filter, Func<ProviderEvent, bool> isIt,
        CancellationToken cancellation)
    {
        const string Operation = "events.list";
        if (Unsendable(Operation, new(calendarId, "list")) is { } unsendable)
            return new EventSearch.Failed(unsendable);
        var query = $"?{filter}&showDeleted=false&singleEvents=false&maxResults={options.PageCountMax}";
        var found = ImmutableArray.CreateBuilder<ProviderEvent>();
        var fault = await ListAsync(
            call,
            Operation,
            page => EventsUri(calendarId, query + page),
            (root, item) => EventReader.Event(item, calendarId, Json.Text(root, "timeZone")),
            found,
            cancellation);

        // Not every server filters; a foreign or deleted event must never be taken for ours.
        return fault is null
            ? new EventSearch.Complete([.. found.Where(one => one.Status != "cancelled" && isIt(one))])
            : new EventSearch.Failed(fault);
    }

    /// <inheritdoc/>
    public async Task<CalendarSearch> ListCalendarsAsync(ProviderCall call, CancellationToken cancellation)
    {
        var query = $"?showHidden=true&maxResults={options.PageCountMax}";
        var found = ImmutableArray.CreateBuilder<ProviderCalendar>();
        var fault = await ListAsync(
            call,
            "calendarList.list",
            page => new Uri($"{Base}/users/me/calendarList{query}{page}"),
            (_, item) => EventReader.Calendar(item),
            found,
            cancellation);
        return fault is null
            ? new CalendarSearch.Complete(found.ToImmutable())
            : new CalendarSearch.Failed(fault);
    }

    private string Base => options.Endpoint.AbsoluteUri.TrimEnd('/');

    /// <summary>Reads all pages; a page may be empty and still have a next one.</summary>
    private async Task<ProviderFault?> ListAsync<T>(
        ProviderCall call,
        string operation,
        Func<string, Uri> target,
        Func<JsonElement, JsonElement, T?> readItem,
        ImmutableArray<T>.Builder found,
        CancellationToken cancellation,
        Action<JsonElement>? onPage = null)
        where T : class
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var page = "";
        while (true)
        {
            string? next = null;
            List<T> items = [];
            var request = new ProviderRequest(
                operation, HttpMethod.Get, target(page), IsWrite: false, call.AccessToken);
            var fault = await pipeline.SendAsync(
                request,
                Caller.Of(call),
                answer => ReadPage(request, answer, readItem, onPage, out items, out next),
                cancellation);
            if (fault is not null)
                return fault;
            found.AddRange(items);
            if (next is null)
                return null;
            if (!seen.Add(next) || seen.Count >= options.ListingPagesMax)
                return Faults.OutsideProtocol(request, 200, "the listing does not end");
            page = $"&pageToken={Uri.EscapeDataString(next)}";
        }
    }

    private static ProviderFault? ReadPage<T>(
        ProviderRequest request,
        ProviderAnswer answer,
        Func<JsonElement, JsonElement, T?> readItem,
        Action<JsonElement>? onPage,
        out List<T> items,
        out string? next)
        where T : class
    {
        next = null;
        items = [];
        if (!answer.Succeeded)
            return GoogleErrors.Classify(request, answer);
        using var document = Json.Parse(answer.Body);
        if (document?.RootElement is not { ValueKind: JsonValueKind.Object } root)
            return Faults.OutsideProtocol(request, answer.Status, "the answer is not JSON");
        var fields = new Fields(root);
        next = fields.Text("nextPageToken");
        onPage?.Invoke(root);

        // An absent list is not an empty one: nothing may be concluded from it.
        var list = fields.List("items");
        var usable = list is not null && fields.Sound;
        foreach (var entry in list ?? [])
        {
            if (readItem(root, entry) is { } item)
                items.Add(item);
            else
                usable = false;
        }

        return usable
            ? null
            : Faults.OutsideProtocol(request, answer.Status, "the listing has another shape");
    }

    private async Task<EventWrite> WriteAsync(
        ProviderCall call, ProviderRequest request, EventAddress address, CancellationToken cancellation)
    {
        ProviderEvent? stored = null;
        var fault = await pipeline.SendAsync(
            request, Caller.Of(call), answer => ReadEvent(request, answer, address, out stored),
            cancellation);
        return fault is null ? new EventWrite.Accepted(stored!) : new EventWrite.Failed(fault);
    }

    private static ProviderFault? ReadEvent(
        ProviderRequest request, ProviderAnswer answer, EventAddress address, out ProviderEvent? found)
    {
        found = null;
        if (!answer.Succeeded)
            return GoogleErrors.Classify(request, answer);
        using var document = Json.Parse(answer.Body);
        if (document is null)
            return Faults.OutsideProtocol(request, answer.Status, "the answer is not JSON");
        found = EventReader.Event(document.RootElement, address.CalendarId, listZone: null);
        if (found is null)
            return Faults.OutsideProtocol(request, answer.Status, "the event has another shape");
        return found.Address.EventId == address.EventId
            ? null
            : Faults.OutsideProtocol(request, answer.Status, "the answer is about another event");
    }

    private static ProviderFault? ReadNothing(ProviderRequest request, ProviderAnswer answer) =>
        answer.Status == 204 ? null
        : answer.Succeeded ? Faults.OutsideProtocol(
            request, answer.Status, "the answer is not the documented one")
        : GoogleErrors.Classify(request, answer);

    /// <summary>An id that would lead to another resource, or could not be one.</summary>
    private static ProviderFault? Unsendable(string operation, EventAddress address) =>
        IsSegment(address.CalendarId) && IsSegment(address.EventId)
            ? null
            : Faults.NotSent(operation, "the calendar or event id cannot be one");

    private static bool IsSegment(string id) => id is not ("" or "." or "..") && id.Length <= IdLengthMax;

    private static ProviderFault? Truncated(string operation, EventContent content) =>
        content.AttendeesOmitted
            ? Faults.NotSent(operation, "the guest list was read incompletely and would be cut")
            : null;

    private Uri EventsUri(string calendarId, string query) =>
        new($"{Base}/calendars/{Uri.EscapeDataString(calendarId)}/events{query}");

    private Uri EventUri(EventAddress address, string query = "") =>
        EventsUri(address.CalendarId, $"/{Uri.EscapeDataString(address.EventId)}{query}");

    private static string WriteQuery(Notify notify) => $"?conferenceDataVersion=1&sendUpdates={Word(notify)}";

    private static string Word(Notify notify) => notify switch
    {
        Notify.None => "none",
        Notify.ExternalOnly => "externalOnly",
        Notify.All => "all",
    };
}
