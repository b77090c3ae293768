using System.CommandLine;
using CalSync.Sync.Connections;

namespace CalSync.App.Commands;

/// <summary><c>calsync tokens</c>: how access tokens stand, and renewing them without waiting for a
/// worker. No verb shows a token.</summary>
internal static class TokensCommand
{
    // Longer than any access token lives.
    private static readonly TimeSpan Always = TimeSpan.FromDays(1);

    private static readonly Column<SeenToken>[] Columns =
    [
        new("CONNECTION", row => row.ConnectionId),
        new("OWNER", row => row.Owner),
        new("ACCOUNT", row => row.Account),
        new("STATE", row => row.State),
        new("TOKEN UNTIL", row => row.AccessExpiresAt),
        new("GRANT UNTIL", row => row.GrantExpiresAt),
        new("FAILURES", row => row.ConsecutiveFailures),
        new("NEXT", row => row.NextAttemptAt),
        new("MESSAGE", row => row.Message),
    ];

    private static readonly Column<TokenRenewal>[] RenewalColumns =
    [
        new("CONNECTION", row => row.ConnectionId),
        new("RENEWED", row => row.IsFresh ? "yes" : "no"),
    ];

    private static readonly Column<TestedToken>[] TestColumns =
    [
        new("CONNECTION", row => row.ConnectionId),
        new("ACCOUNT", row => row.Account),
        new("RESULT", row => row.Result),
        new("CALENDARS", row => row.CalendarCount),
        new("MESSAGE", row => row.Message),
    ];

    public static Verb Create(GlobalOptions globals, Surroundings around) =>
        new(
            "tokens", "Shows, tests and renews access tokens; no token itself is ever shown.",
            "calsync tokens list")
        {
            new Verb(
                "list", "Lists the tokens of all connections; exit code 3 when one needs its owner.",
                "calsync tokens list").Does(globals, around, ListAsync),
            MakeShow(globals, around),
            MakeTest(globals, around),
            MakeRefresh(globals, around),
        };

    private static async Task<ExitCode> ListAsync(Invocation call, CancellationToken cancellation)
    {
        await using var product = await ProductParts.OpenAsync(call, cancellation);
        var rows = (await WithTokensAsync(product, cancellation)).ConvertAll(SeenToken.Of);
        call.Output.Table(
            rows, "There is no connection with a token. Make one: calsync connect google", Columns);
        return rows.Exists(row => row.State == ConnectionHealth.NeedsReauth)
            ? ExitCode.Unhealthy
            : ExitCode.Ok;
    }

    private static Verb MakeShow(GlobalOptions globals, Surroundings around)
    {
        var id = new Argument<string>("CONNECTION") { Description = "Id of the connection." };
        var verb = new Verb(
            "show", "Shows all that is known of one connection's tokens, except the tokens.",
            "calsync tokens show CONNECTION")
        {
            id,
        };
        return verb.Does(globals, around, async (call, cancellation) =>
        {
            await using var product = await ProductParts.OpenAsync(call, cancellation);
            var row = await FindAsync(product, call.Get(id)!, cancellation);
            var grant = (await product.Connections.LoadAsync(row.Connection.Id, cancellation))!;
            var token = new ShownToken(
                SeenToken.Of(row), row.Connection.Reason, row.Health.Action,
                [.. row.Health.Warnings.Select(warning => warning.Message)], grant.TokenVersion,
                grant.RefreshToken is not null, grant.PreviousRefreshToken is not null,
                row.Connection.LeaseUntil, row.Connection.OpenUntil);
            call.Output.Value(token, token.Lines());
            return row.Health.NeedsOwner ? ExitCode.Unhealthy : ExitCode.Ok;
        });
    }

    private static Verb MakeTest(GlobalOptions globals, Surroundings around)
    {
        var id = new Argument<string?>("CONNECTION")
        {
            Description = "Id of the connection. Default: all with tokens.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var verb = new Verb(
            "test",
            "Asks the provider whether connections work, renewing a token that ends soon; exit code 3 when "
                + "one does not.",
            "calsync tokens test")
        {
            id,
        };
        return verb.Does(globals, around, async (call, cancellation) =>
        {
            await using var product = await ProductParts.OpenAsync(call, cancellation);
            var rows = call.Get(id) is { } wanted
                ? [await FindAsync(product, wanted, cancellation)]
                : await WithTokensAsync(product, cancellation);
            var tested = new List<TestedToken>();
            foreach (var row in rows)
            {
                tested.Add(TestedToken.Of(row, await product.Probe.AskAsync(
                    row.Connection.Id, row.Connection.Provider, product.Place.CorrelationId, cancellation)));
            }

            call.Output.Table(tested, "There is no connection to test.", TestColumns);
            return tested.TrueForAll(row => row.Result == "works") ? ExitCode.Ok : ExitCode.Unhealthy;
        });
    }

    private static Verb MakeRefresh(GlobalOptions globals, Surroundings around)
    {
        var due = Words.Option<bool>(
            "--due", "", "Only tokens that end within token.proactive_threshold. Default: all.");
        var verb = new Verb(
            "refresh", "Renews tokens now; exit code 3 when one could not be renewed.",
            "calsync tokens refresh --due")
        {
            due,
        };
        return verb.Does(globals, around, async (call, cancellation) =>
        {
            await using var product = await ProductParts.OpenAsync(call, cancellation);
            var within = call.Get(due)
                ? product.Settings.Options<ConnectionOptions>().ProactiveThreshold
                : Always;
            var renewals = await product.Tokens.RenewNowAsync(within, cancellation);
            call.Output.Table([.. renewals], "There is no token to renew.", RenewalColumns);
            return renewals.All(renewal => renewal.IsFresh) ? ExitCode.Ok : ExitCode.Unhealthy;
        });
    }

    private static async Task<List<OwnedConnection>> WithTokensAsync(
        ProductParts product, CancellationToken cancellation) =>
        (await product.ConnectionsAsync(null, cancellation)).FindAll(product.HasTokens);

    private static async Task<OwnedConnection> FindAsync(
        ProductParts product, string id, CancellationToken cancellation) =>
        (await WithTokensAsync(product, cancellation)).Find(row => row.Connection.Id == id)
        ?? throw new CommandException(
            ExitCode.Failed, "There is no such connection with a token.", id, "calsync tokens list");

    /// <summary>A token as listed.</summary>
    private sealed record SeenToken(
        string ConnectionId, string Owner, string Provider, string Account, string State, string? Message,
        DateTimeOffset? AccessExpiresAt, DateTimeOffset? GrantExpiresAt, int ConsecutiveFailures,
        DateTimeOffset? NextAttemptAt)
    {
        public static SeenToken Of(OwnedConnection row) => new(
            row.Connection.Id, row.Owner.Email, row.Connection.Provider, row.Connection.AccountEmail,
            row.Health.Word, row.Health.Message, row.Connection.AccessExpiresAt,
            row.Connection.GrantExpiresAt, row.Connection.ConsecutiveFailures, row.Connection.NextAttemptAt);
    }

    /// <summary>All of one connection's tokens but the tokens.</summary>
    private sealed record ShownToken(
        SeenToken Token, string? Reason, string? Action, IReadOnlyList<string> Warnings, long TokenVersion,
        bool HasRefreshToken, bool HasPreviousRefreshToken, DateTimeOffset? LeaseUntil,
        DateTimeOffset? BreakerOpenUntil)
    {
        public IEnumerable<string> Lines() =>
        [
            $"connection     {Token.ConnectionId}, {Token.Provider}, of {Token.Owner}",
            $"account        {Token.Account}",
            $"state          {Token.State}{(Token.Message is { } why ? $": {why}" : "")}",
            .. Action is null ? Array.Empty<string>() : [$"do             {Action}"],
            .. Warnings.Select(warning => $"warning        {warning}"),
            $"access token   until {At(Token.AccessExpiresAt)}, stored {TokenVersion} times",
            $"refresh token  {(HasRefreshToken ? "kept" : "none")}, until {At(Token.GrantExpiresAt)}"
                + (HasPreviousRefreshToken ? ", and the one before" : ""),
            $"failures       {Token.ConsecutiveFailures}, next attempt {At(Token.NextAttemptAt)}",
            $"breaker        {(BreakerOpenUntil is null ? "closed" : $"open until {At(BreakerOpenUntil)}")}",
        ];

        private static string At(DateTimeOffset? at) => at is { } known ? $"{known:u}" : "-";
    }

    /// <summary>What the provider said to a connection.</summary>
    private sealed record TestedToken(
        string ConnectionId, string Account, string Result, int? CalendarCount, string? Message)
    {
        public static TestedToken Of(OwnedConnection row, ProbeOutcome outcome)
        {
            var (result, count, message) = outcome switch
            {
                ProbeOutcome.Works works => ("works", works.CalendarCount, (string?)null),
                ProbeOutcome.NoToken { Why: TokenOutcome.NeedsConsent consent } =>
                    ("needs_reauth", (int?)null, ConnectionHealth.Why(consent.Reason)),
                ProbeOutcome.NoToken { Why: TokenOutcome.TryLater later } =>
                    ("try_later", null, $"{later.Cause?.ToString() ?? later.Reason.ToString()}, "
                        + $"next attempt {later.At:u}"),
                ProbeOutcome.Refused refused => ("refused", null, refused.Fault.Message),
                _ => throw new System.Diagnostics.UnreachableException(),
            };
            return new(row.Connection.Id, row.Connection.AccountEmail, result, count, message);
        }
    }
}
