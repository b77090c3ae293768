using CalSync.Calendar.Comparison;
using CalSync.Calendar.Document;
using CalSync.Lab;
using CalSync.Lab.Simulation;
using CalSync.Sync;
using CalSync.Sync.Pairs;
using CalSync.Sync.Pairs.Execution;
using CalSync.Sync.Pairs.History;
using Xunit;

namespace CalSync.Tests.Sync.Pairs;

/// <summary>A pair of simulated calendars and its runs.</summary>
internal sealed class PairWorld
{
    public const string PairId = "par_1";

    private readonly Pair _pair;
    private readonly PairOptions _options;

    public PairWorld(
        ConflictPolicy policy = ConflictPolicy.Newest, SimulatedHabits? left = null,
        SimulatedHabits? right = null, PairOptions? options = null, MergeSide? busy = null,
        bool hasCanary = false)
    {
        _pair = new Pair(PairId, "ten_1", "home", "left", "right", policy)
        {
            Busy = busy,
            HasCanary = hasCanary,
        };
        Store = NewStore();
        Left = new SimulatedCalendar("google", left ?? new SimulatedHabits());
        Right = new SimulatedCalendar("icloud", right ?? new SimulatedHabits());
        _options = options ?? new PairOptions();
        Sync = NewSync();
    }

    public ManualTimeProvider Clock { get; } = new();

    public MemoryPairStore Store { get; private set; }

    public SimulatedCalendar Left { get; }

    public SimulatedCalendar Right { get; }

    public PairSync Sync { get; private set; }

    /// <summary>A moment a test goes back to.</summary>
    public DateTimeOffset Started { get; set; }

    public int WriteCount => Left.WriteCount + Right.WriteCount;

    public Task<RunReport> RunAsync(RunRequest? request = null)
    {
        Clock.Advance(TimeSpan.FromMinutes(3));
        return Sync.RunAsync(PairId, Left, Right, request ?? new RunRequest(), CancellationToken.None);
    }

    /// <summary>The ledger is lost: the pair is made anew, the calendars are as they are.</summary>
    public void LoseLedger()
    {
        Store = NewStore();
        Sync = NewSync();
    }

    private MemoryPairStore NewStore()
    {
        var store = new MemoryPairStore();
        store.AddAsync(_pair, Clock.GetUtcNow(), CancellationToken.None).GetAwaiter().GetResult();
        return store;
    }

    private PairSync NewSync() => new(Store, _options, Clock, new IdSource(Clock, new Random(1)));

    /// <summary>Takes back what a run wrote.</summary>
    public Task<RunReport> UndoAsync(string runId, bool isDryRun = false, string? planId = null) =>
        RunAsync(new RunRequest
        {
            TakeBack = new TakeBack.Run(runId),
            Command = $"calsync undo {runId}",
            IsDryRun = isDryRun,
            PlanId = planId,
        });

    /// <summary>Brings back what was there at a moment.</summary>
    public Task<RunReport> RestoreAsync(
        DateTimeOffset at, string? uid = null, MergeSide? side = null, string? planId = null) =>
        RunAsync(new RunRequest { TakeBack = new TakeBack.Since(at, uid, side), PlanId = planId });

    /// <summary>Runs the pair twice and requires that no provider is written to.</summary>
    public async Task QuietAsync(bool isFull = false)
    {
        var writes = WriteCount;
        for (var run = 0; run < 2; run++)
        {
            var report = await RunAsync(new RunRequest { IsFullRead = isFull });
            Assert.Equal((RunOutcome.Equal, 0), (report.Outcome, report.Written));
        }

        Assert.Equal(writes, WriteCount);
    }

    /// <summary>What the ledger has of an event.</summary>
    public EventMapping Mapping(string uid) => Store.Mappings.Single(each => each.Uid == uid);

    /// <summary>Another process runs the pair at this moment.</summary>
    public Task<RunReport> RivalAsync() =>
        Sync.RunAsync(PairId, Left, Right, new RunRequest(), CancellationToken.None);

    /// <summary>A person puts an event, given by its lines, on one side.</summary>
    public static void Put(SimulatedCalendar side, string uid, string lines) => side.Put(
        Address(side, uid), Event(uid, lines));

    /// <summary>A person replaces a text in an event.</summary>
    public static void Edit(SimulatedCalendar side, string uid, string from, string to) => side.Put(
        Address(side, uid), CalendarDocument.Parse(
            Text(side, uid).Replace(from, to, StringComparison.Ordinal)));

    public static void Delete(SimulatedCalendar side, string uid) => side.Put(Address(side, uid), null);

    public static string Text(SimulatedCalendar side, string uid) =>
        side.Events[Address(side, uid)].ToString();

    public static bool Has(SimulatedCalendar side, string uid) =>
        side.Events.ContainsKey(Address(side, uid));

    /// <summary>Puts so many events on the left and syncs them.</summary>
    public async Task FillAsync(int count)
    {
        for (var index = 0; index < count; index++)
            Put(Left, $"e{index}", $"SUMMARY:title {index}|");
        await RunAsync();
        await RunAsync();
    }

    public static CalendarDocument Event(string uid, string lines) => CalendarDocument.Parse(
        ("BEGIN:VCALENDAR|VERSION:2.0|BEGIN:VEVENT|" + $"UID:{uid}|"
            + (lines.Contains("DTSTART", StringComparison.Ordinal)
                ? ""
                : "DTSTART:20260302T090000Z|DTEND:20260302T100000Z|")
            + lines + "END:VEVENT|END:VCALENDAR|").Replace("|", "\r\n", StringComparison.Ordinal));

    private static string Address(SimulatedCalendar side, string uid) => $"/{side.Traits.Provider}/{uid}.ics";
}
