using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using CalSync.Sync.Journal;

namespace CalSync.Storage.Running;

/// <summary>A kill switch the product has.</summary>
/// <param name="Name">As typed in <c>calsync switches set NAME</c>.</param>
/// <param name="Normal">Its value when nobody has set it and the configuration says nothing.</param>
/// <param name="Values">
/// What it may be set to; empty when it is a whole number of seconds from 1 to 30.
/// </param>
/// <param name="Meaning">What leaving the normal value does, for people.</param>
public sealed record SwitchDefinition(
    string Name, string Normal, ImmutableArray<string> Values, string Meaning)
{
    /// <summary>The five switches.</summary>
    public static ImmutableArray<SwitchDefinition> All { get; } =
    [
        new(
            "verification", "on", ["on", "off"],
            "off: operations finish unverified; a later sweep verifies them once it is on again."),
        new(
            "token-blocking", "on", ["on", "off"],
            "off: operations without a usable token queue instead of failing; none calls without a token."),
        new(
            "enrollment-calendar", "wait", ["strict", "wait", "deferred"],
            "strict: a seat whose calendar entry fails is rolled back; deferred: it is active at once."),
        new(
            "idempotency", "on", ["on", "off"],
            "off: idempotency keys are ignored; the database's constraints still hold."),
        new(
            "provider-timeout", "10", [],
            "Seconds one call to the provider may take, 1 to 30."),
    ];

    /// <summary>Whether the switch may be set to a value.</summary>
    public bool Allows(string value) => Values.IsEmpty
        ? int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            && seconds is >= 1 and <= 30
        : Values.Contains(value);
}

/// <summary>What a switch stands at now.</summary>
public sealed record SwitchState
{
    /// <summary>Which.</summary>
    public required string Name { get; init; }

    /// <summary>The value in force.</summary>
    public required string Value { get; init; }

    /// <summary>Why somebody set it; null at its normal value, as are the next three.</summary>
    public string? Reason { get; init; }

    /// <summary>Who set it.</summary>
    public string? Actor { get; init; }

    /// <summary>When it was set, UTC.</summary>
    public DateTimeOffset? SetAt { get; init; }

    /// <summary>When it goes back to normal by itself, UTC.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }
}

/// <summary>What became of setting a switch.</summary>
public abstract record SwitchChange
{
    private SwitchChange()
    {
    }

    /// <summary>In force.</summary>
    /// <param name="State">As it stands now.</param>
    public sealed record Done(SwitchState State) : SwitchChange;

    /// <summary>There is no such switch.</summary>
    public sealed record UnknownName : SwitchChange;

    /// <summary>It cannot have that value.</summary>
    /// <param name="Definition">What it can have.</param>
    public sealed record BadValue(SwitchDefinition Definition) : SwitchChange;

    /// <summary>A switch is set for more than nothing and at most seven days, for a stated reason.</summary>
    public sealed record NeedsReasonAndTerm : SwitchChange;
}

/// <summary>
/// The kill switches: each deviation from normal has a reason and ends by itself; all are journalled.
/// </summary>
/// <param name="database">The database.</param>
/// <param name="clock">Decides what has expired.</param>
/// <param name="normals">Gives the values by switch that the configuration makes normal now; null or absent:
/// as defined.</param>
public sealed class SwitchStore(
    Database database, TimeProvider clock, Func<IReadOnlyDictionary<string, string>>? normals = null)
{
    /// <summary>The tenant that entries about the whole installation stand under in the journal.</summary>
    public const string JournalTenant = "system";

    private static readonly TimeSpan TermMax = TimeSpan.FromDays(7);

    /// <summary>All switches with the value in force; an expired setting counts as none.</summary>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    public async Task<ImmutableArray<SwitchState>> ReadAsync(CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        var rows = await database.ReadAsync(
            session => session.QueryAsync<SwitchState>(
                "SELECT name, value, reason, actor, set_at, expires_at FROM switches WHERE expires_at > @now",
                new { now }),
            cancellation);
        return
        [
            .. SwitchDefinition.All.Select(definition =>
                rows.FirstOrDefault(row => row.Name == definition.Name)
                    ?? new SwitchState { Name = definition.Name, Value = NormalOf(definition) }),
        ];
    }

    /// <summary>The value in force of one switch.</summary>
    /// <param name="name">One of <see cref="SwitchDefinition.All"/>.</param>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    public async Task<string> ValueAsync(string name, CancellationToken cancellation) =>
        (await ReadAsync(cancellation)).First(state => state.Name == name).Value;

    /// <summary>Sets a switch for a time.</summary>
    /// <param name="name">Which.</param>
    /// <param name="value">To what.</param>
    /// <param name="term">How long, at most 7 days.</param>
    /// <param name="reason">Why; must say something.</param>
    /// <param name="actor">Who asks, for the journal.</param>
    /// <param name="correlationId">The request or run.</param>
    /// <param name="cancellation">A cancelled call may still have set it.</param>
    public async Task<SwitchChange> SetAsync(
        string name,
        string value,
        TimeSpan term,
        string reason,
        string actor,
        string correlationId,
        CancellationToken cancellation)
    {
        if (SwitchDefinition.All.FirstOrDefault(known => known.Name == name) is not { } definition)
            return new SwitchChange.UnknownName();
        if (!definition.Allows(value))
            return new SwitchChange.BadValue(definition);
        if (term <= TimeSpan.Zero || term > TermMax || string.IsNullOrWhiteSpace(reason))
            return new SwitchChange.NeedsReasonAndTerm();
        var now = Instant.Trim(clock.GetUtcNow());
        var state = new SwitchState
        {
            Name = name,
            Value = value,
            Reason = reason,
            Actor = actor,
            SetAt = now,
            ExpiresAt = Instant.Trim(now + term),
        };
        await database.WriteAsync(
            async session =>
            {
                var before = await FindAsync(session, name, now);
                session.Queue(
                    """
                    INSERT INTO switches (name, value, reason, actor, set_at, expires_at)
                    VALUES (@Name, @Value, @Reason, @Actor, @SetAt, @ExpiresAt)
                    ON CONFLICT (name) DO UPDATE SET value = excluded.value, reason = excluded.reason,
                        actor = excluded.actor, set_at = excluded.set_at, expires_at = excluded.expires_at
                    """,
                    state,
                    expectRows: 1);
                session.Journal(Entry(now, actor, correlationId, "switch.set", name, before, state));
            },
            cancellation);
        return new SwitchChange.Done(state);
    }

    /// <summary>Puts a switch back to normal. Doing so twice changes nothing more.</summary>
    /// <param name="name">Which.</param>
    /// <param name="actor">Who asks, for the journal.</param>
    /// <param name="correlationId">The request or run.</param>
    /// <param name="cancellation">A cancelled call may still have done it.</param>
    public async Task<SwitchChange> ClearAsync(
        string name, string actor, string correlationId, CancellationToken cancellation)
    {
        if (SwitchDefinition.All.FirstOrDefault(known => known.Name == name) is not { } definition)
            return new SwitchChange.UnknownName();
        var now = Instant.Trim(clock.GetUtcNow());
        var normal = new SwitchState { Name = name, Value = NormalOf(definition) };
        await database.WriteAsync(
            async session =>
            {
                var before = await FindAsync(session, name, now);
                var gone = await session.ExecuteAsync(
                    "DELETE FROM switches WHERE name = @name", new { name });
                if (gone > 0)
                    session.Journal(Entry(now, actor, correlationId, "switch.cleared", name, before, normal));
            },
            cancellation);
        return new SwitchChange.Done(normal);
    }

    private string NormalOf(SwitchDefinition definition) =>
        normals?.Invoke().GetValueOrDefault(definition.Name) ?? definition.Normal;

    private static Task<SwitchState?> FindAsync(Session session, string name, DateTimeOffset now) =>
        session.FirstOrDefaultAsync<SwitchState>(
            """
            SELECT name, value, reason, actor, set_at, expires_at FROM switches
            WHERE name = @name AND expires_at > @now
            """,
            new { name, now });

    private static JournalEntry Entry(
        DateTimeOffset now,
        string actor,
        string correlationId,
        string kind,
        string name,
        SwitchState? before,
        SwitchState after) => new(
            now, JournalTenant, actor, "request", correlationId, kind, "switch", name,
            Before: before is null ? null : Json(before),
            After: Json(after));

    private static string Json(SwitchState state) =>
        JsonSerializer.Serialize(
            new { value = state.Value, reason = state.Reason, expiresAt = state.ExpiresAt });
}
