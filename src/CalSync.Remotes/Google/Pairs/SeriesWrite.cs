using System.Collections.Immutable;
using System.Text.Json.Nodes;
using CalSync.Calendar;
using CalSync.Remotes.Google.Mapping;
using CalSync.Sync.Pairs;
using CalSync.Sync.Providers;

namespace CalSync.Remotes.Google.Pairs;

/// <summary>Makes a resource at Google say what a draft says, by patches of what differs.</summary>
/// <remarks>
/// The master first, then its instances one by one. An instance is never inserted: it is a patch of the
/// occurrence of its series. Leaving one out is cancelling it; only what the master's own EXDATE lines left
/// out is taken from there again. Each patch of an event that was read says If-Match. A failure in between
/// leaves a part written; the next attempt finds what is left to do.
/// </remarks>
/// <param name="events">The calendar.</param>
/// <param name="current">What Google holds.</param>
/// <param name="zone">The calendar's zone.</param>
internal sealed class SeriesWrite(GoogleEvents events, GoogleSeries current, CalendarZone zone)
{
    private readonly ImmutableArray<CarryLoss>.Builder _lost = ImmutableArray.CreateBuilder<CarryLoss>();
    private readonly List<GoogleTime> _noInstance = [];
    private readonly Dictionary<string, GoogleEvent> _exceptions = new(StringComparer.Ordinal);
    private ImmutableSortedDictionary<string, DraftEvent> _heldInstances =
        ImmutableSortedDictionary<string, DraftEvent>.Empty;

    /// <summary>What Google did not take; complete after <see cref="ApplyAsync"/>.</summary>
    public ImmutableArray<CarryLoss> Lost => _lost.ToImmutable();

    /// <summary>The master as the last patch left it.</summary>
    public GoogleEvent? Master { get; private set; } = current.Master;

    /// <summary>Writes what differs.</summary>
    /// <param name="wanted">What it is to say.</param>
    /// <param name="isMasterWritten">True when the master already says it.</param>
    /// <param name="cancellation">Leaves a part written.</param>
    public async Task<ProviderFault?> ApplyAsync(
        GoogleDraft wanted, bool isMasterWritten, CancellationToken cancellation)
    {
        foreach (var exception in current.Exceptions)
        {
            if (Original(exception) is { } original)
                _exceptions[original.Key] = exception;
        }

        if (Draft(current, wanted.Uid) is not { } held)
            return Pipeline.Faults.NotSent("events.patch", "what Google holds cannot be read");
        _heldInstances = held.Instances;
        var atMaster = Master is null ? null : Draft(GoogleSeries.Of(Master, []), wanted.Uid);
        var kept = (atMaster?.Recurrence.ExDates ?? RecurrenceLines.None.ExDates)
            .Where(each => wanted.Recurrence.ExDates.ContainsKey(each.Key)
                || (isMasterWritten && wanted.Instances.ContainsKey(each.Key)))
            .Select(each => each.Value).ToList();
        if (atMaster is not null && !isMasterWritten
            && await WriteMasterAsync(atMaster, wanted, kept, cancellation) is { } masterFault)
        {
            return masterFault;
        }

        var fault = await WriteInstancesAsync(wanted, kept, cancellation);
        if (fault is not null || _noInstance.Count == 0 || Master is null)
            return fault;

        // No occurrence to cancel: the master's own line says the same.
        var body = new JsonObject { ["recurrence"] = Lines(wanted, kept.Concat(_noInstance)) };
        return await PatchMasterAsync(body, wanted.Master, atMaster?.Master, cancellation);
    }

    private Task<ProviderFault?> WriteMasterAsync(
        GoogleDraft held, GoogleDraft wanted, List<GoogleTime> kept, CancellationToken cancellation)
    {
        if (wanted.Master is null)
            return Task.FromResult<ProviderFault?>(null);
        var body = wanted.Master.PatchOf(held.Master);
        if (!wanted.Recurrence.Rules.SequenceEqual(held.Recurrence.Rules)
            || kept.Count != held.Recurrence.ExDates.Count)
        {
            body["recurrence"] = Lines(wanted, kept);
        }

        return PatchMasterAsync(body, wanted.Master, held.Master, cancellation);
    }

    private async Task<ProviderFault?> PatchMasterAsync(
        JsonObject body, DraftEvent? wanted, DraftEvent? held, CancellationToken cancellation)
    {
        var patch = new EventPatch(events, Master!, _lost);
        var (fault, stored) = await patch.SendAsync(body, wanted, held, cancellation);
        Master = stored ?? Master;
        return fault;
    }

    private async Task<ProviderFault?> WriteInstancesAsync(
        GoogleDraft wanted, List<GoogleTime> kept, CancellationToken cancellation)
    {
        var inLines = kept.Select(time => time.Key).ToHashSet(StringComparer.Ordinal);
        var rules = wanted.Master is null ? null : wanted.Recurrence.ToSet(wanted.Master.Start);
        var keys = wanted.Instances.Keys.Concat(wanted.Recurrence.ExDates.Keys).Concat(_exceptions.Keys)
            .Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);
        foreach (var key in keys)
        {
            if (inLines.Contains(key))
                continue;
            if (wanted.Master is not null && wanted.Recurrence.Rules.IsEmpty)
            {
                if (wanted.Instances.TryGetValue(key, out var alone))
                    NoteMissing(alone.Original!, alone);
                if (_exceptions.GetValueOrDefault(key) is { IsCancelled: false } left
                    && await CancelAsync(Original(left)!, left, cancellation) is { } notCancelled)
                {
                    return notCancelled;
                }

                continue;
            }

            if (await WriteInstanceAsync(key, wanted, rules, cancellation) is { } fault)
                return fault;
        }

        return null;
    }

    private Task<ProviderFault?> WriteInstanceAsync(
        string key, GoogleDraft wanted, RecurrenceSet? rules, CancellationToken cancellation)
    {
        var exception = _exceptions.GetValueOrDefault(key);
        var held = _heldInstances.GetValueOrDefault(key);
        if (wanted.Instances.TryGetValue(key, out var change))
        {
            var before = exception is null ? wanted.Master?.Instance(change.Original!) : held;
            return PatchInstanceAsync(
                change.Original!, exception, change.PatchOf(before), change, before, cancellation);
        }

        if (wanted.Recurrence.ExDates.TryGetValue(key, out var left))
            return CancelAsync(left, exception, cancellation);

        // Google holds an instance apart that is as the series has it, or is not one any more.
        var original = Original(exception!)!;
        if (wanted.Master is null || rules is null || !Generates(rules, original)
            || wanted.Master.Instance(original) is not { } inherited)
        {
            return CancelAsync(original, exception, cancellation);
        }

        return PatchInstanceAsync(
            original, exception, inherited.PatchOf(held), inherited, held, cancellation);
    }

    private Task<ProviderFault?> CancelAsync(
        GoogleTime original, GoogleEvent? exception, CancellationToken cancellation) =>
        exception is { IsCancelled: true }
            ? Task.FromResult<ProviderFault?>(null)
            : PatchInstanceAsync(
                original, exception, new JsonObject { ["status"] = "cancelled" }, null, null, cancellation);

    private async Task<ProviderFault?> PatchInstanceAsync(
        GoogleTime original, GoogleEvent? exception, JsonObject body, DraftEvent? wanted, DraftEvent? held,
        CancellationToken cancellation)
    {
        if (body.Count == 0)
            return null;
        if (exception is not null)
        {
            var patch = new EventPatch(events, exception, _lost);
            return (await patch.SendAsync(body, wanted, held, cancellation)).Fault;
        }

        var masterId = current.Master!.Id;
        var (fault, _) = await events.PatchAsync($"{masterId}_{original.Key}", body, null, cancellation);
        if (fault is not { Reason: ProviderReason.NotFound })
            return fault;

        // After a split Google names instances in another way; it knows them by when they were.
        var (unfound, id) = await events.FindInstanceAsync(masterId, original, cancellation);
        if (unfound is not null || id is null)
        {
            NoteMissing(original, wanted);
            return unfound is { Reason: not ProviderReason.InvalidRequest } ? unfound : null;
        }

        return (await events.PatchAsync(id, body, null, cancellation)).Fault;
    }

    private GoogleTime? Original(GoogleEvent exception) =>
        GoogleTime.Read(new Fields(exception.Json), "originalStartTime", zone);

    private void NoteMissing(GoogleTime original, DraftEvent? wanted)
    {
        if (wanted is null)
            _noInstance.Add(original);
        else
            _lost.Add(new CarryLoss($"VEVENT of {original.Key}", "The series has no such occurrence."));
    }

    private static JsonArray? Lines(GoogleDraft wanted, IEnumerable<GoogleTime> exDates)
    {
        var lines = wanted.Recurrence.ToLines(exDates);
        return lines.IsEmpty ? null : new JsonArray([.. lines.Select(line => JsonValue.Create(line))]);
    }

    private static bool Generates(RecurrenceSet rules, GoogleTime original)
    {
        switch (original)
        {
            case GoogleTime.AllDay day:
                var midnight = new DateTimeOffset(day.Day.ToDateTimeUnspecified(), TimeSpan.Zero);
                return rules.Occurrences(midnight).First() is OccurrenceStep.AllDay first
                    && first.Date == day.Day;
            case GoogleTime.Timed timed:
                return rules.Occurrences(timed.At.Instant).First() is OccurrenceStep.Timed next
                    && next.Start.Instant == timed.At.Instant;
            default:
                return false;
        }
    }

    private GoogleDraft? Draft(GoogleSeries series, string uid) =>
        SeriesReading.Read(series, zone, keepsRedundant: true).Content is { } content
            ? DraftWriting.Write(uid, content, zone).Draft
            : null;
}
