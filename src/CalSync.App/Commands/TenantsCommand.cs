using System.CommandLine;
using CalSync.Storage.Identity;

namespace CalSync.App.Commands;

/// <summary><c>calsync tenants</c>: who shares this installation, and for real or for practice.</summary>
internal static class TenantsCommand
{
    private static readonly Column<Tenant>[] Columns =
    [
        new("ID", tenant => tenant.Id),
        new("NAME", tenant => tenant.Name),
        new("KIND", tenant => tenant.Kind),
        new("CREATED", tenant => tenant.CreatedAt),
    ];

    public static Verb Create(GlobalOptions globals, Surroundings around) =>
        new("tenants", "Makes and lists tenants.", "calsync tenants list")
        {
            MakeCreate(globals, around),
            new Verb("list", "Lists the tenants.", "calsync tenants list --json").Does(
                globals, around, ListAsync),
        };

    private static Verb MakeCreate(GlobalOptions globals, Surroundings around)
    {
        var name = new Argument<string>("NAME") { Description = "1 to 200 characters." };
        var kind = Words.Option<TenantKind?>("--kind", "KIND",
            "live or test, for ever: a test tenant has sandbox connections only. Default: live.");
        var verb = new Verb("create", "Makes a tenant.", "calsync tenants create \"Studio Nine\" --kind test")
        {
            name, kind,
        };
        return verb.Does(globals, around, async (call, cancellation) =>
        {
            var text = call.Get(name)!.Trim();
            if (text.Length is < 1 or > 200)
                throw CommandException.Usage("The name is empty or too long.", "1 to 200 characters");
            await using var place = await call.OpenAsync(cancellation);
            var tenant = await place.Identity.CreateTenantAsync(
                text, call.Get(kind) ?? TenantKind.Live, Workplace.ActorName, place.CorrelationId,
                cancellation);
            call.Output.Value(tenant, $"Made tenant {tenant.Id}, {tenant.Name}, {tenant.Kind}.");
            return ExitCode.Ok;
        });
    }

    private static async Task<ExitCode> ListAsync(Invocation call, CancellationToken cancellation)
    {
        await using var place = await call.OpenAsync(cancellation);
        var tenants = await place.Identity.ListTenantsAsync(cancellation);
        call.Output.Table(tenants, "There is no tenant. Make one: calsync tenants create NAME", Columns);
        return ExitCode.Ok;
    }
}
