using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using CalSync.App.Configuration;
using CalSync.Storage.Running;
using CalSync.Sync;
using CalSync.Sync.Mirroring;

namespace CalSync.App.Workers;

/// <summary>Puts changes of the configuration file in force while the process runs.</summary>
/// <remarks>
/// A file that is not valid is refused whole: what was in force stays. Values that only a restart can change
/// are told as waiting. Each process of an installation finds the change by itself, and the journal says so.
/// </remarks>
internal sealed partial class ConfigurationWatch(
    ConfigurationSource source, LiveOptions live, SettingLog journal, WorkerIdentity identity, IdSource ids,
    ILogger<ConfigurationWatch> log, TimeProvider clock) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(2);
    private Settings _current = source.Current;

    // The first look reads it in any case: it may have changed since the process read it.
    private (bool Exists, DateTime At, long Size)? _seen;

    /// <inheritdoc/>
    [SuppressMessage(
        "Design", "CA1031", Justification = "The worker loop is where a fault of one turn ends.")]
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                try
                {
                    await TurnAsync(stoppingToken);
                }
                catch (Exception fault) when (fault is not OperationCanceledException)
                {
                    TurnFailed(log, fault);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Asked to end.
        }
    }

    /// <summary>Looks once.</summary>
    /// <param name="cancellation">What was put in force stays; the journal may miss it.</param>
    public async Task TurnAsync(CancellationToken cancellation)
    {
        var now = Look(source.FilePath);
        if (now == _seen)
            return;
        var changes = source.Read() switch
        {
            ConfigurationOutcome.Valid valid => Apply(valid.Settings),
            ConfigurationOutcome.Invalid invalid => [.. invalid.Errors.Select(Refused)],
            _ => throw new UnreachableException("Unknown outcome."),
        };
        _seen = now;
        foreach (var change in changes)
            Said(log, change.Kind, change.Key, change.Before, change.After, change.Note);
        if (changes.Count > 0)
            await journal.AddAsync(changes, identity.Id, ids.Next("cor"), cancellation);
    }

    private List<SettingChange> Apply(Settings settings)
    {
        var before = _current.All.ToDictionary(setting => setting.Key.Name, StringComparer.Ordinal);
        var changes = settings.All
            .Where(setting => setting.Text != before[setting.Key.Name].Text)
            .Select(setting => new SettingChange(
                setting.Key.IsLive ? "setting.applied" : "setting.waits", setting.Key.Name,
                before[setting.Key.Name].Text is null ? null : before[setting.Key.Name].Shown,
                setting.Text is null ? null : setting.Shown,
                setting.Key.IsLive ? setting.Origin : "needs a restart"))
            .ToList();
        live.Apply(settings);
        _current = settings;
        return changes;
    }

    private static SettingChange Refused(ConfigurationError error) =>
        new("setting.refused", error.Key, null, error.Value, error.Problem);

    private static (bool Exists, DateTime At, long Size) Look(string path)
    {
        var file = new FileInfo(path);
        return file.Exists ? (true, file.LastWriteTimeUtc, file.Length) : (false, default, 0);
    }

    [LoggerMessage(EventId = 2101, Level = LogLevel.Error, Message = "Reading the configuration anew failed")]
    private static partial void TurnFailed(ILogger log, Exception fault);

    [LoggerMessage(
        EventId = 2102, Level = LogLevel.Information, Message = "{Kind} {Key}: {Before} -> {After} ({Note})")]
    private static partial void Said(
        ILogger log, string kind, string key, string? before, string? after, string? note);
}
