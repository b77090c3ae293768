using CalSync.App.Api;
using CalSync.Remotes.Google;
using CalSync.Remotes.OAuth;
using CalSync.Remotes.Pipeline;
using CalSync.Storage;
using CalSync.Sync.Connections;
using CalSync.Sync.Mirroring;

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
            Urls = listens ? settings.Text(Keys.ServerUrls)!.Split(';', StringSplitOptions.RemoveEmptyEntries) : [],
            RunsWorkers = works,
            Api = new ApiOptions
            {
                VerificationWait = settings.Duration(Keys.EnrolmentWait),
                IdempotencyKeyRequired = settings.Flag(Keys.IdempotencyRequired),
                IdempotencyRetention = settings.Duration(Keys.IdempotencyRetention),
                PublicAddress = settings.Address(Keys.ServerPublicUrl),
                Provider = settings.Text(Keys.Provider)!,
            },
            Google = settings.Options<GoogleOptions>(),
            OAuth = settings.Options<OAuthOptions>(),
            Pipeline = settings.Options<PipelineOptions>(),
            Connections = settings.Options<ConnectionOptions>(),
            Mirrors = settings.Options<MirrorOptions>() with
            {
                CalendarFallback = settings.Text(Keys.CalendarFallback) == "primary"
                    ? CalendarFallback.Primary
                    : CalendarFallback.Hold,
            },
        };
        return settings.Text(Keys.Provider) == "google-sandbox"
            ? options.At(settings.Address(Keys.SandboxUrl)!, options.OAuth.ClientId, options.OAuth.ClientSecret)
            : options;
    }
}
