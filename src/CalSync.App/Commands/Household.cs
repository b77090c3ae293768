using CalSync.Classes;
using CalSync.Storage.Identity;
using CalSync.Sync.Connections;

namespace CalSync.App.Commands;

/// <summary>
/// Whose a new connection is. Who only syncs calendars needs no studio: without a name there is one tenant
/// and one person, made when they are first needed.
/// </summary>
internal static class Household
{
    private const string Name = "Household";
    private const string Email = "owner@calsync.invalid";

    /// <summary>The person a connection is made for.</summary>
    /// <param name="product">The product.</param>
    /// <param name="userId">The person named on the command line; null for the one there is.</param>
    /// <param name="provider">At which provider: practice accounts belong to test tenants only, and they
    /// have no other.</param>
    /// <param name="cancellation">A cancelled call may have made the tenant.</param>
    /// <exception cref="CommandException">The person cannot have it, or it is not clear who is
    /// meant.</exception>
    public static async Task<User> OwnerAsync(
        ProductParts product, string? userId, string provider, CancellationToken cancellation)
    {
        var identity = product.Place.Identity;
        var kind = ProviderNames.IsSandbox(provider) ? TenantKind.Test : TenantKind.Live;
        var tenants = await identity.ListTenantsAsync(cancellation);
        if (userId is not null)
        {
            var named = await identity.FindUserAsync(userId, cancellation)
                ?? throw new CommandException(
                    ExitCode.Failed, "There is no such user.", userId, "calsync users list");
            Check(named, tenants.Single(tenant => tenant.Id == named.TenantId), kind, provider);
            return named;
        }

        var fitting = tenants.Where(tenant => tenant.Kind == kind).Select(tenant => tenant.Id).ToHashSet();
        var people = (await identity.ListUsersAsync(null, cancellation))
            .Where(user => fitting.Contains(user.TenantId) && user.Role is Role.Admin or Role.Instructor)
            .ToList();
        if (people.Count > 1)
        {
            throw new CommandException(
                ExitCode.Failed, $"{people.Count} people could own the connection.", null,
                "--user USER, from calsync users list");
        }

        return people.Count == 1
            ? people[0]
            : await MakeAsync(product, fitting.FirstOrDefault(), kind, cancellation);
    }

    // R-CAL-20-A: practice tenants practise, real ones do not.
    private static void Check(User user, Tenant tenant, TenantKind kind, string provider)
    {
        if (tenant.Kind != kind)
        {
            throw new CommandException(
                ExitCode.Failed,
                $"The tenant is {tenant.Kind.ToString().ToLowerInvariant()}; {provider} is for "
                    + $"{kind.ToString().ToLowerInvariant()} ones.",
                tenant.Id,
                "Test tenants connect the practice Google (--set google.provider=google-sandbox) and the "
                    + "practice iCloud (--sandbox), live ones the real ones.");
        }

        if (user.Role is not (Role.Admin or Role.Instructor))
        {
            throw new CommandException(
                ExitCode.Failed, "Only instructors and admins connect calendars.", user.Id,
                "calsync users list");
        }
    }

    private static async Task<User> MakeAsync(
        ProductParts product, string? tenantId, TenantKind kind, CancellationToken cancellation)
    {
        var (identity, correlation) = (product.Place.Identity, product.Place.CorrelationId);
        tenantId ??= (await identity.CreateTenantAsync(
            Name, kind, Workplace.ActorName, correlation, cancellation)).Id;
        return await identity.CreateUserAsync(
            new NewUser(tenantId, "Owner", Email, Role.Admin, "UTC"), Workplace.ActorName, correlation,
            cancellation) switch
        {
            UserCreation.Created created => created.User,
            UserCreation.EmailTaken taken => taken.Existing,
            _ => throw new System.Diagnostics.UnreachableException(),
        };
    }
}
