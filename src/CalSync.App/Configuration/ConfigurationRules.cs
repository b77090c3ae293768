using System.Text;
using CalSync.App.Api;
using CalSync.Remotes.Pipeline;
using CalSync.Sandbox;
using CalSync.Storage;
using CalSync.Sync.Providers;

namespace CalSync.App.Configuration;

/// <summary>Rules between keys, and what the production profile refuses.</summary>
internal static class ConfigurationRules
{
    /// <summary>Gives every rule that does not hold.</summary>
    public static IEnumerable<ConfigurationError> Check(Settings settings) =>
        settings.IsProduction ? [.. Relations(settings), .. Production(settings)] : Relations(settings);

    private static IEnumerable<ConfigurationError> Relations(Settings settings)
    {
        // A token is looked at once an interval: one that is just above the threshold then loses a whole
        // interval.
        var floor = settings.Duration(Keys.TokenInterval) + settings.Duration(Keys.TokenMargin);
        var budget = settings.Duration(Keys.RequestBudget);
        var retry = settings.Options<RetryOptions>();
        var probe = settings.Options<BreakerOptions>().ProbeLease;
        var quota = settings.Options<PipelineOptions>().ProjectCallCountMax;
        var attempt = settings.Options<PipelineOptions>().AttemptTimeout;
        (bool Broken, Key Key, string Problem, string Allowed)[] rules =
        [
            (settings.Duration(Keys.TokenProactive) < floor, Keys.TokenProactive,
                "is less than token.refresh_interval + token.margin",
                    $"at least {floor.TotalMinutes:0.##} min"),
            (settings.Duration(Keys.EnrolmentWait) >= budget, Keys.EnrolmentWait,
                "leaves nothing of server.request_budget", $"less than {budget.TotalSeconds:0.##} s"),
            (retry.Cap < retry.Base, Keys.RetryCap,
                "is less than retry.base", $"at least {retry.Base.TotalSeconds:0.###} s"),
            (probe <= attempt, Keys.BreakerProbeLease,
                "lets two probes run at once", $"more than provider.timeout, {attempt.TotalSeconds:0.###} s"),
            (settings.Duration(Keys.TokenLease) <= settings.Duration(Keys.TokenTimeout), Keys.TokenLease,
                "lets two processes refresh one token at once",
                    $"more than token.timeout, {settings.Duration(Keys.TokenTimeout).TotalSeconds:0.##} s"),
            (settings.Text(Keys.QuotaUser) is { } user && SettingText.Number(user) > quota, Keys.QuotaUser,
                "is more than quota.project_calls", $"at most {quota}"),
            (settings.Text(Keys.Provider) == "google"
                && settings.Text(Keys.GoogleClientId) == SandboxOptions.DefaultClientId,
                Keys.GoogleClientId, "is the sandbox's and unknown to Google",
                    "the client id of your own project"),
            (!settings.Text(Keys.ServerUrls)!.Split(';').All(SettingText.IsWebAddress), Keys.ServerUrls,
                "is not a list of http or https addresses", "addresses separated by semicolons"),
            (settings.Text(Keys.TrustedProxies) is { } proxies && TrustedProxies.Read(proxies) is null,
                Keys.TrustedProxies, "is not a list of networks, or trusts everybody",
                    "addresses and networks separated by commas"),
            .. Legacy(settings),
            .. GoogleSignIn(settings),
        ];
        return Broken(settings, rules);
    }

    // Whoever guesses the secret is anybody, so it is neither short nor accepted for ever.
    private static (bool Broken, Key Key, string Problem, string Allowed)[] Legacy(Settings settings)
    {
        var (secret, sunset) = (settings.Text(Keys.AuthLegacySecret), settings.Text(Keys.AuthLegacySunset));
        var isOn = settings.Text(Keys.AuthLegacy) == "on";
        return
        [
            (isOn && secret is null, Keys.AuthLegacySecret, "is missing while auth.legacy is on",
                "the shared secret"),
            (secret is not null && Encoding.UTF8.GetByteCount(secret) < 32, Keys.AuthLegacySecret,
                "is shorter than 32 bytes", "at least 32 bytes"),
            (isOn && sunset is null, Keys.AuthLegacySunset, "is missing while auth.legacy is on",
                "a day such as 2027-06-30"),
            (sunset is not null && HostConfiguration.Day(sunset) is null, Keys.AuthLegacySunset,
                "is not a day", "a day such as 2027-06-30"),
        ];
    }

    private static IEnumerable<(bool Broken, Key Key, string Problem, string Allowed)> GoogleSignIn(
        Settings settings)
    {
        Key[] keys = [Keys.SignInClientId, Keys.SignInClientSecret, Keys.SignInReturnUrl];
        var some = keys.Any(key => settings.Text(key) is not null);
        return keys.Select(key => (
            some && settings.Text(key) is null, key, "is missing while others of sign_in.google are set",
            "all three, or none"));
    }

    private static IEnumerable<ConfigurationError> Production(Settings settings)
    {
        var key = settings.Text(Keys.SecretsKey);
        var url = settings.Text(Keys.DatabaseUrl);
        (bool Broken, Key Key, string Problem, string Allowed)[] rules =
        [
            (settings.Duration(Keys.TestingClock) != TimeSpan.Zero, Keys.TestingClock,
                "is a test clock in production", "0"),
            (settings.Text(Keys.Provider) == "google-sandbox", Keys.Provider,
                "is the sandbox in production", "google"),
            (settings.Text(
                Keys.GoogleClientSecret) == SandboxOptions.DefaultClientSecret, Keys.GoogleClientSecret,
                "is a secret everybody knows", "the secret of your own OAuth client"),
            (key?.Split(',').Any(one => Convert.FromBase64String(one.Trim()).Distinct().Count() < 8) == true,
                Keys.SecretsKey,
                "is a key anybody guesses", "32 random bytes in base64"),
            (settings.Address(Keys.SignInIssuer) is { Scheme: "http" }, Keys.SignInIssuer,
                "can be changed on its way", "an https address"),
            (url is not null && IsOpen(url), Keys.DatabaseUrl,
                "sends plaintext to another host",
                    "an address with sslmode=verify-full, verify-ca or require"),
        ];
        return Broken(settings, rules);
    }

    private static IEnumerable<ConfigurationError> Broken(
        Settings settings, IEnumerable<(bool Broken, Key Key, string Problem, string Allowed)> rules) =>
        from rule in rules
        where rule.Broken
        let setting = settings.All.Single(setting => setting.Key == rule.Key)
        select ConfigurationReader.Complaint(setting, rule.Problem) with { Allowed = rule.Allowed };

    // "prefer" and "allow" fall back to plaintext when the server, or somebody in between, says so.
    private static bool IsOpen(string url) =>
        DatabaseAddress.Read(url) is DatabaseAddressReading.Understood { Address.MayBePlaintext: true };
}
