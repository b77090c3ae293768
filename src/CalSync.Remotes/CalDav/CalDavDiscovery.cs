using System.Collections.Immutable;
using CalSync.Sync.Providers;

namespace CalSync.Remotes.CalDav;

/// <summary>What was found where a person pointed us.</summary>
public abstract record CalDavDiscovery
{
    private CalDavDiscovery()
    {
    }

    /// <summary>The account's calendars, all of its homes read.</summary>
    /// <param name="Principal">The account itself on its server; null when the person named a home or a
    /// calendar of a server without principals.</param>
    /// <param name="Calendars">In the server's order; empty when there is none.</param>
    public sealed record Found(Uri? Principal, ImmutableArray<FoundCalendar> Calendars) : CalDavDiscovery;

    /// <summary>No account was found.</summary>
    /// <param name="Fault">Why, from the most telling of the places that were tried.</param>
    public sealed record Failed(ProviderFault Fault) : CalDavDiscovery;
}

/// <summary>A calendar of an account, as its server describes it.</summary>
/// <param name="Address">Its URL; enough to open it again without discovery.</param>
/// <param name="DisplayName">For a person; the last part of the URL when the server names none.</param>
/// <param name="Color"><c>#RRGGBB</c>, with or without alpha; null for none.</param>
/// <param name="Components">
/// What it may hold, such as <c>VEVENT</c>; empty when the server does not say, which allows everything.
/// </param>
/// <param name="IsReadOnly">True when the account may only read it.</param>
/// <param name="CTag">Changes with every change in it; null when the server has none.</param>
/// <param name="SyncToken">RFC 6578; null when the server has none.</param>
/// <param name="SupportsSync">Whether changes can be asked for by token.</param>
public sealed record FoundCalendar(
    Uri Address,
    string DisplayName,
    string? Color,
    ImmutableArray<string> Components,
    bool IsReadOnly,
    string? CTag,
    string? SyncToken,
    bool SupportsSync)
{
    /// <summary>Whether it may hold events.</summary>
    public bool HoldsEvents => Components.IsEmpty || Components.Contains("VEVENT");
}
