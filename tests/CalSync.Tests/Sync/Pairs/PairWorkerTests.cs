using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using CalSync.App;
using CalSync.App.Commands;
using CalSync.App.Demo;
using CalSync.App.Pairs;
using CalSync.App.Workers;
using CalSync.Lab.Secrecy;
using CalSync.Sandbox;
using CalSync.Storage;
using CalSync.Storage.Pairs;
using CalSync.Sync;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace CalSync.Tests.Sync.Pairs;

/// <summary>
/// Pairs run by themselves: when they are due, once at a time, later after a failure, and not while their
/// owner is needed.
/// </summary>
public sealed class PairWorkerTests : IAsyncLifetime
{
    private static readonly PairWorkerOptions Schedule = new() { JitterPercent = 0 };
    private readonly string _directory = Directory.CreateTempSubdirectory("calsync-").FullName;
    private readonly List<CalSyncHost> _hosts = [];
    private SyncWorld _world = null!;
    private CalSyncHost _host = null!;

    private static CancellationToken Cancellation => CancellationToken.None;

    private PairWorker Worker => _host.Services.GetRequiredService<PairWorker>();

    private PairDirectory Pairs => _host.Services.GetRequiredService<PairDirectory>();

    public async Task InitializeAsync()
    {
        var around = new Surroundings(
            TextWriter.Null, TextWriter.Null, false,
            System.Collections.Immutable.ImmutableDictionary<string, string>.Empty, TimeProvider.System,
            new UnguessableRandom());
        _world = await SyncWorld.StartAsync(around, _directory, null, Cancellation);
        string[][] setUp =
        [
            ["connect", "google", "--consent-as", SyncWorld.Google],
            ["connect", "icloud", "--sandbox", "--username", SyncWorld.ICloud, "--password-file",
                Path.Combine(_directory, "password")],
            ["pairs", "add", "home", $"{SyncWorld.Google}/{SyncWorld.Google}", $"{SyncWorld.ICloud}/home"],
        ];
        foreach (var words in setUp)
            Assert.Equal(0, (await _world.VerbAsync(Cancellation, words)).Code);
        _host = await OpenAsync();
    }

    public async Task DisposeAsync()
    {
        foreach (var host in _hosts)
            await host.DisposeAsync();
        await _world.DisposeAsync();
        Witness.SawDataDirectory(_directory);
        Directory.Delete(_directory, recursive: true);
    }

    /// <summary>A pair that was never run is due at once; after its run it is due when the interval is
    /// over, and paused not at all.</summary>
    [Fact]
    public async Task Turn_RunsWhatIsDue_AndSaysWhenItIsDueAgain()
    {
        var before = TimeProvider.System.GetUtcNow();
        await Worker.TurnAsync(Cancellation);
        var pair = await PairAsync();
        Assert.Equal(("Synced", 14, 0), (pair.LastOutcome, pair.Events, pair.Failures));
        Assert.InRange(
            pair.NextRunAt!.Value, before + Schedule.Interval,
            TimeProvider.System.GetUtcNow() + Schedule.Interval);
        await Worker.TurnAsync(Cancellation);
        Assert.Equal(pair, await PairAsync());

        await Pairs.ScheduleAsync(pair.Id, before, 0, Cancellation);
        await Pairs.SetEnabledAsync(pair, enabled: false, before, Cancellation);
        await Worker.TurnAsync(Cancellation);
        Assert.Equal(pair.LastRunId, (await PairAsync()).LastRunId);
        await Pairs.SetEnabledAsync(pair, enabled: true, before, Cancellation);
        await Worker.TurnAsync(Cancellation);
        Assert.Equal("Equal", (await PairAsync()).LastOutcome);
    }

    /// <summary>A run that fails is tried later and later, and one that works starts anew.</summary>
    [Fact]
    public async Task Turn_WhenASideFails_WaitsLongerEachTime()
    {
        await _world.GoogleHands.AddFaultAsync(
            new FaultScript("caldav.*", new FaultEffect { Status = 501 }), Cancellation);
        foreach (var times in (int[])[1, 2, 4])
        {
            var before = TimeProvider.System.GetUtcNow();
            await Worker.TurnAsync(Cancellation);
            var failed = await PairAsync();
            Assert.Equal("Failed", failed.LastOutcome);
            Assert.InRange(
                failed.NextRunAt!.Value, before + (Schedule.Interval * times),
                TimeProvider.System.GetUtcNow() + (Schedule.Interval * times));
            await Pairs.ScheduleAsync(failed.Id, before, failed.Failures, Cancellation);
        }

        await _world.GoogleHands.ClearFaultsAsync(Cancellation);
        await Worker.TurnAsync(Cancellation);
        var well = await PairAsync();
        Assert.Equal(("Synced", 0), (well.LastOutcome, well.Failures));
    }

    /// <summary>While an account needs its owner, nothing is asked of either side; connected again, the pair
    /// runs by itself.</summary>
    [Fact]
    public async Task Turn_WhenAnAccountNeedsItsOwner_WaitsForThem()
    {
        await _world.ICloudHands.RevokeAsync(SyncWorld.ICloud, Cancellation);
        await Worker.TurnAsync(Cancellation);
        var parked = await PairAsync();
        Assert.Equal("NeedsConsent", parked.LastOutcome);
        await Pairs.ScheduleAsync(parked.Id, parked.CreatedAt, 0, Cancellation);
        await _world.GoogleHands.ClearCallsAsync(Cancellation);
        await Worker.TurnAsync(Cancellation);
        Assert.Empty(await _world.GoogleHands.GetCallsAsync(Cancellation));

        await _world.ICloudHands.AddAppPasswordAsync(SyncWorld.ICloud, "maya-new", Cancellation);
        Assert.Equal(0, (await _world.VerbAsync(
            Cancellation, "connect", "icloud", "--sandbox", "--username", SyncWorld.ICloud,
            "--password-command", "echo maya-new")).Code);
        await Worker.TurnAsync(Cancellation);
        Assert.Equal("Synced", (await PairAsync()).LastOutcome);
    }

    /// <summary>Two processes that find the same pair due run it once, and nothing is there twice.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-4-A")]
    public async Task Turn_OfTwoProcessesAtOnce_CopiesNothingTwice()
    {
        var other = (await OpenAsync()).Services.GetRequiredService<PairWorker>();
        await Task.WhenAll(Worker.TurnAsync(Cancellation), other.TurnAsync(Cancellation));
        await _world.VerbAsync(Cancellation, "sync", "home");
        Assert.Equal(14, (await _world.GoogleTruthAsync(Cancellation)).Count);
        Assert.Equal(14, (await _world.ICloudTruthAsync(Cancellation)).Count);
        Assert.Equal(0, (await _world.VerbAsync(Cancellation, "verify")).Code);
    }

    /// <summary>A stopped run gives its pair back: the next one need not wait for the lease.</summary>
    [Fact]
    public async Task Run_Stopped_LeavesNoLeaseAndTheNextGoesOn()
    {
        await _world.GoogleHands.AddFaultAsync(
            new FaultScript("caldav.put", new FaultEffect { Blackhole = true }) { Times = 1 }, Cancellation);
        using var stop = new CancellationTokenSource();
        var running = Worker.RunAsync(stop.Token);
        while ((await _world.GoogleHands.GetFaultsAsync(Cancellation)).All(fault => fault.Fired == 0))
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Cancellation);
        await stop.CancelAsync();
        await running;
        Assert.Null((await PairAsync()).LeaseUntil);
        Assert.Equal(0, (await _world.VerbAsync(Cancellation, "sync")).Code);
        Assert.Equal(14, (await _world.ICloudTruthAsync(Cancellation)).Count);
    }

    /// <summary>R-SYNC-M-1 to M-4: what is counted, and what the gauges say.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-M-1")]
    [Trait("Requirement", "R-SYNC-M-2")]
    [Trait("Requirement", "R-SYNC-M-3")]
    [Trait("Requirement", "R-SYNC-M-4")]
    public async Task Turn_CountsRunsWritesDeletionsAndConflicts()
    {
        var seen = new ConcurrentDictionary<string, double>(StringComparer.Ordinal);
        using var listener = Listen(seen);
        await Worker.TurnAsync(Cancellation);
        var google = (await _world.GoogleTruthAsync(Cancellation))[SyncCatalogue.Uid(3)];
        await _world.GoogleHands.EditEventAsync(
            new HandEdit(SyncWorld.Google, google.Id, "patch")
            {
                Fields = new System.Text.Json.Nodes.JsonObject { ["summary"] = "Ours" },
            },
            Cancellation);
        await _world.PutAsync(
            SyncCatalogue.Name(3),
            SyncCatalogue.Lesson(3, 9).Replace("Lesson 3", "Theirs", StringComparison.Ordinal), Cancellation);
        await _world.DeleteAsync(SyncCatalogue.Name(4), Cancellation);
        await Pairs.ScheduleAsync((await PairAsync()).Id, DateTimeOffset.UnixEpoch, 0, Cancellation);
        await Worker.TurnAsync(Cancellation);
        listener.RecordObservableInstruments();

        Assert.Equal((2, 1), (seen["sync_runs_total Synced"], seen["sync_full_total"]));
        Assert.Equal((13, 1), (seen["sync_writes_total create"], seen["sync_writes_total delete"]));
        Assert.Equal(1, seen["sync_deletions_total Tombstone"]);
        Assert.Equal(1, seen
            .Where(each => each.Key.StartsWith("sync_conflicts_total", StringComparison.Ordinal))
            .Sum(each => each.Value));
        // The gauges were taken with the first turn, before the first run had ended.
        Assert.Equal((0, 100, 0), (
            seen["sync_pairs_with_tokens_percent"], seen["sync_mappings_complete_percent"],
            seen["sync_deletions_without_proof"]));
        var health = (await Pairs.HealthAsync(TimeProvider.System.GetUtcNow(), Cancellation)).ToGauges();
        Assert.Equal(new PairGauges(100, 100, 0), health);
    }

    private MeterListener Listen(ConcurrentDictionary<string, double> seen)
    {
        var meter = _host.Services.GetRequiredService<SyncMeter>();
        var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listening) =>
            {
                if (meter.Owns(instrument.Meter))
                    listening.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
            seen.AddOrUpdate(Key(instrument, tags), value, (_, before) => before + value));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) =>
            seen[Key(instrument, tags)] = value);
        listener.Start();
        return listener;
    }

    private static string Key(Instrument instrument, ReadOnlySpan<KeyValuePair<string, object?>> tags) =>
        tags.Length == 0 ? instrument.Name : $"{instrument.Name} {tags[0].Value}";

    private async Task<PairListing> PairAsync() => (await Pairs.FindAsync("home", Cancellation))!;

    private async Task<CalSyncHost> OpenAsync()
    {
        var options = new HostOptions
        {
            Database = new DatabaseOptions { DataDirectory = _directory },
            RunsWorkers = false,
            PairWorker = Schedule,
        };
        var host = await CalSyncHost.BuildAsync(
            options.At(
                _world.GoogleAddress, SandboxOptions.DefaultClientId, SandboxOptions.DefaultClientSecret),
            TimeProvider.System, new UnguessableRandom(), null, Cancellation);
        _hosts.Add(host);
        return host;
    }
}
