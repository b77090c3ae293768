using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using CalSync.Client;
using CalSync.App.Demo;
using CalSync.Sandbox;
using CalSync.Tests.Contracts;
using Xunit;
using Xunit.Abstractions;

namespace CalSync.Tests.Drills;

/// <summary>SIGKILL at the worst moments; afterwards the database and the calendar must agree.</summary>
[Collection(DrillSuites.Name)]
[Trait("Category", "Slow")]
public sealed class CrashDrills(PostgresFixture postgres, ITestOutputHelper output)
{
    private const int ActorCount = 8;
    private const int KillCount = 10;

    /// <summary>R-CAL-08-C: the provider has the event, our record does not.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-08-C")]
    public async Task Worker_KilledBetweenInsertAndRecord_EndsWithOneVerifiedEvent()
    {
        await using var stage = await Stage.SetAsync(await postgres.NewEmptyAsync());
        var (_, api) = await stage.ServeAsync(withWorker: false);
        var worker = await stage.WorkAsync();
        var maya = await stage.AddInstructorAsync(api, Stage.Maya);
        await stage.Control.AddFaultAsync(
            new FaultScript("events.insert", new FaultEffect { DelayAfterMs = 9_000 }) { Times = 1 },
            CancellationToken.None);

        var creating = stage.Admin(api)
            .PostAsync("classes", Stage.Class("Crash", maya.Id, 5, 1), CancellationToken.None);
        await stage.UntilAsync(
            async () => (await stage.EventsAsync(Stage.Maya)).Length == 1, "the insert reaches the calendar");
        var before = await stage.CountAsync("SELECT count(*) FROM operations WHERE state = 'verified'");
        await worker.KillAsync();
        await stage.WorkAsync();
        (await creating).Expect();

        await stage.AssertAgreesAsync();
        Assert.Equal(0, before);
        var stored = (await stage.TruthAsync(Stage.Maya)).Calendars.Single(
            calendar => calendar.Id == Stage.Maya).Events;
        Assert.Single(stored);
        Assert.Equal(1, await stage.CountAsync("SELECT count(*) FROM operations WHERE state = 'verified'"));
    }

    /// <summary>R-CAL-08-C: the change is committed, its answer never sent; the same key finds the
    /// effect.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-08-C")]
    public async Task Api_KilledAfterTheCommitBeforeTheAnswer_AnswersTheSameKeyWithTheSameClass()
    {
        await using var stage = await Stage.SetAsync(await postgres.NewEmptyAsync());
        var (process, api) = await stage.ServeAsync(withWorker: false);
        var maya = await stage.AddInstructorAsync(api, Stage.Maya);
        var body = Stage.Class("Unanswered", maya.Id, 5, 2);
        const string Key = "drill-unanswered-1";

        // Without a worker nothing is verified, so the request is waiting when its process dies.
        var creating = stage.Admin(api).PostAsync("classes", body, CancellationToken.None, Key);
        await stage.UntilAsync(
            async () => await stage.CountAsync("SELECT count(*) FROM classes") == 1,
            "the class is committed");
        await process.KillAsync();
        await Assert.ThrowsAsync<NoAnswerException>(() => creating);

        var again = await Task.WhenAll(
            stage.ServeAsync(withWorker: false),
            stage.ServeAsync(withWorker: false, "testing.clock_offset=1min"));
        await stage.WorkAsync();
        var (early, late) = (again[0].Address, again[1].Address);
        var inFlight = await stage.Admin(early).PostAsync("classes", body, CancellationToken.None, Key);
        var taken = (await stage.Admin(late).PostAsync("classes", body, CancellationToken.None, Key))
            .Expect();
        var replayed = (await stage.Admin(late).PostAsync("classes", body, CancellationToken.None, Key))
            .Expect();

        await stage.AssertAgreesAsync();
        Assert.Equal(409, inFlight.Code);
        Assert.True(replayed.Replayed);
        Assert.Equal(taken.Text("id"), replayed.Text("id"));
        Assert.Equal(1, await stage.CountAsync("SELECT count(*) FROM classes"));
        Assert.Equal(2, (await stage.EventsAsync(Stage.Maya)).Length);
    }

    /// <summary>R-CAL-02-P, R-CAL-04-P: ten kills of the only process during a stream of changes lose
    /// nothing.</summary>
    /// <remarks>Each start's clock is 35 s later, as after a pause: leases of the dead have ended.</remarks>
    [Fact]
    [Trait("Requirement", "R-CAL-02-P")]
    [Trait("Requirement", "R-CAL-04-P")]
    public async Task Serve_KilledTenTimesDuringAStreamOfChanges_LosesNothing()
    {
        var seed = Environment.TickCount;
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        await using var stage = await Stage.SetAsync(null, "quota.account_calls=600");
        var (process, api) = await stage.ServeAsync(withWorker: true);
        var maya = await stage.AddInstructorAsync(api, Stage.Maya);
        var students = await stage.AddStudentsAsync(6);
        var stream = new ChangeStream(stage, maya.Id, students) { Address = api };
        var actors = Enumerable.Range(0, ActorCount).Select(actor => stream.RunAsync(actor, random.Next()))
            .ToArray();
        for (var kill = 1; kill <= KillCount; kill++)
        {
            // Some answers first, or else ten kills would meet nothing but starting processes.
            var enough = stream.Answered + random.Next(1, 12);
            await stage.UntilAsync(() => Task.FromResult(stream.Answered >= enough), "the stream goes on");
            await Task.Delay(random.Next(0, 200));
            await process.KillAsync();
            (process, stream.Address) = await stage.ServeAsync(
                withWorker: true, $"testing.clock_offset={35 * kill}s");
        }

        stream.Stop();
        await Task.WhenAll(actors);
        output.WriteLine(
            $"{stream.Classes} classes, {stream.Seats} seats, {stream.Moves} moves, {stream.Broken} answers "
            + "lost");
        await stage.AssertAgreesAsync();
        Assert.True(stream.Broken > 0, "No kill met a request.");
        Assert.Equal(stream.Classes, await stage.CountAsync("SELECT count(*) FROM classes"));
        Assert.Equal(
            stream.Seats, await stage.CountAsync("SELECT count(*) FROM enrolments WHERE state = 'active'"));
        Assert.Equal(stream.Seats, await stage.CountAsync("SELECT count(*) FROM enrolments"));
        Assert.Equal(
            stream.Classes + stream.Seats + stream.Moves,
            await stage.CountAsync("SELECT count(*) FROM operations"));
        foreach (var id in stream.Operations)
        {
            Assert.Equal(
                1, await stage.CountAsync("SELECT count(*) FROM operations WHERE id = @id", new { id }));
        }
    }

    /// <summary>Clients that send every intent until it is answered, always with its first key.</summary>
    private sealed class ChangeStream(Stage stage, string instructorId, string[] students)
    {
        private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);
        private volatile Uri _address = new("http://127.0.0.1/");
        private volatile bool _stopped;
        private int _classes;
        private int _seats;
        private int _moves;
        private int _broken;
        private int _answered;

        public Uri Address { get => _address; set => _address = value; }

        public int Classes => _classes;

        public int Seats => _seats;

        public int Moves => _moves;

        /// <summary>Requests that were sent and whose answer never came.</summary>
        public int Broken => _broken;

        public int Answered => Volatile.Read(ref _answered);

        public ConcurrentBag<string> Operations { get; } = [];

        public void Stop() => _stopped = true;

        public async Task RunAsync(int actor, int seed)
        {
            var random = new Random(seed);
            for (var round = 0; !_stopped; round++)
            {
                var hour = (actor * 1_000) + (round * 6);
                var made = await SendAsync(random, (api, key, prefer) => api.PostAsync(
                    "classes", Stage.Class($"Class {actor}.{round}", instructorId, 10, 1, hour),
                    CancellationToken.None, key, prefer));
                _ = Interlocked.Increment(ref _classes);
                var path = $"classes/{made.Text("id")}";
                for (var change = 0; change < students.Length && !_stopped; change++)
                {
                    if (random.Next(3) > 0)
                        await EnrolAsync(random, path, students[change]);
                    else
                        await MoveAsync(random, path, hour + 1 + change);
                }
            }
        }

        private async Task EnrolAsync(Random random, string path, string student)
        {
            await SendAsync(random, (api, key, prefer) => api.PostAsync(
                $"{path}/enrollments", new JsonObject { ["studentId"] = student }, CancellationToken.None,
                key, prefer));
            _ = Interlocked.Increment(ref _seats);
        }

        private async Task MoveAsync(Random random, string path, int hour)
        {
            // Read, not remembered: a creation answered at once tells ids only.
            var made = await SendAsync(random, (api, _, _) => api.GetAsync(path, CancellationToken.None));
            var slotPath = $"{path}/slots/{made.Body!["schedules"]![0]!["slots"]![0]!["id"]}";
            var slot = await SendAsync(random, (api, _, _) => api.GetAsync(slotPath, CancellationToken.None));
            await SendAsync(random, (api, _, _) => api.PatchAsync(
                slotPath, slot.ETag!, Stage.Times(hour), CancellationToken.None));
            _ = Interlocked.Increment(ref _moves);
        }

        private async Task<DemoAnswer> SendAsync(
            Random random, Func<DemoApi, string, string?, Task<DemoAnswer>> send)
        {
            var key = $"drill-{random.NextInt64():x16}";
            var prefer = random.Next(2) == 0 ? "respond-async" : null;
            for (var giveUp = DateTimeOffset.UtcNow + Patience; ; await Task.Delay(50))
            {
                try
                {
                    using var api = new DemoApi(Address, stage.AdminToken, () => key);
                    var answer = await send(api, key, prefer);
                    // 409 in flight: the key belongs to a request that may be dead; its lease has to end.
                    if (answer.Code != 409 || DateTimeOffset.UtcNow > giveUp)
                    {
                        var body = answer.Expect().Body as JsonObject;
                        if ((body?["operation"]?["id"] ?? body?["operationId"])?.ToString() is { } operation)
                            Operations.Add(operation);
                        _ = Interlocked.Increment(ref _answered);
                        return answer;
                    }
                }
                catch (HttpRequestException fault) when (DateTimeOffset.UtcNow < giveUp)
                {
                    if (fault.HttpRequestError != HttpRequestError.ConnectionError)
                        _ = Interlocked.Increment(ref _broken);
                }
            }
        }
    }
}
