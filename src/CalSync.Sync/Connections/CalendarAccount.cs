using System.Collections.Immutable;
using CalSync.Sync.Providers;

namespace CalSync.Sync.Connections;

/// <summary>The names of providers, as <c>connections.provider</c> has them.</summary>
public static class ProviderNames
{
    /// <summary>The practice Google.</summary>
    public const string GoogleSandbox = "google-sandbox";

    /// <summary>Google.</summary>
    public const string Google = "google";

    /// <summary>The practice iCloud.</summary>
    public const string ICloudSandbox = "icloud-sandbox";

    /// <summary>iCloud.</summary>
    public const string ICloud = "icloud";

    /// <summary>Any CalDAV server.</summary>
    public const string CalDav = "caldav";

    /// <summary>Whether a provider is for practice: test tenants have only such, live ones none.</summary>
    public static bool IsSandbox(string provider) => provider is GoogleSandbox or ICloudSandbox;

    /// <summary>Whether accounts sign in by consent and tokens; the others have a password.</summary>
    public static bool IsGoogle(string provider) => provider is Google or GoogleSandbox;
}

/// <summary>An account with a password, ready to be stored.</summary>
/// <param name="TenantId">The user's tenant.</param>
/// <param name="UserId">The owner.</param>
/// <param name="Provider">One of <see cref="ProviderNames"/> that has passwords.</param>
/// <param name="Server">Where it signs in.</param>
/// <param name="UserName">As the server knows it.</param>
/// <param name="Password">Stored sealed; never shown, logged or journalled.</param>
/// <param name="Calendars">Every calendar of the account that may hold events.</param>
/// <param name="ReconnectId">The connection to renew; null for a new one, or the same account's.</param>
public sealed record NewAccount(
    string TenantId, string UserId, string Provider, Uri Server, string UserName, string Password,
    ImmutableArray<ProviderCalendar> Calendars, string? ReconnectId)
{
    /// <inheritdoc/>
    public override string ToString() => $"NewAccount {{ Provider = {Provider}, Server = {Server} }}";
}

/// <summary>An account with its password opened.</summary>
/// <param name="ConnectionId">The connection.</param>
/// <param name="Server">Where it signs in.</param>
/// <param name="UserName">As the server knows it.</param>
/// <param name="Password">Null when the owner ended the connection.</param>
public sealed record AccountSecret(string ConnectionId, Uri Server, string UserName, string? Password)
{
    /// <inheritdoc/>
    public override string ToString() => $"AccountSecret {{ ConnectionId = {ConnectionId} }}";
}

/// <summary>A calendar with what opens it.</summary>
public sealed record CalendarPlace
{
    /// <summary>Our id of the calendar.</summary>
    public required string Id { get; init; }

    /// <summary>The provider's id, or its URL.</summary>
    public required string RemoteId { get; init; }

    /// <summary>Its name.</summary>
    public required string Summary { get; init; }

    /// <summary>IANA name.</summary>
    public required string TimeZone { get; init; }

    /// <summary><c>available</c>, <c>unwritable</c> or <c>gone</c>.</summary>
    public required string State { get; init; }

    /// <summary>The connection it belongs to.</summary>
    public required string ConnectionId { get; init; }

    /// <summary>One of <see cref="ProviderNames"/>.</summary>
    public required string Provider { get; init; }

    /// <summary>The account it belongs to.</summary>
    public required string AccountEmail { get; init; }

    /// <summary>Whose connection it is.</summary>
    public required string UserId { get; init; }

    /// <summary>That person's tenant.</summary>
    public required string TenantId { get; init; }

    /// <summary>The schema's word for how the connection stands.</summary>
    public required string ConnectionState { get; init; }

    /// <summary>Raised by every stored token and password.</summary>
    public required long TokenVersion { get; init; }

    /// <summary>Whether only the owner can make the connection work again.</summary>
    public bool NeedsOwner => ConnectionState is "needs_reauth" or "disconnected";
}
