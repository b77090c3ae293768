using System.Collections.Immutable;
using System.Text.Json;
using CalSync.App;
using CalSync.App.Configuration;
using CalSync.App.Pairs;
using CalSync.App.Workers;
using CalSync.Lab.Secrecy;
using CalSync.Storage.Running;
using CalSync.Sync.Mirroring;
using CalSync.Tests.Commands;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace CalSync.Tests.Configuration;

/// <summary>
/// Goal: a setting changes while the product runs, and whoever asks later learns who changed it. Method: a
/// host with the watch a service has, and the commands of an operator on the same directory.
/// </summary>
public sealed class ReloadTests : IAsyncLifetime
{
    private static readonly Shell Shell = new();
    private readonly string _directory = Directory.CreateTempSubdirectory("calsync-").FullName;
    private CalSyncHost _host = null!;

    private string ConfigPath => Path.Combine(_directory, "calsync.json");

    public async Task InitializeAsync()
    {
        ConfigurationOutcome Read() => ConfigurationReader.Read(new ConfigurationInput(
            null, ImmutableDictionary<string, string>.Empty.Add(
                Keys.DataDirectory.Name, _directory),
            ImmutableDictionary<string, string>.Empty));
        var settings = ((ConfigurationOutcome.Valid)Read()).Settings;
        _host = await CalSyncHost.BuildAsync(
            HostConfiguration.Read(settings, listens: false, works: false) with
            {
                Source = new ConfigurationSource(settings, ConfigPath, Read),
            },
            TimeProvider.System, new Random(1), null, CancellationToken.None);
    }

    public async Task DisposeAsync()
    {
        await _host.DisposeAsync();
        Witness.SawDataDirectory(_directory);
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    [Trait("Requirement", "R-CAL-23-D")]
    public async Task Set_OfALiveKey_IsInForceInARunningProcess_AndInTheHistory()
    {
        Assert.Equal(TimeSpan.FromMinutes(1), Interval);
        var done = await RunAsync("config", "set", "pair.interval", "5min");
        Assert.Equal(0, done.Code);
        Assert.Contains("within seconds", done.Out, StringComparison.Ordinal);
        await TurnAsync();
        Assert.Equal(TimeSpan.FromMinutes(5), Interval);
        Assert.Equal(
            [("cli", "setting.set", "60", "5min"), (Instance, "setting.applied", "60", "5min")],
            await HistoryAsync("pair.interval"));

        await RunAsync("config", "set", "provider.timeout", "8s");
        await TurnAsync();
        Assert.Equal(
            "8", await _host.Services.GetRequiredService<SwitchStore>().ValueAsync(
                "provider-timeout", CancellationToken.None));
        Assert.Equal(0, (await RunAsync("config", "set", "pair.interval")).Code);
        await TurnAsync();
        Assert.Equal(TimeSpan.FromMinutes(1), Interval);
    }

    [Fact]
    [Trait("Requirement", "R-CAL-23-D")]
    public async Task InvalidChange_IsRefusedByTheCommandAndByTheProcess_AndTheOldStays()
    {
        await RunAsync("config", "set", "pair.interval", "5min");
        await TurnAsync();
        var before = await File.ReadAllTextAsync(ConfigPath);
        var refused = await RunAsync("config", "set", "pair.interval", "1s");
        Assert.Equal(78, refused.Code);
        Assert.Contains("5 to 86400 s", refused.Error, StringComparison.Ordinal);
        Assert.Equal(before, await File.ReadAllTextAsync(ConfigPath));

        // By hand it gets into the file, and no further.
        await File.WriteAllTextAsync(ConfigPath, """{ "pair": { "interval": "1s", "poll": "5s" } }""");
        await TurnAsync();
        Assert.Equal(TimeSpan.FromMinutes(5), Interval);
        await File.WriteAllTextAsync(ConfigPath, "{ half of a fi");
        await TurnAsync();
        Assert.Equal(TimeSpan.FromMinutes(5), Interval);
        await File.WriteAllTextAsync(ConfigPath, before);
        var last = (await HistoryAsync("pair.interval"))[^1];
        Assert.Equal((Instance, "setting.refused", null, "1s"), last);
    }

    [Fact]
    public async Task Set_OfAKeyThatNeedsARestart_SaysSo_AndASecretIsNotTaken()
    {
        var done = await RunAsync("config", "set", "database.connections", "40");
        Assert.Contains("after a restart", done.Out, StringComparison.Ordinal);
        await TurnAsync();
        Assert.Equal("setting.waits", (await HistoryAsync("database.connections"))[^1].What);
        Assert.Equal(2, (await RunAsync("config", "set", "secrets.key", "abc")).Code);
        Assert.Equal(2, (await RunAsync("config", "set", "pair.intervall", "5min")).Code);
        await File.WriteAllTextAsync(ConfigPath, "{ // why it is so\n }");
        Assert.Equal(1, (await RunAsync("config", "set", "pair.interval", "5min")).Code);
        Assert.Contains("why it is so", await File.ReadAllTextAsync(ConfigPath), StringComparison.Ordinal);
    }

    private TimeSpan Interval =>
        _host.Services.GetRequiredService<Live<PairWorkerOptions>>().Value.Interval;

    private string Instance =>
        _host.Services.GetRequiredService<WorkerIdentity>().Id;

    private Task TurnAsync() =>
        _host.Services.GetRequiredService<ConfigurationWatch>().TurnAsync(CancellationToken.None);

    private async Task<List<(string Who, string What, string? Before, string? After)>> HistoryAsync(
        string key)
    {
        var (code, output, error) = await RunAsync("config", "history", "--json");
        Assert.True(code == 0, error);
        using var json = JsonDocument.Parse(output);
        return
        [
            .. json.RootElement.EnumerateArray()
                .Where(row => row.GetProperty("key").GetString() == key)
                .Select(row => (
                    row.GetProperty("who").GetString()!, row.GetProperty("what").GetString()!,
                    Text(row, "before"), Text(row, "after"))),
        ];
    }

    private static string? Text(JsonElement row, string name) =>
        row.TryGetProperty(name, out var value) ? value.GetString() : null;

    private Task<(int Code, string Out, string Error)> RunAsync(params string[] arguments) =>
        Shell.RunAsync([.. arguments, "--data", _directory]);
}
