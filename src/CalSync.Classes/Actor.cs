namespace CalSync.Classes;

/// <summary>What a person may do. Stored by name; append only.</summary>
public enum Role
{
    /// <summary>Everything in the own tenant.</summary>
    Admin = 0,

    /// <summary>Reads everything in the own tenant; retries and abandons operations.</summary>
    Operator = 1,

    /// <summary>The own classes and the seats in them.</summary>
    Instructor = 2,

    /// <summary>The catalogue and the own seats.</summary>
    Student = 3,

    /// <summary>The product itself: settling, deadlines, the command line. Never held by a person.</summary>
    System = 4,
}

/// <summary>Who asks.</summary>
/// <param name="TenantId">Objects of every other tenant do not exist for this actor.</param>
/// <param name="UserId">The user; a word such as <c>worker</c> or <c>cli</c> when
/// <see cref="Role.System"/>.</param>
/// <param name="Role">What this actor may do.</param>
public sealed record Actor(string TenantId, string UserId, Role Role)
{
    /// <summary>The product acting for a tenant.</summary>
    /// <param name="tenantId">The tenant of the object acted on.</param>
    /// <param name="name">Who, in the journal: <c>worker</c> or <c>cli</c>.</param>
    public static Actor System(string tenantId, string name = "worker") => new(tenantId, name, Role.System);
}
