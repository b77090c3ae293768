using CalSync.Lab;
using CalSync.Remotes.CalDav;
using CalSync.Remotes.Dav;
using CalSync.Remotes.Pipeline;
using CalSync.Sync.Pairs;
using CalSync.Sync.Providers;

namespace CalSync.Tests.Remotes.CalDav;

/// <summary>The real CalDAV client against a scripted server, on a clock that stands still.</summary>
internal sealed class CalDavRig : IAsyncDisposable
{
    public const string Path = "/dav/cal/";

    private readonly CalDavRemotes _remotes;

    private CalDavRig(Func<ScriptedRequest, ScriptedAnswer> script, DavOptions options)
    {
        Server = new ScriptedServer(script);
        var retry = new RetryOptions();
        _remotes = new(
            options, new PipelineOptions(), new MemoryBreakerLedger(), new RetryPolicy(retry, new Random(7)),
            new RetryBudget(retry), new Random(11), Clock);
        Account = _remotes.Account("con_1", new("ann", "the-password"));
    }

    public ScriptedServer Server { get; }

    public ManualTimeProvider Clock { get; } = new();

    public CalDavAccount Account { get; }

    public IRemoteCalendar Calendar => field ??= Account.Calendar(new Uri(Server.Address + Path));

    /// <summary>What was asked, in order: see <see cref="DavXml.Kind"/>.</summary>
    public IEnumerable<string> Asked => Server.Requests.Select(DavXml.Kind);

    public static CalDavRig Start(
        Func<ScriptedRequest, ScriptedAnswer> script, DavOptions? options = null) =>
        new(script, options ?? new DavOptions { ReadAttempts = 1 });

    public async Task<ChangeRead> ReadAsync(
        SyncCursor? since = null, params (string Name, string Version)[] known) =>
        await Calendar.ReadChangesAsync(
            since,
            known.ToDictionary(one => new ResourceAddress(Path + one.Name), one => one.Version),
            CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        _remotes.Dispose();
        await Server.DisposeAsync();
    }
}
