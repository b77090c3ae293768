using System.Diagnostics.CodeAnalysis;
using CalSync.App.Api;
using CalSync.App.Api.Authentication.Jwt;
using CalSync.App.Api.Streaming;
using CalSync.App.Metrics;
using CalSync.App.Workers;
using CalSync.Storage;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace CalSync.App;

/// <summary>A running process of the product: API, workers, or both. For <c>serve</c>, <c>worker</c>, tests
/// and demo.</summary>
internal sealed class CalSyncHost : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Database _database;
    private readonly bool _listens;

    private CalSyncHost(WebApplication app, Database database, bool listens) =>
        (_app, _database, _listens) = (app, database, listens);

    /// <summary>What it is made of.</summary>
    public IServiceProvider Services => _app.Services;

    /// <summary>The first address it listens on; only after <see cref="StartAsync"/>, and only with an
    /// API.</summary>
    /// <exception cref="InvalidOperationException">There is no API in this process, or it has not been
    /// started.</exception>
    public Uri Address =>
        new(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?
        .Addresses.FirstOrDefault()
        ?? throw new InvalidOperationException("Nothing listens in this process."));

    /// <summary>Opens the database, brings it up to date and puts everything together. Nothing listens or
    /// works yet.</summary>
    /// <param name="options">Valid options.</param>
    /// <param name="clock">Now, and every wait.</param>
    /// <param name="random">Jitter and ids; seeded in rehearsals.</param>
    /// <param name="log">Adds where log lines go; null for nowhere.</param>
    /// <param name="cancellation">A cancelled call may have upgraded the database.</param>
    /// <exception cref="MigrationMismatchException">The schema is not this program's and was not to be
    /// upgraded.</exception>
    [SuppressMessage("Reliability", "CA2000", Justification = "The host owns and closes it.")]
    public static async Task<CalSyncHost> BuildAsync(
        HostOptions options, TimeProvider clock, Random random, Action<ILoggingBuilder>? log,
        CancellationToken cancellation)
    {
        var builder = ApiServer.Prepare(options.Urls, options.Api);
        builder.Services.AddLogging(logging =>
        {
            log?.Invoke(logging);
            // Whatever is asked for: the framework's line of a request has its query, and so consent's code.
            logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.Warning);
        });
        var database = Database.Open(options.Database);
        try
        {
            if (options.Upgrades)
                await new Migrator(database, clock).UpgradeAsync(cancellation);
            Composition.Add(builder.Services, database, options, clock, random);
            return new CalSyncHost(Build(builder), database, options.Urls.Count > 0);
        }
        catch
        {
            await database.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts listening and working; returns when requests are served.</summary>
    /// <param name="cancellation">Cancelling stops the start.</param>
    public async Task StartAsync(CancellationToken cancellation)
    {
        if (_listens)
            await _app.StartAsync(cancellation);
        else
            await Task.WhenAll(Alone.Select(service => service.StartAsync(cancellation)));
        if (Watch is { } watch)
            await watch.StartAsync(cancellation);
    }

    /// <summary>Lets requests and mirror passes under way finish, then stops.</summary>
    /// <param name="cancellation">Cancelling cuts them off; leases and keys make that harmless.</param>
    public async Task StopAsync(CancellationToken cancellation)
    {
        if (Watch is { } watch)
            await watch.StopAsync(cancellation);
        if (_listens)
            await _app.StopAsync(cancellation);
        else
            await Task.WhenAll(Alone.Select(service => service.StopAsync(cancellation)));
    }

    // Without addresses there is no web server, only the workers and whoever tells how they fare.
    private IEnumerable<IHostedService> Alone =>
        [_app.Services.GetRequiredService<WorkerHost>(), .. _app.Services.GetServices<MetricsPush>()];

    // Options that were not read from anywhere do not change.
    private ConfigurationWatch? Watch => _app.Services.GetService<ConfigurationWatch>();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        await _database.DisposeAsync();
    }

    private static WebApplication Build(WebApplicationBuilder builder)
    {
        var app = builder.Build();
        ApiServer.Map(app, resources =>
        {
            resources.MapClasses();
            resources.MapSlots();
            resources.MapEnrolments();
            resources.MapOperations();
            resources.MapProposals();
            resources.MapHistory();
            resources.MapConnections();
            resources.MapOAuth();
            resources.MapCalendarSync();
            resources.MapMe();
            resources.MapProfiles();
            resources.MapKeySet();
            resources.MapSignIn();
            resources.MapGoogleSignIn();
            resources.MapStream();
            resources.MapAdmin();
            resources.MapHealth();
            resources.MapMetrics();
        });
        // What is counted before anybody asks counts too.
        app.Services.GetRequiredService<MetricsBoard>();
        return app;
    }
}
