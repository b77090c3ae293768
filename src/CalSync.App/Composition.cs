using CalSync.App.Api;
using CalSync.App.Api.Authentication;
using CalSync.App.Api.Authentication.Jwt;
using CalSync.App.Api.Streaming;
using CalSync.App.Health;
using CalSync.App.Metrics;
using CalSync.App.Configuration;
using CalSync.App.Pairs;
using CalSync.App.Workers;
using CalSync.Remotes;
using CalSync.Remotes.CalDav;
using CalSync.Storage;
using CalSync.Storage.Classes;
using CalSync.Storage.Connections;
using CalSync.Storage.Identity;
using CalSync.Storage.Journal;
using CalSync.Storage.Mirroring;
using CalSync.Storage.Pairs;
using CalSync.Storage.Running;
using CalSync.Storage.Secrets;
using CalSync.Sync;
using CalSync.Sync.Connections;
using CalSync.Sync.HandEdits;
using CalSync.Sync.Mirroring;
using CalSync.Sync.Pairs;
using CalSync.Sync.Pairs.Execution;
using CalSync.Sync.Providers;

namespace CalSync.App;

/// <summary>Puts the product together, once, for every process: what depends on what is written here and
/// nowhere else.</summary>
internal static class Composition
{
    /// <summary>Adds everything a process needs.</summary>
    /// <param name="services">Where to.</param>
    /// <param name="database">Open and up to date; whoever opened it closes it, after the services.</param>
    /// <param name="options">Valid options.</param>
    /// <param name="clock">Now, and every wait.</param>
    /// <param name="random">Jitter and ids.</param>
    public static void Add(
        IServiceCollection services, Database database, HostOptions options, TimeProvider clock,
        Random random)
    {
        services.AddSingleton(database);
        services.AddSingleton(clock);
        services.AddSingleton(new IdSource(clock, random));
        AddStores(services, options);
        AddProviders(services, options, random);
        AddSync(services, options, random);
        AddApi(services, options);
        services.AddSingleton<MirrorWorker>();
        services.AddSingleton<SettleWorker>();
        services.AddSingleton<TimeWorker>();
        services.AddSingleton<PruneWorker>();
        services.AddSingleton<WorkerHost>();
        services.AddSingleton(new Live<SwitchNormals>(new SwitchNormals(options.SwitchNormals)));
        services.AddSingleton<LiveOptions>();
        services.AddSingleton<SettingLog>();
        if (options.Source is { } source)
            services.AddSingleton(source).AddSingleton<ConfigurationWatch>();
        services.AddSingleton<HealthReads>();
        services.AddSingleton<HealthBoard>();
        services.AddSingleton<MetricsBoard>();
        if (options.Urls.Count > 0)
            services.AddHostedService<HealthWatch>();
        if (options.MetricsPush is { } push)
        {
            services.AddSingleton(push);
            services.AddSingleton(provider => ActivatorUtilities.CreateInstance<MetricsPush>(
                provider, new SocketsHttpHandler { AllowAutoRedirect = false }));
            services.AddHostedService(provider => provider.GetRequiredService<MetricsPush>());
        }
        if (options.RunsWorkers)
            services.AddHostedService(provider => provider.GetRequiredService<WorkerHost>());
    }

    private static void AddStores(IServiceCollection services, HostOptions options)
    {
        services.AddSingleton(
            new TokenCipher(KeyRing.Load(options.Database.DataDirectory, options.SecretsKey)));
        services.AddSingleton<Migrator>();
        services.AddSingleton<JournalReader>();
        services.AddSingleton<IdentityStore>();
        services.AddSingleton<ProfileStore>();
        services.AddSingleton<SessionStore>();
        services.AddSingleton<PasswordStore>();
        services.AddSingleton<GoogleAccountStore>();
        services.AddSingleton<SigningKeyStore>();
        services.AddSingleton(options.Idempotency);
        services.AddSingleton(provider => new SwitchStore(
            provider.GetRequiredService<Database>(), provider.GetRequiredService<TimeProvider>(),
            () => provider.GetRequiredService<Live<SwitchNormals>>().Value.Values));
        services.AddSingleton<WorkerStore>();
        services.AddSingleton<IBreakerLedger, BreakerLedger>();
        services.AddSingleton<BreakerDesk>();
        services.AddSingleton<IdempotencyStore>();
        services.AddSingleton<RequestKeyStore>();
        services.AddSingleton<ClassReads>();
        services.AddSingleton<OperationReads>();
        services.AddSingleton<ProposalReads>();
        services.AddSingleton<ChangeReads>();
        services.AddSingleton<NoticeDelivery>();
        services.AddSingleton(provider => new ClassCommands(
            provider.GetRequiredService<Database>(), provider.GetRequiredService<IdSource>().Next,
            options.Classes, options.Idempotency));
        services.AddSingleton<IConnectionStore, ConnectionStore>();
        services.AddSingleton<IMirrorStore, MirrorStore>();
        services.AddSingleton<SyncStandingStore>();
        services.AddSingleton<ICalendarReadingStore, CalendarReadingStore>();
        services.AddSingleton<IMigrationStore, MigrationStore>();
        services.AddSingleton(options.Pairs);
        services.AddSingleton<IPairStore, PairStore>();
        services.AddSingleton<PairDirectory>();
    }

    private static void AddProviders(IServiceCollection services, HostOptions options, Random random)
    {
        services.AddSingleton(new RetryBudget(options.Pipeline.Retry));
        services.AddSingleton(provider => new GoogleRemotes(
            options.Google, options.OAuth, options.Pipeline, provider.GetRequiredService<IBreakerLedger>(),
            new RetryPolicy(options.Pipeline.Retry, random), provider.GetRequiredService<RetryBudget>(),
            provider.GetRequiredService<TimeProvider>(), options.GoogleSignIn));
        services.AddSingleton(provider => new CalDavRemotes(
            options.Dav, options.Pipeline, provider.GetRequiredService<IBreakerLedger>(),
            new RetryPolicy(options.Pipeline.Retry, random), provider.GetRequiredService<RetryBudget>(),
            random, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider =>
        {
            var remotes = provider.GetRequiredService<GoogleRemotes>();
            return new ProviderSet(new Dictionary<string, ProviderPorts>(StringComparer.Ordinal)
            {
                [options.Api.Provider] = new(remotes.OAuth, remotes.Calendar),
            });
        });
    }

    private static void AddSync(IServiceCollection services, HostOptions options, Random random)
    {
        var instance = $"{Environment.MachineName}:{Environment.ProcessId}:{random.Next():x}";
        services.AddSingleton(options.Connections);
        services.AddSingleton(options.Mirrors);
        services.AddSingleton(options.Pipeline.Breaker);
        services.AddSingleton(new WorkerIdentity(instance, Environment.MachineName, Environment.ProcessId));
        services.AddSingleton<SyncMeter>();
        services.AddSingleton<MirrorSignal>();
        services.AddSingleton<OperationSignal>();
        services.AddSingleton<CalendarLanes>();
        services.AddSingleton<ConnectionFlow>();
        services.AddSingleton<ConnectionProbe>();
        services.AddSingleton<CalendarMigration>();
        services.AddSingleton(new RetryPolicy(options.Mirrors.Retry, random));
        services.AddSingleton(
            provider => ActivatorUtilities.CreateInstance<ConnectionTokens>(provider, instance));
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<TokenWorker>(provider, random));
        services.AddSingleton<MirrorPass>();
        services.AddSingleton<CalendarReader>();
        services.AddSingleton<CalendarReaderWorker>();
        services.AddSingleton<PairSync>();
        services.AddSingleton<PairCalendars>();
        services.AddSingleton<PairRunner>();
        services.AddSingleton(new Live<PairWorkerOptions>(options.PairWorker));
        services.AddSingleton(
            provider => ActivatorUtilities.CreateInstance<PairWorker>(provider, random));
    }

    private static void AddApi(IServiceCollection services, HostOptions options)
    {
        services.AddSingleton(options.Api.Jwt);
        services.AddSingleton<SigningKeys>();
        services.AddSingleton<JwtBearers>();
        services.AddSingleton<JwtIssuer>();
        services.AddSingleton(new Live<SignInOptions>(options.SignIn));
        services.AddSingleton<Passwords>();
        services.AddSingleton<GoogleSignIn>();
        services.AddSingleton<SwitchReader>();
        services.AddSingleton<OperationWait>();
        services.AddSingleton<CommandFlow>();
        services.AddSingleton<CalendarSync>();
        services.AddSingleton<JournalPulse>();
        services.AddSingleton<EventStreams>();
        services.AddSingleton<FindTokenHolder>(provider =>
        {
            var identities = provider.GetRequiredService<IdentityStore>();
            return async (token, cancellation) => await identities.AuthenticateAsync(token, cancellation)
                is Authentication.Known known
                    ? new Caller(
                        new Classes.Actor(known.User.TenantId, known.User.Id, known.User.Role),
                        known.TenantKind)
                    : null;
        });
    }
}
