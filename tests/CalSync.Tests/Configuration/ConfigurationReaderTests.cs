using System.Collections.Immutable;
using System.Reflection;
using CalSync.App.Configuration;
using CalSync.Remotes.Pipeline;
using CalSync.Sandbox;
using CalSync.Storage;
using CalSync.Sync;
using CalSync.Sync.Connections;
using Xunit;

namespace CalSync.Tests.Configuration;

/// <summary>Sources and their order, ranges, rules between keys, and that every mistake is named at
/// once.</summary>
public sealed class ConfigurationReaderTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("calsync-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Read_WithNothingSet_GivesTheDefaults()
    {
        var settings = Valid();
        Assert.Equal(TimeSpan.FromSeconds(10), settings.Duration(Keys.ProviderTimeout));
        Assert.Equal("3", settings.Text(Keys.RetryCountMax));
        Assert.False(settings.Flag(Keys.IdempotencyRequired));
        Assert.Equal("/home/ada/.local/share/calsync", Valid(("HOME", "/home/ada")).DataDirectory);
        Assert.Equal("/data/calsync", Valid(("HOME", "/home/ada"), ("XDG_DATA_HOME", "/data")).DataDirectory);
    }

    [Fact]
    public void Read_WithAllSources_LetsTheLaterOneWin()
    {
        WriteFile("""{ "provider": { "timeout": "11s", "connections": 7 }, "retry": { "count_max": 1 } }""");
        var settings = Valid(
            commandLine: [("provider.timeout", "13s")],
            environment: [("CALSYNC__PROVIDER__TIMEOUT", "12"), ("MaxRetries", "2")]);
        Assert.Equal(TimeSpan.FromSeconds(13), settings.Duration(Keys.ProviderTimeout));
        Assert.Equal("2", settings.Text(Keys.RetryCountMax));
        Assert.Equal(7, settings.Options<PipelineOptions>().ConnectionCountMax);
    }

    /// <summary>R-CAL-23-P: all problems at once, each with key, redacted value, allowed range and
    /// example.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-23-P")]
    [Trait("Requirement", "R-QW-3")]
    public void Read_WithSeveralMistakes_NamesThemAllWithRangeAndExample()
    {
        WriteFile("""{ "provider": { "timeot": 5 }, "secrets": { "key": "hunter2" } }""");
        var errors = Invalid(
            [("breaker.connection_pause", "soon")], [("MaxRetries", "many"), ("CALSYNC__QUOTA__USER", "1")]);
        Assert.Equal(
            ["CALSYNC__QUOTA__USER", "breaker.connection_pause", "provider.timeot", "retry.count_max",
                "secrets.key"],
            errors.Select(error => error.Key).Order(StringComparer.Ordinal));
        var pause = errors.Single(error => error.Key == "breaker.connection_pause");
        Assert.Equal(
            ("soon", "is not a duration", "1 to 3600 s", "300s"),
            (pause.Value, pause.Problem, pause.Allowed, pause.Example));
        var secret = errors.Single(error => error.Key == "secrets.key");
        Assert.Equal("set(len=7, sha256:f52f…)", secret.Value);
        Assert.DoesNotContain(
            errors, error => error.ToString().Contains("hunter2", StringComparison.Ordinal));
        Assert.Contains(
            "did you mean provider.timeout?", errors.Single(error => error.Key == "provider.timeot").Allowed,
            StringComparison.Ordinal);
    }

    /// <summary>R-CAL-23-A: a window of 0 is refused, and the explicit switch named.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-23-A")]
    [Trait("Requirement", "R-CAL-08-P")]
    public void Read_WithDuplicateWindowZero_NamesTheSwitchInstead()
    {
        var error = Assert.Single(Invalid([], [("EVENT_DEDUPLICATION_WINDOW_MINUTES", "0")]));
        Assert.Contains(
            "0 disables duplicate prevention; use the explicit switch", error.ToString(),
                StringComparison.Ordinal);
        Assert.Equal(TimeSpan.FromMinutes(7),
            Valid(environment: ("EVENT_DEDUPLICATION_WINDOW_MINUTES", "7")).Duration(Keys.DuplicateWindow));
    }

    /// <summary>R-CAL-23-B: the bounds, and the last value inside them.</summary>
    [Theory]
    [Trait("Requirement", "R-CAL-23-B")]
    [InlineData("MaxRetries", "10", "11")]
    [InlineData("MaxRetries", "0", "-1")]
    [InlineData("CALSYNC__TOKEN__MARGIN", "10", "9")]
    [InlineData("CALSYNC__PROVIDER__TIMEOUT", "30s", "30001ms")]
    [InlineData("CALSYNC__PROVIDER__TIMEOUT", "1000", "999")]
    public void Read_AtTheBound_AcceptsTheLastValueAndRefusesTheNext(
        string variable, string last, string next)
    {
        Valid(environment: (variable, last));
        Assert.Single(Invalid([], [(variable, next)]));
    }

    /// <summary>C-01: a token that is just above the threshold at one tick must still be fresh at the
    /// next.</summary>
    [Fact]
    [Trait("Requirement", "R-OAUTH-5")]
    public void Read_WithThresholdBelowIntervalAndMargin_IsRefused()
    {
        var error = Assert.Single(Invalid([("token.proactive_threshold", "14m")], []));
        Assert.Equal(("token.proactive_threshold", "at least 15 min"), (error.Key, error.Allowed));
        Valid(commandLine: [("token.proactive_threshold", "14m"), ("token.refresh_interval", "4m")]);
        error = Assert.Single(Invalid([("token.margin", "11m")], []));
        Assert.Equal(("token.proactive_threshold", "at least 16 min"), (error.Key, error.Allowed));
    }

    /// <summary>Sign-in through Google is set up whole or not at all.</summary>
    [Fact]
    [Trait("Requirement", "R-OAUTH-17")]
    public void Read_WithHalfASignInThroughGoogle_NamesWhatIsMissing()
    {
        (string, string)[] all =
        [
            ("sign_in.google_client_id", "id"), ("sign_in.google_client_secret", "secret"),
            ("sign_in.google_return_url", "https://calsync.example.com/signed-in"),
        ];
        Valid(commandLine: all);
        Assert.Equal(
            ["sign_in.google_client_secret", "sign_in.google_return_url"],
            Invalid(all[..1], []).Select(error => error.Key).Order(StringComparer.Ordinal));
        Assert.Contains(
            Invalid([.. all, ("profile", "production"), ("sign_in.google_issuer", "http://a.test")], []),
            error => error.Key == "sign_in.google_issuer");
    }

    /// <summary>A shared secret is neither short nor accepted for ever.</summary>
    [Fact]
    [Trait("Requirement", "R-JWT-5")]
    public void Read_WithLegacyTokensOn_NeedsALongSecretAndASunset()
    {
        const string secret = "0123456789abcdef0123456789abcdef";
        (string, string)[] all =
        [
            ("auth.legacy", "on"), ("auth.legacy_secret", secret), ("auth.legacy_sunset", "2027-06-30"),
        ];
        Valid(commandLine: all);
        Assert.Equal(
            ["auth.legacy_secret", "auth.legacy_sunset"],
            Invalid(all[..1], []).Select(error => error.Key).Order(StringComparer.Ordinal));
        var error = Assert.Single(Invalid([all[0], ("auth.legacy_secret", secret[1..]), all[2]], []));
        Assert.Equal("is shorter than 32 bytes", error.Problem);
        Assert.DoesNotContain(secret[1..], error.ToString(), StringComparison.Ordinal);
        error = Assert.Single(Invalid([.. all[..2], ("auth.legacy_sunset", "30.06.2027")], []));
        Assert.Equal("is not a day", error.Problem);
    }

    /// <summary>The settings of tokens reach whoever follows them, in their unit.</summary>
    [Fact]
    public void Options_OfTokens_FollowTheirKeys()
    {
        var options = Valid(commandLine:
        [
            ("token.margin", "20"), ("token.proactive_threshold", "30min"), ("token.refresh_interval", "2"),
            ("token.refresh_concurrency", "3"),
        ]).Options<ConnectionOptions>();
        Assert.Equal(
            (TimeSpan.FromMinutes(20), TimeSpan.FromMinutes(30), TimeSpan.FromMinutes(2), 3),
            (options.ValidityMin, options.ProactiveThreshold, options.RefreshInterval,
                options.RefreshConcurrency));
    }

    /// <summary>
    /// R-CAL-23-C: no choice of calendar is remembered beside its row, so there is no age to set, and a
    /// setting that asks for one is refused instead of being ignored.
    /// </summary>
    [Fact]
    [Trait("Requirement", "R-CAL-23-C")]
    public void Read_WithACalendarCache_IsRefused() =>
        Assert.Equal("is not a key", Assert.Single(Invalid([("cache.calendar_ttl", "1h")], [])).Problem);

    /// <summary>R-CAL-23-E: production refuses everything that is only for practice, and accepts what is
    /// real.</summary>
    [Theory]
    [Trait("Requirement", "R-CAL-23-E")]
    [Trait("Requirement", "R-CAL-20-A")]
    [Trait("Requirement", "R-DB-7")]
    [InlineData("testing.clock_offset", "1h")]
    [InlineData("google.provider", "google-sandbox")]
    [InlineData("google.client_secret", SandboxOptions.DefaultClientSecret)]
    [InlineData("secrets.key", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")]
    [InlineData("database.url", "postgres://u:p@db.example.com/calsync")]
    [InlineData("database.url", "postgres://u:p@db.example.com/calsync?sslmode=prefer")]
    [InlineData("database.url", "postgresql+asyncpg://u:p@db.example.com/calsync?ssl=false")]
    [InlineData("database.url", "postgres://u:p@127.0.0.1,db.example.com/calsync?sslmode=allow")]
    public void Read_InProduction_RefusesWhatIsForPractice(string key, string value)
    {
        (string, string)[] real =
        [
            ("profile", "production"), ("google.provider", "google"),
                ("google.client_id", "1.apps.example.com"),
            ("google.client_secret", "a real one"),
                ("database.url", "postgres://u:p@db/c?sslmode=verify-full"),
            ("secrets.key", "q83vEjRWeJCrze8SNFZ4kBEiM0RVZneImaq7zN3u/wA="),
        ];
        Valid(commandLine: real);
        var error = Assert.Single(Invalid([.. real.Where(pair => pair.Item1 != key), (key, value)], []));
        Assert.Equal(key, error.Key);
        Assert.DoesNotContain("u:p@", error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[1]", "is not a JSON object")]
    [InlineData("{ \"provider\": ", "is not JSON")]
    public void Read_WithBrokenFile_SaysSo(string text, string problem)
    {
        WriteFile(text);
        Assert.Equal(problem, Assert.Single(Invalid([], [])).Problem);
    }

    /// <summary>Every limit a part of the product declares can be configured, inside the same
    /// bounds.</summary>
    [Fact]
    public void Keys_CoverEveryDeclaredLimit()
    {
        var limits =
            from assembly in (Assembly[])[typeof(IdSource).Assembly, typeof(PipelineOptions).Assembly,
                typeof(DatabaseOptions).Assembly, typeof(Keys).Assembly]
            from type in assembly.GetTypes()
            from property in type.GetProperties()
            where property.IsDefined(typeof(LimitAttribute)) && Keys.All.All(key => key.Target != property)
            select $"{type.Name}.{property.Name}";
        Assert.Equal([], limits);
    }

    [Fact]
    public void Options_WithValues_SetsThemAndTheRecordsInside()
    {
        var options = Valid(commandLine:
        [
            ("provider.timeout", "2s"), ("breaker.connection_pause", "2min"), ("retry.multiplier", "1.5"),
        ]).Options<PipelineOptions>();
        Assert.Equal(new PipelineOptions
        {
            AttemptTimeout = TimeSpan.FromSeconds(2),
            Breaker = new() { OpenFor = TimeSpan.FromMinutes(2) },
            Retry = new() { Multiplier = 1.5 },
        }, options);
    }

    [Fact]
    public void Keys_HaveUniqueNamesAndValidDefaultsAndExamples()
    {
        var names = Keys.All.SelectMany(key => key.Aliases.Append(key.Name)).ToList();
        Assert.Equal(names.Count, names.Distinct().Count());
        foreach (var key in Keys.All)
        {
            Assert.True(key.Default is null || SettingText.Problem(key, key.Default) is null, key.Name);
            if (key.Type != KeyType.SecretKey)
                Assert.Null(SettingText.Problem(key, key.Example));
        }
    }

    [Fact]
    public void DataDirectory_WithoutAHome_HasToBeNamed()
    {
        var error = Assert.Single(Invalid([], [("HOME", "")]));
        Assert.Equal("data.directory", error.Key);
        Assert.Contains("--data DIR", error.ToString(), StringComparison.Ordinal);
    }

    private void WriteFile(string text) => File.WriteAllText(Path.Combine(_directory, "calsync.json"), text);

    private ConfigurationOutcome Read((string, string)[] commandLine, (string, string)[] environment)
    {
        var variables = environment.ToImmutableDictionary(pair => pair.Item1, pair => pair.Item2);
        if (!variables.ContainsKey("HOME"))
            variables = variables.Add("CALSYNC__DATA__DIRECTORY", _directory);
        return ConfigurationReader.Read(new ConfigurationInput(
            null, commandLine.ToImmutableDictionary(pair => pair.Item1, pair => pair.Item2), variables));
    }

    private Settings Valid(params (string, string)[] environment) => Valid([], environment);

    private Settings Valid((string, string)[] commandLine, params (string, string)[] environment)
    {
        var outcome = Read(commandLine, environment);
        Assert.True(outcome is ConfigurationOutcome.Valid, string.Join('\n', Errors(outcome)));
        return ((ConfigurationOutcome.Valid)outcome).Settings;
    }

    private ImmutableArray<ConfigurationError> Invalid(
        (string, string)[] commandLine, (string, string)[] environment) =>
        Assert.IsType<ConfigurationOutcome.Invalid>(Read(commandLine, environment)).Errors;

    private static ImmutableArray<ConfigurationError> Errors(ConfigurationOutcome outcome) =>
        outcome is ConfigurationOutcome.Invalid invalid ? invalid.Errors : [];
}
