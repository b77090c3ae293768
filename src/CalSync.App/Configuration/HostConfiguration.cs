using System.Collections.Immutable;
using System.Globalization;
using CalSync.App.Api;
using CalSync.App.Api.Authentication;
using CalSync.App.Api.Authentication.Jwt;
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
using CalSync.Sync.HandEdits;
using CalSync.Sync.Mirroring;
using CalSync.Sync.Pairs;

namespace CalSync.App.Configuration;

/// <summary>Turns the settings in force into what a process is made from.</summary>
internal static class HostConfiguration
{
    /// <summary>The options of a process.</summary>
    /// <param name="settings">Valid settings.</param>
    /// <param name="listens">False for a process without an API.</param>
    /// <param name="works">False for a process without workers.</param>
    public static HostOptions Read(Settings settings, bool listens, bool works)
    {
        var options = new HostOptions
        {
            Database = settings.Options<DatabaseOptions>(),
            SecretsKey = settings.Text(Keys.SecretsKey),
            Urls = listens
                ? settings.Text(Keys.ServerUrls)!.Split(';', StringSplitOptions.RemoveEmptyEntries)
                : [],
            RunsWorkers = works,
            Api = new ApiOptions
            {
                VerificationWait = settings.Duration(Keys.EnrolmentWait),
                RequestBudget = settings.Duration(Keys.RequestBudget),
                IdempotencyKeyRequired = settings.Flag(Keys.IdempotencyRequired),
                PublicAddress = settings.Address(Keys.ServerPublicUrl),
                TrustedProxies = settings.Text(Keys.TrustedProxies) is { } proxies
                    ? TrustedProxies.Read(proxies)!.Value
                    : [],
                Provider = settings.Text(Keys.Provider)!,
                Jwt = WebTokens(settings),
            },
            SignIn = settings.Options<SignInOptions>(),
            Classes = new ClassOptions
            {
                SeatDeadline = settings.Duration(Keys.EnrolmentDeadline),
                LookalikeWindow = settings.Duration(Keys.DuplicateWindow),
            },
            Idempotency = settings.Options<IdempotencyOptions>(),
            SwitchNormals = SwitchNormals(settings),
            Google = settings.Options<GoogleOptions>(),
            OAuth = settings.Options<OAuthOptions>(),
            GoogleSignIn = GoogleSignIn(settings),
            Pipeline = settings.Options<PipelineOptions>(),
            Connections = settings.Options<ConnectionOptions>(),
            Mirrors = settings.Options<MirrorOptions>() with
            {
                CalendarFallback = settings.Text(Keys.CalendarFallback) == "primary"
                    ? CalendarFallback.Primary
                    : CalendarFallback.Hold,
                OnDeleted = settings.Text(Keys.CalendarDeleted) switch
                {
                    "recreate" => DeletionPolicy.Recreate,
                    "cancel_slot" => DeletionPolicy.CancelSlot,
                    _ => DeletionPolicy.Ask,
                },
            },
            Dav = settings.Options<DavOptions>(),
            Pairs = settings.Options<PairOptions>(),
            PairWorker = settings.Options<PairWorkerOptions>(),
            MetricsPush = settings.Address(Keys.MetricsOtlpUrl) is { } receiver
                ? new MetricsPushOptions(receiver, settings.Duration(Keys.MetricsOtlpInterval))
                : null,
        };
        return settings.Text(Keys.Provider) == "google-sandbox"
            ? options.At(
                settings.Address(Keys.SandboxUrl)!, options.OAuth.ClientId, options.OAuth.ClientSecret)
            : options;
    }

    /// <summary>Where people sign in through Google; null where they do not.</summary>
    private static OpenIdOptions? GoogleSignIn(Settings settings)
    {
        if (settings.Text(Keys.SignInClientId) is not { } clientId)
            return null;
        var options = new OpenIdOptions
        {
            ClientId = clientId,
            ClientSecret = settings.Text(Keys.SignInClientSecret)!,
            ReturnUrl = settings.Address(Keys.SignInReturnUrl)!,
        };
        var issuer = settings.Text(Keys.SignInIssuer)
            ?? (settings.Text(Keys.Provider) == "google-sandbox" ? settings.Text(Keys.SandboxUrl) : null);
        return issuer is null ? options : options with { Issuer = issuer.TrimEnd('/') };
    }

    /// <summary>Which JSON web tokens are issued and accepted.</summary>
    public static JwtOptions WebTokens(Settings settings) => new()
    {
        Issuer = settings.Text(Keys.AuthIssuer)!,
        Audience = settings.Text(Keys.AuthAudience)!,
        LegacySecret = settings.Text(Keys.AuthLegacy) == "on" ? settings.Text(Keys.AuthLegacySecret) : null,
        LegacySunset = Day(settings.Text(Keys.AuthLegacySunset)) ?? DateTimeOffset.UnixEpoch,
    };

    /// <summary>The beginning of a day, UTC; null when the text is none.</summary>
    public static DateTimeOffset? Day(string? text) =>
        DateOnly.TryParseExact(
            text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day)
            ? new DateTimeOffset(day, TimeOnly.MinValue, TimeSpan.Zero)
            : null;

    /// <summary>The switches whose normal value is a setting.</summary>
    public static ImmutableDictionary<string, string> SwitchNormals(Settings settings) =>
        ImmutableDictionary.CreateRange(StringComparer.Ordinal,
        [
            KeyValuePair.Create("enrollment-calendar", settings.Text(Keys.EnrolmentMode)!),
            KeyValuePair.Create(
                "provider-timeout",
                settings.Duration(Keys.ProviderTimeout).TotalSeconds.ToString(
                    "0.###", CultureInfo.InvariantCulture)),
        ]);
}
