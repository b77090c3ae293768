using CalSync.Lab;
using CalSync.Remotes.CalDav;
using CalSync.Remotes.Dav;
using CalSync.Remotes.Pipeline;
using CalSync.Sync.Pairs;
using CalSync.Sync.Providers;
using Xunit;

namespace CalSync.Tests.Contracts;

/// <summary>
/// What every remote calendar must do, over CalDAV: the real client, found its way from where a person would
/// begin, on a server that derives this.
/// </summary>
public abstract class CalDavCalendarContract : RemoteCalendarContract, IDisposable
{
    private readonly CalDavRemotes _remotes = new(
        new DavOptions(), new PipelineOptions(), new MemoryBreakerLedger(),
        new RetryPolicy(new RetryOptions(), new Random(1)), new RetryBudget(new RetryOptions()),
        new Random(2), TimeProvider.System);

    /// <summary>Where discovery begins.</summary>
    protected abstract Uri Entry { get; }

    /// <summary>Who signs in.</summary>
    protected abstract DavCredentials Credentials { get; }

    public void Dispose()
    {
        _remotes.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Makes an empty calendar past the client.</summary>
    /// <returns>The end of its path: <c>work/</c>.</returns>
    protected abstract Task<string> MakeCalendarAsync();

    protected override async Task<IRemoteCalendar> NewCalendarAsync()
    {
        var path = await MakeCalendarAsync();
        var account = _remotes.Account("con_1", Credentials);
        var discovery = await account.DiscoverAsync(Entry, Cancellation);
        var found = Assert.IsType<CalDavDiscovery.Found>(discovery);
        var calendar = Assert.Single(
            found.Calendars, one => one.Address.AbsolutePath.EndsWith(path, StringComparison.Ordinal));
        Assert.False(calendar.IsReadOnly);
        return account.Calendar(calendar.Address);
    }
}
