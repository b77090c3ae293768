using System.CommandLine;
using CalSync.App.Configuration;
using CalSync.Remotes.CalDav;
using CalSync.Remotes.Dav;
using CalSync.Sync.Connections;
using CalSync.Sync.Providers;

namespace CalSync.App.Commands;

/// <summary><c>calsync connect</c>: makes a connection to a calendar account, or renews one.</summary>
internal static class ConnectCommand
{
    private const string ICloud = "https://caldav.icloud.com/";

    private const string AppPassword =
        "iCloud takes an app-specific password, not the one of the Apple Account: make one at "
        + "https://account.apple.com under Sign-In and Security, App-Specific Passwords.";

    public static Verb Create(GlobalOptions globals, Surroundings around) =>
        new("connect", "Connects a calendar account, or connects one again.", "calsync connect google")
        {
            GoogleConsent.Create(globals, around),
            MakeICloud(globals, around),
            MakeCalDav(globals, around),
        };

    private static Verb MakeICloud(GlobalOptions globals, Surroundings around)
    {
        var sandbox = Words.Option<bool>(
            "--sandbox", "", "The practice iCloud of 'calsync sandbox', for a test tenant.");
        var account = new AccountOptions("APPLE-ACCOUNT", "Address of the Apple Account.");
        var verb = new Verb(
            "icloud", "Connects an iCloud account; it needs an app-specific password.",
            "calsync connect icloud --username ada@icloud.com")
        {
            sandbox,
        };
        account.AddTo(verb);
        return verb.Does(globals, around, async (call, cancellation) =>
        {
            await using var product = await ProductParts.OpenAsync(call, cancellation);
            if (call.Get(sandbox) && product.Settings.IsProduction)
            {
                throw new CommandException(
                    ExitCode.Failed, "The sandbox cannot be used in production.", "profile",
                    "--set profile=development");
            }

            var old = await OldAsync(product, call.Get(account.Again), cancellation);
            var provider = old?.Provider
                ?? (call.Get(sandbox) ? ProviderNames.ICloudSandbox : ProviderNames.ICloud);
            var server = old?.Server ?? (call.Get(sandbox)
                ? product.Settings.Address(Keys.SandboxCalDavUrl)!
                : new Uri(ICloud));
            return await ConnectAsync(call, product, account, provider, server, old, cancellation);
        });
    }

    private static Verb MakeCalDav(GlobalOptions globals, Surroundings around)
    {
        var server = new Argument<string?>("SERVER")
        {
            Description = "Host, or URL of the server, the account or one calendar. With --reconnect not "
                + "needed.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var account = new AccountOptions("NAME", "Name of the account on the server.");
        var verb = new Verb(
            "caldav", "Connects an account on any CalDAV server.",
            "calsync connect caldav https://dav.example.com/ --username ada")
        {
            server,
        };
        account.AddTo(verb);
        return verb.Does(globals, around, async (call, cancellation) =>
        {
            await using var product = await ProductParts.OpenAsync(call, cancellation);
            var old = await OldAsync(product, call.Get(account.Again), cancellation);
            var entry = old?.Server ?? call.Get(server) switch
            {
                null => throw CommandException.Usage("No server is named.", "calsync connect caldav SERVER"),
                { } text => CalDavAccount.ParseEntry(text) ?? throw CommandException.Usage(
                    $"{text} is neither a host nor a URL.", "https://dav.example.com/"),
            };
            var provider = entry.IdnHost.EndsWith("icloud.com", StringComparison.OrdinalIgnoreCase)
                ? throw CommandException.Usage("This is iCloud.", "calsync connect icloud")
                : ProviderNames.CalDav;
            return await ConnectAsync(call, product, account, provider, entry, old, cancellation);
        });
    }

    private static async Task<ExitCode> ConnectAsync(
        Invocation call, ProductParts product, AccountOptions account, string provider, Uri server,
        OldAccount? old, CancellationToken cancellation)
    {
        var name = old?.UserName ?? call.Get(account.Name) ?? throw CommandException.Usage(
            "No account is named.", "--username NAME");
        var owner = await Household.OwnerAsync(
            product, old?.UserId ?? call.Get(account.User), provider, cancellation);
        var password = await account.Password.ReadAsync(
            call, $"Password of {name} at {server.Host}: ",
            provider == ProviderNames.CalDav ? null : AppPassword, cancellation);
        var found = await DiscoverAsync(product, provider, server, name, password, cancellation);
        var id = await product.Connections.SaveAccountAsync(
            new NewAccount(
                owner.TenantId, owner.Id, provider, server, name, password,
                [.. found.Select(calendar => new ProviderCalendar(
                    calendar.Address.AbsoluteUri, calendar.DisplayName, false, owner.TimeZone,
                    calendar.IsReadOnly ? "reader" : "owner"))],
                old?.ConnectionId),
            product.Place.Clock.GetUtcNow(), cancellation)
            ?? throw new CommandException(
                ExitCode.Failed, "The connection belongs to another account.", old?.ConnectionId,
                "calsync connections list");
        call.Output.Value(
            new
            {
                ConnectionId = id,
                Provider = provider,
                Calendars = found.Select(each => each.DisplayName),
            },
            $"Connected {name} at {server.Host} as {id}, with {found.Count} calendars: "
                + $"{string.Join(", ", found.Select(each => each.DisplayName))}.",
            "Next: calsync calendars list, then calsync pairs add");
        return ExitCode.Ok;
    }

    private static async Task<List<FoundCalendar>> DiscoverAsync(
        ProductParts product, string provider, Uri server, string name, string password,
        CancellationToken cancellation)
    {
        var account = product.Dav.Account("connect", new DavCredentials(name, password));
        switch (await account.DiscoverAsync(server, cancellation))
        {
            case CalDavDiscovery.Found found when found.Calendars.Any(each => each.HoldsEvents):
                return [.. found.Calendars.Where(each => each.HoldsEvents)];
            case CalDavDiscovery.Found:
                throw new CommandException(
                    ExitCode.Failed, "The account has no calendar for events.", server.AbsoluteUri,
                    "Make one on the server, then connect again.");
            case CalDavDiscovery.Failed { Fault: { Reason: ProviderReason.CredentialsRejected } fault }:
                throw new CommandException(
                    ExitCode.Failed, fault.Message, $"{name} at {server.AbsoluteUri}",
                    provider == ProviderNames.CalDav ? "Look at the name and the password." : AppPassword);
            case CalDavDiscovery.Failed { Fault: var fault }:
                throw new CommandException(
                    ExitCode.Failed, fault.Message, server.AbsoluteUri,
                    "Look at the address; a server's own page names its CalDAV URL.");
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    private static async Task<OldAccount?> OldAsync(
        ProductParts product, string? connectionId, CancellationToken cancellation)
    {
        if (connectionId is null)
            return null;
        var row = (await product.ConnectionsAsync(null, cancellation))
            .Find(found => found.Connection.Id == connectionId);
        var secret = await product.Connections.LoadAccountAsync(connectionId, cancellation);
        return row is null || secret is null
            ? throw new CommandException(
                ExitCode.Failed, "There is no such connection with a password.", connectionId,
                "calsync connections list")
            : new OldAccount(
                connectionId, row.Owner.Id, row.Connection.Provider, secret.Server, secret.UserName);
    }

    /// <summary>The account of a connection that is to be renewed.</summary>
    private sealed record OldAccount(
        string ConnectionId, string UserId, string Provider, Uri Server, string UserName);

    /// <summary>The options both kinds of accounts have.</summary>
    private sealed class AccountOptions(string nameWord, string nameMeaning)
    {
        public Option<string?> Name { get; } = Words.Option<string?>("--username", nameWord, nameMeaning);

        public PasswordSource Password { get; } = new();

        public Option<string?> User { get; } = Words.Option<string?>(
            "--user", "USER", "Id of the person whose connection it becomes. Default: the only one.");

        public Option<string?> Again { get; } = Words.Option<string?>(
            "--reconnect", "CONNECTION", "Gives this connection a new password. Default: a new one.");

        public void AddTo(Verb verb)
        {
            verb.Options.Add(Name);
            Password.AddTo(verb);
            verb.Options.Add(User);
            verb.Options.Add(Again);
        }
    }
}
