using System.Text.Json;
using CalSync.Lab.Secrecy;
using CalSync.Storage;
using Xunit;

namespace CalSync.Tests.Commands;

/// <summary>The verbs that keep house, each through its command line on a database of its own.</summary>
public sealed class VerbTests : IDisposable
{
    private static readonly Shell Shell = new();
    private readonly string _directory = Directory.CreateTempSubdirectory("calsync-").FullName;

    public void Dispose()
    {
        Witness.SawDataDirectory(_directory);
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task Db_OnANewDirectory_UpgradesOnceAndChecks()
    {
        Assert.Equal(3, (await RunAsync("db", "check")).Code);
        var first = await JsonAsync("db", "upgrade");
        Assert.Equal(0, first.GetProperty("from").GetInt32());
        var again = await JsonAsync("db", "upgrade");
        Assert.Equal(again.GetProperty("to").GetInt32(), again.GetProperty("from").GetInt32());
        Assert.Equal(0, (await RunAsync("db", "check")).Code);
    }

    [Fact]
    public async Task TenantsAndUsers_AreMadeListedAndGivenATokenShownOnce()
    {
        var tenant = (await JsonAsync(
            "tenants", "create", "Studio Nine", "--kind", "test")).GetProperty("id").GetString()!;
        string[] ada = ["users", "create", "Ada@Example.com", "--tenant", tenant, "--role", "instructor"];
        var user = await JsonAsync([.. ada, "--zone", "Asia/Calcutta"]);
        Assert.Equal("ada@example.com", user.GetProperty("email").GetString());
        Assert.Equal("Asia/Kolkata", user.GetProperty("timeZone").GetString());
        var id = user.GetProperty("id").GetString()!;
        var token = await RunAsync("users", "token", id, "--days", "30");
        Assert.Matches("^cst_[0-9a-v]{52}\n$", token.Out);
        Assert.Contains(
            id, (await RunAsync("users", "list", "--tenant", tenant)).Out, StringComparison.Ordinal);

        Assert.Equal(1, (await RunAsync([.. ada, "--zone", "Asia/Kolkata"])).Code);
        var unclear = await RunAsync([.. ada, "--zone", "IST"]);
        Assert.Equal(2, unclear.Code);
        Assert.Contains("--zone Asia/", unclear.Error, StringComparison.Ordinal);
        Assert.Equal(1, (await RunAsync("users", "token", "usr_nobody")).Code);
        Assert.Equal(1, (await RunAsync("users", "unlink-google", id)).Code);
        Assert.Equal(0, (await RunAsync("idempotency", "clear", "--user", id)).Code);
    }

    /// <summary>R-FIX-1-RB, R-FIX-2-RB, R-FIX-3-RB, R-FIX-4-RB, R-FIX-5-RB: set for a while, with a reason,
    /// audited.</summary>
    [Theory]
    [InlineData("verification", "off")]
    [InlineData("token-blocking", "off")]
    [InlineData("enrollment-calendar", "deferred")]
    [InlineData("idempotency", "off")]
    [InlineData("provider-timeout", "30")]
    public async Task Switches_SetAndCleared_AreInForceWithReasonAndInTheJournal(string name, string value)
    {
        await RunAsync("switches", "set", name, value, "--ttl", "2h", "--reason", "rehearsal");
        var set = (await JsonAsync("switches", "list")).EnumerateArray()
            .Single(state => state.GetProperty("name").GetString() == name);
        Assert.Equal((value, "rehearsal"), (
            set.GetProperty("value").GetString(), set.GetProperty("reason").GetString()));
        Assert.Equal(0, (await RunAsync("switches", "clear", name)).Code);
        var history = (await JsonAsync("events", "history", name)).EnumerateArray()
            .Select(record => record.GetProperty("entry")).ToList();
        Assert.Equal(["switch.set", "switch.cleared"], history.Select(entry =>
            entry.GetProperty("kind").GetString()));
        Assert.All(history, entry => Assert.Equal("cli", entry.GetProperty("actor").GetString()));
        var trace = await JsonAsync("trace", history[0].GetProperty("correlationId").GetString()!);
        Assert.Equal(1, trace.GetArrayLength());
    }

    [Theory]
    [InlineData("verification", "maybe", "2h")]
    [InlineData("verification", "off", "8d")]
    [InlineData("verification", "off", "soon")]
    [InlineData("verifikation", "off", "2h")]
    public async Task Switches_SetToNonsense_EndWithUsage(string name, string value, string ttl) =>
        Assert.Equal(2, (await RunAsync("switches", "set", name, value, "--ttl", ttl, "--reason", "x")).Code);

    [Fact]
    public async Task Journal_Verified_IsIntactAndCounted()
    {
        await JsonAsync("tenants", "create", "Studio Nine");
        var check = await JsonAsync("journal", "verify");
        Assert.Equal(
            (true, 1), (check.GetProperty("intact").GetBoolean(), check.GetProperty("count").GetInt32()));
    }

    [Fact]
    public async Task Doctor_WithoutAWorker_SaysWhatToDoAndEndsUnhealthy()
    {
        await RunAsync("db", "upgrade");
        var (code, output, _) = await RunAsync("doctor", "--json");
        using var findings = JsonDocument.Parse(output);
        var wrong = findings.RootElement.EnumerateArray().Where(finding =>
            !finding.GetProperty("ok").GetBoolean());
        Assert.Equal(["workers"], wrong.Select(finding => finding.GetProperty("check").GetString()));
        Assert.Equal(3, code);
    }

    [Fact]
    public async Task Doctor_WhereNothingIs_LeavesNothing()
    {
        var nowhere = Path.Combine(_directory, "nowhere");
        var (code, output, _) = await Shell.RunAsync(["doctor", "--data", nowhere]);
        Assert.Equal(3, code);
        Assert.Contains("calsync db upgrade", output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(nowhere));
    }

    [Theory]
    [InlineData("serve", "--urls")]
    [InlineData("demo", "--port")]
    public async Task AVerbThatListens_OnATakenPort_SaysWhichAndWhatToDo(string verb, string option)
    {
        using var taken = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        taken.Start();
        var port = ((System.Net.IPEndPoint)taken.LocalEndpoint).Port;
        var place = option == "--urls" ? $"http://127.0.0.1:{port}" : $"{port}";
        var (code, _, error) = await Shell.RunAsync(
            [verb, option, place, "--data", Path.Combine(_directory, verb)]);
        Assert.Equal(1, code);
        Assert.Contains($"127.0.0.1:{port}", error, StringComparison.Ordinal);
        Assert.Contains("  do:    ", error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ADataDirectory_ThatCannotBeMade_IsNamed()
    {
        var file = Path.Combine(_directory, "file");
        await File.WriteAllTextAsync(file, "");
        foreach (var verb in (string[][])[["serve"], ["tenants", "list"], ["demo", "--once"]])
        {
            var (code, _, error) = await Shell.RunAsync([.. verb, "--data", Path.Combine(file, "below")]);
            Assert.Equal(1, code);
            Assert.Contains(file, error, StringComparison.Ordinal);
            Assert.Contains("  do:    ", error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Operations_OfAnUnknownId_SaysSo()
    {
        await JsonAsync("tenants", "create", "Studio Nine");
        Assert.Equal("No operation is open.\n", (await RunAsync("operations", "list")).Out);
        foreach (var verb in (string[])["show", "retry"])
        {
            var (code, _, error) = await RunAsync("operations", verb, "opn_unknown");
            Assert.Equal(1, code);
            Assert.Contains("There is no such operation.", error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task AnyVerb_OnANewerDatabase_RefusesToTouchIt()
    {
        await RunAsync("db", "upgrade");
        await using (var database = Database.Open(new() { DataDirectory = _directory }))
        {
            await database.WriteAsync(
                session => session.ExecuteAsync(
                    """
                    INSERT INTO schema_migrations (version, name, checksum, applied_at)
                    VALUES (9999, 'future', '', '2030-01-01T00:00:00.000000Z')
                    """),
                CancellationToken.None);
        }

        Assert.Equal(3, (await RunAsync("tenants", "list")).Code);
        Assert.Equal(3, (await RunAsync("db", "check")).Code);
    }

    private async Task<JsonElement> JsonAsync(params string[] arguments)
    {
        var (code, output, error) = await RunAsync([.. arguments, "--json"]);
        Assert.True(code == 0, error);
        using var document = JsonDocument.Parse(output);
        return document.RootElement.Clone();
    }

    private Task<(int Code, string Out, string Error)> RunAsync(params string[] arguments) =>
        Shell.RunAsync([.. arguments, "--data", _directory]);
}
