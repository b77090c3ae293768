using CalSync.Classes;
using CalSync.Storage.Identity;

namespace CalSync.App.Api.Authentication;

/// <summary>A set of roles, for the rule of a route.</summary>
[Flags]
internal enum Roles
{
    /// <summary>Nobody.</summary>
    None = 0,

    /// <summary><see cref="Role.Admin"/>.</summary>
    Admin = 1,

    /// <summary><see cref="Role.Operator"/>.</summary>
    Operator = 2,

    /// <summary><see cref="Role.Instructor"/>.</summary>
    Instructor = 4,

    /// <summary><see cref="Role.Student"/>.</summary>
    Student = 8,

    /// <summary>Everybody with a token.</summary>
    Any = Admin | Operator | Instructor | Student,
}

/// <summary>How a caller was recognised. Append only.</summary>
internal enum AuthenticationMethod
{
    /// <summary>A token of <c>calsync users token</c>.</summary>
    ApiToken = 1,

    /// <summary>A JSON web token of a session.</summary>
    Enhanced = 2,

    /// <summary>A JSON web token signed with the shared secret; deprecated.</summary>
    Legacy = 3,
}

/// <summary>Who sends the request.</summary>
/// <param name="Actor">User, tenant and role; every object of another tenant does not exist for it.</param>
/// <param name="TenantKind">Practice or real; decides which provider a connection is made at.</param>
internal sealed record Caller(Actor Actor, TenantKind TenantKind)
{
    /// <summary>How they were recognised.</summary>
    public AuthenticationMethod Method { get; init; } = AuthenticationMethod.ApiToken;

    /// <summary>Their session; only with <see cref="AuthenticationMethod.Enhanced"/>.</summary>
    public string? SessionId { get; init; }

    /// <summary>When they proved who they are, UTC; only with a session.</summary>
    public DateTimeOffset? AuthenticatedAt { get; init; }

    /// <summary>The user behind the token.</summary>
    public string UserId => Actor.UserId;

    /// <summary>The only tenant the request can see.</summary>
    public string TenantId => Actor.TenantId;

    /// <summary>The user's role.</summary>
    public Role Role => Actor.Role;

    /// <summary>The same as a set of one; empty for the product itself, which has no token.</summary>
    public Roles Roles => Role switch
    {
        Role.Admin => Roles.Admin,
        Role.Operator => Roles.Operator,
        Role.Instructor => Roles.Instructor,
        Role.Student => Roles.Student,
        Role.System => Roles.None,
    };

    /// <summary>True when objects of everybody in the tenant may be read.</summary>
    public bool ReadsAll => Role is Role.Admin or Role.Operator;
}

/// <summary>
/// Which roles may use a route at all; every route of the API carries one, or the server does not start.
/// </summary>
/// <param name="Allowed">Null when no token is needed.</param>
internal sealed record Access(Roles? Allowed)
{
    /// <summary>Open to everyone; for health and for the page a browser comes back to.</summary>
    public static Access Open { get; } = new((Roles?)null);
}
