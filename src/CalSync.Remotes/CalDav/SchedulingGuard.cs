using System.Collections.Immutable;
using CalSync.Calendar.Document;
using CalSync.Remotes.Dav;
using CalSync.Sync.Providers;

namespace CalSync.Remotes.CalDav;

/// <summary>Keeps a server that schedules by itself (RFC 6638) from writing to guests because of
/// us.</summary>
/// <remarks>
/// What we write gets SCHEDULE-AGENT=CLIENT (section 7.1) where the account is the organiser or a guest: then
/// the server leaves the guests alone. What the server already looks after cannot be taken from it quietly
/// (taking it away sends a cancellation, section 3.2.1.2), so such a write is refused. Servers without
/// <c>calendar-auto-schedule</c> get everything as it is. Asked once, before the first deletion and the first
/// write with guests.
/// </remarks>
/// <param name="scope">The calendar.</param>
internal sealed class SchedulingGuard(CalDavScope scope)
{
    private readonly Lock _gate = new();
    private Task<State?>? _state;

    /// <summary>The fault of a write that is not sent.</summary>
    public static ProviderFault Refusal(string operation) => new(
        ProviderReason.NotWritable, "would-notify-guests", null,
        $"{operation} was not sent: the server would write to the guests of this event.");

    /// <summary>Whether the server writes to guests by itself; yes when it cannot be found out.</summary>
    public async Task<bool> IsActiveAsync(CancellationToken cancellation) =>
        (await StateAsync(cancellation))?.IsActive ?? true;

    /// <summary>The components of a content whose guests the server looks after; null for none.</summary>
    public static CalendarDocument? Scheduled(CalendarDocument? held) =>
        held is not null && held.AllComponents.Any(one =>
            IsScheduled(one) && one.PropertiesNamed("ATTENDEE").Append(one.Property("ORGANIZER"u8)!.Value)
                .All(party => party.Parameter("SCHEDULE-AGENT"u8) is null))
            ? held
            : null;

    /// <summary>Whether a change of a content would make the server write to somebody.</summary>
    public async Task<bool> WouldMailAsync(CalendarDocument held, CancellationToken cancellation)
    {
        var state = await StateAsync(cancellation);
        return held.AllComponents.Any(one => IsScheduled(one) && Concerns(state, one));
    }

    /// <summary>The content as it can be written without a mail.</summary>
    public async Task<CalendarDocument> QuietAsync(
        CalendarDocument content, CancellationToken cancellation)
    {
        if (!content.AllComponents.Any(IsScheduled) || !await IsActiveAsync(cancellation))
            return content;
        var state = await StateAsync(cancellation);
        var edit = content.Edit();
        foreach (var one in content.AllComponents.Where(IsScheduled).Where(one => Concerns(state, one)))
        {
            foreach (var party in one.PropertiesNamed("ATTENDEE").Concat(one.PropertiesNamed("ORGANIZER")))
            {
                if (party.Parameter("SCHEDULE-AGENT"u8) is null)
                    edit.Replace(party, party.Content.With("SCHEDULE-AGENT", "CLIENT"));
            }
        }

        return edit.Apply();
    }

    private static bool IsScheduled(CalendarComponent one) =>
        (one.Is("VEVENT"u8) || one.Is("VTODO"u8)) && one.Property("ORGANIZER"u8) is not null
        && one.Property("ATTENDEE"u8) is not null;

    /// <summary>Whether the account organises it or is a guest; yes when its addresses are unknown.</summary>
    private static bool Concerns(State? state, CalendarComponent one) =>
        state is null || state.Addresses.IsEmpty
        || one.PropertiesNamed("ATTENDEE").Concat(one.PropertiesNamed("ORGANIZER")).Any(
            party => state.Addresses.Contains(Address(party.RawValue)));

    private Task<State?> StateAsync(CancellationToken cancellation)
    {
        lock (_gate)
        {
            // A question that failed is asked again.
            if (_state is null or { IsFaulted: true } or { IsCanceled: true }
                || (_state.IsCompletedSuccessfully && _state.GetAwaiter().GetResult() is null))
            {
                _state = AskAsync(cancellation);
            }

            return _state;
        }
    }

    private async Task<State?> AskAsync(CancellationToken cancellation)
    {
        var options = scope.Ask("dav.options", HttpMethod.Options, scope.Address);
        if (await scope.Client.SendAsync(options, cancellation)
            is not DavReply.Answered(var answer))
        {
            return null;
        }

        if (!answer.Classes.Contains("calendar-auto-schedule"))
            return new(false, []);
        var self = await PropertiesAsync(scope.Address, cancellation);
        if (self?.Principal is not { } href || DavHref.Resolve(href, scope.Address) is not { } principal
            || !DavTrust.MaySend(scope.Address, principal = DavTrust.Mend(scope.Address, principal)))
        {
            return new(true, []);
        }

        var addresses = (await PropertiesAsync(principal, cancellation))?.UserAddresses ?? [];
        return new(true, [.. addresses.Select(Address)]);
    }

    private async Task<DavProperties?> PropertiesAsync(Uri target, CancellationToken cancellation)
    {
        var request = (scope.Ask("dav.propfind", DavRequest.PropFind, target) with
        {
            Body = CalDavBodies.Place,
            FollowsRedirects = true,
        }).With("Depth", "0");
        var (rows, _, _) = await scope.Client.ListAsync(request, cancellation);
        return rows?.Rows.FirstOrDefault()?.Properties;
    }

    private static string Address(string written) => written.Trim().TrimEnd('/').ToLowerInvariant();

    private sealed record State(bool IsActive, ImmutableHashSet<string> Addresses);
}
