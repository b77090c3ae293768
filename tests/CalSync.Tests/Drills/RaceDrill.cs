using System.Text.Json.Nodes;
using CalSync.App;
using CalSync.App.Demo;
using CalSync.Remotes.Pipeline;
using CalSync.Sandbox;
using CalSync.Sync.Mirroring;
using CalSync.Tests.Contracts;
using Xunit;
using Xunit.Abstractions;

namespace CalSync.Tests.Drills;

/// <summary>Enrol and move race for one event, a thousand times.</summary>
/// <remarks>
/// Twenty classes, fifty rounds. In each round every class gets one enrolment and one move; seeded are the
/// order, the gap between the two, and the latency of the provider's writes, so that the second meets the
/// first before, during and after its write. After each round the provider is asked what it really holds.
/// </remarks>
[Collection(DrillSuites.Name)]
[Trait("Category", "Slow")]
public sealed class RaceDrill(PostgresFixture postgres, ITestOutputHelper output)
{
    private const int ClassCount = 20;
    private const int RoundCount = 50;

    /// <summary>R-STORM-3: attendee and new time are both there, every time.</summary>
    [Fact]
    [Trait("Requirement", "R-STORM-3")]
    public async Task EnrolAndMove_AThousandInterleavings_BothAreOnTheCalendarEveryTime()
    {
        var seed = Environment.TickCount;
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        await using var stage = await Stage.SetAsync(await postgres.NewEmptyAsync());
        await using var host = await HostAsync(stage, seed);
        var maya = await stage.AddInstructorAsync(host.Address, Stage.Maya);
        var students = await stage.AddStudentsAsync(RoundCount);
        var admin = stage.Admin(host.Address);
        var classes = await Task.WhenAll(Enumerable.Range(0, ClassCount).Select(async number =>
            (await admin.PostAsync(
                "classes", Stage.Class($"{number}", maya.Id, RoundCount, 1, number * 1_000),
                CancellationToken.None)).Expect()));
        await stage.QuietAsync();
        foreach (var milliseconds in new[] { 4, 12 })
        {
            await stage.Control.AddFaultAsync(
                new FaultScript("events.patch",
                    new FaultEffect { DelayMs = milliseconds })
                { Probability = 0.3, Seed = seed },
                CancellationToken.None);
        }

        for (var round = 0; round < RoundCount; round++)
        {
            var races = classes.Select((made, number) => new Race(
                made, (number * 1_000) + round + 1, students[round], random.Next(2) == 0, random.Next(0, 25)))
                .ToArray();
            await Task.WhenAll(races.Select(race => RunAsync(admin, race)));
            await stage.QuietAsync();
            var events = (await stage.EventsAsync(Stage.Maya)).ToDictionary(found => found.Summary!);
            for (var number = 0; number < ClassCount; number++)
            {
                var found = events[$"{number}"];
                var expected =
                    $"{Stage.Start(races[number].Hour)} with {round + 1} guests, the last one among them";
                var last = found.Attendees.ContainsKey(Stage.Student(round))
                    ? "the last one among them"
                    : "the last one missing";
                var observed = $"{(string?)found.Body["start"]!["dateTime"]!}"[..19]
                    + $" with {found.Attendees.Keys.Count(guest => guest != Stage.Maya)} guests, {last}";
                Assert.True(
                    expected == observed,
                    $"seed {seed} round {round} class {number} {races[number]}: {expected} / {observed}");
            }
        }

        await stage.AssertAgreesAsync();
        Assert.Equal(ClassCount, await stage.CountAsync("SELECT count(*) FROM classes"));
        Assert.Equal(
            ClassCount * RoundCount,
            await stage.CountAsync("SELECT count(*) FROM enrolments WHERE state = 'active'"));
    }

    private static async Task RunAsync(DemoApi admin, Race race)
    {
        var path = $"classes/{race.Made.Text("id")}";
        var slotPath = $"{path}/slots/{race.Made.Body!["schedules"]![0]!["slots"]![0]!["id"]}";
        var slot = (await admin.GetAsync(slotPath, CancellationToken.None)).Expect();
        Task<DemoAnswer> Enrol() => admin.PostAsync(
            $"{path}/enrollments", new JsonObject { ["studentId"] = race.StudentId }, CancellationToken.None);
        Task<DemoAnswer> Move() =>
            admin.PatchAsync(slotPath, slot.ETag!, Stage.Times(race.Hour), CancellationToken.None);

        var first = race.EnrolsFirst ? Enrol() : Move();
        await Task.Delay(race.GapMs);
        var second = race.EnrolsFirst ? Move() : Enrol();
        foreach (var answer in await Task.WhenAll(first, second))
            answer.Expect();
    }

    private static async Task<CalSyncHost> HostAsync(Stage stage, int seed)
    {
        var options = new HostOptions
        {
            Database = stage.Options,
            Urls = ["http://127.0.0.1:0"],
            Pipeline = new PipelineOptions { UserCallCountMax = 1_000_000, ProjectCallCountMax = 1_000_000 },
            Mirrors = new MirrorOptions
            {
                Rest = TimeSpan.Zero,
                PerConnectionMax = 16,
                Poll = TimeSpan.FromMilliseconds(100),
            },
        }.At(stage.SandboxAddress, SandboxOptions.DefaultClientId, SandboxOptions.DefaultClientSecret);
        var host = await CalSyncHost.BuildAsync(
            options, TimeProvider.System, new Random(seed), null, CancellationToken.None);
        await host.StartAsync(CancellationToken.None);
        return host;
    }

    private sealed record Race(DemoAnswer Made, int Hour, string StudentId, bool EnrolsFirst, int GapMs)
    {
        public override string ToString() =>
            $"{(EnrolsFirst ? "enrol" : "move")} first, the other {GapMs} ms later";
    }
}
