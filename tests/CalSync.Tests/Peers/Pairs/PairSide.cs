using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using CalSync.Lab;
using CalSync.Lab.Peers;
using CalSync.Remotes.CalDav;
using CalSync.Remotes.Dav;
using CalSync.Remotes.Pipeline;
using CalSync.Sandbox;
using CalSync.Sync.Pairs;
using CalSync.Sync.Providers;
using CalSync.Tests.Remotes.Pairs;
using Xunit;

namespace CalSync.Tests.Peers.Pairs;

/// <summary>One side of a pair under test: an empty calendar of its own, seen through a counter.</summary>
[SuppressMessage("Reliability", "CA2000", Justification = "What a side opens it ends, in reverse order.")]
[SuppressMessage("Performance", "CA1849", Justification = "The rig has both, for different things.")]
internal sealed class PairSide : IAsyncDisposable
{
    private const string Teacher = "teacher@example.test";
    private const string Password = "teac-aaaa-bbbb-cccc";

    private static readonly string[] Reads =
        ["GET", "PROPFIND", "REPORT", "OPTIONS", "events.list", "events.get", "events.instances"];

    private readonly Stack<Func<ValueTask>> _ends = new();
    private Func<Task<IReadOnlyList<string>>> _requests = () => throw new InvalidOperationException();
    private int _marked;

    private PairSide(string name) => Name = name;

    public string Name { get; }

    public IRemoteCalendar Calendar { get; private set; } = null!;

    /// <summary>Where the collection lies on a real server; null in the sandbox.</summary>
    public Uri? Address { get; private set; }

    private static CancellationToken None => CancellationToken.None;

    public static async Task<PairSide> GoogleAsync()
    {
        var side = new PairSide("google");
        var rig = new GoogleRig();
        await rig.InitializeAsync();
        side._ends.Push(async () =>
        {
            var mails = await rig.MailCountAsync();
            await rig.DisposeAsync();
            rig.Dispose();
            Assert.Equal(0, mails);
        });
        side.Calendar = await rig.NewCalendarAsync("Pair", "UTC");
        side._requests = async () => [.. (await rig.CallsAsync()).Select(call => call.Operation)];
        return side;
    }

    public static async Task<PairSide> ICloudAsync()
    {
        var side = new PairSide("icloud");
        var sandbox = await SandboxServer.StartAsync(
            new SandboxOptions(TimeProvider.System)
            {
                CalDavUsers = [new CalDavUser(Teacher, "Teacher", "own", [Password])],
            },
            None);
        side._ends.Push(sandbox.DisposeAsync);
        var account = side.Remotes().Account("con_icloud", new(Teacher, Password));
        var found = Assert.IsType<CalDavDiscovery.Found>(
            await account.DiscoverAsync(sandbox.CalDavAddress, None));
        side.Open(found.Calendars[0].Address, new(Teacher, Password));
        return side;
    }

    /// <summary>A new calendar on a real server, deleted afterwards: some take a UID once an
    /// account.</summary>
    public static async Task<PairSide> OnAsync(CalDavPeer peer)
    {
        var side = new PairSide(peer.Name);
        var path = await peer.NewCalendarAsync(None);
        side._ends.Push(async () => (await peer.Http.DeleteAsync(path, None)).Dispose());
        side.Address = new Uri(peer.Entry, path);
        side.Open(side.Address, new(CalDavPeer.UserName, CalDavPeer.UserPassword));
        return side;
    }

    /// <summary>Counts from here.</summary>
    public async Task MarkAsync() => _marked = (await _requests()).Count;

    /// <summary>What was asked since the mark.</summary>
    public async Task<ImmutableArray<string>> AskedAsync() => [.. (await _requests()).Skip(_marked)];

    /// <summary>What was asked since the mark to change something.</summary>
    public async Task<ImmutableArray<string>> WritesAsync() =>
    [
        .. (await AskedAsync()).Where(asked => !Reads.Contains(asked.Split(' ')[0])),
    ];

    /// <summary>Everything the calendar holds, by UID.</summary>
    public async Task<ImmutableDictionary<string, RemoteResource>> HoldsAsync()
    {
        var read = await Calendar.ReadChangesAsync(
            null, ImmutableDictionary<ResourceAddress, string>.Empty, None);
        var changes = Assert.IsType<ChangeRead.Done>(read).Changes;
        Assert.IsType<Certificate.Complete>(changes.Certificate);
        var held = ImmutableDictionary.CreateBuilder<string, RemoteResource>(StringComparer.Ordinal);
        foreach (var one in changes.Upserts)
        {
            Assert.True(one.Content is not null, $"{Name} {one.Address}: {one.Problem}");
            // A UID that comes twice is a copy.
            held.Add(PairContent.Uid(one.Content), one);
        }

        return held.ToImmutable();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var end in _ends)
            await end();
    }

    private void Open(Uri address, DavCredentials credentials)
    {
        var gate = new CountingGate(address);
        _ends.Push(gate.DisposeAsync);
        Calendar = Remotes().Account("con_" + Name, credentials).Calendar(gate.Through(address));
        _requests = () => Task.FromResult(gate.Requests);
    }

    private CalDavRemotes Remotes()
    {
        var retry = new RetryOptions();
        var remotes = new CalDavRemotes(
            new DavOptions { AttemptTimeout = TimeSpan.FromSeconds(60) }, new PipelineOptions(),
            new MemoryBreakerLedger(), new RetryPolicy(retry, new Random(1)), new RetryBudget(retry),
            new Random(2), TimeProvider.System);
        _ends.Push(() =>
        {
            remotes.Dispose();
            return ValueTask.CompletedTask;
        });
        return remotes;
    }
}
