using System.Diagnostics.CodeAnalysis;
using CalSync.App.Configuration;
using CalSync.App.Pairs;
using CalSync.Classes;
using CalSync.Remotes.CalDav;
using CalSync.Storage.Identity;
using CalSync.Storage.Pairs;
using CalSync.Sync.Connections;
using CalSync.Sync.Mirroring;
using CalSync.Sync.Pairs;

namespace CalSync.App.Commands;

/// <summary>A connection and the person it belongs to.</summary>
/// <param name="Owner">The person.</param>
/// <param name="Connection">Without tokens.</param>
/// <param name="Health">How it stands, in words.</param>
internal sealed record OwnedConnection(User Owner, ConnectionListing Connection, ConnectionHealth Health);

/// <summary>The product put together as <c>serve</c> does, for verbs that talk to the provider; nothing
/// listens or works.</summary>
internal sealed class ProductParts : IAsyncDisposable
{
    private readonly ServiceProvider _services;

    private ProductParts(Settings settings, Workplace place, ServiceProvider services) =>
        (Settings, Place, _services) = (settings, place, services);

    /// <summary>The configuration in force.</summary>
    public Settings Settings { get; }

    /// <summary>The database.</summary>
    public Workplace Place { get; }

    /// <summary>Begins, finishes and ends connections.</summary>
    public ConnectionFlow Flow => _services.GetRequiredService<ConnectionFlow>();

    /// <summary>CalDAV servers.</summary>
    public CalDavRemotes Dav => _services.GetRequiredService<CalDavRemotes>();

    /// <summary>The pairs.</summary>
    public PairDirectory Pairs => _services.GetRequiredService<PairDirectory>();

    /// <summary>The ledger of pairs.</summary>
    public IPairStore Ledger => _services.GetRequiredService<IPairStore>();

    /// <summary>Opens the calendars of pairs.</summary>
    public PairCalendars Calendars => _services.GetRequiredService<PairCalendars>();

    /// <summary>Runs pairs.</summary>
    public PairRunner Runner => _services.GetRequiredService<PairRunner>();

    /// <summary>Renews tokens ahead of need.</summary>
    public TokenWorker Tokens => _services.GetRequiredService<TokenWorker>();

    /// <summary>Asks providers whether connections work.</summary>
    public ConnectionProbe Probe => _services.GetRequiredService<ConnectionProbe>();

    /// <summary>Moves events between calendars of one account.</summary>
    public CalendarMigration Migration => _services.GetRequiredService<CalendarMigration>();

    /// <summary>Which events there are to move.</summary>
    public IMigrationStore Migrations => _services.GetRequiredService<IMigrationStore>();

    /// <summary>The rows of the connections.</summary>
    public IConnectionStore Connections => _services.GetRequiredService<IConnectionStore>();

    /// <summary>Opens the database and puts the product together around it.</summary>
    /// <exception cref="CommandException">The schema is not this program's.</exception>
    [SuppressMessage("Reliability", "CA2000", Justification = "The parts own and close it.")]
    public static async Task<ProductParts> OpenAsync(Invocation call, CancellationToken cancellation)
    {
        var settings = call.Settings();
        var place = await Workplace.OpenAsync(settings, call.Around, cancellation);
        var options =
            HostConfiguration.Read(settings, listens: false, works: false) with { Upgrades = false };
        try
        {
            // The parts without the server around them: its routes alone take as long as a run without work.
            var services = new ServiceCollection().AddLogging();
            Composition.Add(services, place.Database, options, place.Clock, call.Around.Random);
            return new ProductParts(settings, place, services.BuildServiceProvider());
        }
        catch
        {
            await place.DisposeAsync();
            throw;
        }
    }

    /// <summary>Connections with their owners, oldest first.</summary>
    /// <param name="userId">Only this person's; null for everybody's.</param>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    public async Task<List<OwnedConnection>> ConnectionsAsync(string? userId, CancellationToken cancellation)
    {
        var found = new List<OwnedConnection>();
        var (options, now) = (Settings.Options<ConnectionOptions>(), Place.Clock.GetUtcNow());
        foreach (var owner in await Place.Identity.ListUsersAsync(null, cancellation))
        {
            // Students and operators cannot have any.
            if (owner.Role is not (Role.Admin or Role.Instructor)
                || (userId is not null && owner.Id != userId))
            {
                continue;
            }

            found.AddRange((await Connections.ListAsync(owner.Id, cancellation))
                .Select(connection => new OwnedConnection(
                    owner, connection, ConnectionHealth.Of(connection, options, now))));
        }

        return found;
    }

    /// <summary>Whether a connection has tokens that this process can renew.</summary>
    public bool HasTokens(OwnedConnection row) =>
        ProviderNames.IsGoogle(row.Connection.Provider)
        && _services.GetRequiredService<ProviderSet>().Has(row.Connection.Provider);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        await Place.DisposeAsync();
    }
}
