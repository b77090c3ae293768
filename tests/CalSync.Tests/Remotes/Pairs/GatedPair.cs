using System.Text.Json.Nodes;
using CalSync.Calendar;
using CalSync.Calendar.Comparison;
using CalSync.Lab;
using CalSync.Lab.Simulation;
using CalSync.Remotes;
using CalSync.Remotes.CalDav;
using CalSync.Remotes.Dav;
using CalSync.Remotes.Google;
using CalSync.Remotes.Google.Pairs;
using CalSync.Remotes.OAuth;
using CalSync.Remotes.Pipeline;
using CalSync.Sandbox;
using CalSync.Sync;
using CalSync.Sync.Pairs;
using CalSync.Sync.Pairs.Execution;
using CalSync.Sync.Providers;
using CalSync.Tests.Sandbox;
using Xunit;

namespace CalSync.Tests.Remotes.Pairs;

/// <summary>
/// The practice Google on the left and the practice iCloud on the right, each behind a gate that can spoil
/// what passes, kept equal by whole runs over HTTP. Nothing is tried twice, and no breaker is in the way.
/// </summary>
public abstract class GatedPair : SandboxTest, IAsyncLifetime
{
    protected const string Apple = "maya@icloud.test";
    private const string PairId = "par_1";
    private static readonly RetryOptions Once = new() { BudgetPercent = 0, BudgetFloorPerMinute = 0 };

    private readonly ManualTimeProvider _now = new();
    private readonly MemoryPairStore _store = new();
    private GoogleRemotes _google = null!;
    private CalDavRemotes _caldav = null!;
    private IRemoteCalendar _left = null!;
    private IRemoteCalendar _right = null!;

    private protected SpoilingGate Left { get; private set; } = null!;

    private protected SpoilingGate Right { get; private set; } = null!;

    private protected MemoryPairStore Store => _store;

    /// <summary>Whether two events fill a page or batch, so that any listing has several.</summary>
    private protected virtual bool HasSmallPages => true;

    private CalDavControl Devices => new(Http);

    public new async Task InitializeAsync()
    {
        await base.InitializeAsync();
        var pipeline = new PipelineOptions
        {
            UserCallCountMax = 100_000,
            ProjectCallCountMax = 100_000,
            ProviderCallCountMin = 10_000,
            Breaker = new BreakerOptions { FailureCountMax = 100 },
            Retry = Once,
        };
        Left = new SpoilingGate(BaseAddress);
        _google = new GoogleRemotes(
            HasSmallPages
                ? GoogleOptions.At(Left.Address) with { SyncPageCountMax = 2, PageCountMax = 2 }
                : GoogleOptions.At(Left.Address),
            OAuthOptions.At(BaseAddress), pipeline, new MemoryBreakerLedger(),
            new RetryPolicy(Once, new Random(3)), new RetryBudget(Once), _now);
        _left = _google.Pair(
            new GoogleCalendarTarget(Maya, CalendarZone.Utc, false), new FixedTokens(await TokenAsync(Maya)));

        _caldav = new CalDavRemotes(
            HasSmallPages ? new DavOptions { BatchCountMax = 2 } : new DavOptions(), pipeline,
            new MemoryBreakerLedger(),
            new RetryPolicy(Once, new Random(1)), new RetryBudget(Once), new Random(2), _now);
        var account = _caldav.Account("con_icloud", new(Apple, "maya-aaaa-bbbb-cccc"));
        var found = Assert.IsType<CalDavDiscovery.Found>(
            await account.DiscoverAsync(CalDavAddress, None));
        var home = found.Calendars.Single(one => one.Address.AbsolutePath.EndsWith(
            "/home/", StringComparison.Ordinal)).Address;
        Right = new SpoilingGate(home);
        _right = account.Calendar(Right.Through(home));
        await _store.AddAsync(
            new Pair(PairId, "ten_1", "home", "left", "right", ConflictPolicy.Newest), _now.GetUtcNow(),
            None);
    }

    public new async Task DisposeAsync()
    {
        _google.Dispose();
        _caldav.Dispose();
        await Left.DisposeAsync();
        await Right.DisposeAsync();
        await base.DisposeAsync();
    }

    private protected SpoilingGate Gate(MergeSide side) => side == MergeSide.Left ? Left : Right;

    /// <summary>Runs once; no brake is in the way of what a broken read might lead to.</summary>
    private protected Task<RunReport> RunAsync(bool isFull = false)
    {
        _now.Advance(TimeSpan.FromMinutes(30));
        var sync = new PairSync(
            _store, new PairOptions { BrakeCountMin = 1000, FullReadEvery = TimeSpan.FromDays(30) }, _now,
            new IdSource(_now, new Random(_now.GetUtcNow().GetHashCode())));
        return sync.RunAsync(PairId, _left, _right, new RunRequest { IsFullRead = isFull }, None);
    }

    /// <summary>What waits, in words.</summary>
    private protected async Task<IEnumerable<string>> WaitingAsync() =>
        (await _store.WaitingAsync(PairId, None)).Select(item => item.Trouble.Why);

    /// <summary>A person makes an event on a side, or changes it.</summary>
    private protected async Task PutAsync(MergeSide side, string name, string title, string more = "")
    {
        if (side == MergeSide.Right)
        {
            await Devices.EditAsync(
                new CalDavHandEdit(Apple, "home", name + ".ics", "put") { Content = Text(name, title, more) },
                None);
            return;
        }

        var held = (await LeftAsync()).GetValueOrDefault(name);
        var body = new JsonObject { ["summary"] = title };
        if (held is null)
        {
            body["iCalUID"] = name;
            body["start"] = new JsonObject { ["dateTime"] = "2026-03-02T09:00:00Z" };
            body["end"] = new JsonObject { ["dateTime"] = "2026-03-02T10:00:00Z" };
        }

        var reply = await CallAsync(
            held is null ? "POST" : "PATCH", $"calendars/{Maya}/events{(held is null ? "" : "/" + held.Id)}",
            body);
        Assert.True(reply.Status == 200, reply.Text);
    }

    /// <summary>A person deletes an event.</summary>
    private protected async Task DeleteAsync(MergeSide side, string name)
    {
        if (side == MergeSide.Right)
        {
            var resource = (await RightAsync())[name].Name;
            await Devices.EditAsync(new CalDavHandEdit(Apple, "home", resource, "delete"), None);
            return;
        }

        var reply = await CallAsync("DELETE", $"calendars/{Maya}/events/{(await LeftAsync())[name].Id}");
        Assert.Equal(204, reply.Status);
    }

    /// <summary>What the practice Google holds, by UID.</summary>
    private protected async Task<Dictionary<string, TruthEvent>> LeftAsync() =>
        (await Control.GetTruthAsync(Maya, None)).Calendars.Single().Events
            .Where(each => each.Status != "cancelled").ToDictionary(each => each.ICalUid);

    /// <summary>What the practice iCloud holds, by UID.</summary>
    private protected async Task<Dictionary<string, CalDavTruthResource>> RightAsync() =>
        (await Devices.GetTruthAsync(None)).Calendars
            .Single(calendar => calendar is { User: Apple, Id: "home" }).Resources
            .ToDictionary(each => each.Content.ReplaceLineEndings("\n").Split("\nUID:")[1].Split('\n')[0]);

    /// <summary>Title by UID.</summary>
    private protected async Task<Dictionary<string, string>> TitlesAsync(MergeSide side) =>
        side == MergeSide.Left
            ? (await LeftAsync()).ToDictionary(each => each.Key, each => each.Value.Summary ?? "")
            : (await RightAsync()).ToDictionary(
                each => each.Key,
                each => each.Value.Content.ReplaceLineEndings("\n").Split("\nSUMMARY:")[1].Split('\n')[0]);

    private static string Text(string uid, string title, string more)
    {
        var time = more.Contains("DTSTART", StringComparison.Ordinal)
            ? ""
            : "DTSTART:20260302T090000Z|DTEND:20260302T100000Z|";
        return ("BEGIN:VCALENDAR|VERSION:2.0|PRODID:-//Test//EN|BEGIN:VEVENT|DTSTAMP:20260101T000000Z|"
            + $"UID:{uid}|{time}SUMMARY:{title}|{more}END:VEVENT|END:VCALENDAR|")
            .Replace("|", "\r\n", StringComparison.Ordinal);
    }
}
