using System.Text.Json;
using CalSync.Lab.Secrecy;
using CalSync.Sandbox;
using CalSync.Storage;
using Xunit;

namespace CalSync.Tests.Commands;

/// <summary>
/// Goal: somebody on call sees how tokens and breakers stand, tries and drives them, and never sees a token.
/// Method: the command line over SQLite against a real sandbox whose grants and endpoints misbehave.
/// </summary>
public sealed class TokenVerbTests : IAsyncLifetime
{
    private const string Maya = "maya@studio.test";
    private static readonly Shell Shell = new();
    private readonly string _directory = Directory.CreateTempSubdirectory("calsync-").FullName;
    private readonly List<IDisposable> _owned = [];
    private SandboxServer _sandbox = null!;
    private string _id = "";

    private static CancellationToken None => CancellationToken.None;

    private SandboxControl Control { get; set; } = null!;

    public async Task InitializeAsync()
    {
        _sandbox = await SandboxServer.StartAsync(new SandboxOptions(TimeProvider.System), None);
        var http = new HttpClient { BaseAddress = _sandbox.BaseAddress };
        _owned.Add(http);
        Control = new SandboxControl(http);
        var tenant = Text(await JsonAsync(0, "tenants", "create", "Studio", "--kind", "test"), "id");
        var user = Text(
            await JsonAsync(
                0, "users", "create", Maya, "--tenant", tenant, "--role", "instructor", "--zone", "UTC"),
            "id");
        var made = await JsonAsync(0, "connect", "google", "--user", user, "--consent-as", Maya);
        _id = Text(made, "connectionId");
    }

    public async Task DisposeAsync()
    {
        _owned.ForEach(owned => owned.Dispose());
        await _sandbox.DisposeAsync();
        Witness.SawDataDirectory(_directory);
        Directory.Delete(_directory, recursive: true);
    }

    /// <summary>R-OAUTH-3, R-OAUTH-13: what is known of each token, in words; 3 when its owner is
    /// needed.</summary>
    [Fact]
    [Trait("Requirement", "R-OAUTH-3")]
    [Trait("Requirement", "R-OAUTH-13")]
    public async Task ListAndShow_SayHowTokensStand()
    {
        var row = (await JsonAsync(0, "tokens", "list"))[0];
        Assert.Equal(
            (_id, "healthy", Maya), (Text(row, "connectionId"), Text(row, "state"), Text(row, "owner")));
        var shown = await JsonAsync(0, "tokens", "show", _id);
        Assert.True(shown.GetProperty("hasRefreshToken").GetBoolean());
        Assert.Equal(1, shown.GetProperty("tokenVersion").GetInt32());
        Assert.Equal(1, (await RunAsync("tokens", "show", "con_nothing")).Code);

        await Control.RevokeAsync(Maya, None);
        Assert.Equal("needs_reauth", Text((await JsonAsync(3, "tokens", "test", _id))[0], "result"));
        Assert.Equal("needs_reauth", Text((await JsonAsync(3, "tokens", "list"))[0], "state"));
        var (code, lines, _) = await RunAsync("tokens", "show", _id);
        Assert.Equal(3, code);
        Assert.Contains("taken back", lines, StringComparison.Ordinal);
        Assert.Contains("Reconnect it in Settings", lines, StringComparison.Ordinal);
    }

    /// <summary>R-OAUTH-1: the provider is asked, and what it says is told.</summary>
    [Fact]
    [Trait("Requirement", "R-OAUTH-1")]
    public async Task Test_AsksTheProvider_AndTellsWhatItSays()
    {
        var works = (await JsonAsync(0, "tokens", "test"))[0];
        Assert.Equal(("works", 1), (Text(works, "result"), works.GetProperty("calendarCount").GetInt32()));

        await SpoilAsync("calendarList.list", 503);
        Assert.Equal("refused", Text((await JsonAsync(3, "tokens", "test"))[0], "result"));
        await Control.ClearFaultsAsync(None);

        // A token that the provider no longer takes is replaced.
        await Control.ExpireTokensAsync(Maya, None);
        Assert.Equal("works", Text((await JsonAsync(0, "tokens", "test"))[0], "result"));

        await WriteAsync("UPDATE connections SET access_expires_at = @at");
        await SpoilAsync("token", 500);
        var later = (await JsonAsync(3, "tokens", "test", _id))[0];
        Assert.Equal("try_later", Text(later, "result"));
        Assert.StartsWith("ServerError", Text(later, "message"), StringComparison.Ordinal);
    }

    /// <summary>R-OAUTH-14: no verb about tokens prints one, in words or as JSON.</summary>
    [Fact]
    [Trait("Requirement", "R-OAUTH-14")]
    public async Task EveryVerb_PrintsNoToken()
    {
        foreach (var verb in new[] { "list", $"show {_id}", "test", "refresh", "refresh --due" })
        {
            foreach (var more in new[] { "", " --json", " --help" })
            {
                var (code, output, error) = await RunAsync($"tokens {verb}{more}".Split(' '));
                Assert.True(code == 0, error);
                Assert.DoesNotContain("ya29.", output, StringComparison.Ordinal);
                Assert.DoesNotContain("1//0", output, StringComparison.Ordinal);
                Assert.DoesNotContain("oken\":\"", output, StringComparison.Ordinal);
            }
        }
    }

    /// <summary>R-OAUTH-15: breakers are seen, opened and closed by hand, each with a reason that is
    /// kept.</summary>
    [Fact]
    [Trait("Requirement", "R-OAUTH-15")]
    public async Task Breakers_AreListedOpenedAndClosed_AndEachChangeIsJournalled()
    {
        Assert.Equal(0, (await JsonAsync(0, "breakers", "list")).GetArrayLength());
        await JsonAsync(0, "breakers", "open", _id, "--for", "10min", "--reason", "a look first");
        var open = (await JsonAsync(3, "breakers", "list"))[0];
        Assert.Equal((_id, "open"), (Text(open, "connectionId"), Text(open, "phase")));
        Assert.Equal("refused", Text((await JsonAsync(3, "tokens", "test"))[0], "result"));
        Assert.Equal("degraded", Text((await JsonAsync(0, "tokens", "list"))[0], "state"));

        // By provider: all of its connections.
        await JsonAsync(0, "breakers", "close", "google-sandbox", "--reason", "all is well");
        Assert.Equal(0, (await JsonAsync(0, "breakers", "list")).GetArrayLength());
        Assert.Equal("works", Text((await JsonAsync(0, "tokens", "test"))[0], "result"));
        Assert.Equal(
            """breaker.opened a look first|breaker.closed all is well""",
            string.Join('|', await ReadAsync(
                "SELECT kind || ' ' || json_extract(after, '$.reason') FROM journal WHERE cause = 'breaker' "
                + "ORDER BY seq")));

        Assert.Equal(1, (await RunAsync("breakers", "close", "con_nothing", "--reason", "x")).Code);
        Assert.Equal(2, (await RunAsync("breakers", "open", _id, "--for", "8d", "--reason", "x")).Code);
        Assert.Equal(2, (await RunAsync("breakers", "open", _id, "--for", "1min", "--reason", " ")).Code);
        Assert.Equal(2, (await RunAsync("breakers", "open", _id, "--for", "1min")).Code);
    }

    /// <summary>R-OAUTH-7: a breaker opened by hand keeps tokens from being renewed as well.</summary>
    [Fact]
    [Trait("Requirement", "R-OAUTH-7")]
    public async Task Open_KeepsTheTokenEndpointFromBeingAsked()
    {
        await JsonAsync(0, "breakers", "open", _id, "--for", "10min", "--reason", "a look first");
        await Control.ClearCallsAsync(None);
        Assert.Equal(0, (await JsonAsync(0, "tokens", "refresh")).GetArrayLength());
        await WriteAsync("UPDATE connections SET access_expires_at = @at");
        Assert.Equal("try_later", Text((await JsonAsync(3, "tokens", "test"))[0], "result"));
        Assert.Empty(await Control.GetCallsAsync(None));
    }

    /// <summary>R-OAUTH-16: each of the five promises about grants with its number.</summary>
    [Fact]
    [Trait("Requirement", "R-OAUTH-16")]
    public async Task Report_SaysHowWellGrantsWereKept()
    {
        await JsonAsync(0, "tokens", "refresh");
        await WriteAsync("UPDATE connections SET access_expires_at = @at");
        Assert.Equal(1, (await JsonAsync(1, "report", "oauth")).GetProperty("tokensEnding").GetInt32());
        await SpoilAsync("token", 503);
        await JsonAsync(3, "tokens", "refresh");
        await Control.ClearFaultsAsync(None);

        // It waits for its next attempt, and its owner can be told why.
        var report = await JsonAsync(0, "report", "oauth", "--days", "7");
        var numbers = new[]
        {
            "renewed", "refreshesFailed", "notWorking", "withoutReason", "connections", "tokensEnding",
            "grantsLost", "internalFaults", "breakersOpen",
        }.Select(name => report.GetProperty(name).GetInt32());
        Assert.Equal([1, 1, 1, 0, 1, 0, 0, 0, 0], numbers);
        Assert.Equal(5, (await RunAsync("report", "oauth")).Out.TrimEnd().Split('\n').Length);
        await WriteAsync("UPDATE connections SET reason = NULL WHERE @at IS NOT NULL");
        Assert.Equal(1, (await JsonAsync(1, "report", "oauth")).GetProperty("withoutReason").GetInt32());
    }

    private Task<FaultReport> SpoilAsync(string operation, int status) => Control.AddFaultAsync(
        new FaultScript(operation, new FaultEffect { Status = status }), None);

    private async Task WriteAsync(string sql)
    {
        await using var database = Database.Open(new DatabaseOptions { DataDirectory = _directory });
        await database.WriteAsync(
            session => session.ExecuteAsync(sql, new { at = TimeProvider.System.GetUtcNow() }), None);
    }

    private async Task<IReadOnlyList<string>> ReadAsync(string sql)
    {
        await using var database = Database.Open(new DatabaseOptions { DataDirectory = _directory });
        return await database.ReadAsync(session => session.QueryAsync<string>(sql), None);
    }

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;

    private async Task<JsonElement> JsonAsync(int code, params string[] arguments)
    {
        var (ended, output, error) = await RunAsync([.. arguments, "--json"]);
        Assert.True(ended == code, $"{ended}: {error}{output}");
        using var json = JsonDocument.Parse(output);
        return json.RootElement.Clone();
    }

    private Task<(int Code, string Out, string Error)> RunAsync(params string[] arguments) => Shell.RunAsync(
        [.. arguments, "--data", _directory, "--set", "google.provider=google-sandbox",
            "--set", $"sandbox.url={_sandbox.BaseAddress}"]);
}
