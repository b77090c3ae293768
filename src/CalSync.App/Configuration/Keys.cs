using System.Collections.Immutable;

namespace CalSync.App.Configuration;

/// <summary>Every configuration key of the product, in the order the manual shows them.</summary>
internal static class Keys
{
    public static readonly Key Profile = Choice("profile", "development", ["development", "production"],
        "production refuses everything that is only for practice: sandbox, test clock, known secrets, open databases.");

    public static readonly Key DataDirectory = Text("data.directory", null, "/var/lib/calsync",
        "Folder of the embedded database, the key file and calsync.json; ~/.local/share/calsync when unset.");

    public static readonly Key DatabaseUrl = new("database.url", KeyType.Database, null,
        "postgres://calsync:secret@db.example.com/calsync?sslmode=verify-full",
        "PostgreSQL to use; without it SQLite in the data directory.");

    public static readonly Key DatabasePoolMax = Count("database.pool_max", 20, 1, 500, "connections",
        "Most connections one process opens to PostgreSQL.");

    public static readonly Key ServerUrls =
        Text("server.urls", "http://127.0.0.1:8080", "http://127.0.0.1:8080",
        "Addresses the API listens on, separated by semicolons.");

    public static readonly Key ServerPublicUrl =
        Address("server.public_url", null, "https://calsync.example.com",
        "Address people reach the API at; where OAuth sends the browser back. The first of server.urls when unset.");

    public static readonly Key SecretsKey = new Key("secrets.key", KeyType.SecretKey, null,
        "the output of: head -c 32 /dev/urandom | base64",
        "Key that encrypts provider tokens at rest; made once as secret.key in the data directory when unset.")
        .KeptSecret();

    public static readonly Key TestingClock =
        new("testing.clock", KeyType.Instant, null, "2026-03-07T12:00:00Z",
        "Instant at which the product's clock starts, for rehearsals; the real time when unset.");

    public static readonly Key Provider =
        Choice("google.provider", "google-sandbox", ["google", "google-sandbox"],
        "Which Google new connections are made with; the sandbox belongs to test tenants only.");

    public static readonly Key GoogleClientId = Text("google.client_id", SandboxClientId,
        "1234.apps.googleusercontent.com", "OAuth client of the Google Cloud project.");

    public static readonly Key GoogleClientSecret = Text("google.client_secret", SandboxClientSecret,
        "the secret beside the client id", "Secret of the OAuth client.", secret: true);

    public static readonly Key SandboxUrl = Address("sandbox.url", "http://127.0.0.1:8790",
        "http://127.0.0.1:8790",
            "Where calsync sandbox listens; used with google.provider = google-sandbox.");

    public static readonly Key ProviderTimeout = Duration("provider.timeout", 10, 1, 30, "s",
        "Longest one call to a provider may take; then it is cancelled and its outcome read back.", "CALENDAR_OPERATION_TIMEOUT")
        .ChangedLiveWith("calsync switches set provider-timeout");

    public static readonly Key ProviderRetriesMax = Count("provider.retries_max", 3, 0, 10, "retries",
        "Retries of one call that may be repeated, after its first attempt.", "MaxRetries", "MAX_RETRIES");

    public static readonly Key ProviderRetryBase = Duration("provider.retry_base", 500, 10, 60_000, "ms",
        "Shortest pause before a retry; the pauses grow from it, with jitter.", "BASE_DELAY_MS");

    public static readonly Key ProviderRetryMax = Duration("provider.retry_max", 30_000, 100, 600_000, "ms",
        "Longest pause before a retry, unless the provider asks for more.", "MAX_DELAY_MS");

    public static readonly Key ProviderRetryBudget = Count("provider.retry_budget", 10, 1, 50, "percent",
        "Share of all calls that may be retries; beyond it work waits instead.");

    public static readonly Key QuotaUser = Count("quota.user_per_minute", 480, 1, 60_000, "calls a minute",
        "Most calls for one account in any minute; Google published 600 in 2026.");

    public static readonly Key QuotaProject = Count("quota.project_per_minute", 8_000, 1, 1_000_000,
        "calls a minute", "Most calls of this installation in any minute; Google published 10,000 in 2026.");

    public static readonly Key BreakerFailures = Count("breaker.connection_failures", 3, 1, 20, "failures",
        "Failures in a row that open the breaker of one connection.");

    public static readonly Key BreakerPause = Duration("breaker.pause", 300, 1, 3_600, "s",
        "How long an open breaker waits before it lets one call through.");

    public static readonly Key TokenValidityMin = Duration("token.operation_min_validity", 10, 1, 50, "m",
        "Validity a token must have left before a provider call starts.");

    public static readonly Key TokenProactive = Duration("token.proactive_threshold", 10, 1, 50, "m",
        "Validity left at which a token is refreshed ahead of need.");

    public static readonly Key TokenInterval = Duration("token.refresh_interval", 5, 1, 30, "m",
        "How often tokens are looked at.");

    public static readonly Key TokenMargin = Duration("token.margin", 5, 1, 30, "m",
        "Validity no token falls below while the worker runs.");

    public static readonly Key TokenSkew = Duration("token.clock_skew", 20, 0, 300, "s",
        "Difference between the provider's clock and ours that is allowed for.");

    public static readonly Key IdempotencyRetention = Duration("idempotency.retention", 24, 1, 720, "h",
        "How long an answer is kept for a repeated Idempotency-Key.");

    public static readonly Key IdempotencyRequired = Flag("idempotency.required", false,
        "Refuse a change that comes without an Idempotency-Key.");

    public static readonly Key DuplicateWindow = Duration("duplicates.window", 5, 1, 1_440, "m",
        "How long a class like one just made is answered with a warning.", "EVENT_DEDUPLICATION_WINDOW_MINUTES")
        .Otherwise("0 disables duplicate prevention; use the explicit switch: calsync switches set idempotency off");

    public static readonly Key CalendarCacheTtl = Duration("cache.calendar_ttl", 300, 1, 600, "s",
        "How long the choice of calendar of a connection is remembered.", "CALENDAR_RESOLUTION_CACHE_TTL", "CACHE_TTL");

    public static readonly Key EnrolmentMode =
        Choice("enrolment.mode", "wait", ["strict", "wait", "deferred"],
        "What an enrolment does while the calendar is not verified: give up, hold the seat, or go on without.")
        .ChangedLiveWith("calsync switches set enrollment-calendar");

    public static readonly Key EnrolmentWait = Duration("enrolment.wait", 8, 0, 9, "s",
        "How long a request waits for the calendar before it answers 202.");

    public static readonly Key EnrolmentDeadline = Duration("enrolment.deadline", 15, 1, 1_440, "m",
        "How long a seat is held for the calendar before it is given back.");

    public static readonly Key RequestBudget = Duration("server.request_budget", 10, 1, 10, "s",
        "Longest a request may take in all.");

    /// <summary>Every key, sorted by section as the manual prints it.</summary>
    public static ImmutableArray<Key> All { get; } =
    [
        Profile, DataDirectory, DatabaseUrl, DatabasePoolMax, ServerUrls, ServerPublicUrl, RequestBudget,
            SecretsKey,
        TestingClock, Provider, GoogleClientId, GoogleClientSecret, SandboxUrl, ProviderTimeout,
            ProviderRetriesMax,
        ProviderRetryBase, ProviderRetryMax, ProviderRetryBudget, QuotaUser, QuotaProject, BreakerFailures,
        BreakerPause, TokenValidityMin, TokenProactive, TokenInterval, TokenMargin, TokenSkew,
            IdempotencyRetention,
        IdempotencyRequired, DuplicateWindow, CalendarCacheTtl, EnrolmentMode, EnrolmentWait,
            EnrolmentDeadline,
    ];

    /// <summary>The OAuth client every sandbox accepts; no secret, and refused in production.</summary>
    public const string SandboxClientId = "calsync-sandbox";

    /// <summary>The secret of <see cref="SandboxClientId"/>; no secret, and refused in production.</summary>
    public const string SandboxClientSecret = "calsync-sandbox-secret";

    private static Key Text(
        string name, string? @default, string example, string meaning, bool secret = false) =>
        new(name, KeyType.Text, @default, example, meaning) { Secret = secret };

    private static Key Address(string name, string? @default, string example, string meaning) =>
        new(name, KeyType.Address, @default, example, meaning);

    private static Key Flag(string name, bool @default, string meaning) =>
        new(name, KeyType.Flag, @default ? "true" : "false", @default ? "false" : "true", meaning);

    private static Key Choice(string name, string @default, ImmutableArray<string> choices, string meaning) =>
        new(name, KeyType.Choice, @default, @default, meaning) { Choices = choices };

    private static Key Count(
        string name, long @default, long min, long max, string unit, string meaning, params string[] aliases) =>
        Number(KeyType.Count, name, @default, min, max, unit, $"{@default}", meaning, aliases);

    private static Key Duration(
        string name, long @default, long min, long max, string unit, string meaning, params string[] aliases) =>
        Number(KeyType.Duration, name, @default, min, max, unit, $"{@default}{unit}", meaning, aliases);

    private static Key Number(
        KeyType type, string name, long @default, long min, long max, string unit, string example, string meaning,
        string[] aliases) =>
        new(name, type, $"{@default}", example, meaning)
        {
            Min = min,
            Max = max,
            Unit = unit,
            Aliases = [.. aliases],
        };
}
