using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using CalSync.Lab.Secrecy;
using CalSync.Sandbox;
using Xunit;

namespace CalSync.Tests.Commands;

/// <summary>
/// A practice Google and a practice iCloud, paired as <c>home</c>, and the command line beside them.
/// </summary>
internal sealed class PairShell : IAsyncDisposable
{
    public const string Google = "maya@studio.test";
    public const string ICloud = "maya@icloud.test";
    private static readonly Shell Shell = new();
    private readonly string _directory = Directory.CreateTempSubdirectory("calsync-").FullName;
    private readonly SandboxServer _sandbox;
    private readonly HttpClient _http;

    private PairShell(SandboxServer sandbox)
    {
        _sandbox = sandbox;
        _http = new HttpClient { BaseAddress = sandbox.BaseAddress };
    }

    /// <summary>An installed program that runs <c>sync</c>; null to run it in here, as all else is.</summary>
    public string? Installed { get; set; }

    public CalDavControl Apple => new(_http);

    public SandboxControl Alphabet => new(_http);

    /// <summary>Starts both with so many lessons in iCloud, and pairs and syncs them.</summary>
    /// <param name="lessons">How many.</param>
    /// <param name="more">More words for <c>pairs add</c>.</param>
    public static async Task<PairShell> StartAsync(int lessons, params string[] more)
    {
        var world = new PairShell(await SandboxServer.StartAsync(
            new SandboxOptions(TimeProvider.System), CancellationToken.None));
        var password = Path.Combine(world._directory, "password");
        await File.WriteAllTextAsync(password, "maya-aaaa-bbbb-cccc\n");
        for (var index = 0; index < lessons; index++)
            await world.PutAsync(index, Event(index, $"Lesson {index}", "T09"));
        foreach (var words in (string[][])[
            ["connect", "google", "--consent-as", Google],
            ["connect", "icloud", "--sandbox", "--username", ICloud, "--password-file", password],
            ["pairs", "add", "home", $"{Google}/{Google}", $"{ICloud}/home", .. more], ["sync", "home"]])
        {
            var told = await world.RunAsync(words);
            Assert.True(told.Code == 0, $"{string.Join(' ', words)}: {told.Out}{told.Error}");
        }

        return world;
    }

    public static string Event(int index, string title, string hour, string lines = "") => string.Create(
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
        {lines}SUMMARY:{title}
        END:VEVENT
        END:VCALENDAR

        """).ReplaceLineEndings("\r\n");

    public Task PutAsync(int index, string content) => Apple.EditAsync(
        new CalDavHandEdit(ICloud, "home", $"lesson-{index}.ics", "put") { Content = content },
        CancellationToken.None);

    public Task DeleteAsync(int index) => Apple.EditAsync(
        new CalDavHandEdit(ICloud, "home", $"lesson-{index}.ics", "delete"), CancellationToken.None);

    public async Task PatchAsync(string title, string field, string value) => await Alphabet.EditEventAsync(
        new HandEdit(Google, (await GoogleAsync())[title].Id, "patch")
        {
            Fields = new JsonObject { [field] = value },
        },
        CancellationToken.None);

    /// <summary>A person does something to an event in Google's own pages.</summary>
    public Task EditAsync(string id, string action, JsonObject? fields) => Alphabet.EditEventAsync(
        new HandEdit(Google, id, action) { Fields = fields }, CancellationToken.None);

    /// <summary>What Google really holds, by title.</summary>
    public async Task<Dictionary<string, TruthEvent>> GoogleAsync() =>
        (await Alphabet.GetTruthAsync(Google, CancellationToken.None)).Calendars.Single().Events
            .Where(each => each.Status != "cancelled").ToDictionary(each => each.Summary ?? "");

    /// <summary>What iCloud really holds, by UID.</summary>
    public async Task<SortedDictionary<string, string>> AppleAsync() => new(
        (await Apple.GetTruthAsync(CancellationToken.None)).Calendars
            .Single(calendar => calendar.User == ICloud && calendar.Id == "home").Resources
            .ToDictionary(resource => resource.Uid, resource => resource.Content),
        StringComparer.Ordinal);

    /// <summary>Requires that nobody was mailed, by any side.</summary>
    public async Task AssertNoMailAsync() => Assert.DoesNotContain(
        await Alphabet.GetMailsAsync(includeKeptBack: false, CancellationToken.None), mail => mail.Mailed);

    public async Task<(int Code, JsonNode Json)> JsonAsync(params string[] words)
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

    public Task<(int Code, string Out, string Error)> RunAsync(params string[] words)
    {
        words =
        [
            .. words, "--data", _directory, "--set", $"sandbox.url={_sandbox.BaseAddress}", "--set",
            $"sandbox.caldav_url={_sandbox.CalDavAddress}",
        ];
        return Installed is { } program && words[0] == "sync"
            ? OwnProcess.RunAloneAsync(program, words)
            : Shell.RunAsync(words);
    }

    /// <summary>Runs a command that was printed, without the name of the program.</summary>
    public Task<(int Code, string Out, string Error)> RunPrintedAsync(string command) => RunAsync(
        [.. command.Trim().Split(' ').Skip(1).Select(word => word.Trim('\''))]);

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _sandbox.DisposeAsync();
        Witness.SawDataDirectory(_directory);
        Directory.Delete(_directory, recursive: true);
    }
}
