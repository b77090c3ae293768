using CalSync.Sync.Providers;

namespace CalSync.Sync.Connections;

/// <summary>The ways to one provider.</summary>
/// <param name="OAuth">Its sign-in.</param>
/// <param name="Calendar">Its calendars.</param>
public sealed record ProviderPorts(IOAuthServer OAuth, IEventCalendar Calendar);

/// <summary>The providers this process can reach, by the name in <c>connections.provider</c>.</summary>
/// <param name="ports">At least one.</param>
public sealed class ProviderSet(IReadOnlyDictionary<string, ProviderPorts> ports)
{
    /// <summary>The ways to a provider.</summary>
    /// <exception cref="ProviderNotConfiguredException">This process has none to it.</exception>
    public ProviderPorts this[string provider] =>
        ports.TryGetValue(provider, out var found)
            ? found
            : throw new ProviderNotConfiguredException(provider);

    /// <summary>The providers there is a way to.</summary>
    public IReadOnlyCollection<string> Names { get; } = [.. ports.Keys];

    /// <summary>Whether there is a way to a provider.</summary>
    public bool Has(string provider) => ports.ContainsKey(provider);
}

/// <summary>A connection names a provider that the configuration does not.</summary>
/// <param name="provider">The name.</param>
public sealed class ProviderNotConfiguredException(string provider)
    : Exception($"The provider '{provider}' is not configured.")
{
    /// <summary>The name.</summary>
    public string Provider { get; } = provider;
}
