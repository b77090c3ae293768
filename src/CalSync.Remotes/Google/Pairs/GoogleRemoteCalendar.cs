using System.Collections.Immutable;
using CalSync.Calendar;
using CalSync.Calendar.Comparison;
using CalSync.Remotes.Google.Mapping;
using CalSync.Remotes.Pipeline;
using CalSync.Sync.Connections;
using CalSync.Sync.Pairs;
using CalSync.Sync.Providers;

namespace CalSync.Remotes.Google.Pairs;

/// <summary>One Google calendar as the sync engine sees it.</summary>
/// <remarks>
/// <para>
/// A resource's address is the id of its master. Its version is the ETag of a single event, or for a series
/// the master's and a hash over the ETags of all its events, since changing an instance leaves the master's
/// ETag as it is.
/// </para>
/// <para>
/// Created is by import under the UID (C-17), which finds itself when it is repeated and brings a deleted
/// event back to life. Changed is by patches of the fields that differ, each with If-Match; what iCalendar
/// does not carry is therefore never touched. Nothing ever mails anyone.
/// </para>
/// </remarks>
internal sealed class GoogleRemoteCalendar(
    ProviderPipeline pipeline, GoogleOptions options, GoogleCalendarTarget target, IAccessTokens tokens)
    : IRemoteCalendar
{
    private const string NotAGuest = "participantIsNeitherOrganizerNorAttendee";

    /// <inheritdoc/>
    public RemoteTraits Traits { get; } =
        new("google", target.IsReadOnly, ParallelWritesMax: 1);

    /// <inheritdoc/>
    public async Task<ChangeRead> ReadChangesAsync(
        SyncCursor? since, IReadOnlyDictionary<ResourceAddress, string> known, CancellationToken cancellation)
    {
        if (since is { Kind: not CursorKind.SyncToken })
            return new ChangeRead.CursorInvalid("The cursor is of another kind than Google's.");
        var events = Open();
        var (fault, listing) = await events.ListAsync(since?.Token, cancellation);
        if (fault is not null)
            return Unread(fault, since is not null);
        var resources = new SeriesListing(
            events, known.Count == 0 ? null : 1 + (known.Count / options.SyncPageCountMax));
        if (since is null)
            resources.AddAll(listing.Items);
        else if (await resources.AddChangesAsync(listing.Items, cancellation) is { } incomplete)
            return new ChangeRead.Failed(incomplete);
        var zone = CalendarZone.Resolve(listing.TimeZone) is ZoneResolution.Found found
            ? found.Zone
            : target.Zone;
        return new ChangeRead.Done(new ChangeSet(
            [.. resources.Present.Select(series => Resource(series, zone, known))],
            resources.Deleted,
            new SyncCursor(listing.NextSync!, CursorKind.SyncToken),
            since is null ? new Certificate.Complete(listing.Pages) : new Certificate.Delta()));
    }

    /// <inheritdoc/>
    public async Task<ResourceRead> ReadAsync(ResourceAddress address, CancellationToken cancellation) =>
        Shown(await ReadSeriesAsync(Open(), address, cancellation));

    /// <inheritdoc/>
    public async Task<ResourceRead> FindAsync(string uid, CancellationToken cancellation)
    {
        var (fault, listing) = await Open().FindAsync(uid, cancellation);
        return Shown((fault, Live(listing)));
    }

    /// <inheritdoc/>
    public async Task<ResourceWrite> CreateAsync(ResourceDraft draft, CancellationToken cancellation)
    {
        const string Operation = "events.import";
        var (wanted, problem) = DraftWriting.Write(draft.Uid, draft.Content, target.Zone);
        if (Unwritable(Operation, wanted, problem) is { } refused)
            return refused;
        if (wanted!.Master is null)
            return NotSent(Operation, "it is one occurrence without its series");
        var events = Open();
        var (fault, stored) = await events.ImportAsync(wanted.ToImport(), cancellation);
        if (fault is { ProviderCode: NotAGuest })
        {
            wanted = wanted.WithoutGuests();
            (fault, stored) = await events.ImportAsync(wanted.ToImport(), cancellation);
        }

        if (fault is { Reason: ProviderReason.Duplicate or ProviderReason.Conflict })
            return await ReviveAsync(events, draft, wanted, fault, cancellation);
        return fault is null
            ? await FinishAsync(events, draft, wanted, GoogleSeries.Of(stored, []), cancellation)
            : NotWritten(fault);
    }

    /// <inheritdoc/>
    public async Task<ResourceWrite> UpdateAsync(
        ResourceAddress address, string? version, ResourceDraft draft, CancellationToken cancellation)
    {
        const string Operation = "events.patch";
        var (wanted, problem) = DraftWriting.Write(draft.Uid, draft.Content, target.Zone);
        if (Unwritable(Operation, wanted, problem) is { } refused)
            return refused;
        var events = Open();
        if (await PatchSingleAsync(events, address, version, draft, wanted!, cancellation) is { } done)
            return done;
        var (fault, series) = await ReadSeriesAsync(events, address, cancellation);
        if (fault is not null)
            return NotWritten(fault);
        if (series is null)
            return new ResourceWrite.Gone();
        if (!IsHeld(series, version, draft))
            return new ResourceWrite.Changed();
        if (series is { IsSingle: true, Master: { } single } && !wanted!.Recurrence.Rules.IsEmpty)
            (fault, series) = await new SeriesListing(events).WithLeftoversAsync(single, cancellation);
        if (fault is not null)
            return NotWritten(fault);
        var write = new SeriesWrite(events, series!, target.Zone);
        return await write.ApplyAsync(wanted!, isMasterWritten: false, cancellation) is { } failed
            ? NotWritten(failed)
            : new ResourceWrite.Stored(
                address,
                series!.IsSingle && wanted!.Recurrence.Rules.IsEmpty ? write.Master?.ETag : null,
                wanted!.Losses(draft.Content).AddRange(write.Lost));
    }

    /// <inheritdoc/>
    public async Task<ResourceDelete> DeleteAsync(
        ResourceAddress address, string? version, CancellationToken cancellation)
    {
        const string Operation = "events.delete";
        if (target.IsReadOnly)
            return new ResourceDelete.Failed(Faults.NotSent(Operation, "the calendar may only be read"));
        var events = Open();
        var single = version is null ? null : GoogleSeries.SingleETag(version);
        if (single is not null)
        {
            var deleted = Deleted(await events.DeleteAsync(address.Value, single, cancellation));

            // A deletion changes the ETag too: only a look says which of both it was.
            return deleted is ResourceDelete.Changed
                && await ReadSeriesAsync(events, address, cancellation) is { Fault: null, Series: null }
                    ? new ResourceDelete.AlreadyGone()
                    : deleted;
        }

        var (fault, series) = await ReadSeriesAsync(events, address, cancellation);
        if (fault is not null)
            return new ResourceDelete.Failed(fault);
        if (series is null)
            return new ResourceDelete.AlreadyGone();
        if (version is not null && series.Version != version)
            return new ResourceDelete.Changed();
        var parts = series.Master is { } master ? [master] : series.Exceptions;
        foreach (var part in parts)
        {
            if (!part.IsCancelled
                && await events.DeleteAsync(part.Id, part.ETag, cancellation) is { } failed)
            {
                return Deleted(failed);
            }
        }

        return new ResourceDelete.Deleted();
    }

    private GoogleEvents Open() => new(pipeline, options, tokens, target.CalendarId);

    /// <summary>A whole resource; null without a fault when Google says that it is not there.</summary>
    private static async Task<(ProviderFault? Fault, GoogleSeries? Series)> ReadSeriesAsync(
        GoogleEvents events, ResourceAddress address, CancellationToken cancellation)
    {
        var (fault, found) = await events.GetAsync(address.Value, cancellation);
        if (fault is { Reason: ProviderReason.NotFound or ProviderReason.Deleted })
            return (null, null);
        if (fault is not null)
            return (fault, null);
        var part = found!.MasterId is null
            ? GoogleSeries.Of(found, [])
            : GoogleSeries.Of(null, [found]);
        if (!part.IsGone && !part.IsSingle)
        {
            (fault, var whole) = await new SeriesListing(events).CompleteAsync(part, cancellation);
            if (fault is not null)
                return (fault, null);
            part = whole!;
        }

        return (null, part.IsGone ? null : part);
    }

    /// <summary>The resource of a search: the first that has a master, by id.</summary>
    private static GoogleSeries? Live(GoogleListing listing) => SeriesListing.Group(listing.Items)
        .Where(series => !series.IsGone)
        .OrderBy(series => series.Master is null)
        .ThenBy(series => series.Id, StringComparer.Ordinal)
        .FirstOrDefault();

    private static RemoteResource Resource(
        GoogleSeries series, CalendarZone zone, IReadOnlyDictionary<ResourceAddress, string> known)
    {
        var address = new ResourceAddress(series.Id);
        var version = series.Version;
        if (version is not null && known.GetValueOrDefault(address) == version)
            return new RemoteResource(address, version, null);
        var reading = SeriesReading.Read(series, zone);
        return new RemoteResource(
            address, version, reading.Content, reading.Problem is null ? null : series.Raw, reading.Problem);
    }

    private ResourceRead Shown((ProviderFault? Fault, GoogleSeries? Series) read) => read switch
    {
        { Fault: { } fault } => new ResourceRead.Failed(fault),
        { Series: { } series } => new ResourceRead.Found(Resource(
            series, target.Zone, ImmutableDictionary<ResourceAddress, string>.Empty)),
        _ => new ResourceRead.Gone(),
    };

    private static ChangeRead Unread(ProviderFault fault, bool hasCursor) => fault.Reason switch
    {
        ProviderReason.FullSyncRequired or ProviderReason.UpdatedMinTooLongAgo =>
            new ChangeRead.CursorInvalid(fault.Message),

        // A token of another query or another server: reading everything again loosens nothing.
        ProviderReason.InvalidRequest when hasCursor => new ChangeRead.CursorInvalid(fault.Message),
        ProviderReason.NotFound => new ChangeRead.CalendarGone(fault),
        _ => new ChangeRead.Failed(fault),
    };

    /// <summary>
    /// The common case in one call: a single event of a known version. Null when it takes more.
    /// </summary>
    private async Task<ResourceWrite?> PatchSingleAsync(
        GoogleEvents events, ResourceAddress address, string? version, ResourceDraft draft,
        GoogleDraft wanted, CancellationToken cancellation)
    {
        if (version is null || GoogleSeries.SingleETag(version) is not { } etag || !IsSingle(wanted)
            || draft.Held is null
            || DraftWriting.Write(draft.Uid, draft.Held, target.Zone).Draft is not { } held
            || !IsSingle(held))
        {
            return null;
        }

        var body = wanted.Master!.PatchOf(held.Master);

        // Guests are written only over a list that was just seen whole.
        if (body.ContainsKey("attendees"))
            return null;
        if (body.Count == 0)
            return new ResourceWrite.Stored(address, version, wanted.Losses(draft.Content));
        var (fault, stored) = await events.PatchAsync(address.Value, body, etag, cancellation);
        if (fault is { ProviderCode: EventPatch.NotOrganizer })
            return null;
        return fault is null
            ? new ResourceWrite.Stored(address, stored!.ETag, wanted.Losses(draft.Content))
            : NotWritten(fault);
    }

    private static bool IsSingle(GoogleDraft draft) =>
        draft is { Master: not null, Recurrence.Rules.IsEmpty: true, Instances.IsEmpty: true };

    /// <summary>Whether Google holds what the write was decided on.</summary>
    private bool IsHeld(GoogleSeries series, string? version, ResourceDraft draft)
    {
        if (version is not null)
            return series.Version == version;
        return draft.Held is not null && SeriesReading.Read(series, target.Zone).Content is { } now
            && CalendarDiff.Compare(draft.Held, now, CalendarNoise.OfServers).IsEmpty;
    }

    /// <summary>The UID is taken: by a living resource, or by one that was deleted and lives again.</summary>
    private async Task<ResourceWrite> ReviveAsync(
        GoogleEvents events, ResourceDraft draft, GoogleDraft wanted, ProviderFault taken,
        CancellationToken cancellation)
    {
        var (fault, listing) = await events.FindAsync(draft.Uid, cancellation);
        if (fault is not null)
            return NotWritten(fault);
        if (Live(listing) is { } living)
            return new ResourceWrite.Exists(new ResourceAddress(living.Id));
        var deleted = listing.Items.Where(each => each.MasterId is null)
            .MaxBy(each => each.Id, StringComparer.Ordinal);
        if (deleted is null)
            return new ResourceWrite.Failed(taken);
        var body = wanted.Master!.PatchOf(null);
        body["recurrence"] = wanted.ToImport()["recurrence"]?.DeepClone();
        (fault, var stored) = await events.PatchAsync(deleted.Id, body, deleted.ETag, cancellation);
        if (fault is { Reason: ProviderReason.NotWritable })
        {
            // Deleted by a person in a way that forbids undeleting: another id under the same UID.
            var again = wanted.ToImport();
            again.Remove("organizer");
            (fault, stored) = await events.InsertAsync(again, cancellation);
        }

        if (fault is not null)
            return NotWritten(fault);
        (fault, var series) = await ReadSeriesAsync(events, new ResourceAddress(stored!.Id), cancellation);
        return fault is null && series is not null
            ? await FinishAsync(events, draft, wanted, series, cancellation)
            : new ResourceWrite.Failed(Unfinished(fault ?? taken));
    }

    /// <summary>Writes the instances of a series whose master was just written.</summary>
    private async Task<ResourceWrite> FinishAsync(
        GoogleEvents events, ResourceDraft draft, GoogleDraft wanted, GoogleSeries series,
        CancellationToken cancellation)
    {
        var write = new SeriesWrite(events, series, target.Zone);
        if (!wanted.Recurrence.Rules.IsEmpty || !wanted.Instances.IsEmpty)
        {
            var fault = await write.ApplyAsync(wanted, isMasterWritten: true, cancellation);
            if (fault is not null)
                return new ResourceWrite.Failed(Unfinished(fault));
        }

        return new ResourceWrite.Stored(
            new ResourceAddress(series.Id),
            wanted.Recurrence.Rules.IsEmpty ? series.Version : null,
            wanted.Losses(draft.Content).AddRange(write.Lost));
    }

    /// <summary>The resource is there, and perhaps not all of it: to be read before the next
    /// write.</summary>
    private static ProviderFault Unfinished(ProviderFault fault) => fault with { OutcomeUnknown = true };

    private ResourceWrite.Refused? Unwritable(string operation, GoogleDraft? wanted, string? problem) =>
        target.IsReadOnly ? NotSent(operation, "the calendar may only be read")
        : wanted is null ? NotSent(operation, problem!.TrimEnd('.'))
        : null;

    private static ResourceWrite.Refused NotSent(string operation, string words) =>
        new(Faults.NotSent(operation, words));

    private static ResourceWrite NotWritten(ProviderFault fault) => fault.Reason switch
    {
        ProviderReason.PreconditionFailed => new ResourceWrite.Changed(),
        ProviderReason.NotFound or ProviderReason.Deleted => new ResourceWrite.Gone(),
        ProviderReason.InvalidRequest or ProviderReason.AttendeeRejected => new ResourceWrite.Refused(fault),
        ProviderReason.NotWritable when fault.ProviderCode == EventPatch.NotOrganizer =>
            new ResourceWrite.Refused(fault),
        _ => new ResourceWrite.Failed(fault),
    };

    private static ResourceDelete Deleted(ProviderFault? fault) => fault switch
    {
        null => new ResourceDelete.Deleted(),
        { Reason: ProviderReason.NotFound or ProviderReason.Deleted } => new ResourceDelete.AlreadyGone(),
        { Reason: ProviderReason.PreconditionFailed } => new ResourceDelete.Changed(),
        _ => new ResourceDelete.Failed(fault),
    };
}

/// <summary>Which calendar of Google's is paired.</summary>
/// <param name="CalendarId">Its id: the address of the account for its main calendar.</param>
/// <param name="Zone">Its time zone, taken for times that have none.</param>
/// <param name="IsReadOnly">True when the account may only read it.</param>
public sealed record GoogleCalendarTarget(string CalendarId, CalendarZone Zone, bool IsReadOnly = false);
