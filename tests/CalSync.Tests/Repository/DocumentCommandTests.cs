using System.CommandLine;
using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using CalSync.App;
using CalSync.App.Api;
using CalSync.App.Commands;
using CalSync.App.Demo;
using CalSync.Classes;
using CalSync.Lab.Secrecy;
using CalSync.Sandbox;
using CalSync.Storage;
using CalSync.Storage.Identity;
using Xunit;

namespace CalSync.Tests.Repository;

/// <summary>The commands in the documents work: each block runs in a shell, on a data directory with one
/// studio in it.</summary>
public sealed partial class DocumentCommandTests : IAsyncLifetime
{
    // What is not run here, and why.
    private static readonly (string Start, string Reason)[] LeftOut =
    [
        ("./test", "this is it"),
        ("CALSYNC_WRITE_DOCS=1 ./test", "this is it"),
        ("dotnet ", "builds and tests what is running"),
        ("./bench", "measures for minutes"),
        ("deploy/install", "has a test of its own"),
        ("./calsync demo", "has tests of its own"),
        ("./calsync serve", "does not end; this test serves"),
        ("./calsync sandbox", "does not end; this test has one"),
        ("git clone", "needs a network"),
    ];

    // Verbs that say with 3 that something is not as it should be: here no worker runs.
    private static readonly string[] MayBeUnhealthy = ["calsync doctor", "calsync connections list"];

    private readonly string _directory = Directory.CreateTempSubdirectory("calsync-docs-").FullName;
    private readonly Dictionary<string, string> _words = [];
    private SandboxServer _sandbox = null!;
    private CalSyncHost _host = null!;

    public static TheoryData<string> Documents =>
        [.. SourceTree.Files(".md").Where(path => Blocks(path).Any())];

    public async Task InitializeAsync()
    {
        _sandbox = await SandboxServer.StartAsync(
            new SandboxOptions(TimeProvider.System), CancellationToken.None);
        var options = new HostOptions
        {
            Database = new DatabaseOptions { DataDirectory = _directory },
            Urls = ["http://127.0.0.1:0"],
            RunsWorkers = false,
            Api = new ApiOptions { VerificationWait = TimeSpan.FromMilliseconds(100) },
        };
        _host = await CalSyncHost.BuildAsync(
            options.At(_sandbox.BaseAddress, "calsync-sandbox", "calsync-sandbox-secret"),
            TimeProvider.System, new UnguessableRandom(), null, CancellationToken.None);
        await _host.StartAsync(CancellationToken.None);
        await FillAsync();
    }

    public async Task DisposeAsync()
    {
        await _host.StopAsync(CancellationToken.None);
        await _host.DisposeAsync();
        await _sandbox.DisposeAsync();
        Witness.SawDataDirectory(_directory);
        Directory.Delete(_directory, recursive: true);
    }

    [Theory]
    [MemberData(nameof(Documents))]
    [Trait("Category", "Slow")]
    public async Task ShellBlocks_OfADocument_Run(string path)
    {
        foreach (var block in Blocks(path))
        {
            var lines = block.Split('\n').Where(line =>
                !LeftOut.Any(left => line.TrimStart().StartsWith(left.Start, StringComparison.Ordinal)));
            var script = string.Join('\n', lines.Select(Prepare));
            if (script.Trim().Length == 0)
                continue;
            var (code, output) = await ShellAsync(script);
            Assert.True(code == 0, $"{path}, exit code {code}:\n{script}\n{output}");
        }
    }

    [Fact]
    public void Commands_InTheText_AreCommandsOfTheProduct()
    {
        var root = CommandLine.Build(Surroundings.OfProcess(TimeProvider.System, new Random(1)));
        var wrong =
            from path in SourceTree.Files(".md")
            from match in InlineCommand().Matches(SourceTree.Text(path))
            let command = match.Groups["rest"].Value
            let parsed = root.Parse(command)
            where parsed.Errors.Count > 0 && !IsGroupOrShort(parsed)
            select $"{path}: calsync {command}: {parsed.Errors[0].Message}";
        Assert.Equal([], wrong);
    }

    [Fact]
    public void Commands_StandInBlocksThatAreRun()
    {
        var unseen =
            from path in SourceTree.Files(".md")
            from block in AnyBlock().Matches(SourceTree.Text(path))
            where block.Groups["kind"].Value != "sh"
            from line in block.Groups["text"].Value.Split('\n')
            where CommandStart().IsMatch(line)
            select $"{path}: {line.Trim()}";
        Assert.Equal([], unseen);
    }

    [Fact]
    public void FirstScreen_ShowsTwoCommandsThatExist()
    {
        var first = Blocks("README.md").First();
        Assert.Equal("./calsync demo\n./test\n", first);
        Assert.All(
            ["calsync", "test"], name => Assert.True(File.Exists(Path.Combine(SourceTree.Root, name)), name));
    }

    // The text may name a group of verbs, or a verb without what it is about.
    private static bool IsGroupOrShort(ParseResult parsed) =>
        parsed.UnmatchedTokens.Count == 0 && parsed.CommandResult.Command is not RootCommand;

    private static IEnumerable<string> Blocks(string path) =>
        ShellBlock().Matches(SourceTree.Text(path)).Select(match =>
            string.Join('\n', match.Groups["text"].Value.Split('\n').Select(line =>
                line.StartsWith(match.Groups["indent"].Value, StringComparison.Ordinal)
                    ? line[match.Groups["indent"].Length..]
                    : line)));

    private string Prepare(string line)
    {
        foreach (var (word, value) in _words)
            line = Regex.Replace(line, $@"(?<![\w-]){Regex.Escape(word)}(?!\w)", value);
        return MayBeUnhealthy.Any(verb => line.StartsWith(verb, StringComparison.Ordinal))
            ? $"{line} || [ $? = 3 ]"
            : line;
    }

    private async Task FillAsync()
    {
        var identities = (IdentityStore)_host.Services.GetService(typeof(IdentityStore))!;
        var tenant = await identities.CreateTenantAsync(
            "Studio", TenantKind.Test, "test", "cor_test", default);
        var made = (UserCreation.Created)await identities.CreateUserAsync(
            new NewUser(tenant.Id, "Arjun", "arjun@studio.test", Role.Instructor, "Asia/Kolkata"), "test",
            "cor_test", default);
        var token = (await identities.CreateTokenAsync(
            made.User.Id, "test", null, "test", "cor_test", default))!.Secret;
        using var api = new DemoApi(_host.Address, token, () => Guid.NewGuid().ToString());
        await DemoConsent.GiveAsync(api, "arjun@studio.test", default);
        var connection = (await api.GetAsync("calendar/connections", default)).Expect().Body!["items"]![0]!;
        var slot = new JsonObject { ["start"] = "2031-03-03T18:00", ["durationMinutes"] = 60 };
        var body = new JsonObject
        {
            ["title"] = "Raga",
            ["timeZone"] = "Asia/Kolkata",
            ["capacity"] = 5,
            ["price"] = new JsonObject { ["minor"] = 0, ["currency"] = "INR" },
            ["schedules"] = new JsonArray(new JsonObject { ["slots"] = new JsonArray(slot) }),
        };
        (await api.PostAsync("classes", body, default, prefer: "respond-async")).Expect();
        var operation = (await api.GetAsync("operations", default)).Expect().Body!["items"]![0]!;
        _words["TENANT"] = tenant.Id;
        _words["USER"] = made.User.Id;
        _words["CONNECTION"] = connection["id"]!.ToString();
        _words["CALENDAR"] = connection["calendars"]![0]!["id"]!.ToString();
        _words["OPERATION"] = operation["id"]!.ToString();
        _words["CORRELATION"] = operation["correlationId"]!.ToString();
        _words["PROPOSAL"] = await ProposalAsync();
        _words["PAIR"] = await PairAsync(made.User.Id);
        _words["http://127.0.0.1:8080/api/v1"] = $"{_host.Address}api/v1";
        _words["cst_of_an_instructor"] = token;
        _words["curl -s"] = "curl -sSf";
    }

    /// <summary>As a worker leaves one that found the event dragged.</summary>
    private async Task<string> ProposalAsync()
    {
        await ((Database)_host.Services.GetService(typeof(Database))!).WriteAsync(
            session => session.ExecuteAsync(
                """
                INSERT INTO proposals (id, tenant_id, class_id, slot_id, mirror_id, kind, state, from_start,
                    from_end, to_start, to_end, slot_version, event_id, found_at, updated_at)
                SELECT 'prp_1', m.tenant_id, s.class_id, s.id, m.id, 'moved', 'pending', s.start_at, s.end_at,
                    s.end_at, @end, s.version, m.provider_event_id, s.created_at, s.created_at
                FROM slots s JOIN mirrors m ON m.slot_id = s.id
                """,
                new { end = new DateTimeOffset(2031, 3, 3, 14, 30, 0, TimeSpan.Zero) }),
            default);
        return "prp_1";
    }

    private async Task<string> PairAsync(string userId)
    {
        foreach (var words in (string[][])[
            ["connect", "icloud", "--sandbox", "--user", userId, "--username", "arjun@icloud.test",
                "--password-command", "echo arju-aaaa-bbbb-cccc"],
            ["pairs", "add", "practice", "arjun@studio.test/arjun@studio.test", "arjun@icloud.test/home"]])
        {
            await RunAsync(words);
        }

        using var http = new HttpClient { BaseAddress = _sandbox.BaseAddress };
        await new CalDavControl(http).EditAsync(
            new CalDavHandEdit("arjun@icloud.test", "home", "raga.ics", "put")
            {
                Content = Commands.PairShell.Event(1, "Raga at home", "T09"),
            },
            default);
        var run = JsonNode.Parse(await RunAsync("sync", "practice", "--json"))![0]!;
        _words["RUN"] = (string)run["run"]!;
        _words["EVENT"] = "lesson-1@studio.test";
        _words["TIME"] = TimeProvider.System.GetUtcNow().ToString("O");
        return "practice";
    }

    private async Task<string> RunAsync(params string[] words)
    {
        var (code, output, error) = await new Commands.Shell().RunAsync(
            [.. words, "--data", _directory, "--set", $"sandbox.url={_sandbox.BaseAddress}", "--set",
                $"sandbox.caldav_url={_sandbox.CalDavAddress}"]);
        Assert.True(code == 0, error);
        return output;
    }

    private async Task<(int Code, string Output)> ShellAsync(string script)
    {
        var start = new ProcessStartInfo(
            "bash", ["-euo", "pipefail", "-c", $"exec 2>&1 </dev/null\n{script}"])
        {
            WorkingDirectory = SourceTree.Root,
            RedirectStandardOutput = true,
        };
        var bin = Directory.CreateDirectory(Path.Combine(_directory, "bin")).FullName;
        var link = Path.Combine(bin, "calsync");
        if (!File.Exists(link))
            File.CreateSymbolicLink(link, Path.Combine(SourceTree.Root, "calsync"));
        start.Environment["PATH"] = $"{bin}:{Environment.GetEnvironmentVariable("PATH")}";
        start.Environment["CALSYNC__DATA__DIRECTORY"] = _directory;
        start.Environment["CALSYNC__GOOGLE__PROVIDER"] = "google-sandbox";
        start.Environment["CALSYNC__SANDBOX__URL"] = _sandbox.BaseAddress.AbsoluteUri;
        start.Environment["CALSYNC__SANDBOX__CALDAV_URL"] = _sandbox.CalDavAddress.AbsoluteUri;
        using var bash = Process.Start(start)!;
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(4));
        try
        {
            var output = await bash.StandardOutput.ReadToEndAsync(limit.Token);
            await bash.WaitForExitAsync(limit.Token);
            return (bash.ExitCode, output);
        }
        catch (OperationCanceledException)
        {
            bash.Kill(entireProcessTree: true);
            return (-1, "It did not end within 4 minutes.");
        }
    }

    [GeneratedRegex(
        @"^(?<indent> *)```sh\n(?<text>.*?)^ *```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex ShellBlock();

    [GeneratedRegex(
        @"^ *```(?<kind>\w*)\n(?<text>.*?)^ *```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex AnyBlock();

    [GeneratedRegex(@"^\s*(\$ )?(\./(calsync|test|bench)\b|calsync |dotnet |curl |git |export )")]
    private static partial Regex CommandStart();

    [GeneratedRegex(@"(?<!`)`(\./)?calsync (?<rest>[a-z][^`\n]*)`(?!`)")]
    private static partial Regex InlineCommand();
}
