using System.Collections.Immutable;

namespace CalSync.App.Demo;

/// <summary>One person of the demo.</summary>
/// <param name="Name">First name.</param>
/// <param name="Email">Account and calendar address.</param>
/// <param name="UserId">The product's id.</param>
/// <param name="Token">Bearer token of the demo, valid for 7 days.</param>
/// <param name="Api">The interface as this person uses it.</param>
internal sealed record DemoPerson(string Name, string Email, string UserId, string Token, DemoApi Api);

/// <summary>What the history left.</summary>
internal sealed record DemoPast
{
    /// <summary>All of them.</summary>
    public long Classes { get; init; }

    /// <summary>Called off.</summary>
    public long Cancelled { get; init; }

    /// <summary>Without a free seat.</summary>
    public long Full { get; init; }

    /// <summary>Slots whose event a person must look at.</summary>
    public long InAttention { get; init; }

    /// <summary>From the first entry of the journal to now, rounded.</summary>
    public int Days { get; init; }
}

/// <summary>Where the demo runs.</summary>
/// <param name="DataDirectory">Exists; holds the embedded database and the key file.</param>
/// <param name="DatabaseUrl">PostgreSQL; null for SQLite in the data directory.</param>
/// <param name="Port">Of the API; 0 picks a free one.</param>
/// <param name="Assignments">Values of configuration keys that were asked for; they win.</param>
/// <param name="Environment">The variables of the process.</param>
/// <param name="Clock">The real clock.</param>
/// <param name="Random">Ids and keys.</param>
internal sealed record DemoSettings(
    string DataDirectory, string? DatabaseUrl, int Port, ImmutableDictionary<string, string> Assignments,
    ImmutableDictionary<string, string> Environment, TimeProvider Clock, Random Random);
