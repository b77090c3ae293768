using System.Collections.Immutable;
using System.Reflection;
using CalSync.App.Api.Authentication;
using CalSync.App.Pairs;
using CalSync.Remotes.Dav;
using CalSync.Remotes.Google;
using CalSync.Remotes.OAuth;
using CalSync.Remotes.Pipeline;
using CalSync.Sandbox;
using CalSync.Storage;
using CalSync.Storage.Classes;
using CalSync.Sync;
using CalSync.Sync.Connections;
using CalSync.Sync.Mirroring;
using CalSync.Sync.Pairs;
using CalSync.Sync.Providers;

namespace CalSync.App.Configuration;

/// <summary>Every configuration key of the product, in the order the manual shows them.</summary>
internal static class Keys
{
    public static readonly Key Profile = Choice("profile", "development", ["development", "production"],
        "Production refuses what is only for practice: sandbox, test clock, known secrets, open databases.");

    public static readonly Key DataDirectory = Text("data.directory", null, "/var/lib/calsync",
        "Folder of the embedded database, the key file and calsync.json; ~/.local/share/calsync when unset.")
        .For<DatabaseOptions>(nameof(DatabaseOptions.DataDirectory));

    public static readonly Key DatabaseUrl = new Key("database.url", KeyType.Database, null,
        "postgres://calsync:secret@db.example.com/calsync?sslmode=verify-full",
        "PostgreSQL to use; without it SQLite in the data directory.")
        .For<DatabaseOptions>(nameof(DatabaseOptions.Url));

    public static readonly Key ServerUrls = Text(
        "server.urls", "http://127.0.0.1:8080", "http://127.0.0.1:8080",
        "Addresses the API listens on, separated by semicolons.");

    public static readonly Key ServerPublicUrl = Address(
        "server.public_url", null, "https://calsync.example.com",
        "Address people reach the API at, and where OAuth sends browsers back; the asked one when unset.");

    public static readonly Key TrustedProxies = Text(
        "server.trusted_proxies", null, "10.0.0.0/8, 2001:db8::7",
        "Reverse proxies, by address or network, whose X-Forwarded-For says where a client is; none when "
            + "unset.");

    public static readonly Key SecretsKey = new Key("secrets.key", KeyType.SecretKey, null,
        "the output of: head -c 32 /dev/urandom | base64",
        "Keys of stored provider tokens, the current one first, separated by commas; made in the data "
            + "directory "
        + "when unset.")
        .KeptSecret().Or("CALSYNC_ENCRYPTION_KEY");

    public static readonly Key AuthIssuer = Text("auth.issuer", "calsync", "https://calsync.example.com",
        "The iss of our JSON web tokens; the same in every process.");

    public static readonly Key AuthAudience = Text("auth.audience", "calsync-api", "calsync-api",
        "The aud of our JSON web tokens.");

    public static readonly Key AuthLegacy = Choice("auth.legacy", "off", ["off", "on"],
        "Whether JSON web tokens of the legacy format (HS256) are accepted, with reduced rights.");

    public static readonly Key AuthLegacySecret = Text("auth.legacy_secret", null,
        "the secret of the system that signs them", "Shared secret of the legacy format, at least 32 bytes.")
        .KeptSecret();

    public static readonly Key AuthLegacySunset = Text("auth.legacy_sunset", null, "2027-06-30",
        "Day from which on legacy tokens are refused, UTC; said in the Sunset header until then.");

    public static readonly Key SignInClientId = Text("sign_in.google_client_id", null,
        "1234.apps.googleusercontent.com",
        "OAuth client people sign in with; nobody signs in through Google when unset.");

    public static readonly Key SignInClientSecret = Text("sign_in.google_client_secret", null,
        "the secret beside the client id", "Secret of that client.").KeptSecret();

    public static readonly Key SignInReturnUrl = Address("sign_in.google_return_url", null,
        "https://calsync.example.com/signed-in",
        "Page of yours that Google sends browsers back to; registered with that client.");

    public static readonly Key SignInIssuer = Address("sign_in.google_issuer", null,
        "https://accounts.google.com",
        "Who vouches for people; Google when unset, or the sandbox where google.provider is it.");

    public static readonly Key TestingClock = Duration("testing.clock_offset", 0, -87_600, 87_600, "h",
        "How far the product's clock is ahead of the real one, to rehearse another day.");

    public static readonly Key Provider = Choice(
        "google.provider", "google-sandbox", ["google", "google-sandbox"],
        "Which Google new connections are made with; the sandbox belongs to test tenants only.");

    public static readonly Key GoogleClientId = Text("google.client_id", SandboxOptions.DefaultClientId,
        "1234.apps.googleusercontent.com", "OAuth client of the Google Cloud project.")
        .For<OAuthOptions>(nameof(OAuthOptions.ClientId));

    public static readonly Key GoogleClientSecret = Text("google.client_secret",
        SandboxOptions.DefaultClientSecret, "the secret beside the client id", "Secret of the OAuth client.")
        .KeptSecret().For<OAuthOptions>(nameof(OAuthOptions.ClientSecret));

    public static readonly Key SandboxUrl = Address("sandbox.url", "http://127.0.0.1:8790",
        "http://127.0.0.1:8790",
            "Where calsync sandbox listens; used with google.provider = google-sandbox.");

    public static readonly Key SandboxCalDavUrl = Address("sandbox.caldav_url", "http://127.0.0.1:8791",
        "http://127.0.0.1:8791",
            "Where the practice iCloud of calsync sandbox listens; for calsync connect icloud --sandbox.");

    public static readonly Key ProviderTimeout = Limit<PipelineOptions>("provider.timeout",
        nameof(PipelineOptions.AttemptTimeout),
        "Longest one call may take; then it is cancelled and its outcome read back.",
            "CALENDAR_OPERATION_TIMEOUT")
        .ChangedLiveWith("calsync switches set provider-timeout");

    public static readonly Key RetryBase = Limit<RetryOptions>("retry.base", nameof(RetryOptions.Base),
        "Longest pause after a first failure; it grows from there, with jitter.", "BASE_DELAY_MS");

    public static readonly Key RetryCap = Limit<RetryOptions>("retry.cap", nameof(RetryOptions.Cap),
        "Longest pause of our own; a provider may ask for more.");

    public static readonly Key RetryCountMax = Count("retry.count_max", 3, 0, 10, "retries",
        "Retries of one call that may be repeated, after its first attempt.", "MaxRetries", "MAX_RETRIES");

    public static readonly Key QuotaUser = Limit<PipelineOptions>("quota.account_calls",
        nameof(PipelineOptions.UserCallCountMax), "Calls in any 60 s for one account; Google published 600.");

    public static readonly Key QuotaProject = Limit<PipelineOptions>("quota.project_calls",
        nameof(PipelineOptions.ProjectCallCountMax),
            "Calls in any 60 s of this process; Google published 10,000.");

    public static readonly Key BreakerProbeLease = Limit<BreakerOptions>("breaker.probe_lease",
        nameof(BreakerOptions.ProbeLease), "How long one probe keeps others out.");

    public static readonly Key TokenMargin = Limit<ConnectionOptions>("token.margin",
        nameof(ConnectionOptions.ValidityMin),
        "Validity a token has left when a provider call starts; while a worker runs none falls below it.");

    public static readonly Key TokenProactive = Limit<ConnectionOptions>("token.proactive_threshold",
        nameof(ConnectionOptions.ProactiveThreshold),
        "A token with less validity left is renewed ahead of need.");

    public static readonly Key TokenInterval = Limit<ConnectionOptions>("token.refresh_interval",
        nameof(ConnectionOptions.RefreshInterval),
        "How often a worker looks for tokens to renew ahead of need.");

    public static readonly Key TokenTimeout = Limit<OAuthOptions>("token.timeout",
        nameof(OAuthOptions.TokenTimeout),
        "Longest one token request may take; its answer may hold the only valid refresh token.");

    public static readonly Key TokenLease = Limit<ConnectionOptions>("token.refresh_lease",
        nameof(ConnectionOptions.RefreshLease),
        "How long one process may be refreshing a token before another tries.");

    public static readonly Key TokenSkew = Limit<ConnectionOptions>("token.clock_skew",
        nameof(ConnectionOptions.ClockSkew),
        "Difference between the provider's clock and ours that is allowed for.");

    public static readonly Key IdempotencyRequired = Flag("idempotency.required", false,
        "Refuse a change that comes without an Idempotency-Key.");

    public static readonly Key DuplicateWindow = Duration("duplicates.window", 5, 1, 1_440, "min",
        "How long a class like one just made is answered with a warning.",
            "EVENT_DEDUPLICATION_WINDOW_MINUTES")
        .Otherwise(
            "0 disables duplicate prevention; use the explicit switch: calsync switches set idempotency off");

    public static readonly Key EnrolmentMode =
        Choice("enrolment.mode", "wait", ["strict", "wait", "deferred"],
            "What an enrolment does while the calendar is not verified: give up, hold the seat, or go on "
                + "without.")
        .ChangedLiveWith("calsync switches set enrollment-calendar");

    public static readonly Key EnrolmentWait = Duration("enrolment.wait", 8, 0, 9, "s",
        "How long a request waits for the calendar before it answers 202.");

    public static readonly Key EnrolmentDeadline = Duration("enrolment.deadline", 15, 1, 1_440, "min",
        "How long a seat is held for the calendar before it is given back.");

    public static readonly Key CalendarFallback = Choice("calendar.fallback", "hold", ["hold", "primary"],
        "What happens to events whose calendar is gone or read-only: they wait, or move to the primary "
            + "calendar.");

    public static readonly Key CalendarDeleted = Choice(
        "calendar.deleted", "ask", ["ask", "recreate", "cancel_slot"],
        "What happens when somebody deletes an event of a class on the calendar: its instructor is asked, it "
            + "is made again, or its slot is cancelled.");

    public static readonly Key RequestBudget = Duration("server.request_budget", 10, 1, 10, "s",
        "Longest a request may take in all; then it is answered 504, and what was accepted goes on.");

    public static readonly Key MetricsOtlpUrl = Address("metrics.otlp_url", null,
        "http://127.0.0.1:4318/v1/metrics",
        "An OTLP receiver (HTTP, JSON) the metrics are sent to, by workers too; none when unset.");

    public static readonly Key MetricsOtlpInterval = Duration("metrics.otlp_interval", 60, 5, 3_600, "s",
        "Pause between two sends of the metrics.");

    /// <summary>Every key, in the order the manual prints them.</summary>
    public static ImmutableArray<Key> All { get; } =
    [
        Profile, DataDirectory,
        DatabaseUrl,
        Limit<DatabaseOptions>("database.command_timeout", nameof(DatabaseOptions.CommandTimeout),
            "Longest one statement may take, waiting for locks included."),
        Limit<DatabaseOptions>("database.connect_timeout", nameof(DatabaseOptions.ConnectTimeout),
            "Longest opening a connection to PostgreSQL may take."),
        Limit<DatabaseOptions>("database.connections", nameof(DatabaseOptions.ConnectionCountMax),
            "Most connections of one process to the database."),
        Limit<DatabaseOptions>("database.prepared_statements", nameof(DatabaseOptions.PreparedCountMax),
            "Statements kept prepared on each connection; none behind a pooler of transactions."),
        ServerUrls, ServerPublicUrl, TrustedProxies, RequestBudget, MetricsOtlpUrl, MetricsOtlpInterval,
        SecretsKey,
        AuthIssuer, AuthAudience, AuthLegacy, AuthLegacySecret, AuthLegacySunset,
        Limit<SignInOptions>("sign_in.window", nameof(SignInOptions.Window),
            "Attempts to sign in are counted for so long, from the first.").ChangedLive(),
        Limit<SignInOptions>("sign_in.per_pair", nameof(SignInOptions.PerPairMax),
            "Attempts within the window at one account from one network address.").ChangedLive(),
        Limit<SignInOptions>("sign_in.per_account", nameof(SignInOptions.PerAccountMax),
            "Attempts within the window at one account, from wherever.").ChangedLive(),
        Limit<SignInOptions>("sign_in.per_address", nameof(SignInOptions.PerAddressMax),
            "Attempts within the window from one network address.")
            .ChangedLive(),
        SignInClientId, SignInClientSecret, SignInReturnUrl, SignInIssuer,
        TestingClock,
        Provider, GoogleClientId, GoogleClientSecret, SandboxUrl, SandboxCalDavUrl,
        Limit<GoogleOptions>("google.page_size", nameof(GoogleOptions.PageCountMax),
            "Events or calendars asked for per page."),
        Limit<GoogleOptions>("google.sync_page_size", nameof(GoogleOptions.SyncPageCountMax),
            "Events asked for per page when a whole calendar is read."),
        Limit<GoogleOptions>("google.pages", nameof(GoogleOptions.ListingPagesMax),
            "Pages after which a listing is given up."),
        Limit<OAuthOptions>("google.token_lifetime_max", nameof(OAuthOptions.AccessTokenLifetimeMax),
            "A longer life of an access token is not believed."),
        ProviderTimeout,
        Limit<PipelineOptions>("provider.connections", nameof(PipelineOptions.ConnectionCountMax),
            "Open sockets to one provider host."),
        Limit<PipelineOptions>("provider.answer_size", nameof(PipelineOptions.BodySizeBytesMax),
            "A longer answer is refused."),
        RetryCountMax, RetryBase, RetryCap,
        Limit<RetryOptions>("retry.multiplier", nameof(RetryOptions.Multiplier),
            "Each further failure multiplies the pause by this."),
        Limit<RetryOptions>("retry.jitter", nameof(RetryOptions.JitterPercent),
            "Part of each pause that is random, so that many callers spread."),
        Limit<RetryOptions>("retry.after_max", nameof(RetryOptions.RetryAfterMax),
            "No pause a provider asks for is followed further than this."),
        Limit<RetryOptions>("retry.budget", nameof(RetryOptions.BudgetPercent),
            "Share of all calls that may be retries; beyond it work waits."),
        Limit<RetryOptions>("retry.budget_floor", nameof(RetryOptions.BudgetFloorPerMinute),
            "Retries that are always allowed, so that a quiet system recovers."),
        Limit<RetryOptions>("retry.budget_saved", nameof(RetryOptions.BudgetSavedMax),
            "Unused retries that can be saved up."),
        QuotaUser,
        QuotaProject,
        Limit<PipelineOptions>("quota.interactive_reserve", nameof(PipelineOptions.InteractiveReservePercent),
            "Part of both limits that only calls somebody waits for may use."),
        Limit<PipelineOptions>("quota.wait", nameof(PipelineOptions.QuotaWaitMax),
            "Longest a call waits for its turn before it is put off."),
        Limit<PipelineOptions>("quota.exceeded_pause", nameof(PipelineOptions.QuotaExceededPause),
            "Pause of an account's writes after the provider says that its quota is used up."),
        Limit<BreakerOptions>("breaker.connection_failures", nameof(BreakerOptions.FailureCountMax),
            "Failures in a row that open the breaker of one connection."),
        Limit<BreakerOptions>("breaker.connection_pause", nameof(BreakerOptions.OpenFor),
            "How long the breaker of a connection stays open before one probe."),
        BreakerProbeLease,
        Limit<PipelineOptions>("breaker.provider_failures", nameof(PipelineOptions.ProviderFailurePercent),
            "Share of failed calls that opens the breaker of the provider."),
        Limit<PipelineOptions>("breaker.provider_window", nameof(PipelineOptions.ProviderSampling),
            "Time that share is taken over."),
        Limit<PipelineOptions>("breaker.provider_calls", nameof(PipelineOptions.ProviderCallCountMin),
            "With fewer calls in that time the breaker of the provider stays closed."),
        Limit<PipelineOptions>("breaker.provider_pause", nameof(PipelineOptions.ProviderOpenFor),
            "How long the breaker of the provider stays open before one probe."),
        TokenMargin, TokenProactive, TokenInterval, TokenTimeout,
        Limit<ConnectionOptions>("token.refresh_concurrency", nameof(ConnectionOptions.RefreshConcurrency),
            "Tokens one process renews ahead of need at once."),
        TokenSkew,
        TokenLease,
        Limit<ConnectionOptions>("token.refresh_wait", nameof(ConnectionOptions.RefreshWaitMax),
            "How long a caller waits for a refresh that is under way."),
        Limit<ConnectionOptions>("token.refresh_poll", nameof(ConnectionOptions.RefreshPoll),
            "How often it looks whether another process has finished."),
        Limit<ConnectionOptions>("connect.attempt_lifetime", nameof(ConnectionOptions.AttemptLifetime),
            "How long a person may take on the consent page."),
        Limit<IdempotencyOptions>("idempotency.retention", nameof(IdempotencyOptions.Retention),
            "How long an answer is kept for a repeated Idempotency-Key; what is kept already keeps its "
                + "time."),
        IdempotencyRequired, DuplicateWindow,
        Limit<MirrorOptions>("mirror.concurrency", nameof(MirrorOptions.Concurrency),
            "Events one process writes at once."),
        Limit<MirrorOptions>("mirror.per_connection", nameof(MirrorOptions.PerConnectionMax),
            "Events of one account one process writes at once."),
        Limit<MirrorOptions>("mirror.poll", nameof(MirrorOptions.Poll),
            "How often a worker looks for work without being told."),
        Limit<MirrorOptions>("mirror.lease", nameof(MirrorOptions.Lease),
            "How long a worker may keep an event to itself before another takes it over."),
        Limit<MirrorOptions>("mirror.rest", nameof(MirrorOptions.Rest),
            "Pause after a write, so that a burst of changes becomes one write."),
        Limit<MirrorOptions>("mirror.attempts", nameof(MirrorOptions.AttemptCountMax),
            "Failures in a row until a person must look."),
        Limit<MirrorOptions>("mirror.stop_within", nameof(MirrorOptions.StopWithin),
            "How long a stopping worker lets its writes finish."),
        Limit<MirrorOptions>("mirror.heartbeat", nameof(MirrorOptions.Heartbeat),
            "How often a worker says that it is alive."),
        Limit<MirrorOptions>("mirror.read_interval", nameof(MirrorOptions.ReadEvery),
            "How often each calendar is read back for changes that were made on it."),
        CalendarFallback, CalendarDeleted,
        EnrolmentMode, EnrolmentWait, EnrolmentDeadline,
        .. PairKeys, .. DavKeys,
    ];

    private static Key[] PairKeys =>
    [
        Limit<PairWorkerOptions>("pair.interval", nameof(PairWorkerOptions.Interval),
            "From the end of a run of a pair to the start of the next.").ChangedLive(),
        Limit<PairWorkerOptions>("pair.jitter", nameof(PairWorkerOptions.JitterPercent),
            "Part of each pause between runs that is random, so that pairs spread.").ChangedLive(),
        Limit<PairWorkerOptions>("pair.back_off_max", nameof(PairWorkerOptions.BackOffMax),
            "Longest pause of a pair whose runs fail; it doubles from the interval.").ChangedLive(),
        Limit<PairWorkerOptions>("pair.concurrency", nameof(PairWorkerOptions.Concurrency),
            "Pairs one process runs at once.").ChangedLive(),
        Limit<PairWorkerOptions>("pair.poll", nameof(PairWorkerOptions.Poll),
            "How often a worker looks for pairs that are due.").ChangedLive(),
        Limit<PairOptions>("pair.brake_share", nameof(PairOptions.BrakeSharePercent),
            "Share of a side's events that one run may delete or create unasked."),
        Limit<PairOptions>("pair.brake_count", nameof(PairOptions.BrakeCountMax),
            "Events that one run may delete or create on a side unasked; the smaller of both holds."),
        Limit<PairOptions>("pair.brake_floor", nameof(PairOptions.BrakeCountMin),
            "This many are never held, however small the calendar."),
        Limit<PairOptions>("pair.decisions", nameof(PairOptions.DecisionCountMax),
            "How often one event is decided again in one run because a side changed meanwhile."),
        Limit<PairOptions>("pair.failed_runs", nameof(PairOptions.FailedRunCountMax),
            "Failed runs after which an event waits apart instead of being tried in every run."),
        Limit<PairOptions>("pair.failure_streak", nameof(PairOptions.FailureStreakMax),
            "Failures in a row that end a run: the server is in trouble, not the events."),
        Limit<PairOptions>("pair.proven_writes", nameof(PairOptions.ProvenWriteCountMin),
            "Writes of a run that a CalDAV server must give back octet for octet before the ETags it answers "
            + "stand for the contents of the rest; 0 reads every write back whole."),
        Limit<PairOptions>("pair.lease", nameof(PairOptions.Lease),
            "How long a run holds its pair without a sign of life."),
        Limit<PairOptions>("pair.full_read", nameof(PairOptions.FullReadEvery),
            "How often everything is read although the sync tokens work."),
        Limit<PairOptions>("pair.conflict_kept", nameof(PairOptions.ConflictKept),
            "How long the losing side of a conflict can be had back."),
        Limit<PairOptions>("pair.history_kept", nameof(PairOptions.HistoryKept),
            "How long runs can be undone and earlier versions of events brought back."),
        Limit<PairOptions>("pair.plan_kept", nameof(PairOptions.PlanKept),
            "How long a plan can be approved."),
    ];

    private static Key[] DavKeys =>
    [
        Limit<DavOptions>("dav.timeout", nameof(DavOptions.AttemptTimeout),
            "Longest one call to a CalDAV server may take; small servers list slowly."),
        Limit<DavOptions>("dav.read_attempts", nameof(DavOptions.ReadAttempts),
            "How often a read is tried in all, within the retry budget."),
        Flag("dav.allow_unprotected_passwords", false,
            "Send passwords without encryption to other machines than this one.")
            .For<DavOptions>(nameof(DavOptions.AllowUnprotectedPasswords)),
        Limit<DavOptions>("dav.redirects", nameof(DavOptions.RedirectCountMax),
            "Redirects that are followed for one request."),
        Limit<DavOptions>("dav.answer_length", nameof(DavOptions.AnswerLengthMax),
            "A longer multistatus is refused; it is read as a stream."),
        Limit<DavOptions>("dav.resource_size", nameof(DavOptions.ResourceSizeBytesMax),
            "A longer calendar object is refused."),
        Limit<DavOptions>("dav.rows", nameof(DavOptions.RowCountMax),
            "More rows in one multistatus are refused."),
        Limit<DavOptions>("dav.batch_count", nameof(DavOptions.BatchCountMax),
            "Calendar objects asked for in one request; some servers take fewer."),
        Limit<DavOptions>("dav.batch_size", nameof(DavOptions.BatchSizeBytesMax),
            "Size of the objects asked for in one request, as far as the server names sizes."),
        Limit<DavOptions>("dav.parallel_reads", nameof(DavOptions.ParallelReadsMax),
            "Reads of one calendar under way at once."),
        Limit<DavOptions>("dav.parallel_writes", nameof(DavOptions.ParallelWritesMax),
            "Writes to one calendar under way at once; some servers take fewer."),
        Limit<DavOptions>("dav.sync_pages", nameof(DavOptions.SyncPagesMax),
            "Pages after which a list of changes is given up."),
    ];

    // The unit, the bounds and the default of a number stand at the property it sets, once.
    private static Key Limit<TOptions>(string name, string property, string meaning, params string[] aliases)
    {
        var target = typeof(TOptions).GetProperty(property)!;
        var limit = target.GetCustomAttribute<LimitAttribute>()
            ?? throw new ArgumentException(
                $"{typeof(TOptions).Name}.{property} has no limit.", nameof(property));
        var text = SettingText.Write(target.GetValue(Activator.CreateInstance<TOptions>())!, limit.Unit);
        var type = target.PropertyType == typeof(TimeSpan) ? KeyType.Duration : KeyType.Count;
        return new(name, type, text, type == KeyType.Duration ? text + limit.Unit : text, meaning)
        {
            Unit = limit.Unit,
            Min = (decimal)limit.Min,
            Max = (decimal)limit.Max,
            Aliases = [.. aliases],
            Target = target,
        };
    }

    private static Key Text(
        string name, string? @default, string example, string meaning) =>
        new(name, KeyType.Text, @default, example, meaning);

    private static Key Address(string name, string? @default, string example, string meaning) =>
        new(name, KeyType.Address, @default, example, meaning);

    private static Key Flag(string name, bool @default, string meaning) =>
        new(name, KeyType.Flag, @default ? "true" : "false", @default ? "false" : "true", meaning);

    private static Key Choice(string name, string @default, ImmutableArray<string> choices, string meaning) =>
        new(name, KeyType.Choice, @default, @default, meaning) { Choices = choices };

    private static Key Count(
        string name, long @default, long min, long max, string unit, string meaning,
            params string[] aliases) =>
        Number(KeyType.Count, name, @default, min, max, unit, $"{@default}", meaning, aliases);

    private static Key Duration(
        string name, long @default, long min, long max, string unit, string meaning,
            params string[] aliases) =>
        Number(KeyType.Duration, name, @default, min, max, unit, $"{@default}{unit}", meaning, aliases);

    private static Key Number(
        KeyType type, string name, long @default, long min, long max, string unit, string example,
            string meaning,
        string[] aliases) =>
        new(name, type, $"{@default}", example, meaning)
        {
            Min = min,
            Max = max,
            Unit = unit,
            Aliases = [.. aliases],
        };
}
