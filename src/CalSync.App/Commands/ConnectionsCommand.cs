using System.CommandLine;

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
        new("STATE", row => row.Health.Word),
        new("REASON", row => row.Health.Message),
        new("TOKEN UNTIL", row => row.Connection.AccessExpiresAt),
        new("NEXT", row => row.Connection.NextAttemptAt),
    ];

    public static Verb Create(GlobalOptions globals, Surroundings around) =>
        new(
            "connections", "Shows and ends connections to calendar accounts.",
            "calsync connections list")
        {
            MakeList(globals, around),
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
                found, "There is no connection. Make one: calsync connect google, icloud or caldav", Columns);
            return found.Exists(row => row.Connection.State == "needs_reauth")
                ? ExitCode.Unhealthy
                : ExitCode.Ok;
        });
    }

    private static Verb MakeDisconnect(GlobalOptions globals, Surroundings around)
    {
        var id = new Argument<string>("CONNECTION") { Description = "Id of the connection." };
        var verb = new Verb(
            "disconnect",
            "Revokes the grant or forgets the password; its work and its pairs wait until it is connected "
                + "again.",
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
}
