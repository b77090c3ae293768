using CalSync.Calendar.Tests;
using CalSync.Sync.Pairs;
using CalSync.Tests.Remotes.Mapping;
using Xunit;

namespace CalSync.Tests.Remotes.Pairs;

/// <summary>
/// Goal: calendars of other programs, created over HTTP at the sandbox Google, read back as they were but for
/// what was announced. By every file of the collection, a few resources of each.
/// </summary>
public sealed class GoogleCorpusTests : IAsyncLifetime, IDisposable
{
    private const int PerFileMax = 2;
    private readonly GoogleRig _rig = new();

    public Task InitializeAsync() => _rig.InitializeAsync();

    public Task DisposeAsync() => _rig.DisposeAsync();

    public void Dispose() => _rig.Dispose();

    [Fact]
    [Trait("Requirement", "R-SYNC-4-B")]
    [Trait("Requirement", "R-SYNC-5-A")]
    public async Task EveryFile_CreatedAndReadBack_DiffersInNothingUnannounced()
    {
        var unannounced = new List<string>();
        var (stored, refused) = (0, 0);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var calendar = await _rig.NewCalendarAsync("corpus");
        foreach (var file in Corpus.Files.Where(file => file.Category is "valid" or "edge"))
        {
            foreach (var (uid, content) in CorpusResources.Of(file).Take(PerFileMax))
            {
                if (!seen.Add(uid))
                    continue;
                switch (await calendar.CreateAsync(new(uid, content, null), CancellationToken.None))
                {
                    case ResourceWrite.Stored done:
                        stored++;
                        var read = await calendar.ReadAsync(done.Address, CancellationToken.None);
                        var found = Assert.IsType<ResourceRead.Found>(read).Resource;
                        unannounced.AddRange(found.Content is null
                            ? [$"{file.Name}: {found.Problem}"]
                            : GoogleSamples.Unannounced(content, found.Content, done.Lost)
                                .Select(change => $"{file.Name}: {change}"));
                        break;
                    case ResourceWrite.Refused:
                        refused++;
                        break;
                    case var other:
                        unannounced.Add($"{file.Name}: {other}");
                        break;
                }
            }
        }

        Assert.True(unannounced.Count == 0, string.Join('\n', unannounced.Take(20)));
        Assert.True(stored > 3 * refused, $"{stored} stored, {refused} refused");
        Assert.Equal(0, await _rig.MailCountAsync());
    }
}
