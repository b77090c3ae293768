using System.Text;
using System.Text.Json.Nodes;
using CalSync.App.Demo;
using CalSync.Lab.Peers;
using CalSync.Lab.Secrecy;
using CalSync.Tests.Peers;
using Xunit;

namespace CalSync.Tests.Commands;

/// <summary>Two calendars of a real server, connected, paired and kept equal by commands alone.</summary>
/// <remarks>Not on Cyrus, where an account has an event once, whatever calendar it is in.</remarks>
public abstract class PeerPairVerbContract(PeerFixture fixture) : IDisposable
{
    private static readonly Shell Shell = new();
    private readonly string _directory = Directory.CreateTempSubdirectory("calsync-").FullName;

    public void Dispose()
    {
        Witness.SawDataDirectory(_directory);
        Directory.Delete(_directory, recursive: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>A copy, an edit on each side and a deletion arrive; afterwards both are equal and the next
    /// run writes nothing.</summary>
    [Fact]
    public async Task Sync_OfTwoCalendarsOnARealServer_CarriesEditsBothWays()
    {
        var (left, right) = (
            await fixture.Peer.NewCalendarAsync(CancellationToken.None),
            await fixture.Peer.NewCalendarAsync(CancellationToken.None));
        for (var index = 0; index < 4; index++)
            await PutAsync(left, index, SyncCatalogue.Lesson(index, 9));
        await ExpectAsync(
            0, "connect", "caldav", fixture.Peer.Entry.AbsoluteUri, "--username", CalDavPeer.UserName,
            "--password-command", $"printf {CalDavPeer.UserPassword}");
        await ExpectAsync(0, "pairs", "add", "real", Name(left), Name(right));
        await ExpectAsync(1, "sync", "real", "--dry-run");
        Assert.Equal(4, (int)(await ExpectAsync(0, "sync", "real"))[0]!["created"]!);

        await PutAsync(left, 0, SyncCatalogue.Lesson(0, 15));
        using (var deleted = await fixture.Peer.Http.DeleteAsync(left + SyncCatalogue.Name(1)))
            Assert.True(deleted.IsSuccessStatusCode);
        var run = (await ExpectAsync(0, "sync", "real"))[0]!;
        Assert.Equal((1, 1), ((int)run["updated"]!, (int)run["deleted"]!));
        await ExpectAsync(0, "verify", "real");
        await ExpectAsync(0, "pairs", "--validate");
        Assert.Equal("equal", (string?)(await ExpectAsync(0, "sync", "real"))[0]!["outcome"]);
    }

    private static string Name(string path) => $"{CalDavPeer.UserName}/{path.Trim('/').Split('/')[^1]}";

    private async Task PutAsync(string calendar, int index, string text)
    {
        using var body = new StringContent(text, Encoding.UTF8, "text/calendar");
        using var stored = await fixture.Peer.Http.PutAsync(calendar + SyncCatalogue.Name(index), body);
        Assert.True(stored.IsSuccessStatusCode, $"{stored.StatusCode}");
    }

    private async Task<JsonNode> ExpectAsync(int code, params string[] words)
    {
        var ended = await Shell.RunAsync([.. words, "--json", "--data", _directory]);
        Assert.True(code == ended.Code, $"{string.Join(' ', words)}: {ended}");
        return JsonNode.Parse(ended.Out)!;
    }
}

[Collection(RadicaleFixture.Collection)]
public sealed class RadicalePairVerbTests(RadicaleFixture fixture) : PeerPairVerbContract(fixture);

[Collection(XandikosFixture.Collection)]
public sealed class XandikosPairVerbTests(XandikosFixture fixture) : PeerPairVerbContract(fixture);
