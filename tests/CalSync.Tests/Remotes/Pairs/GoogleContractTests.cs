using CalSync.Calendar;
using CalSync.Lab;
using CalSync.Remotes;
using CalSync.Remotes.Google;
using CalSync.Remotes.Google.Pairs;
using CalSync.Remotes.OAuth;
using CalSync.Remotes.Pipeline;
using CalSync.Sandbox;
using CalSync.Sync.Connections;
using CalSync.Sync.Pairs;
using CalSync.Sync.Providers;
using CalSync.Tests.Contracts;
using CalSync.Tests.Sandbox;
using Xunit;

namespace CalSync.Tests.Remotes.Pairs;

/// <summary>What every remote calendar must do, done by Google's over HTTP against the sandbox.</summary>
public sealed class GoogleContractTests : RemoteCalendarContract, IAsyncLifetime, IDisposable
{
    private readonly GoogleRig _rig = new();
    private int _calendars;

    public Task InitializeAsync() => _rig.InitializeAsync();

    public Task DisposeAsync() => _rig.DisposeAsync();

    public void Dispose() => _rig.Dispose();

    protected override async Task<IRemoteCalendar> NewCalendarAsync() =>
        await _rig.NewCalendarAsync($"Calendar {++_calendars}");

    protected override async Task<int?> MailCountAsync() => await _rig.MailCountAsync();
}

/// <summary>The sandbox, the real client, and calendars of Maya's.</summary>
public sealed class GoogleRig : SandboxTest
{
    private readonly List<GoogleRemotes> _remotes = [];

    /// <summary>The calls the sandbox saw.</summary>
    public async Task<IReadOnlyList<SandboxCall>> CallsAsync() => await Control.GetCallsAsync(None);

    /// <summary>Forgets the calls seen so far.</summary>
    public new SandboxControl Control => base.Control;

    public new ManualTimeProvider Clock => base.Clock;

    public async Task<int> MailCountAsync() =>
        (await Control.GetMailsAsync(includeKeptBack: false, None)).Count(mail => mail.Mailed);

    /// <summary>A client for Maya's main calendar.</summary>
    public Task<IRemoteCalendar> MainCalendarAsync(GoogleOptions? options = null) =>
        OpenAsync(Maya, "America/New_York", options);

    /// <summary>A client for a new calendar of Maya's.</summary>
    public async Task<IRemoteCalendar> NewCalendarAsync(string name, string zone = "Europe/Berlin")
    {
        var made = await CallAsync("POST", "calendars", new System.Text.Json.Nodes.JsonObject
        {
            ["summary"] = name,
            ["timeZone"] = zone,
        });
        Assert.True(made.Status == 200, made.Text);
        return await OpenAsync(Text(made.Body!, "id"), zone);
    }

    public async Task<IRemoteCalendar> OpenAsync(
        string calendarId, string zone, GoogleOptions? options = null, string user = Maya,
        bool isReadOnly = false)
    {
        var pipeline = new PipelineOptions { UserCallCountMax = 100_000, ProjectCallCountMax = 100_000 };
        var remotes = new GoogleRemotes(
            (options ?? new GoogleOptions()) with { Endpoint = GoogleOptions.At(BaseAddress).Endpoint },
            OAuthOptions.At(BaseAddress), pipeline, new MemoryBreakerLedger(),
            new RetryPolicy(pipeline.Retry, new Random(3)), new RetryBudget(pipeline.Retry), Clock);
        _remotes.Add(remotes);
        var found = Assert.IsType<ZoneResolution.Found>(CalendarZone.Resolve(zone)).Zone;
        return remotes.Pair(
            new GoogleCalendarTarget(calendarId, found, isReadOnly), new FixedTokens(await TokenAsync(user)));
    }

    /// <summary>One call as another program makes it.</summary>
    public async Task<System.Text.Json.Nodes.JsonObject> ByHandAsync(
        string method, string path, System.Text.Json.Nodes.JsonNode? body = null, string user = Maya)
    {
        var reply = await CallAsync(method, path, body, user);
        Assert.True(reply.Status is >= 200 and <= 299, reply.Text);
        return reply.Body ?? [];
    }

    public new async Task DisposeAsync()
    {
        foreach (var remotes in _remotes)
            remotes.Dispose();
        await base.DisposeAsync();
    }
}

/// <summary>One token for good, or what a test says.</summary>
internal sealed class FixedTokens(params TokenOutcome[] outcomes) : IAccessTokens
{
    private int _next;

    public FixedTokens(string token)
        : this(new TokenOutcome.Fresh(token, DateTimeOffset.MaxValue))
    {
    }

    public string ConnectionId => "con_pair";

    public Task<TokenOutcome> GetAsync(CancellationToken cancellation) =>
        Task.FromResult(outcomes[_next]);

    public Task<TokenOutcome> ReplaceAsync(string rejected, CancellationToken cancellation) =>
        Task.FromResult(outcomes[_next = Math.Min(_next + 1, outcomes.Length - 1)]);
}
