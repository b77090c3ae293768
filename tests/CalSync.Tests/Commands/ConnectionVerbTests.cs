using System.Text.Json;
using CalSync.Lab.Secrecy;
using CalSync.Sandbox;
using Xunit;

namespace CalSync.Tests.Commands;

/// <summary>The verbs about accounts and calendars, through the command line, against a real
/// sandbox.</summary>
public sealed class ConnectionVerbTests : IAsyncLifetime
{
    private static readonly Shell Shell = new();
    private readonly string _directory = Directory.CreateTempSubdirectory("calsync-").FullName;
    private SandboxServer _sandbox = null!;

    public async Task InitializeAsync() =>
        _sandbox = await SandboxServer.StartAsync(
            new SandboxOptions(TimeProvider.System), CancellationToken.None);

    public async Task DisposeAsync()
    {
        await _sandbox.DisposeAsync();
        Witness.SawDataDirectory(_directory);
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task Connect_WithScriptedConsent_ConnectsListsSelectsAndDisconnects()
    {
        var maya = await PersonAsync("maya@studio.test", "instructor");
        var page = await RunAsync("connect", "google", "--user", maya, "--no-wait");
        Assert.StartsWith($"{_sandbox.BaseAddress}o/oauth2/v2/auth?", page.Out, StringComparison.Ordinal);

        var made = Text(await ConnectAsync(maya), "connectionId");
        var listed = (await JsonAsync("connections", "list"))[0].GetProperty("connection");
        Assert.Equal((made, "healthy"), (Text(listed, "id"), Text(listed, "state")));
        Assert.DoesNotContain("oken\":\"", listed.GetRawText(), StringComparison.Ordinal);

        var again = await ConnectAsync(maya, "--reconnect", made);
        Assert.Equal(made, Text(again, "connectionId"));

        var calendar = Text(
            (await JsonAsync("calendars", "list", "--user", maya))[0].GetProperty("calendar"), "id");
        Assert.Equal(0, (await RunAsync("calendars", "select", calendar)).Code);
        Assert.Equal(1, (await RunAsync("calendars", "select", "cal_nothing")).Code);

        Assert.Equal(0, (await RunAsync("connections", "disconnect", made)).Code);
        Assert.Equal(1, (await RunAsync("connections", "disconnect", "con_nothing")).Code);
    }

    /// <summary>The key of stored secrets changes by one command, and connections go on.</summary>
    [Fact]
    public async Task Keys_RotateAndRetire_KeepTheConnection()
    {
        var maya = await PersonAsync("maya@studio.test", "instructor");
        await ConnectAsync(maya);
        var old = Text((await JsonAsync("keys", "list"))[0], "id");
        var rotated = await JsonAsync("keys", "rotate");
        Assert.Equal((old, 2), (Text(rotated, "before"), rotated.GetProperty("resealed").GetInt32()));
        var rows = (await JsonAsync("keys", "list")).EnumerateArray()
            .Select(row => (Text(row, "id"), row.GetProperty("secrets").GetInt32())).ToList();
        Assert.Equal([(Text(rotated, "key"), 2), (old, 0)], rows);
        Assert.Equal(old, (await JsonAsync("keys", "retire")).GetProperty("retired")[0].GetString());
        Assert.True((await JsonAsync("tokens", "refresh"))[0].GetProperty("isFresh").GetBoolean());

        // A key that is nowhere is told, not hidden.
        File.Delete(Path.Combine(_directory, "encryption.key"));
        var lost = await RunAsync("keys", "list");
        Assert.Equal(3, lost.Code);
        Assert.Contains("missing", lost.Out, StringComparison.Ordinal);
        Assert.Equal(3, (await RunAsync("keys", "rotate")).Code);
    }

    /// <summary>R-CAL-18-P: the calendar that events go to is the one that new events go to as
    /// well.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-18-P")]
    public async Task Migrate_ChoosesTheOtherCalendar_AndSaysWhatIsLeft()
    {
        using var http = new HttpClient { BaseAddress = _sandbox.BaseAddress };
        await new SandboxControl(http).AddCalendarAsync(
            "maya@studio.test", "Teaching", "UTC", CancellationToken.None);
        await ConnectAsync(await PersonAsync("maya@studio.test", "instructor"));
        var listed = (await JsonAsync("calendars", "list")).EnumerateArray()
            .Select(row => row.GetProperty("calendar")).ToList();
        var (from, to) = (Text(listed[0], "id"), Text(listed[1], "id"));
        string[] migrate = ["calendars", "migrate", "--from", from, "--to", to];

        Assert.Equal(0, (await JsonAsync([.. migrate, "--dry-run"])).GetProperty("eventCount").GetInt32());
        Assert.True(listed[0].GetProperty("selected").GetBoolean());
        Assert.Equal(0, (await JsonAsync(migrate)).GetProperty("leftCount").GetInt32());
        var after = (await JsonAsync("calendars", "list"))[1].GetProperty("calendar");
        Assert.Equal((to, true), (Text(after, "id"), after.GetProperty("selected").GetBoolean()));
        Assert.Equal(1, (await RunAsync("calendars", "migrate", "--from", from, "--to", from)).Code);
    }

    /// <summary>R-OAUTH-6: by hand too: all tokens, or those that end soon; 3 when one cannot be
    /// renewed.</summary>
    [Fact]
    [Trait("Requirement", "R-OAUTH-6")]
    public async Task Refresh_RenewsAllOrWhatIsDue_AndSaysWhatWasNotRenewed()
    {
        var maya = await PersonAsync("maya@studio.test", "instructor");
        var made = Text(await ConnectAsync(maya), "connectionId");
        Assert.Equal(0, (await JsonAsync("tokens", "refresh", "--due")).GetArrayLength());
        var renewed = Assert.Single((await JsonAsync("tokens", "refresh")).EnumerateArray());
        Assert.Equal(
            (made, true), (Text(renewed, "connectionId"), renewed.GetProperty("isFresh").GetBoolean()));

        using var http = new HttpClient { BaseAddress = _sandbox.BaseAddress };
        await new SandboxControl(http).RevokeAsync("maya@studio.test", CancellationToken.None);
        Assert.Equal(3, (await RunAsync("tokens", "refresh")).Code);
        Assert.Equal(3, (await RunAsync("connections", "list")).Code);
        Assert.Equal(0, (await JsonAsync("tokens", "refresh")).GetArrayLength());
    }

    [Fact]
    public async Task Connect_ForSomebodyWhoCannot_SaysWhy()
    {
        var bea = await PersonAsync("bea@mail.test", "student");
        Assert.Contains(
            "Only instructors", (await RunAsync("connect", "google", "--user", bea)).Error,
            StringComparison.Ordinal);
        Assert.Equal(1, (await RunAsync("connect", "google", "--user", "usr_nobody")).Code);
        var maya = await PersonAsync("maya@studio.test", "instructor");
        var stranger = await RunAsync(
            "connect", "google", "--user", maya, "--consent-as", "nobody@studio.test");
        Assert.Equal(1, stranger.Code);
        Assert.Contains("nobody@studio.test", stranger.Error, StringComparison.Ordinal);
    }

    private Task<JsonElement> ConnectAsync(string user, params string[] more) => JsonAsync(
        ["connect", "google", "--user", user, "--consent-as", "maya@studio.test", .. more]);

    private async Task<string> PersonAsync(string email, string role)
    {
        var tenants = await JsonAsync("tenants", "list");
        var tenant = tenants.GetArrayLength() > 0
            ? Text(tenants[0], "id")
            : Text(await JsonAsync("tenants", "create", "Studio", "--kind", "test"), "id");
        string[] words =
            ["users", "create", email, "--tenant", tenant, "--role", role, "--zone", "America/New_York"];
        return Text(await JsonAsync(words), "id");
    }

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;

    private async Task<JsonElement> JsonAsync(params string[] arguments)
    {
        var (code, output, error) = await RunAsync([.. arguments, "--json"]);
        Assert.True(code == 0, error);
        using var json = JsonDocument.Parse(output);
        return json.RootElement.Clone();
    }

    private Task<(int Code, string Out, string Error)> RunAsync(params string[] arguments) => Shell.RunAsync(
        [.. arguments, "--data", _directory, "--set", "google.provider=google-sandbox",
            "--set", $"sandbox.url={_sandbox.BaseAddress}"]);
}
