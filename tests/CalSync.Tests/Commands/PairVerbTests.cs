using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using CalSync.Lab.Secrecy;
using CalSync.Sandbox;
using Xunit;

namespace CalSync.Tests.Commands;

/// <summary>
/// The verbs about pairs as a self-hoster types them, through the command line, over HTTP against the
/// practice Google and the practice iCloud.
/// </summary>
public sealed class PairVerbTests : IAsyncLifetime, IDisposable
{
    private const string Google = "maya@studio.test";
    private const string ICloud = "maya@icloud.test";
    private static readonly Shell Shell = new();
    private readonly string _directory = Directory.CreateTempSubdirectory("calsync-").FullName;
    private SandboxServer _sandbox = null!;
    private HttpClient _http = null!;

    private string PasswordFile => Path.Combine(_directory, "password");

    private CalDavControl Apple => new(_http);

    private SandboxControl Alphabet => new(_http);

    public async Task InitializeAsync()
    {
        _sandbox = await SandboxServer.StartAsync(
            new SandboxOptions(TimeProvider.System), CancellationToken.None);
        _http = new HttpClient { BaseAddress = _sandbox.BaseAddress };
        await File.WriteAllTextAsync(PasswordFile, "maya-aaaa-bbbb-cccc\n");
    }

    public void Dispose() => _http.Dispose();

    public async Task DisposeAsync()
    {
        await _sandbox.DisposeAsync();
        Witness.SawDataDirectory(_directory);
        Directory.Delete(_directory, recursive: true);
    }

    /// <summary>R-SYNC-C-2, R-SYNC-C-3, R-SYNC-C-4: from nothing to two equal calendars, each verb with its
    /// exit code; the dry run writes nothing, the second run neither.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-C-2")]
    [Trait("Requirement", "R-SYNC-C-3")]
    [Trait("Requirement", "R-SYNC-C-4")]
    [Trait("Requirement", "R-SYNC-Q-1")]
    [Trait("Requirement", "R-SYNC-Q-2")]
    public async Task Sync_FromNothing_MakesBothSidesEqualAndSaysSo()
    {
        await FillAsync(3);
        await PairAsync();
        Assert.Equal(1, (await RunAsync("status")).Code);

        var planned = await RunAsync("sync", "home", "--dry-run");
        Assert.Equal(1, planned.Code);
        Assert.Contains("Lesson 2", planned.Out, StringComparison.Ordinal);
        Assert.Contains("--apply-plan pln_", planned.Out, StringComparison.Ordinal);
        Assert.Empty(await GoogleAsync());

        var (code, run) = await JsonAsync("sync");
        Assert.Equal((0, "synced", 3), (
            code, (string?)run[0]!["outcome"], (int)run[0]!["created"]!));
        Assert.Equal(["Lesson 0", "Lesson 1", "Lesson 2"], (await GoogleAsync()).Keys.Order());
        var (again, second) = await JsonAsync("sync", "home");
        Assert.Equal((0, "equal"), (again, (string?)second[0]!["outcome"]));
        var (full, third) = await JsonAsync("sync", "home", "--force-full-sync");
        Assert.Equal((0, "equal", true), (
            full, (string?)third[0]!["outcome"], (bool)third[0]!["fullRead"]!));

        foreach (var verb in (string[][])[
            ["verify"], ["status"], ["pairs", "--validate"], ["report", "sync-health"],
            ["conflicts", "list"], ["quarantine", "list"], ["pairs", "list"]])
        {
            var told = await RunAsync(verb);
            Assert.True(told.Code == 0, $"{string.Join(' ', verb)}: {told.Out}{told.Error}");
            Assert.Equal(0, (await JsonAsync(verb)).Code);
        }

        Assert.DoesNotContain(
            await Alphabet.GetMailsAsync(includeKeptBack: false, CancellationToken.None),
            mail => mail.Mailed);
    }

    /// <summary>R-SYNC-2-D: a mass deletion is held, names the one command that approves it, and only that
    /// command does it.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-2-D")]
    [Trait("Requirement", "R-SYNC-Q-3")]
    public async Task Sync_OfAMassDeletion_IsHeldUntilThatPlanIsApproved()
    {
        await FillAsync(8);
        await PairAsync();
        Assert.Equal(0, (await RunAsync("sync")).Code);
        for (var index = 0; index < 7; index++)
            await EditAsync(index, "delete", null);

        var held = await RunAsync("sync", "home");
        Assert.Equal(2, held.Code);
        Assert.Contains("would delete 7 of 8", held.Out, StringComparison.Ordinal);
        Assert.Equal(2, (await RunAsync("status")).Code);
        Assert.Equal(8, (await GoogleAsync()).Count);
        Assert.Equal(2, (await RunAsync("sync", "home", "--max-delete", "50%")).Code);

        var plan = held.Out.Split("--apply-plan ")[1].Split('\n')[0].Trim();
        Assert.Equal(4, (await RunAsync("sync", "home", "--apply-plan", "pln_other")).Code);
        Assert.Equal(8, (await GoogleAsync()).Count);
        Assert.Equal(0, (await RunAsync("sync", "home", "--apply-plan", plan)).Code);
        Assert.Equal(["Lesson 7"], (await GoogleAsync()).Keys);
        var (_, health) = await JsonAsync("report", "sync-health");
        var deletions = Assert.Single(health["deletions"]!.AsArray())!;
        Assert.Equal((7, 7, 0), (
            (int)deletions["deletionCount"]!, (int)deletions["withToken"]!, (int)deletions["withoutProof"]!));
    }

    /// <summary>A title here and a time there both stay; where both changed the title, a person is asked,
    /// and what they say is done.</summary>
    [Fact]
    public async Task Sync_OfEditsOnBothSides_MergesAndAsksAPerson()
    {
        await FillAsync(1);
        await PairAsync("--policy", "ask");
        Assert.Equal(0, (await RunAsync("sync")).Code);
        await PatchAsync("Lesson 0", "location", "Room 4");
        await EditAsync(0, "put", Event(0, "Lesson 0", "T10"));
        Assert.Equal(0, (await RunAsync("sync")).Code);
        var merged = (await GoogleAsync())["Lesson 0"];
        Assert.Equal(("Room 4", 10), ((string?)merged.Body["location"], merged.Start.UtcDateTime.Hour));
        Assert.Contains("LOCATION:Room 4", await ContentAsync(0), StringComparison.Ordinal);

        await PatchAsync("Lesson 0", "summary", "By Google");
        await EditAsync(
            0, "put", (await ContentAsync(0)).Replace(
                "SUMMARY:Lesson 0", "SUMMARY:By Apple", StringComparison.Ordinal));
        Assert.Equal(1, (await RunAsync("sync")).Code);
        Assert.Equal(1, (await RunAsync("verify")).Code);
        var (code, conflicts) = await JsonAsync("conflicts", "list");
        Assert.Equal((1, "waits"), (code, (string?)conflicts[0]!["state"]));
        var uid = (string)conflicts[0]!["uid"]!;
        Assert.Equal(4, (await RunAsync("conflicts", "resolve", "home", "other", "--keep", "left")).Code);
        Assert.Equal(0, (await RunAsync("conflicts", "resolve", "home", uid, "--keep", "right")).Code);
        Assert.Equal(["By Apple"], (await GoogleAsync()).Keys);
        var (decided, after) = await JsonAsync("conflicts", "list", "--pair", "home");
        Assert.Equal((0, "decided", "right"), (
            decided, (string?)after[0]!["state"], (string?)after[0]!["chosen"]));
        Assert.Equal(0, (await RunAsync("verify")).Code);
    }

    /// <summary>A password that is refused parks the pair, says so with its own code and the command that
    /// helps, and a new one sets it going again.</summary>
    [Fact]
    public async Task Sync_WithARevokedPassword_NeedsConsentUntilItIsConnectedAgain()
    {
        await FillAsync(1);
        await PairAsync();
        await Apple.RevokeAsync(ICloud, CancellationToken.None);
        var refused = await RunAsync("sync");
        Assert.Equal(3, refused.Code);
        var command = refused.Error.Split("calsync connect icloud --reconnect ")[1].Split('\n')[0].Trim();
        Assert.Equal(3, (await RunAsync("status")).Code);
        Assert.Equal(3, (await RunAsync("verify")).Code);
        Assert.Equal(3, (await RunAsync("connections", "list")).Code);

        await Apple.AddAppPasswordAsync(ICloud, "maya-dddd-eeee-ffff", CancellationToken.None);
        var wrong = await RunAsync(
            "connect", "icloud", "--reconnect", command, "--password-file", PasswordFile);
        Assert.Equal(1, wrong.Code);
        Assert.Contains("app-specific password", wrong.Error, StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync(
            "connect", "icloud", "--reconnect", command, "--password-command",
            "printf 'maya-dddd-eeee-ffff\\nmore'")).Code);
        Assert.Equal(0, (await RunAsync("sync")).Code);
        Assert.Single(await GoogleAsync());
    }

    /// <summary>Wrong words end with a number that cannot be taken for an outcome, and say what to
    /// do.</summary>
    [Theory]
    [InlineData(64, "sync", "--nope")]
    [InlineData(64, "sync", "--max-delete", "many")]
    [InlineData(64, "sync", "--apply-plan", "pln_1")]
    [InlineData(64, "pairs")]
    [InlineData(64, "conflicts", "resolve", "home")]
    [InlineData(4, "sync")]
    [InlineData(4, "sync", "nothing")]
    [InlineData(4, "verify", "nothing")]
    [InlineData(4, "pairs", "pause", "nothing")]
    [InlineData(4, "pairs", "add", "home", "nothing", "nowhere")]
    [InlineData(78, "sync", "--set", "pair.interval=1s")]
    [InlineData(2, "connect", "icloud", "--sandbox")]
    [InlineData(2, "connect", "caldav")]
    [InlineData(2, "connect", "icloud", "--sandbox", "--username", "maya@icloud.test")]
    public async Task Verbs_WithWrongWords_EndWithACodeOfTheirOwn(int code, params string[] words)
    {
        var ended = await RunAsync(words);
        Assert.Equal((code, ""), (ended.Code, ended.Out));
        if (code != 78)
            Assert.Contains("  do:    ", ended.Error, StringComparison.Ordinal);
    }

    /// <summary>A pair can be paused, resumed and detached; its name is free again, and both calendars keep
    /// their events and link when they are paired anew.</summary>
    [Fact]
    public async Task Pairs_PausedDetachedAndPairedAgain_LinkInsteadOfCopying()
    {
        await FillAsync(2);
        await PairAsync();
        Assert.Equal(0, (await RunAsync("sync")).Code);
        Assert.Equal(4, (await AddAsync()).Code);
        Assert.Equal(0, (await RunAsync("pairs", "pause", "home")).Code);
        Assert.Equal(4, (await RunAsync("sync", "home")).Code);
        Assert.Equal(4, (await RunAsync("sync")).Code);
        Assert.Equal(0, (await RunAsync("pairs", "resume", "home")).Code);
        Assert.Equal(0, (await RunAsync("pairs", "detach", "home")).Code);
        Assert.Equal(2, (await GoogleAsync()).Count);
        Assert.Equal(0, (await AddAsync()).Code);
        var (code, run) = await JsonAsync("sync", "home");
        Assert.Equal((0, 2, 0), (code, (int)run[0]!["linked"]!, (int)run[0]!["created"]!));
        Assert.Equal(2, (await GoogleAsync()).Count);
    }

    /// <summary>iCloud keeps a UID once in an account: its own calendars cannot be pairs.</summary>
    [Fact]
    public async Task Add_OfTwoCalendarsOfOneICloudAccount_IsRefused()
    {
        await PairAsync();
        var refused = await RunAsync("pairs", "add", "own", $"{ICloud}/home", $"{ICloud}/work");
        Assert.Equal(4, refused.Code);
        Assert.Contains("one calendar only", refused.Error, StringComparison.Ordinal);
    }

    /// <summary>An account that belongs to practice cannot be paired with one that does not.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-20-A")]
    public async Task Add_OfAPracticeAndARealCalendar_IsRefused()
    {
        await PairAsync();
        await Apple.AddUserAsync(
            new CalDavUser("ada", "Ada", "ada-password", ["ada-password"]), CancellationToken.None);
        var real = await RunAsync(
            "connect", "caldav", _sandbox.CalDavAddress.AbsoluteUri, "--username", "ada",
            "--password-command", "printf ada-password");
        Assert.True(real.Code == 0, real.Error);
        var (_, calendars) = await JsonAsync("calendars", "list");
        var ids = calendars.AsArray().ToLookup(
            each => (string)each!["provider"]!, each => (string)each!["calendar"]!["id"]!);
        var refused = await RunAsync(
            "pairs", "add", "mixed", ids["google-sandbox"].First(), ids["caldav"].First());
        Assert.Equal(4, refused.Code);
        Assert.Contains("different tenants", refused.Error, StringComparison.Ordinal);
    }

    /// <summary>What a side has no place for is said, and is no difference afterwards.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-6-C")]
    public async Task Sync_OfWhatASideCannotHold_SaysWhatAndWhere()
    {
        for (var index = 0; index < 2; index++)
        {
            await EditAsync(index, "put", Event(index, $"Lesson {index}", "T09").Replace(
                "SUMMARY", "CONTACT:Ann\r\nSUMMARY", StringComparison.Ordinal));
        }

        await PairAsync();
        var told = await RunAsync("sync");
        Assert.Equal(0, told.Code);
        Assert.Contains(
            "not as written on the left: CONTACT (2 events).", told.Out, StringComparison.Ordinal);
        Assert.Contains(
            "stays on the other side and in the ledger", told.Out, StringComparison.Ordinal);
        await EditAsync(1, "put", (await ContentAsync(1)).Replace(
            "CONTACT:Ann", "CONTACT:Ben", StringComparison.Ordinal).Replace(
            "SUMMARY:Lesson 1", "SUMMARY:Lesson one", StringComparison.Ordinal));
        var (code, run) = await JsonAsync("sync");
        Assert.Equal((0, 1), (code, (int)run[0]!["updated"]!));
        Assert.All(run[0]!["losses"]!.AsArray(), loss => Assert.Equal(
            ("left", "CONTACT", "Lesson one"),
            ((string?)loss!["side"], (string?)loss["what"], (string?)loss["title"])));
        Assert.NotEmpty(run[0]!["losses"]!.AsArray());
        Assert.Equal(0, (await RunAsync("verify")).Code);
    }

    /// <summary>Not "last synced" but how many of how many are equal, read from both sides now.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-C-3")]
    public async Task Verify_OfAPair_SaysHowManyOfHowManyAreEqual()
    {
        await FillAsync(4);
        await PairAsync();
        Assert.Equal(0, (await RunAsync("sync")).Code);
        var told = await RunAsync("verify", "home");
        Assert.Contains("4 events on the left, 4 on the right, 4 equal", told.Out, StringComparison.Ordinal);
        await EditAsync(1, "delete", null);
        await PatchAsync("Lesson 2", "location", "Room 4");
        told = await RunAsync("verify", "home");
        Assert.Equal(1, told.Code);
        Assert.Contains("4 events on the left, 3 on the right, 2 equal", told.Out, StringComparison.Ordinal);
        Assert.Equal(4, (await GoogleAsync()).Count);
    }

    private async Task PairAsync(params string[] more)
    {
        var (code, _, error) = await RunAsync("connect", "google", "--consent-as", Google);
        Assert.True(code == 0, error);
        (code, _, error) = await RunAsync(
            "connect", "icloud", "--sandbox", "--username", ICloud, "--password-file", PasswordFile);
        Assert.True(code == 0, error);
        (code, _, error) = await AddAsync(more);
        Assert.True(code == 0, error);
    }

    private Task<(int Code, string Out, string Error)> AddAsync(params string[] more)
    {
        // Named the wrong way round: a Google calendar stands left all the same.
        string[] words = ["pairs", "add", "home", $"{ICloud}/home", $"{Google}/{Google}", .. more];
        return RunAsync(words);
    }

    private async Task FillAsync(int count)
    {
        for (var index = 0; index < count; index++)
            await EditAsync(index, "put", Event(index, $"Lesson {index}", "T09"));
    }

    private static string Event(int index, string title, string hour) => string.Create(
        CultureInfo.InvariantCulture,
        $"""
        BEGIN:VCALENDAR
        VERSION:2.0
        PRODID:-//Test//EN
        BEGIN:VEVENT
        UID:lesson-{index}@studio.test
        DTSTAMP:20260101T000000Z
        DTSTART:202703{index + 1:00}{hour}0000Z
        DTEND:202703{index + 1:00}{hour}3000Z
        SUMMARY:{title}
        END:VEVENT
        END:VCALENDAR

        """).ReplaceLineEndings("\r\n");

    private Task<CalDavTruthResource> EditAsync(int index, string action, string? content) => Apple.EditAsync(
        new CalDavHandEdit(ICloud, "home", $"lesson-{index}.ics", action) { Content = content },
        CancellationToken.None);

    private async Task<string> ContentAsync(int index) =>
        (await Apple.GetTruthAsync(CancellationToken.None)).Calendars
            .Single(calendar => calendar.User == ICloud && calendar.Id == "home").Resources
            .Single(resource => resource.Name == $"lesson-{index}.ics").Content;

    private async Task PatchAsync(string title, string field, string value) => await Alphabet.EditEventAsync(
        new HandEdit(Google, (await GoogleAsync())[title].Id, "patch")
        {
            Fields = new JsonObject { [field] = value },
        },
        CancellationToken.None);

    private async Task<Dictionary<string, TruthEvent>> GoogleAsync() =>
        (await Alphabet.GetTruthAsync(Google, CancellationToken.None)).Calendars.Single().Events
            .Where(each => each.Status != "cancelled").ToDictionary(each => each.Summary ?? "");

    private async Task<(int Code, JsonNode Json)> JsonAsync(params string[] words)
    {
        var (code, output, error) = await RunAsync([.. words, "--json"]);
        try
        {
            return (code, JsonNode.Parse(output)!);
        }
        catch (JsonException)
        {
            throw new InvalidOperationException($"{string.Join(' ', words)}: {code}\n{output}\n{error}");
        }
    }

    private Task<(int Code, string Out, string Error)> RunAsync(params string[] words) => Shell.RunAsync(
        [.. words, "--data", _directory, "--set", $"sandbox.url={_sandbox.BaseAddress}", "--set",
            $"sandbox.caldav_url={_sandbox.CalDavAddress}"]);
}
