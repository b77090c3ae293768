using System.Diagnostics;
using CalSync.Sync.Connections;
using CalSync.Sync.Providers;

namespace CalSync.Sync.Mirroring;

/// <summary>What a turn asks the provider: the event, its calendar, a twin elsewhere.</summary>
/// <param name="store">Knows the account's other calendars.</param>
/// <param name="providers">The providers.</param>
/// <param name="access">Tokens and the lease.</param>
/// <param name="options">Waits of a patient read.</param>
/// <param name="clock">Every wait.</param>
internal sealed class MirrorReading(
    IMirrorStore store, ProviderSet providers, MirrorAccess access, MirrorOptions options, TimeProvider clock)
{
    private const int FailedReadCountMax = 3;

    /// <summary>Reads the event back, patient with a provider that shows old or no content.</summary>
    public async Task<TurnEnd?> LookAsync(MirrorTurn turn, CancellationToken cancellation)
    {
        var (waits, failures) = (0, 0);
        while (true)
        {
            var read = await providers[turn.Claim.Provider].Calendar.GetAsync(
                turn.Call, turn.Address, cancellation);
            switch (read)
            {
                case EventRead.Failed { Fault.Reason: ProviderReason.CredentialsRejected } rejected:
                    if (await access.ReplaceTokenAsync(turn, rejected.Fault, cancellation) is { } end)
                        return end;
                    continue;
                case EventRead.Failed failed:
                    failures++;
                    if (!failed.Fault.RetryHelps || failed.Fault.RetryAfter is not null
                        || failures >= FailedReadCountMax)
                    {
                        return await UnreadAsync(turn, failed.Fault, cancellation);
                    }

                    break;
                case EventRead.Found found:
                    turn.Saw(found.Event);
                    if (!IsStale(turn, found.Event))
                        return null;
                    break;
                case EventRead.Missing:
                    turn.Sighting = new Sighting.Missing();
                    if (!turn.Stand.Written)
                        return null;
                    break;
            }

            if (waits >= options.ConsistencyWaits.Length)
                break;
            var wait = options.ConsistencyWaits[waits++];
            if (!await access.HoldsAsync(turn, wait, cancellation))
                return new TurnEnd.ClaimLost();
            await Task.Delay(wait, clock, cancellation);
        }

        if (turn.Sighting is Sighting.Missing && turn.Desired.Present)
            return await MissedCalendarAsync(turn, cancellation);
        return turn.Sighting is Sighting.Unseen
            ? new TurnEnd.Retry(MirrorReasons.NotVisibleYet, "The reads after the write failed.")
            : null;
    }

    /// <summary>A missing event may be a missing calendar.</summary>
    public async Task<TurnEnd?> MissedCalendarAsync(MirrorTurn turn, CancellationToken cancellation) =>
        turn.Sighting is Sighting.Missing && turn.Claim.AppliedVersion > 0
            ? await CalendarTroubleAsync(turn, cancellation)
            : null;

    /// <summary>Asks the calendar list whether the calendar is there and writable; null when it is.</summary>
    public async Task<TurnEnd?> CalendarTroubleAsync(MirrorTurn turn, CancellationToken cancellation)
    {
        var listing = await providers[turn.Claim.Provider].Calendar.ListCalendarsAsync(
            turn.Call, cancellation);
        switch (listing)
        {
            case CalendarSearch.Failed failed:
                return new TurnEnd.Retry(
                    failed.Fault.Reason.ToString(), failed.Fault.Message, failed.Fault.RetryAfter);
            case CalendarSearch.Complete complete:
                var shown = complete.Calendars.FirstOrDefault(
                    calendar => calendar.RemoteId == turn.Claim.RemoteCalendarId);
                if (shown is null)
                    return turn.Desired.Present ? new TurnEnd.CalendarLost("gone") : null;
                return shown.AccessRole is "owner" or "writer"
                    ? null
                    : new TurnEnd.CalendarLost("unwritable");
            default:
                throw new UnreachableException();
        }
    }

    /// <summary>The event somebody made in place of one that is gone, in its calendar: one with our mark, or
    /// with its UID and nobody's mark.</summary>
    /// <returns>Why nothing may be concluded, or the event; neither when there is none.</returns>
    public async Task<(TurnEnd? End, ProviderEvent? Found)> FindAgainAsync(
        MirrorTurn turn, CancellationToken cancellation)
    {
        var calendar = providers[turn.Claim.Provider].Calendar;
        var search = await calendar.FindByMirrorAsync(
            turn.Call, turn.Claim.RemoteCalendarId, turn.Claim.Id, cancellation);
        if (Choose(turn, search) is { } marked)
            return (null, marked);
        if (search is EventSearch.Complete && (turn.Last ?? turn.Latest)?.ICalUid is { } uid)
        {
            search = await calendar.FindByICalUidAsync(
                turn.Call, turn.Claim.RemoteCalendarId, uid, cancellation);
        }

        return search is EventSearch.Failed { Fault: var fault }
            ? (new TurnEnd.Retry(fault.Reason.ToString(), fault.Message, fault.RetryAfter), null)
            : (null, Choose(turn, search));
    }

    // Of several copies the one that says the most of what is wanted, and always the same one.
    private static ProviderEvent? Choose(MirrorTurn turn, EventSearch search) =>
        (search as EventSearch.Complete)?.Events
            .Where(one => one.Address.EventId != turn.EventId
                && (one.Mark.GetValueOrDefault(EventIdentity.MirrorKey) ?? turn.Claim.Id) == turn.Claim.Id)
            .OrderBy(one => EventComparison.Mismatches(turn.Desired, one).Length)
            .ThenBy(one => one.Address.EventId, StringComparer.Ordinal)
            .FirstOrDefault();

    /// <summary>Before a vanished event is made again: is it in another calendar (R-CAL-03-C)?</summary>
    public async Task<TurnEnd?> SearchElsewhereAsync(MirrorTurn turn, CancellationToken cancellation)
    {
        foreach (var calendar in await store.OtherCalendarsAsync(turn.Claim, cancellation))
        {
            var search = await providers[turn.Claim.Provider].Calendar.FindByMirrorAsync(
                turn.Call, calendar, turn.Claim.Id, cancellation);
            switch (search)
            {
                case EventSearch.Failed failed:
                    return new TurnEnd.Retry(
                        failed.Fault.Reason.ToString(), failed.Fault.Message, failed.Fault.RetryAfter);
                case EventSearch.Complete { Events.IsEmpty: false } complete:
                    turn.Note("mirror.found_elsewhere", complete.Events[0].Json, complete.Events[0].Address);
                    return new TurnEnd.Attention(
                        MirrorReasons.WrongCalendar, "The provider stored the event in another calendar.",
                        [new FieldMismatch("calendar", turn.Claim.RemoteCalendarId, calendar)]);
            }
        }

        return null;
    }

    // Nothing may follow from a failed read but another look later (C-03, R-FIX-1-E).
    private async Task<TurnEnd> UnreadAsync(
        MirrorTurn turn, ProviderFault fault, CancellationToken cancellation)
    {
        if (fault.Reason == ProviderReason.InsufficientScope)
            return await access.ParkWithoutScopeAsync(turn, fault, cancellation);
        if (fault.Reason == ProviderReason.NotWritable
            && await CalendarTroubleAsync(turn, cancellation) is { } lost)
        {
            return lost;
        }

        return fault.RetryHelps
            ? new TurnEnd.Retry(fault.Reason.ToString(), fault.Message, fault.RetryAfter)
            : new TurnEnd.Attention(fault.Reason.ToString(), fault.Message, []);
    }

    /// <summary>Whether a read may be older than our write: other content, another ETag.</summary>
    private static bool IsStale(MirrorTurn turn, ProviderEvent shown) =>
        turn.Accepted is { } accepted
        && !string.Equals(accepted.ETag, shown.ETag, StringComparison.Ordinal)
        && (shown.Status == "cancelled" || !EventComparison.Mismatches(turn.Desired, shown).IsEmpty);
}
