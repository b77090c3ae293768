using System.Collections.Immutable;
using CalSync.App.Api;
using CalSync.App.Api.Authentication;
using CalSync.App.Configuration;
using CalSync.App.Metrics;
using CalSync.App.Pairs;
using CalSync.Classes;
using CalSync.Remotes.Dav;
using CalSync.Remotes.Google;
using CalSync.Remotes.OAuth;
using CalSync.Remotes.Pipeline;
using CalSync.Storage;
using CalSync.Storage.Classes;
using CalSync.Sync.Connections;
using CalSync.Sync.Mirroring;
using CalSync.Sync.Pairs;

namespace CalSync.App;

/// <summary>Everything a process of the product is made from. Valid by the time it gets here.</summary>
internal sealed record HostOptions
{
    /// <summary>Where the data is.</summary>
    public required DatabaseOptions Database { get; init; }

    /// <summary>The encryption key, base64; null: the file in the data directory, made when absent.</summary>
    public string? SecretsKey { get; init; }

    /// <summary>Where to listen; port 0 picks a free one. Empty: no API in this process.</summary>
    public IReadOnlyList<string> Urls { get; init; } = [];

    /// <summary>True: mirrors are written and operations settled by this process.</summary>
    public bool RunsWorkers { get; init; } = true;

    /// <summary>True: waiting migrations are applied at the start; false: the start fails when there are
    /// any.</summary>
    public bool Upgrades { get; init; } = true;

    /// <summary>The HTTP interface.</summary>
    public ApiOptions Api { get; init; } = new();

    /// <summary>Where the configuration is found again; null for a process whose options never
    /// change.</summary>
    public ConfigurationSource? Source { get; init; }

    /// <summary>Limits of guessing passwords.</summary>
    public SignInOptions SignIn { get; init; } = new();

    /// <summary>Seats and double submits.</summary>
    public ClassOptions Classes { get; init; } = new();

    /// <summary>Idempotency keys.</summary>
    public IdempotencyOptions Idempotency { get; init; } = new();

    /// <summary>What kill switches stand at while nobody has set them, by name; absent: as defined.</summary>
    public ImmutableDictionary<string, string> SwitchNormals { get; init; } =
        ImmutableDictionary<string, string>.Empty;

    /// <summary>Where the calendar API is.</summary>
    public GoogleOptions Google { get; init; } = new();

    /// <summary>Where to sign in.</summary>
    public OAuthOptions OAuth { get; init; } = new();

    /// <summary>Where people sign in through Google; null where they do not.</summary>
    public OpenIdOptions? GoogleSignIn { get; init; }

    /// <summary>Limits of the calls to the provider.</summary>
    public PipelineOptions Pipeline { get; init; } = new();

    /// <summary>Tokens.</summary>
    public ConnectionOptions Connections { get; init; } = new();

    /// <summary>Mirrors.</summary>
    public MirrorOptions Mirrors { get; init; } = new();

    /// <summary>CalDAV servers.</summary>
    public DavOptions Dav { get; init; } = new();

    /// <summary>Pairs of calendars.</summary>
    public PairOptions Pairs { get; init; } = new();

    /// <summary>Where metrics are sent; null for nowhere.</summary>
    public MetricsPushOptions? MetricsPush { get; init; }

    /// <summary>When pairs run by themselves.</summary>
    public PairWorkerOptions PairWorker { get; init; } = new();

    /// <summary>The sandbox at an address, with the client it knows by default.</summary>
    /// <param name="sandbox">Scheme, host and port.</param>
    /// <param name="clientId">The OAuth client.</param>
    /// <param name="clientSecret">Its secret.</param>
    public HostOptions At(Uri sandbox, string clientId, string clientSecret) => this with
    {
        Api = Api with { Provider = "google-sandbox" },
        Google = Google with { Endpoint = new Uri(sandbox, "/calendar/v3") },
        OAuth = OAuth with
        {
            ClientId = clientId,
            ClientSecret = clientSecret,
            AuthorizationEndpoint = new Uri(sandbox, "/o/oauth2/v2/auth"),
            TokenEndpoint = new Uri(sandbox, "/token"),
            RevocationEndpoint = new Uri(sandbox, "/revoke"),
            UserInfoEndpoint = new Uri(sandbox, "/oauth2/v3/userinfo"),
        },
    };
}
