using System.Net;
using System.Text;
using System.Web;
using CalSync.App.Configuration;
using CalSync.Storage.Identity;
using CalSync.Sync.Connections;

namespace CalSync.App.Commands;

/// <summary><c>calsync connect google</c>: a person agrees in a browser.</summary>
/// <remarks>
/// Google sends the browser back to the callback address. A server that runs there finishes the connection;
/// where none does, on this machine, the command listens itself until the person has agreed.
/// </remarks>
internal static class GoogleConsent
{
    private const string Path = "/oauth/google/callback";

    public static Verb Create(GlobalOptions globals, Surroundings around)
    {
        var user = Words.Option<string?>(
            "--user", "USER", "Id of the person whose connection it becomes. Default: the only one.");
        var again = Words.Option<string?>(
            "--reconnect", "CONNECTION", "Renews this connection. Default: a new one.");
        var noWait = Words.Option<bool>(
            "--no-wait", "", "Ends when the page is printed; the running server finishes the connection.");
        var consent = Words.Option<string?>(
            "--consent-as", "EMAIL", "Sandbox only: consents as this practice account, without a browser.");
        var verb = new Verb(
            "google",
            "Prints the page where a person agrees, and waits until they have.", "calsync connect google")
        {
            user, again, noWait, consent,
        };
        return verb.Does(globals, around, async (call, cancellation) =>
        {
            await using var product = await ProductParts.OpenAsync(call, cancellation);
            var provider = product.Settings.Text(Keys.Provider)!;
            if (call.Get(consent) is not null && provider != ProviderNames.GoogleSandbox)
                throw CommandException.Usage("--consent-as is for the sandbox.", "calsync connect google");
            var old = call.Get(again);
            var owner = await OwnerAsync(product, call.Get(user), old, provider, cancellation);
            if (provider == ProviderNames.GoogleSandbox)
            {
                await call.Around.Error.WriteLineAsync(
                    $"This is the practice Google at {product.Settings.Text(Keys.SandboxUrl)}; for the real "
                    + "one set google.provider=google, google.client_id and google.client_secret.");
            }

            var callback = CallbackOf(product.Settings);
            var page = await product.Flow.StartAsync(
                owner.TenantId, owner.Id, provider, callback, old, call.Get(consent), cancellation);
            if (call.Get(consent) is { } account)
            {
                var made = await ConsentAsync(product, page, account, owner, cancellation);
                call.Output.Value(new { ConnectionId = made }, $"Connected {account} as {made}.");
                return ExitCode.Ok;
            }

            call.Output.Value(new { AuthorizationUrl = page }, page.AbsoluteUri);
            if (call.Get(noWait) || Listen(callback) is not { } listener)
            {
                await call.Around.Error.WriteLineAsync(
                    $"The server at {callback.GetLeftPart(UriPartial.Authority)} finishes the connection "
                    + "once you have agreed in your browser.");
                return ExitCode.Ok;
            }

            using (listener)
            {
                await call.Around.Error.WriteLineAsync("Waiting until you have agreed in your browser.");
                var id = await HearAsync(product, listener, owner, cancellation);
                call.Output.Value(new { ConnectionId = id }, $"Connected as {id}.");
                return ExitCode.Ok;
            }
        });
    }

    private static async Task<User> OwnerAsync(
        ProductParts product, string? userId, string? old, string provider, CancellationToken cancellation)
    {
        if (old is null)
            return await Household.OwnerAsync(product, userId, provider, cancellation);
        var row = (await product.ConnectionsAsync(userId, cancellation))
            .Find(found => found.Connection.Id == old)
            ?? throw new CommandException(
                ExitCode.Failed, "There is no such connection.", old, "calsync connections list");
        return await Household.OwnerAsync(product, row.Owner.Id, provider, cancellation);
    }

    private static Uri CallbackOf(Settings settings)
    {
        var address = settings.Address(Keys.ServerPublicUrl)
            ?? new Uri(settings.Text(Keys.ServerUrls)!.Split(';', StringSplitOptions.RemoveEmptyEntries)[0]);
        return new Uri(address, Path);
    }

    /// <summary>Listens where the browser will come back; null where a server does already.</summary>
    private static HttpListener? Listen(Uri callback)
    {
        if (!callback.IsLoopback || callback.Scheme != Uri.UriSchemeHttp || callback.Port == 0)
            return null;
        var listener = new HttpListener { Prefixes = { callback.GetLeftPart(UriPartial.Authority) + "/" } };
        try
        {
            listener.Start();
            return listener;
        }
        catch (HttpListenerException)
        {
            listener.Close();
            return null;
        }
    }

    private static async Task<string> HearAsync(
        ProductParts product, HttpListener listener, User owner, CancellationToken cancellation)
    {
        var lifetime = product.Settings.Options<ConnectionOptions>().AttemptLifetime;
        try
        {
            while (true)
            {
                var context = await listener.GetContextAsync()
                    .WaitAsync(lifetime, product.Place.Clock, cancellation);
                var query = HttpUtility.ParseQueryString(context.Request.Url?.Query ?? "");
                if (context.Request.Url?.AbsolutePath != Path || query["state"] is not { } state)
                {
                    await AnswerAsync(context, 404, "There is nothing here.", cancellation);
                    continue;
                }

                var outcome = query["code"] is { } code
                    ? await product.Flow.CompleteAsync(state, code, owner.Id, cancellation)
                    : new ConnectOutcome.Refused("Access was not granted.");
                var text = outcome is ConnectOutcome.Connected
                    ? "Your Google Calendar is connected. You can close this page."
                    : "Not connected. The terminal says why.";
                await AnswerAsync(context, 200, text, cancellation);
                return Connected(outcome, owner.Email);
            }
        }
        catch (TimeoutException)
        {
            throw new CommandException(
                ExitCode.Failed, "Nobody has agreed in time.", null, "calsync connect google");
        }
    }

    private static async Task AnswerAsync(
        HttpListenerContext context, int status, string text, CancellationToken cancellation)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        await context.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(text), cancellation);
        context.Response.Close();
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

        return Connected(
            await product.Flow.CompleteAsync(back["state"] ?? "", code, owner.Id, cancellation), account);
    }

    private static string Connected(ConnectOutcome outcome, string account) => outcome switch
    {
        ConnectOutcome.Connected connected => connected.ConnectionId,
        ConnectOutcome.DifferentAccount => throw new CommandException(
            ExitCode.Failed, "The connection belongs to another account.", account,
            "calsync connections list"),
        ConnectOutcome.ScopeWithheld withheld => throw new CommandException(
            ExitCode.Failed, "A permission that is needed was not granted.",
            string.Join(' ', withheld.Missing), "calsync connect google, and allow all of them"),
        ConnectOutcome.Failed failed => throw new CommandException(
            ExitCode.Failed, failed.Fault.Message, account, "calsync connect google"),
        ConnectOutcome.Refused refused => throw new CommandException(
            ExitCode.Failed, refused.Description, account, "calsync connect google"),
        ConnectOutcome.AttemptUnknown => throw new CommandException(
            ExitCode.Failed, "This attempt is unknown, already used or too old.", account,
            "calsync connect google"),
        _ => throw new System.Diagnostics.UnreachableException(),
    };
}
