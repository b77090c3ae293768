using System.Text.Json.Nodes;
using CalSync.Lab.Secrecy;
using CalSync.Sandbox;
using CalSync.Storage;
using Xunit;

namespace CalSync.Tests.Commands;

/// <summary>
/// Goal: a deployment from before there were tokens comes to them with the three commands the manual names,
/// and loses and copies nothing. Method: the verbs, over HTTP, on a database that is first of an earlier
/// schema and whose pair then loses what it knew of both sides.
/// </summary>
public sealed class PairUpgradeTests : IAsyncLifetime
{
    private const string Google = "maya@studio.test";
    private const string ICloud = "maya@icloud.test";
    private static readonly Shell Shell = new();
    private readonly string _directory = Directory.CreateTempSubdirectory("calsync-").FullName;
    private SandboxServer _sandbox = null!;

    private static CancellationToken None => CancellationToken.None;

    public async Task InitializeAsync() =>
        _sandbox = await SandboxServer.StartAsync(new SandboxOptions(TimeProvider.System), None);

    public async Task DisposeAsync()
    {
        await _sandbox.DisposeAsync();
        Witness.SawDataDirectory(_directory);
        Directory.Delete(_directory, recursive: true);
    }

    /// <summary>R-SYNC-C-5: upgrade, forced full sync, validate; and from nothing all is active after the
    /// first run.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-C-5")]
    [Trait("Requirement", "R-SYNC-C-1")]
    [Trait("Requirement", "R-SYNC-M-1")]
    public async Task ExistingDeployment_UpgradedReadInFullAndValidated_CopiesNothingTwice()
    {
        await using (var database = Open())
        {
            var known = Migration.ReadAll(database.Engine);
            await new Migrator(database, TimeProvider.System, known[..1]).UpgradeAsync(None);
        }

        await ExpectAsync(0, "db", "upgrade");
        await File.WriteAllTextAsync(Path.Combine(_directory, "password"), "maya-aaaa-bbbb-cccc\n", None);
        await ExpectAsync(0, "connect", "google", "--consent-as", Google);
        await ExpectAsync(
            0, "connect", "icloud", "--sandbox", "--username", ICloud, "--password-file",
            Path.Combine(_directory, "password"));
        await ExpectAsync(0, "pairs", "add", "home", $"{Google}/{Google}", $"{ICloud}/home");
        using var http = new HttpClient { BaseAddress = _sandbox.BaseAddress };
        for (var index = 0; index < 3; index++)
        {
            await new CalDavControl(http).EditAsync(
                new CalDavHandEdit(ICloud, "home", $"e{index}.ics", "put") { Content = Event(index) }, None);
        }

        await ExpectAsync(0, "sync");
        await ExpectAsync(0, "pairs", "--validate");

        // As a database stands that was filled before tokens were kept.
        await using (var database = Open())
        {
            await database.WriteAsync(
                session => session.ExecuteAsync(
                    """
                    UPDATE calendar_mappings SET google_sync_token = NULL, google_token_kind = NULL,
                        icloud_sync_token = NULL, icloud_token_kind = NULL
                    """),
                None);
        }

        await ExpectAsync(0, "db", "upgrade");
        Assert.Equal((1, 0), Coverage(await ExpectAsync(1, "report", "sync-health", "--json")));
        var run = JsonNode.Parse(await ExpectAsync(0, "sync", "--force-full-sync", "--json"))!.AsArray()[0]!;
        Assert.Equal(
            ("equal", 0, 0, true),
            (
                (string?)run["outcome"], (int)run["created"]!, (int)run["deleted"]!,
                (bool)run["fullRead"]!));
        await ExpectAsync(0, "pairs", "--validate");
        Assert.Equal((1, 1), Coverage(await ExpectAsync(0, "report", "sync-health", "--json")));
        await ExpectAsync(0, "verify");
    }

    /// <summary>Pairs there are, and those with a token of both sides.</summary>
    private static (int Pairs, int WithTokens) Coverage(string health)
    {
        var tokens = JsonNode.Parse(health)!["tokens"]!;
        return (
            (int)tokens["totalMappings"]!,
            Math.Min((int)tokens["googleTokens"]!, (int)tokens["icloudTokens"]!));
    }

    private static string Event(int index) =>
        ("BEGIN:VCALENDAR|VERSION:2.0|PRODID:-//Test//EN|BEGIN:VEVENT|" + $"UID:e{index}|"
            + "DTSTAMP:20260101T000000Z|DTSTART:20270301T090000Z|DTEND:20270301T100000Z|"
            + $"SUMMARY:Lesson {index}|END:VEVENT|END:VCALENDAR|").Replace(
                "|", "\r\n", StringComparison.Ordinal);

    private Database Open() => Database.Open(new DatabaseOptions { DataDirectory = _directory });

    private async Task<string> ExpectAsync(int code, params string[] words)
    {
        var (actual, output, error) = await Shell.RunAsync(
            [.. words, "--data", _directory, "--set", $"sandbox.url={_sandbox.BaseAddress}", "--set",
                $"sandbox.caldav_url={_sandbox.CalDavAddress}"]);
        Assert.True(actual == code, $"{string.Join(' ', words)}: {actual}\n{output}{error}");
        return output;
    }
}
