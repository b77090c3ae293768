using System.Collections.Immutable;
using CalSync.App;
using CalSync.App.Commands;
using CalSync.App.Demo;
using CalSync.Lab.Secrecy;
using CalSync.Tests.Contracts;
using Xunit;

namespace CalSync.Tests.Drills;

/// <summary>A pair run by <c>calsync serve</c>, killed in the middle of its first run.</summary>
[Collection(DrillSuites.Name)]
[Trait("Category", "Slow")]
public sealed class PairDrills(PostgresFixture postgres)
{
    private const int Count = 80;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private static CancellationToken Cancellation => CancellationToken.None;

    /// <summary>
    /// Killed with writes under way on both sides, three times, the next process links what is there and
    /// copies the rest: no event is there twice, none is missing.
    /// </summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    [Trait("Requirement", "R-SYNC-3-D")]
    [Trait("Requirement", "R-SYNC-4-A")]
    public async Task Serve_KilledInTheFirstRun_CopiesNothingTwice(bool onPostgres)
    {
        var folder = Directory.CreateTempSubdirectory("calsync-drill-");
        var url = onPostgres ? await postgres.NewEmptyAsync() : null;
        var around = new Surroundings(
            TextWriter.Null, TextWriter.Null, false, ImmutableDictionary<string, string>.Empty,
            TimeProvider.System, new UnguessableRandom());
        await using (var world = await SyncWorld.StartAsync(around, folder.FullName, url, Cancellation))
        {
            await PairAsync(world, folder.FullName);
            await world.GoogleHands.SetLatencyAsync(TimeSpan.FromMilliseconds(25), Cancellation);
            foreach (var enough in (int[])[20, 45, 70])
            {
                await using var server = await ServeAsync(world, folder.FullName, url);
                await UntilAsync(async () => (await world.GoogleTruthAsync(Cancellation)).Count >= enough);
                await server.KillAsync();
            }

            // 12 and 3 of the world, one of them on both sides.
            Assert.InRange((await world.GoogleTruthAsync(Cancellation)).Count, 70, Count + 13);
            await world.GoogleHands.SetLatencyAsync(TimeSpan.Zero, Cancellation);
            await using var last = await ServeAsync(world, folder.FullName, url);
            await UntilAsync(async () => (await world.VerbAsync(Cancellation, "status")).Code == 0);
            var google = (await world.GoogleHands.GetTruthAsync(SyncWorld.Google, Cancellation)).Calendars
                .Single().Events.Where(each => each.Status != "cancelled"
                    && each.Body["recurringEventId"] is null).ToList();
            var cloud = await world.ICloudTruthAsync(Cancellation);
            Assert.Equal(Count + 14, google.Count);
            Assert.Equal(google.Select(each => each.ICalUid).Order(), cloud.Keys.Order());
            Assert.Equal(0, (await world.VerbAsync(Cancellation, "verify")).Code);
            Assert.Equal(0, (await world.VerbAsync(Cancellation, "pairs", "--validate")).Code);
        }

        Witness.SawDataDirectory(folder.FullName);
        folder.Delete(recursive: true);
    }

    private static async Task PairAsync(SyncWorld world, string folder)
    {
        for (var index = 0; index < Count; index++)
        {
            await world.PutAsync(
                $"drill-{index}.ics",
                SyncCatalogue.Lesson(index % 20, 11)
                    .Replace(SyncCatalogue.Uid(index % 20), $"drill-{index}@test", StringComparison.Ordinal)
                    .Replace($"Lesson {index % 20}", $"Drill {index}", StringComparison.Ordinal),
                Cancellation);
        }

        string[][] setUp =
        [
            ["connect", "google", "--consent-as", SyncWorld.Google],
            ["connect", "icloud", "--sandbox", "--username", SyncWorld.ICloud, "--password-file",
                Path.Combine(folder, "password")],
            ["pairs", "add", "home", $"{SyncWorld.Google}/{SyncWorld.Google}", $"{SyncWorld.ICloud}/home"],
        ];
        foreach (var words in setUp)
            Assert.Equal(0, (await world.VerbAsync(Cancellation, words)).Code);
    }

    private static Task<ProductProcess> ServeAsync(SyncWorld world, string folder, string? url) =>
        ProductProcess.StartAsync(
            ["serve", "--urls", "http://127.0.0.1:0", "--data", folder,
                .. url is null ? Array.Empty<string>() : ["--database", url],
                "--set", "google.provider=google-sandbox",
                "--set", $"sandbox.url={world.GoogleAddress}",
                "--set", $"sandbox.caldav_url={world.CalDavAddress}",
                "--set", "pair.lease=10s", "--set", "pair.poll=100ms", "--set", "pair.interval=5s"],
            "http://", TimeProvider.System, Cancellation);

    private static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        var deadline = TimeProvider.System.GetUtcNow() + Patience;
        while (!await isSo())
        {
            Assert.True(TimeProvider.System.GetUtcNow() < deadline, "It took too long.");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, Cancellation);
        }
    }
}
