using System.Globalization;
using CalSync.Calendar.Comparison;
using CalSync.Calendar.Document;
using CalSync.Sync.Pairs;
using CalSync.Sync.Pairs.Planning;
using CalSync.Sync.Providers;

namespace CalSync.Lab.Simulation;

/// <summary>How a simulated provider behaves on its best day.</summary>
public sealed record SimulatedHabits
{
    /// <summary>It deletes by explicit tombstones from a token; else only complete listings.</summary>
    public bool HasTokens { get; init; } = true;

    /// <summary>It gives versions at all.</summary>
    public bool HasVersions { get; init; } = true;

    /// <summary>A write answers the version of what was stored.</summary>
    public bool AnswersVersion { get; init; } = true;

    /// <summary>A write's version is that of exactly what was sent.</summary>
    public bool IsTrusted { get; init; }

    /// <summary>Versions change at every read although nothing else does.</summary>
    public bool IsFlapping { get; init; }

    /// <summary>It cuts a location at its comma and adds a line of its own.</summary>
    public bool IsDamaging { get; init; }

    /// <summary>It cannot carry X- properties, and says so.</summary>
    public bool IsLossy { get; init; }

    /// <summary>Writes under way at once.</summary>
    public int ParallelWritesMax { get; init; } = 1;
}

/// <summary>The process died: everything in memory is gone.</summary>
public sealed class SimulatedCrashException : Exception
{
    public SimulatedCrashException()
        : base("The simulated process died.")
    {
    }
}

/// <summary>What may go wrong in one call. A closed list.</summary>
public enum SimulatedFault
{
    None,
    FailBefore,
    FailAfter,
    StaleRead,
    TokenDead,
    PartialRead,
    ReadFails,
}

/// <summary>A calendar of a provider in memory: the port's second real implementation.</summary>
public sealed class SimulatedCalendar(string name, SimulatedHabits habits) : IRemoteCalendar
{
    private readonly Dictionary<string, Stored> _events = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Stored> _before = new(StringComparer.Ordinal);
    private readonly List<(long Seq, string Address)> _log = [];
    private long _seq;
    private long _flap;
    private int _tokens;

    /// <summary>Decides what goes wrong in a call of this name; may throw.</summary>
    public Func<string, SimulatedFault> OnCall { get; set; } = _ => SimulatedFault.None;

    /// <summary>Called when the engine overwrites or deletes what is there.</summary>
    public Action<CalendarDocument> OnOverwrite { get; set; } = _ => { };

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
        name, IsReadOnly: false, habits.IsTrusted, habits.ParallelWritesMax);

    /// <summary>What the provider makes of content it is sent.</summary>
    public CalendarDocument Carried(CalendarDocument content)
    {
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
        if (content is null)
            _events.Remove(address);
        else
            _events[address] = new Stored(ResourceContent.Uid(content, out _)!, content, ++_seq);
        _log.Add((++_seq, address));
    }

    /// <summary>All tokens given out so far are dead.</summary>
    public void KillTokens() => _tokens++;

    /// <inheritdoc/>
    public Task<ChangeRead> ReadChangesAsync(
        SyncCursor? since, IReadOnlyDictionary<ResourceAddress, string> known, CancellationToken cancellation)
    {
        var fault = Call("changes");
        if (fault == SimulatedFault.ReadFails)
            return Task.FromResult<ChangeRead>(new ChangeRead.Failed(Trouble(false)));
        var next = new SyncCursor(
            string.Create(CultureInfo.InvariantCulture, $"{_tokens} {_seq}"),
            Habits.HasTokens ? CursorKind.SyncToken : CursorKind.Tag);
        if (since is not null)
        {
            var parts = since.Token.Split(' ');
            if (fault == SimulatedFault.TokenDead
                || parts[0] != _tokens.ToString(CultureInfo.InvariantCulture))
            {
                return Task.FromResult<ChangeRead>(new ChangeRead.CursorInvalid("The token is dead."));
            }

            var seq = long.Parse(parts[1], CultureInfo.InvariantCulture);
            if (Habits.HasTokens || seq == _seq)
                return Task.FromResult<ChangeRead>(new ChangeRead.Done(Delta(seq, known, next)));
        }

        var all = _events.Keys.Order(StringComparer.Ordinal).Select(each => Read(each, known)).ToList();
        if (fault == SimulatedFault.PartialRead)
        {
            return Task.FromResult<ChangeRead>(new ChangeRead.Done(new ChangeSet(
                [.. all.Take(all.Count / 2)], [], null, new Certificate.Partial("It broke off."))));
        }

        return Task.FromResult<ChangeRead>(new ChangeRead.Done(
            new ChangeSet([.. all], [], next, new Certificate.Complete(1))));
    }

    /// <inheritdoc/>
    public Task<ResourceRead> ReadAsync(ResourceAddress address, CancellationToken cancellation)
    {
        var fault = Call("read");
        if (fault is SimulatedFault.ReadFails or SimulatedFault.FailBefore)
            return Task.FromResult<ResourceRead>(new ResourceRead.Failed(Trouble(false)));
        if (fault == SimulatedFault.StaleRead && _before.Remove(address.Value, out var old))
            return Task.FromResult<ResourceRead>(new ResourceRead.Found(Shown(address.Value, old)));
        return Task.FromResult<ResourceRead>(_events.ContainsKey(address.Value)
            ? new ResourceRead.Found(Read(address.Value, null))
            : new ResourceRead.Gone());
    }

    /// <inheritdoc/>
    public Task<ResourceRead> FindAsync(string uid, CancellationToken cancellation)
    {
        if (Call("find") is SimulatedFault.ReadFails or SimulatedFault.FailBefore)
            return Task.FromResult<ResourceRead>(new ResourceRead.Failed(Trouble(false)));
        var found = _events.Where(each => each.Value.Uid == uid).Select(each => each.Key).Order().ToList();
        return Task.FromResult<ResourceRead>(
            found.Count == 0 ? new ResourceRead.Gone() : new ResourceRead.Found(Read(found[0], null)));
    }

    /// <inheritdoc/>
    public Task<ResourceWrite> CreateAsync(ResourceDraft draft, CancellationToken cancellation)
    {
        var fault = Call("create");
        if (fault == SimulatedFault.FailBefore)
            return Task.FromResult<ResourceWrite>(new ResourceWrite.Failed(Trouble(false)));
        if (_events.Values.Any(each => each.Uid == draft.Uid))
            return Task.FromResult<ResourceWrite>(new ResourceWrite.Exists(null));
        var address = $"/{Traits.Provider}/{draft.Uid}.ics";
        return Task.FromResult(Store(address, draft, fault));
    }

    /// <inheritdoc/>
    public Task<ResourceWrite> UpdateAsync(
        ResourceAddress address, string? version, ResourceDraft draft, CancellationToken cancellation)
    {
        var fault = Call("update");
        if (fault == SimulatedFault.FailBefore)
            return Task.FromResult<ResourceWrite>(new ResourceWrite.Failed(Trouble(false)));
        if (!_events.TryGetValue(address.Value, out var stored))
            return Task.FromResult<ResourceWrite>(new ResourceWrite.Gone());
        if (!IsHeld(stored, version, draft.Held))
            return Task.FromResult<ResourceWrite>(new ResourceWrite.Changed());
        OnOverwrite(stored.Content);
        return Task.FromResult(Store(address.Value, draft, fault));
    }

    /// <inheritdoc/>
    public Task<ResourceDelete> DeleteAsync(
        ResourceAddress address, string? version, CancellationToken cancellation)
    {
        var fault = Call("delete");
        if (fault == SimulatedFault.FailBefore)
            return Task.FromResult<ResourceDelete>(new ResourceDelete.Failed(Trouble(false)));
        if (!_events.TryGetValue(address.Value, out var stored))
            return Task.FromResult<ResourceDelete>(new ResourceDelete.AlreadyGone());
        if (!IsHeld(stored, version, null))
            return Task.FromResult<ResourceDelete>(new ResourceDelete.Changed());
        OnOverwrite(stored.Content);
        WriteCount++;
        Put(address.Value, null);
        return Task.FromResult<ResourceDelete>(fault == SimulatedFault.FailAfter
            ? new ResourceDelete.Failed(Trouble(true))
            : new ResourceDelete.Deleted());
    }

    private ResourceWrite Store(string address, ResourceDraft draft, SimulatedFault fault)
    {
        WriteCount++;
        if (_events.TryGetValue(address, out var old))
            _before[address] = old;
        else
            _before.Remove(address);
        Put(address, Carried(draft.Content));
        var version = Version(_events[address]);
        OnWritten(address);
        return fault == SimulatedFault.FailAfter
            ? new ResourceWrite.Failed(Trouble(true))
            : new ResourceWrite.Stored(
                new ResourceAddress(address), Habits.AnswersVersion ? version : null,
                Habits.IsLossy && draft.Content.ToString().Contains("\nCONTACT", StringComparison.Ordinal)
                    ? [new CarryLoss("CONTACT", "This provider has no place for it.")]
                    : []);
    }

    private ChangeSet Delta(
        long seq, IReadOnlyDictionary<ResourceAddress, string> known, SyncCursor next)
    {
        var changed = _log.Where(each => each.Seq > seq).Select(each => each.Address)
            .Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        return new ChangeSet(
            [.. changed.Where(_events.ContainsKey).Select(each => Read(each, known))],
            [.. changed.Where(each => !_events.ContainsKey(each)).Select(each => new ResourceAddress(each))],
            next, new Certificate.Delta());
    }

    private RemoteResource Read(string address, IReadOnlyDictionary<ResourceAddress, string>? known)
    {
        var resource = Shown(address, _events[address]);
        return resource.Version is not null && known is not null
            && known.TryGetValue(resource.Address, out var version) && version == resource.Version
            ? resource with { Content = null }
            : resource;
    }

    private RemoteResource Shown(string address, Stored stored) =>
        new(new ResourceAddress(address), Version(stored), stored.Content);

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

    private sealed record Stored(string Uid, CalendarDocument Content, long Version);
}
