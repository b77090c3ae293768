using System.Diagnostics.Metrics;
using CalSync.Remotes.Google;
using CalSync.Remotes.Google.Pairs;
using CalSync.Remotes.OAuth;
using CalSync.Remotes.Pipeline;
using CalSync.Sync.Connections;
using CalSync.Sync.Pairs;
using CalSync.Sync.Providers;

namespace CalSync.Remotes;

/// <summary>
/// Google as the product sees it: its calendars and its sign-in, behind shared limits and breakers.
/// </summary>
/// <remarks>One for the life of the process. Thread-safe.</remarks>
public sealed class GoogleRemotes : IDisposable
{
    private readonly ProviderMeter _meter = new();
    private readonly CallQuota _quota;
    private readonly ProviderPipeline _calendarPipeline;
    private readonly ProviderPipeline _oauthPipeline;
    private readonly ProviderPipeline? _signInPipeline;
    private readonly RetryBudget _budget;
    private readonly TimeProvider _clock;
    private readonly GoogleOptions _google;

    /// <summary>Sets up the clients; nothing is sent.</summary>
    /// <param name="google">Where the calendar API is.</param>
    /// <param name="oauth">The OAuth client and where its server is.</param>
    /// <param name="options">Limits, timeouts, breakers.</param>
    /// <param name="ledger">Keeps the breakers of the connections.</param>
    /// <param name="retry">Gives the waits between attempts.</param>
    /// <param name="budget">Shared with whoever else repeats provider calls.</param>
    /// <param name="clock">Now, and every timeout.</param>
    /// <param name="openId">Where people sign in; null for nowhere.</param>
    public GoogleRemotes(
        GoogleOptions google,
        OAuthOptions oauth,
        PipelineOptions options,
        IBreakerLedger ledger,
        RetryPolicy retry,
        RetryBudget budget,
        TimeProvider clock,
        OpenIdOptions? openId = null)
    {
        _budget = budget;
        _clock = clock;
        _google = google;
        _quota = new CallQuota(options, retry, clock);
        var parts = new PipelineParts(options, clock, retry, budget, Clock, _meter);
        var gate = new ConnectionGate(ledger, options.Breaker, clock);
        _calendarPipeline = new(
            "calendar", parts, HttpClients.Create(options, google.Endpoint), gate, _quota);
        _oauthPipeline = new("oauth", parts, HttpClients.Create(options, oauth.TokenEndpoint), null, null);
        Calendar = new GoogleCalendar(_calendarPipeline, google);
        OAuth = new GoogleOAuthServer(_oauthPipeline, oauth);
        _meter.Watch(_quota, budget, clock);
        _meter.Watch("calendar", () => _calendarPipeline.Phase);
        _meter.Watch("oauth", () => _oauthPipeline.Phase);
        if (openId is null)
            return;
        _signInPipeline = new(
            "openid", parts, HttpClients.Create(options, new Uri(openId.Issuer)), null, null);
        SignIn = new OpenIdServer(_signInPipeline, openId, clock);
        _meter.Watch("openid", () => _signInPipeline.Phase);
    }

    /// <summary>Events and calendars.</summary>
    public IEventCalendar Calendar { get; }

    /// <summary>Tokens and identities.</summary>
    public IOAuthServer OAuth { get; }

    /// <summary>Where people sign in; null where they do not.</summary>
    public OpenIdServer? SignIn { get; }

    /// <summary>One calendar for two-way sync; nothing is sent.</summary>
    /// <param name="target">Which calendar.</param>
    /// <param name="tokens">The tokens of the connection it belongs to.</param>
    public IRemoteCalendar Pair(GoogleCalendarTarget target, IAccessTokens tokens) =>
        new GoogleRemoteCalendar(_calendarPipeline, _google, target, tokens);

    /// <summary>How far Google's clock is from ours, for <c>calsync doctor</c>.</summary>
    public ProviderClock Clock { get; } = new();

    /// <summary>Breakers, quota and retry budget as they are now.</summary>
    public RemotesHealth Health() => new(
        _calendarPipeline.Phase, _oauthPipeline.Phase, _quota.Use(), _budget.RemainingAt(_clock.GetUtcNow()));

    /// <summary>Whether a meter is this instance's, where several live in one process.</summary>
    public bool Owns(Meter meter) => _meter.Is(meter);

    /// <summary>Closes all sockets; calls under way fail.</summary>
    public void Dispose()
    {
        _calendarPipeline.Dispose();
        _oauthPipeline.Dispose();
        SignIn?.Dispose();
        _signInPipeline?.Dispose();
        _quota.Dispose();
        _meter.Dispose();
    }
}

/// <summary>The state of the way to Google.</summary>
/// <param name="Calendar">Provider breaker of the calendar API.</param>
/// <param name="OAuth">Provider breaker of the token endpoint.</param>
/// <param name="Quota">Calls of the last 60 s and their limits.</param>
/// <param name="RetriesLeft">Repeated calls the retry budget would allow now.</param>
public sealed record RemotesHealth(
    BreakerPhase Calendar, BreakerPhase OAuth, QuotaUse Quota, int RetriesLeft);
