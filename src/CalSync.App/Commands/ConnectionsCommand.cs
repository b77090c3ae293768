using System.CommandLine;
using System.Net;
using System.Web;
using CalSync.App.Configuration;
using CalSync.Classes;
using CalSync.Storage.Identity;
using CalSync.Sync.Connections;

namespace CalSync.App.Commands;

/// <summary><c>calsync connections</c>: the accounts at the provider, and whether they work.</summary>
internal static class ConnectionsCommand
{
    private static readonly Column<OwnedConnection>[] Columns =
    [
        new("ID", row => row.Connection.Id),
        new("OWNER", row => row.Owner.Email),
        new("PROVIDER", row => row.Connection.Provider),
        new("ACCOUNT", row => row.Connection.AccountEmail),
        new("STATE", row => row.Connection.State),
        new("REASON", row => row.Connection.Reason),
        new("TOKEN UNTIL", row => row.Connection.AccessExpiresAt),
        new("NEXT", row => row.Connection.NextAttemptAt),
    ];

    public static Verb Create(GlobalOptions globals, Surroundings around) =>
        new(
            "connections", "Shows, makes and ends connections to calendar accounts.",
            "calsync connections list")
        {
            MakeList(globals, around),
            MakeConnect(globals, around),
            MakeDisconnect(globals, around),
        };

    private static Verb MakeList(GlobalOptions globals, Surroundings around)
    {
        var user = Words.Option<string?>("--user", "USER", "Only this person's.");
        var verb = new Verb(
            "list", "Lists connections with their health; exit code 3 when one needs its owner.",
            "calsync connections list")
        {
            user,
        };
        return verb.Does(globals, around, async (call, cancellation) =>
        {
            await using var product = await ProductParts.OpenAsync(call, cancellation);
            var found = await product.ConnectionsAsync(call.Get(user), cancellation);
            call.Output.Table(
                found, "There is no connection. Make one: calsync connections connect USER", Columns);
            return found.Exists(row => row.Connection.State == "needs_reauth")
                ? ExitCode.Unhealthy
                : ExitCode.Ok;
        });
    }

    private static Verb MakeConnect(GlobalOptions globals, Surroundings around)
    {
        var user =
            new Argument<string>("USER") { Description = "Id of the person whose connection it becomes." };
        var again = Words.Option<string?>(
            "--reconnect", "CONNECTION", "Renews this connection. Default: a new one.");
        var consent = Words.Option<string?>(
            "--consent-as", "EMAIL", "Sandbox only: consents as this practice account, without a browser.");
        var verb = new Verb(
            "connect",
            "Prints the page where the person agrees; the running server finishes the connection.",
            "calsync connections connect USER")
        {
            user, again, consent,
        };
        return verb.Does(globals, around, async (call, cancellation) =>
        {
            await using var product = await ProductParts.OpenAsync(call, cancellation);
            var owner = await product.Place.Identity.FindUserAsync(call.Get(user)!, cancellation)
                ?? throw new CommandException(
                    ExitCode.Failed, "There is no such user.", call.Get(user), "calsync users list");
            var old = call.Get(again);
            if (old is not null
                && (await product.ConnectionsAsync(owner.Id, cancellation))
                    .TrueForAll(row => row.Connection.Id != old))
            {
                throw new CommandException(
                    ExitCode.Failed, "This person has no such connection.", old, "calsync connections list");
            }

            var provider = product.Settings.Text(Keys.Provider)!;
            await RefuseOtherKindAsync(product, owner, provider, cancellation);
            var page = await product.Flow.StartAsync(
                owner.TenantId, owner.Id, provider, CallbackOf(product.Settings), old, call.Get(consent),
                cancellation);
            if (call.Get(consent) is not { } account)
            {
                call.Output.Value(new { AuthorizationUrl = page }, page.AbsoluteUri);
                return ExitCode.Ok;
            }

            if (provider != "google-sandbox")
            {
                throw CommandException.Usage(
                    "--consent-as is for the sandbox.", "calsync connections connect USER");
            }

            var id = await ConsentAsync(product, page, account, owner, cancellation);
            call.Output.Value(new { ConnectionId = id }, $"Connected {account} as {id}.");
            return ExitCode.Ok;
        });
    }

    private static Verb MakeDisconnect(GlobalOptions globals, Surroundings around)
    {
        var id = new Argument<string>("CONNECTION") { Description = "Id of the connection." };
        var verb = new Verb(
            "disconnect", "Revokes the grant and parks its work until it is connected again.",
            "calsync connections disconnect CONNECTION")
        {
            id,
        };
        return verb.Does(globals, around, async (call, cancellation) =>
        {
            await using var product = await ProductParts.OpenAsync(call, cancellation);
            var row = (await product.ConnectionsAsync(null, cancellation))
                .Find(found => found.Connection.Id == call.Get(id))
                ?? throw new CommandException(
                    ExitCode.Failed, "There is no such connection.", call.Get(id),
                    "calsync connections list");
            // Half a disconnection would leave a grant that nobody lists, so it is not cancelled.
            await product.Flow.DisconnectAsync(row.Connection.Id, row.Owner.Id, CancellationToken.None);
            call.Output.Value(
                new { Disconnected = row.Connection.Id }, $"Disconnected {row.Connection.AccountEmail}.");
            return ExitCode.Ok;
        });
    }

    // R-CAL-20-A: practice tenants practise, real ones do not.
    private static async Task RefuseOtherKindAsync(
        ProductParts product, User owner, string provider, CancellationToken cancellation)
    {
        var tenant = (await product.Place.Identity.ListTenantsAsync(cancellation))
            .Single(tenant => tenant.Id == owner.TenantId);
        if ((tenant.Kind == TenantKind.Test) != (provider == "google-sandbox"))
        {
            throw new CommandException(
                ExitCode.Failed, $"The tenant is {tenant.Kind}; this configuration connects {provider}.",
                tenant.Id,
                "Test tenants connect with --set google.provider=google-sandbox, live ones with google.");
        }

        if (owner.Role is not (Role.Admin or Role.Instructor))
        {
            throw new CommandException(
                ExitCode.Failed, "Only instructors and admins connect calendars.", owner.Id,
                "calsync users list");
        }
    }

    private static Uri CallbackOf(Settings settings)
    {
        var address = settings.Address(Keys.ServerPublicUrl)
            ?? new Uri(settings.Text(Keys.ServerUrls)!.Split(';', StringSplitOptions.RemoveEmptyEntries)[0]);
        return new Uri(address, "/oauth/google/callback");
    }

    // What a person does on the page, and what the server does with where the page sends them.
    private static async Task<string> ConsentAsync(
        ProductParts product, Uri page, string account, User owner, CancellationToken cancellation)
    {
        using var handler = new HttpClientHandler { AllowAutoRedirect = false };
        using var browser = new HttpClient(handler) { Timeout = TimeSpan.FromSeconds(10) };
        using var agreed = await browser.GetAsync(
            new Uri($"{page}&sandbox_consent=allow&sandbox_user={Uri.EscapeDataString(account)}"),
            cancellation);
        var back = HttpUtility.ParseQueryString(agreed.Headers.Location?.Query ?? "");
        if (agreed.StatusCode is not (HttpStatusCode.Found or HttpStatusCode.SeeOther)
            || back["code"] is not { } code)
        {
            throw new CommandException(
                ExitCode.Failed,
                $"The sandbox did not let {account} consent: {back["error"] ?? $"{(int)agreed.StatusCode}"}.",
                page.GetLeftPart(UriPartial.Authority), "Use an account the sandbox knows.");
        }

        return await product.Flow.CompleteAsync(back["state"] ?? "", code, owner.Id, cancellation) switch
        {
            ConnectOutcome.Connected connected => connected.ConnectionId,
            ConnectOutcome.DifferentAccount => throw new CommandException(
                ExitCode.Failed, "The connection belongs to another account.", account,
                "calsync connections list"),
            var other =>
                throw new CommandException(ExitCode.Failed, "The connection was not made.", $"{other}"),
        };
    }
}
