using CalSync.Classes;

namespace CalSync.Storage.Identity;

/// <summary>Real calendars, or practice only. Decided once; a tenant never changes. Append only.</summary>
public enum TenantKind
{
    /// <summary>Holds real provider connections.</summary>
    Live = 1,

    /// <summary>Holds sandbox connections only.</summary>
    Test = 2,
}

/// <summary>One school or company; nothing crosses from one to another.</summary>
public sealed record Tenant
{
    /// <summary>Starts with <c>ten_</c>.</summary>
    public required string Id { get; init; }

    /// <summary>1 to 200 characters.</summary>
    public required string Name { get; init; }

    /// <summary>For ever what it was made as.</summary>
    public required TenantKind Kind { get; init; }

    /// <summary>UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
}

/// <summary>A person of one tenant.</summary>
public sealed record User
{
    /// <summary>Starts with <c>usr_</c>.</summary>
    public required string Id { get; init; }

    /// <summary>The tenant this person belongs to.</summary>
    public required string TenantId { get; init; }

    /// <summary>1 to 200 characters, as people call them.</summary>
    public required string Name { get; init; }

    /// <summary>The account address, lower case; unique in the tenant.</summary>
    public required string Email { get; init; }

    /// <summary>
    /// Where invitations go, lower case; the account address unless the person said otherwise.
    /// </summary>
    public required string CalendarEmail { get; init; }

    /// <summary>What this person may do.</summary>
    public required Role Role { get; init; }

    /// <summary>IANA name of the zone this person reads times in.</summary>
    public required string TimeZone { get; init; }

    /// <summary>UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Grows by one with each change; the ETag.</summary>
    public required long Version { get; init; }
}

/// <summary>What is needed to make a user.</summary>
/// <param name="TenantId">Must exist.</param>
/// <param name="Name">1 to 200 characters.</param>
/// <param name="Email">Any case; stored in lower case.</param>
/// <param name="Role">Not <see cref="Role.System"/>.</param>
/// <param name="TimeZone">IANA name, checked by the caller.</param>
/// <param name="CalendarEmail">Null means the account address.</param>
public sealed record NewUser(
    string TenantId, string Name, string Email, Role Role, string TimeZone, string? CalendarEmail = null);

/// <summary>What became of making a user.</summary>
public abstract record UserCreation
{
    private UserCreation()
    {
    }

    /// <summary>Made.</summary>
    /// <param name="User">As stored.</param>
    public sealed record Created(User User) : UserCreation;

    /// <summary>Somebody in the tenant has the address already.</summary>
    /// <param name="Existing">Who.</param>
    public sealed record EmailTaken(User Existing) : UserCreation;

    /// <summary>There is no such tenant.</summary>
    public sealed record NoSuchTenant : UserCreation;
}

/// <summary>A new API token. The secret is shown once; only its hash is kept.</summary>
/// <param name="Id">Starts with <c>tok_</c>; names the token from now on.</param>
/// <param name="Secret">Starts with <c>cst_</c>; goes into <c>Authorization: Bearer</c>.</param>
/// <param name="ExpiresAt">UTC; null when it does not expire.</param>
public sealed record IssuedToken(string Id, string Secret, DateTimeOffset? ExpiresAt);

/// <summary>An API token without its secret.</summary>
public sealed record TokenListing
{
    /// <summary>Starts with <c>tok_</c>.</summary>
    public required string Id { get; init; }

    /// <summary>Whom it speaks for.</summary>
    public required string UserId { get; init; }

    /// <summary>What its owner calls it.</summary>
    public required string Label { get; init; }

    /// <summary>UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>UTC; null when it does not expire.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>UTC; null while it may be used.</summary>
    public DateTimeOffset? RevokedAt { get; init; }
}

/// <summary>Who a bearer token is.</summary>
public abstract record Authentication
{
    private Authentication()
    {
    }

    /// <summary>A person.</summary>
    /// <param name="User">Whom the token speaks for.</param>
    /// <param name="TenantKind">Live or test.</param>
    /// <param name="TokenId">Which token was used.</param>
    public sealed record Known(User User, TenantKind TenantKind, string TokenId) : Authentication;

    /// <summary>No token of ours.</summary>
    public sealed record Unknown : Authentication;

    /// <summary>It was one of ours until then.</summary>
    /// <param name="At">When it ended, UTC.</param>
    public sealed record Expired(DateTimeOffset At) : Authentication;

    /// <summary>Somebody ended it.</summary>
    /// <param name="At">When, UTC.</param>
    public sealed record Revoked(DateTimeOffset At) : Authentication;
}

/// <summary>What became of revoking a token. Append only.</summary>
public enum TokenRevocation
{
    /// <summary>It no longer opens anything.</summary>
    Revoked = 1,

    /// <summary>It was revoked before; nothing changed.</summary>
    AlreadyRevoked = 2,

    /// <summary>There is no such token.</summary>
    NoSuchToken = 3,
}
