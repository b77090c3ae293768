using CalSync.Sync.Connections;

namespace CalSync.App.Commands;

/// <summary><c>calsync tokens</c>: renews access tokens without waiting for a worker.</summary>
internal static class TokensCommand
{
    // Longer than any access token lives.
    private static readonly TimeSpan Always = TimeSpan.FromDays(1);

    private static readonly Column<TokenRenewal>[] Columns =
    [
        new("CONNECTION", row => row.ConnectionId),
        new("RENEWED", row => row.IsFresh ? "yes" : "no"),
    ];

    public static Verb Create(GlobalOptions globals, Surroundings around) =>
        new("tokens", "Renews access tokens without waiting for a worker.", "calsync tokens refresh --due")
        {
            MakeRefresh(globals, around),
        };

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
            call.Output.Table([.. renewals], "There is no token to renew.", Columns);
            return renewals.All(renewal => renewal.IsFresh) ? ExitCode.Ok : ExitCode.Unhealthy;
        });
    }
}
