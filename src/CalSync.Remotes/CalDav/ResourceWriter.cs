using System.Collections.Immutable;
using CalSync.Calendar.Comparison;
using CalSync.Calendar.Document;
using CalSync.Remotes.Dav;
using CalSync.Sync.Pairs;
using CalSync.Sync.Providers;

namespace CalSync.Remotes.CalDav;

/// <summary>Writes resources, each only over what the caller decided on.</summary>
/// <remarks>
/// Servers disagree about statuses: 404 and 412 may mean that the content is refused, and 207 wraps a
/// failure. So an answer that could mean several things is followed by a read, and nothing but 200, 201, 202,
/// 204 and a 207 with success inside counts as stored. A write is never sent twice for a broken way; only
/// another form of an event without a length, or a tag the server cannot compare, sends it again.
/// </remarks>
/// <param name="scope">The calendar.</param>
/// <param name="resources">Reads before and after.</param>
/// <param name="scheduling">Keeps servers from writing to guests.</param>
internal sealed class ResourceWriter(
    CalDavScope scope, ResourceReader resources, SchedulingGuard scheduling)
{
    private volatile ShortEventForm _form = scope.Quirks.ShortEvents;

    /// <summary>Creates a resource under the name its UID gives.</summary>
    public async Task<ResourceWrite> CreateAsync(ResourceDraft draft, CancellationToken cancellation)
    {
        var address = new ResourceAddress(scope.Path + ResourceNames.Of(draft.Uid));
        if (scope.Quirks.IgnoresPreconditions)
        {
            var before = await resources.GetAsync(address, cancellation);
            if (before is SingleRead.Found)
                return new ResourceWrite.Exists(address);
            if (before is SingleRead.Failed(var fault))
                return new ResourceWrite.Failed(fault);
        }

        return await PutAsync(address, draft, new("If-None-Match", "*"), cancellation);
    }

    /// <summary>Changes a resource that has a version, or the content the caller held.</summary>
    public async Task<ResourceWrite> UpdateAsync(
        ResourceAddress address, string? version, ResourceDraft draft, CancellationToken cancellation)
    {
        if (SchedulingGuard.Scheduled(draft.Held) is { } refused
            && await scheduling.IsActiveAsync(cancellation)
            && await scheduling.WouldMailAsync(refused, cancellation))
        {
            return new ResourceWrite.Refused(SchedulingGuard.Refusal("dav.put"));
        }

        if (version is not null && !scope.Quirks.IgnoresPreconditions)
        {
            var write = await PutAsync(address, draft, new("If-Match", version), cancellation);
            return write is ResourceWrite.Changed
                ? await UpdateUnmatchedAsync(address, version, draft, cancellation)
                : write;
        }

        switch (await CurrentAsync(address, cancellation))
        {
            case ResourceRead.Found({ } now):
                var isHeld = version is not null ? now.Version == version : IsSame(draft.Held, now.Content);
                if (!isHeld)
                    return new ResourceWrite.Changed();
                return await PutAsync(
                    address, draft, now.Version is { } tag ? new("If-Match", tag) : null, cancellation);
            case ResourceRead.Gone:
                return new ResourceWrite.Gone();
            case ResourceRead.Failed(var fault):
                return new ResourceWrite.Failed(fault);
            default:
                throw new System.Diagnostics.UnreachableException("Unknown read.");
        }
    }

    /// <summary>Deletes a resource that has a version; without one, whatever is there when it is
    /// read.</summary>
    public async Task<ResourceDelete> DeleteAsync(
        ResourceAddress address, string? version, CancellationToken cancellation)
    {
        var isActive = await scheduling.IsActiveAsync(cancellation);
        if (version is null || isActive || scope.Quirks.IgnoresPreconditions)
        {
            switch (await CurrentAsync(address, cancellation))
            {
                case ResourceRead.Found(var now) when version is not null && now.Version != version:
                    return new ResourceDelete.Changed();
                case ResourceRead.Found(var now):
                    if (isActive && SchedulingGuard.Scheduled(now.Content) is { } refused
                        && await scheduling.WouldMailAsync(refused, cancellation))
                    {
                        return new ResourceDelete.Failed(SchedulingGuard.Refusal("dav.delete"));
                    }

                    version ??= now.Version;
                    break;
                case ResourceRead.Gone:
                    return new ResourceDelete.AlreadyGone();
                case ResourceRead.Failed(var fault):
                    return new ResourceDelete.Failed(fault);
            }
        }

        return await SendDeleteAsync(address, version, cancellation);
    }

    /// <summary>Whether two contents mean the same to the sync engine.</summary>
    private static bool IsSame(CalendarDocument? held, CalendarDocument? now) =>
        held is not null && now is not null
        && CalendarDiff.Compare(held, now, CalendarNoise.OfServers).IsEmpty;

    /// <summary>Reads what is there; only the calendar's own server can say that it is gone.</summary>
    public async Task<ResourceRead> CurrentAsync(ResourceAddress address, CancellationToken cancellation)
    {
        switch (await resources.GetAsync(address, cancellation))
        {
            case SingleRead.Found(var resource):
                return new ResourceRead.Found(resource);
            case SingleRead.Failed(var fault):
                return new ResourceRead.Failed(fault);
            default:
                return await scope.ProbeAsync(cancellation) switch
                {
                    CalendarProbe.There => new ResourceRead.Gone(),
                    CalendarProbe.Gone(var gone) => new ResourceRead.Failed(gone),
                    CalendarProbe.Failed(var failed) => new ResourceRead.Failed(failed),
                    _ => throw new System.Diagnostics.UnreachableException("Unknown probe."),
                };
        }
    }

    /// <summary>
    /// After a 412: somebody else wrote, or the tag is one the server cannot compare (a weak one, RFC 9110
    /// section 13.1.1), or the content is refused in an odd way.
    /// </summary>
    private async Task<ResourceWrite> UpdateUnmatchedAsync(
        ResourceAddress address, string version, ResourceDraft draft, CancellationToken cancellation)
    {
        switch (await CurrentAsync(address, cancellation))
        {
            case ResourceRead.Found(var now) when now.Version == version && IsSame(draft.Held, now.Content):
                var write = await PutAsync(address, draft, null, cancellation);
                return write is ResourceWrite.Changed
                    ? new ResourceWrite.Refused(new(
                        ProviderReason.InvalidRequest, null, 412,
                        "dav.put failed: the server refuses it, and nobody changed it in between."))
                    : write;
            case ResourceRead.Found:
                return new ResourceWrite.Changed();
            case ResourceRead.Gone:
                return new ResourceWrite.Gone();
            case ResourceRead.Failed(var fault):
                return new ResourceWrite.Failed(fault);
            default:
                throw new System.Diagnostics.UnreachableException("Unknown read.");
        }
    }

    /// <summary>Puts a draft, an event without a length in the first form the server takes.</summary>
    private async Task<ResourceWrite> PutAsync(
        ResourceAddress address, ResourceDraft draft, KeyValuePair<string, string>? condition,
        CancellationToken cancellation)
    {
        var isShort = ShortEvents.Any(draft.Content);
        for (var form = isShort ? _form : ShortEventForm.WithLength; ; form++)
        {
            var lost = ImmutableArray.CreateBuilder<CarryLoss>();
            var content = isShort ? ShortEvents.Write(draft.Content, form, lost) : draft.Content;
            content = await scheduling.QuietAsync(content, cancellation);
            var octets = CalendarContent.Octets(content);
            var write = await PutOnceAsync(address, octets, condition, cancellation);
            switch (write)
            {
                case ResourceWrite.Refused when isShort && form < ShortEventForm.WithLength:
                    continue;
                case ResourceWrite.Stored stored:
                    if (isShort)
                        _form = form;
                    return stored with
                    {
                        Lost = lost.ToImmutable(),
                        IsAsGiven = draft.Content.Bytes.Span.SequenceEqual(octets.Span),
                    };
                default:
                    return write;
            }
        }
    }

    private async Task<ResourceWrite> PutOnceAsync(
        ResourceAddress address, ReadOnlyMemory<byte> octets, KeyValuePair<string, string>? condition,
        CancellationToken cancellation)
    {
        var request = scope.Ask("dav.put", HttpMethod.Put, scope.At(address)) with
        {
            IsWrite = true,
            Body = octets,
            MediaType = "text/calendar",
        };
        if (condition is { } header)
            request = request.With(header.Key, header.Value);
        var isCreate = condition is { Key: "If-None-Match" };
        switch (await scope.Client.SendAsync(request, cancellation))
        {
            case DavReply.Failed(var fault):
                return new ResourceWrite.Failed(fault);
            case DavReply.Answered({ Multistatus: { } inner } answer):
                return Worst(inner) is { } row
                    ? await JudgeAsync(
                        request, address, isCreate,
                        answer with { Status = row.Status!.Value, Error = Condition(row) }, cancellation)
                    : new ResourceWrite.Stored(address, answer.ETag, []);
            case DavReply.Answered({ Status: 200 or 201 or 202 or 204 } answer):
                return new ResourceWrite.Stored(address, answer.ETag, []);
            case DavReply.Answered(var answer):
                return await JudgeAsync(request, address, isCreate, answer, cancellation);
            default:
                throw new System.Diagnostics.UnreachableException("Unknown reply.");
        }
    }

    /// <summary>What a PUT that was not stored means.</summary>
    private async Task<ResourceWrite> JudgeAsync(
        DavRequest request, ResourceAddress address, bool isCreate, DavAnswer answer,
        CancellationToken cancellation)
    {
        var fault = DavFaults.Of(request, answer);
        if (answer.Error.Names("no-uid-conflict", "unique-scheduling-object-resource"))
            return new ResourceWrite.Exists(answer.Error.Href is { } href ? scope.Resource(href) : null);
        if (IsAboutContent(answer.Error) || answer.Status is 400 or 413 or 415 or 422)
            return new ResourceWrite.Refused(DavFaults.OfContent(request, answer));
        switch (answer.Status)
        {
            case 412 when !isCreate:
                return new ResourceWrite.Changed();
            case 412 or 404 or 409 or 410:
                return await JudgeByReadingAsync(
                    address, isCreate, DavFaults.OfContent(request, answer), cancellation);
            case 403 or 405 or 501:
                return new ResourceWrite.Refused(fault);
            default:
                return new ResourceWrite.Failed(fault);
        }
    }

    /// <summary>Whether it is the resource, the calendar or the content.</summary>
    private async Task<ResourceWrite> JudgeByReadingAsync(
        ResourceAddress address, bool isCreate, ProviderFault fault, CancellationToken cancellation) =>
        await CurrentAsync(address, cancellation) switch
        {
            ResourceRead.Failed(var failed) => new ResourceWrite.Failed(failed),
            ResourceRead.Found when isCreate => new ResourceWrite.Exists(address),
            ResourceRead.Gone when isCreate && fault.Status == 409 => new ResourceWrite.Exists(null),
            ResourceRead.Gone when !isCreate && fault.Status is 404 or 410 => new ResourceWrite.Gone(),
            _ => new ResourceWrite.Refused(fault),
        };

    private async Task<ResourceDelete> SendDeleteAsync(
        ResourceAddress address, string? version, CancellationToken cancellation)
    {
        var request = (scope.Ask("dav.delete", HttpMethod.Delete, scope.At(address)) with { IsWrite = true })
            .With("Schedule-Reply", "F");
        if (version is not null)
            request = request.With("If-Match", version);
        var reply = await scope.Client.SendAsync(request, cancellation);
        if (reply is DavReply.Failed(var broken))
            return new ResourceDelete.Failed(broken);
        var answer = ((DavReply.Answered)reply).Answer;
        if (answer.Multistatus is { } inner && Worst(inner) is { } row)
            answer = answer with { Status = row.Status!.Value, Error = Condition(row) };
        switch (answer.Status)
        {
            case 200 or 202 or 204 or 207:
                return new ResourceDelete.Deleted();
            case 404 or 410 or 412:
                return await CurrentAsync(address, cancellation) switch
                {
                    ResourceRead.Gone => new ResourceDelete.AlreadyGone(),
                    ResourceRead.Failed(var fault) => new ResourceDelete.Failed(fault),
                    ResourceRead.Found(var now) when version is not null && now.Version == version =>
                        await SendDeleteAsync(address, null, cancellation),
                    _ => new ResourceDelete.Changed(),
                };
            default:
                return new ResourceDelete.Failed(DavFaults.Of(request, answer));
        }
    }

    private static bool IsAboutContent(DavError error) => error.Names(
        "valid-calendar-data", "valid-calendar-object-resource", "supported-calendar-data",
        "supported-calendar-component", "max-resource-size", "min-date-time", "max-date-time",
        "max-instances", "max-attendees-per-instance", "allowed-organizer-scheduling-object-change",
        "allowed-attendee-scheduling-object-change", "same-organizer-in-all-components",
        "valid-timezone", "valid-organizer", "attendee-allowed", "organizer-allowed");

    /// <summary>The first row that is no success; null when all are.</summary>
    private static DavRow? Worst(Multistatus inner) =>
        inner.Rows.FirstOrDefault(row => row.Status is < 200 or > 299);

    private static DavError Condition(DavRow row) =>
        row.Condition is { } condition ? new([condition], null) : DavError.None;
}
