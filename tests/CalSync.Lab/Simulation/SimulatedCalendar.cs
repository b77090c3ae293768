using System.Globalization;
using CalSync.Calendar.Comparison;
using CalSync.Calendar.Document;
using CalSync.Sync.Pairs;
using CalSync.Sync.Pairs.Planning;
using CalSync.Sync.Providers;

namespace CalSync.Lab.Simulation;

/// <summary>A calendar of a provider in memory: the port's second real implementation.</summary>
/// <remarks>It remembers all it ever held, so that a read can be behind.</remarks>
public sealed class SimulatedCalendar(string name, SimulatedHabits habits) : IRemoteCalendar
{
    private readonly Dictionary<string, Stored> _events = new(StringComparer.Ordinal);
    private readonly List<Change> _log = [];
    private readonly List<Action> _late = [];
    private long _seq;
    private long _recent;
    private long _flap;
    private int _tokens;

    /// <summary>Decides what goes wrong in a call of this name; may throw.</summary>
    public Func<string, SimulatedFault> OnCall { get; set; } = _ => SimulatedFault.None;

    /// <summary>Called when the engine overwrites or deletes what is there.</summary>
    public Action<CalendarDocument> OnOverwrite { get; set; } = _ => { };

    /// <summary>Called when the engine deletes what is there.</summary>
    public Action<CalendarDocument> OnDelete { get; set; } = _ => { };

    /// <summary>Called between a write and its answer: somebody else may write meanwhile.</summary>
    public Action<string> OnWritten { get; set; } = _ => { };

    /// <summary>Writes the engine made, all told.</summary>
    public int WriteCount { get; private set; }

    /// <summary>Calls the engine made, all told.</summary>
    public int CallCount { get; private set; }

    /// <summary>Its habits.</summary>
    public SimulatedHabits Habits { get; } = habits;

    /// <summary>What it holds, by address.</summary>
    public IReadOnlyDictionary<string, CalendarDocument> Events =>
        _events.ToDictionary(each => each.Key, each => each.Value.Content, StringComparer.Ordinal);

    /// <inheritdoc/>
    public RemoteTraits Traits { get; } = new(
        name, IsReadOnly: false, habits.ParallelWritesMax);

    /// <summary>What the provider makes of content it is sent.</summary>
    public CalendarDocument Carried(CalendarDocument content)
    {
        if (!Habits.IsDamaging && !Habits.IsLossy)
            return content;
        var edit = content.Edit();
        foreach (var entry in ResourceContent.Entries(content))
        {
            foreach (var property in entry.Properties)
            {
                if (Habits.IsDamaging && property.Is("LOCATION"u8)
                    && property.RawValue.IndexOf(',', StringComparison.Ordinal) is > 0 and var comma)
                {
                    edit.Replace(property, new PropertyContent(
                        "LOCATION", property.RawValue[..comma].TrimEnd('\\')));
                }
                else if (Habits.IsLossy && property.Is("CONTACT"u8))
                {
                    edit.Remove(property);
                }
            }

            if (Habits.IsDamaging && entry.Property("X-SERVER"u8) is null)
                edit.Add(entry, new PropertyContent("X-SERVER", Traits.Provider));
        }

        return edit.Apply();
    }

    /// <summary>A person writes; null content deletes.</summary>
    public void Put(string address, CalendarDocument? content)
    {
        _seq++;
        Set(address, content is null
            ? null
            : new Stored(ResourceContent.Uid(content, out _)!, content, _seq));
    }

    /// <summary>A person moves a resource to another address.</summary>
    public void Move(string from, string to)
    {
        _seq++;
        var stored = _events[from] with { Version = _seq };
        Set(from, null);
        Set(to, stored);
    }

    /// <summary>All tokens given out so far are dead.</summary>
    public void KillTokens() => _tokens++;

    /// <summary>What happened until now is old: no read is so far behind.</summary>
    public void Age() => _recent = _seq;

    /// <summary>Writes that were still on their way arrive.</summary>
    public void Arrive()
    {
        foreach (var write in _late)
            write();
        _late.Clear();
    }

    /// <inheritdoc/>
    public Task<ChangeRead> ReadChangesAsync(
        SyncCursor? since, IReadOnlyDictionary<ResourceAddress, string> known, CancellationToken cancellation)
    {
        var fault = Call("changes");
        if (fault == SimulatedFault.ReadFails)
            return Task.FromResult<ChangeRead>(new ChangeRead.Failed(Trouble(false)));
        var (tokens, seq) = (-1, 0L);
        if (since is not null)
        {
            var parts = since.Token.Split(' ');
            tokens = int.Parse(parts[0], CultureInfo.InvariantCulture);
            seq = long.Parse(parts[1], CultureInfo.InvariantCulture);
            if (fault == SimulatedFault.TokenDead || tokens != _tokens)
            {
                return Task.FromResult<ChangeRead>(new ChangeRead.CursorInvalid("The token is dead."));
            }
        }

        var asOf = fault == SimulatedFault.StaleRead ? Math.Max(seq, Math.Max(_recent, _seq - 1)) : _seq;
        var next = new SyncCursor(
            string.Create(CultureInfo.InvariantCulture, $"{_tokens} {asOf}"),
            Habits.HasTokens ? CursorKind.SyncToken : CursorKind.Tag);
        if (since is not null && (Habits.HasTokens || seq == asOf))
            return Task.FromResult<ChangeRead>(new ChangeRead.Done(Delta(seq, asOf, known, next)));
        List<RemoteResource> all = fault == SimulatedFault.EmptyListing
            ? []
            : [.. At(asOf).OrderBy(each => each.Key, StringComparer.Ordinal)
                .Select(each => Read(each.Key, each.Value, known))];
        return Task.FromResult<ChangeRead>(new ChangeRead.Done(
            fault == SimulatedFault.PartialRead
                ? new ChangeSet(
                    [.. all.Take(all.Count / 2)], [], null, new Certificate.Partial("It broke off."))
                : new ChangeSet([.. all], [], next, new Certificate.Complete(1))));
    }

    /// <inheritdoc/>
    public Task<ResourceRead> ReadAsync(ResourceAddress address, CancellationToken cancellation)
    {
        var fault = Call("read");
        if (fault is SimulatedFault.ReadFails or SimulatedFault.FailBefore)
            return Task.FromResult<ResourceRead>(new ResourceRead.Failed(Trouble(false)));
        var stored = Seen(address.Value, fault);
        return Task.FromResult<ResourceRead>(stored is null
            ? new ResourceRead.Gone()
            : new ResourceRead.Found(Read(address.Value, stored, null)));
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<string?>> ReadVersionsAsync(
        IReadOnlyList<ResourceAddress> addresses, CancellationToken cancellation)
    {
        var fault = Habits.TellsVersions ? Call("versions") : SimulatedFault.ReadFails;
        return Task.FromResult<IReadOnlyList<string?>>(
        [
            .. addresses.Select(address => fault is SimulatedFault.ReadFails or SimulatedFault.FailBefore
                || Seen(address.Value, fault) is not { } stored ? null : Version(stored)),
        ]);
    }

    /// <inheritdoc/>
    public Task<ResourceRead> FindAsync(string uid, CancellationToken cancellation)
    {
        var fault = Call("find");
        if (fault is SimulatedFault.ReadFails or SimulatedFault.FailBefore)
            return Task.FromResult<ResourceRead>(new ResourceRead.Failed(Trouble(false)));
        var found = At(fault == SimulatedFault.StaleRead ? Math.Max(_recent, _seq - 1) : _seq)
            .Where(each => each.Value.Uid == uid)
            .OrderBy(each => each.Key, StringComparer.Ordinal).ToList();
        return Task.FromResult<ResourceRead>(found.Count == 0
            ? new ResourceRead.Gone()
            : new ResourceRead.Found(Read(found[0].Key, found[0].Value, null)));
    }

    /// <inheritdoc/>
    public Task<ResourceWrite> CreateAsync(ResourceDraft draft, CancellationToken cancellation) =>
        WriteAsync(Call("create"), () => Create(draft));

    /// <inheritdoc/>
    public Task<ResourceWrite> UpdateAsync(
        ResourceAddress address, string? version, ResourceDraft draft, CancellationToken cancellation) =>
        WriteAsync(Call("update"), () => Update(address.Value, version, draft));

    /// <inheritdoc/>
    public Task<ResourceDelete> DeleteAsync(
        ResourceAddress address, string? version, CancellationToken cancellation)
    {
        var fault = Call("delete");
        switch (fault)
        {
            case SimulatedFault.Refused:
                return Task.FromResult<ResourceDelete>(new ResourceDelete.Failed(Refusal));
            case SimulatedFault.FailBefore or SimulatedFault.TimesOut:
                return Task.FromResult<ResourceDelete>(
                    new ResourceDelete.Failed(Trouble(fault == SimulatedFault.TimesOut)));
            case SimulatedFault.Late:
                _late.Add(() => Delete(address.Value, version));
                return Task.FromResult<ResourceDelete>(new ResourceDelete.Failed(Trouble(true)));
            default:
                var end = Delete(address.Value, version);
                return Task.FromResult(fault == SimulatedFault.FailAfter
                    ? new ResourceDelete.Failed(Trouble(true))
                    : end);
        }
    }

    private Task<ResourceWrite> WriteAsync(SimulatedFault fault, Func<ResourceWrite> write)
    {
        switch (fault)
        {
            case SimulatedFault.Refused:
                return Task.FromResult<ResourceWrite>(new ResourceWrite.Refused(Refusal));
            case SimulatedFault.FailBefore or SimulatedFault.TimesOut:
                return Task.FromResult<ResourceWrite>(
                    new ResourceWrite.Failed(Trouble(fault == SimulatedFault.TimesOut)));
            case SimulatedFault.Late:
                _late.Add(() => write());
                return Task.FromResult<ResourceWrite>(new ResourceWrite.Failed(Trouble(true)));
            default:
                var end = write();
                return Task.FromResult(fault == SimulatedFault.FailAfter
                    ? new ResourceWrite.Failed(Trouble(true))
                    : end);
        }
    }

    private ResourceWrite Create(ResourceDraft draft)
    {
        if (_events.Values.Any(each => each.Uid == draft.Uid))
            return new ResourceWrite.Exists(null);
        var address = $"/{Traits.Provider}/{draft.Uid}.ics";
        // Somebody put another event there.
        while (_events.ContainsKey(address))
            address += "-2";
        return Store(address, draft);
    }

    private ResourceWrite Update(string address, string? version, ResourceDraft draft)
    {
        if (!_events.TryGetValue(address, out var stored))
            return new ResourceWrite.Gone();
        if (!IsHeld(stored, version, draft.Held))
            return new ResourceWrite.Changed();
        OnOverwrite(stored.Content);
        return Store(address, draft);
    }

    private ResourceDelete Delete(string address, string? version)
    {
        if (!_events.TryGetValue(address, out var stored))
            return new ResourceDelete.AlreadyGone();
        if (!IsHeld(stored, version, null))
            return new ResourceDelete.Changed();
        OnOverwrite(stored.Content);
        OnDelete(stored.Content);
        WriteCount++;
        Put(address, null);
        OnWritten(address);
        return new ResourceDelete.Deleted();
    }

    /// <summary>What a read gives of an address, which may be what lay there before.</summary>
    private Stored? Seen(string address, SimulatedFault fault)
    {
        var last = fault != SimulatedFault.StaleRead
            ? -1
            : _log.FindLastIndex(each => each.Address == address && each.Seq > _recent);
        return last > 0
            ? _log.Take(last).LastOrDefault(each => each.Address == address)?.Stored
            : _events.GetValueOrDefault(address);
    }

    private ResourceWrite.Stored Store(string address, ResourceDraft draft)
    {
        WriteCount++;
        Put(address, Carried(draft.Content));
        var version = Version(_events[address]);
        OnWritten(address);
        return new ResourceWrite.Stored(
            new ResourceAddress(address), Habits.AnswersVersion ? version : null,
            Habits.IsLossy && draft.Content.ToString().Contains("\nCONTACT", StringComparison.Ordinal)
                ? [new CarryLoss("CONTACT", "This provider has no place for it.")]
                : [])
        {
            IsAsGiven = true,
        };
    }

    private void Set(string address, Stored? stored)
    {
        if (stored is null)
            _events.Remove(address);
        else
            _events[address] = stored;
        _log.Add(new Change(_seq, address, stored));
    }

    /// <summary>What it held once, by address.</summary>
    private Dictionary<string, Stored> At(long seq)
    {
        if (seq >= _seq)
            return _events;
        var events = new Dictionary<string, Stored>(StringComparer.Ordinal);
        foreach (var change in _log.TakeWhile(each => each.Seq <= seq))
        {
            if (change.Stored is null)
                events.Remove(change.Address);
            else
                events[change.Address] = change.Stored;
        }

        return events;
    }

    private ChangeSet Delta(
        long seq, long asOf, IReadOnlyDictionary<ResourceAddress, string> known, SyncCursor next)
    {
        var events = At(asOf);
        var changed = _log.Where(each => each.Seq > seq && each.Seq <= asOf).Select(each => each.Address)
            .Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        return new ChangeSet(
            [.. changed.Where(events.ContainsKey).Select(each => Read(each, events[each], known))],
            [.. changed.Where(each => !events.ContainsKey(each)).Select(each => new ResourceAddress(each))],
            next, new Certificate.Delta());
    }

    private RemoteResource Read(
        string address, Stored stored, IReadOnlyDictionary<ResourceAddress, string>? known)
    {
        var resource = new RemoteResource(new ResourceAddress(address), Version(stored), stored.Content);
        return resource.Version is not null && known is not null
            && known.TryGetValue(resource.Address, out var version) && version == resource.Version
            ? resource with { Content = null }
            : resource;
    }

    private string? Version(Stored stored) => !Habits.HasVersions ? null
        : string.Create(
            CultureInfo.InvariantCulture, $"\"{stored.Version}{(Habits.IsFlapping ? $"-{++_flap}" : "")}\"");

    /// <summary>A version that flaps is compared without what flaps: the server itself knows.</summary>
    private static bool IsHeld(Stored stored, string? version, CalendarDocument? held) => version is not null
        ? version.Trim('"').Split('-')[0] == stored.Version.ToString(CultureInfo.InvariantCulture)
        : held is null || CalendarDiff.Compare(held, stored.Content, ResourceContent.Noise).IsEmpty;

    private SimulatedFault Call(string call)
    {
        CallCount++;
        return OnCall(call);
    }

    private static ProviderFault Trouble(bool isUnknown) => new(
        ProviderReason.ServerError, null, 500, "The server answered 500.", OutcomeUnknown: isUnknown);

    private static ProviderFault Refusal => new(
        ProviderReason.InvalidRequest, null, 400, "The server wants no such event.");

    private sealed record Stored(string Uid, CalendarDocument Content, long Version);

    private sealed record Change(long Seq, string Address, Stored? Stored);
}
