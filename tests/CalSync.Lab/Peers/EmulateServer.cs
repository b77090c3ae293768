using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using CalSync.Remotes.OAuth;

namespace CalSync.Lab.Peers;

/// <summary>
/// The Google of the npm package <c>emulate</c>: the consent page, tokens and revocation as somebody else
/// reads Google's documents.
/// </summary>
/// <remarks>
/// Its tokens never expire, any bearer is taken for its first account, which is nobody's here, and of the
/// calendar it has little more than the list.
/// </remarks>
public sealed partial class EmulateServer : IAsyncDisposable
{
    /// <summary>The account that consents.</summary>
    public const string Account = "maya@studio.test";

    /// <summary>Where it sends browsers back to; registered with its client.</summary>
    public static readonly Uri Redirect = new("http://127.0.0.1:9/oauth/google/callback");

    private const string ClientId = "calsync.test";
    private const string ClientSecret = "calsync-test-secret";

    private readonly PeerProcess _process;

    private EmulateServer(PeerProcess process, Uri address) => (_process, Address) = (process, address);

    /// <summary>Where it listens.</summary>
    public Uri Address { get; }

    /// <summary>What it calls itself in discovery and in ID tokens.</summary>
    public string Issuer => $"http://localhost:{Address.Port}";

    /// <summary>Its addresses, which are not all Google's, and its client.</summary>
    public OAuthOptions Client => new()
    {
        ClientId = ClientId,
        ClientSecret = ClientSecret,
        AuthorizationEndpoint = new Uri(Address, "/o/oauth2/v2/auth"),
        TokenEndpoint = new Uri(Address, "/oauth2/token"),
        RevocationEndpoint = new Uri(Address, "/oauth2/revoke"),
        UserInfoEndpoint = new Uri(Address, "/oauth2/v2/userinfo"),
    };

    /// <summary>Starts one and waits until it answers.</summary>
    /// <param name="tools">The folder <c>.tools</c> of the repository.</param>
    /// <param name="cancellation">Cancelling stops what was started.</param>
    /// <exception cref="InvalidOperationException">It is not installed, or did not start.</exception>
    [SuppressMessage("Reliability", "CA2000", Justification = "The server owns and disposes it.")]
    public static async Task<EmulateServer> StartAsync(string tools, CancellationToken cancellation)
    {
        var modules = Path.Combine(tools, "emulate", "node_modules");
        var (node, program) = (
            Path.Combine(modules, ".bin", "node"), Path.Combine(modules, "emulate", "dist", "index.js"));
        if (!File.Exists(node) || !File.Exists(program))
        {
            throw new InvalidOperationException(
                "emulate is not installed. Run tests/tools/emulate/install (./test does).");
        }

        var (directory, port) = (PeerProcess.NewDirectory(), PeerProcess.FreePort());
        var seed = Path.Combine(directory, "seed.json");
        await File.WriteAllTextAsync(seed, Seed().ToJsonString(), cancellation);
        var address = new Uri($"http://127.0.0.1:{port}/");
        var process = await PeerProcess.StartAsync(
            directory, () => AnswersAsync(address, cancellation),
            [
                node, program, "start", "--host", "127.0.0.1", "-p",
                port.ToString(CultureInfo.InvariantCulture), "-s", "google", "--seed", seed,
            ],
            ImmutableDictionary<string, string>.Empty, cancellation);
        return new EmulateServer(process, address);
    }

    /// <summary>Consents as a person does: opens the page, and sends the form of one account.</summary>
    /// <param name="page">Where the product sends the browser.</param>
    /// <param name="change">Changes the form before it is sent; null to send it as it is.</param>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    /// <returns>What the browser brings back: the code and the state.</returns>
    public static async Task<(string Code, string State)> ConsentAsync(
        Uri page, Action<Dictionary<string, string>>? change, CancellationToken cancellation)
    {
        using var handler = new HttpClientHandler { AllowAutoRedirect = false };
        using var browser = new HttpClient(handler);
        var text = await browser.GetStringAsync(page, cancellation);
        var form = Form().Matches(text).Select(match => match.Groups["inside"].Value)
            .Select(inside => Input().Matches(inside).ToDictionary(
                input => input.Groups["name"].Value,
                input => WebUtility.HtmlDecode(input.Groups["value"].Value), StringComparer.Ordinal))
            .First(fields => fields["email"] == Account);
        change?.Invoke(form);
        using var content = new FormUrlEncodedContent(form);
        using var agreed = await browser.PostAsync(
            new Uri(page, "/o/oauth2/v2/auth/callback"), content, cancellation);
        var back = System.Web.HttpUtility.ParseQueryString(agreed.Headers.Location!.Query);
        return (back["code"]!, back["state"]!);
    }

    /// <summary>The person takes the permission back.</summary>
    public async Task RevokeAsync(string token, CancellationToken cancellation)
    {
        using var http = new HttpClient();
        using var form = new FormUrlEncodedContent([new("token", token)]);
        using var answer = await http.PostAsync(Client.RevocationEndpoint, form, cancellation);
        answer.EnsureSuccessStatusCode();
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private static JsonObject Seed() => new()
    {
        ["google"] = new JsonObject
        {
            ["users"] = new JsonArray(User("decoy@invalid.test"), User(Account)),
            ["oauth_clients"] = new JsonArray(new JsonObject
            {
                ["client_id"] = ClientId,
                ["client_secret"] = ClientSecret,
                ["name"] = "CalSync",
                ["redirect_uris"] = new JsonArray(Redirect.AbsoluteUri),
            }),
            ["calendars"] = new JsonArray(
                Calendar("primary", Account, true), Calendar("studio", "Studio", false)),
        },
    };

    private static JsonObject User(string email) => new() { ["email"] = email, ["name"] = email };

    private static JsonObject Calendar(string id, string summary, bool isPrimary) => new()
    {
        ["id"] = id,
        ["user_email"] = Account,
        ["summary"] = summary,
        ["primary"] = isPrimary,
        ["time_zone"] = "Asia/Kolkata",
    };

    private static async Task<bool> AnswersAsync(Uri address, CancellationToken cancellation)
    {
        using var http = new HttpClient();
        try
        {
            using var answer = await http.GetAsync(
                new Uri(address, "/.well-known/openid-configuration"), cancellation);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    [GeneratedRegex("<form[^>]*>(?<inside>.*?)</form>", RegexOptions.Singleline)]
    private static partial Regex Form();

    [GeneratedRegex("<input type=\"hidden\" name=\"(?<name>[^\"]*)\" value=\"(?<value>[^\"]*)\"")]
    private static partial Regex Input();
}
