using CalSync.Sync.Journal;

namespace CalSync.Storage.Running;

/// <summary>What became of one setting.</summary>
/// <param name="Kind"><c>setting.set</c>, <c>setting.applied</c>, <c>setting.waits</c> or
/// <c>setting.refused</c>.</param>
/// <param name="Key">Which.</param>
/// <param name="Before">As it may be shown; null for unset.</param>
/// <param name="After">As it may be shown; null for unset.</param>
/// <param name="Note">Where it comes from, or what is wrong with it.</param>
public sealed record SettingChange(string Kind, string Key, string? Before, string? After, string? Note);

/// <summary>Changes of the configuration, in the journal.</summary>
/// <param name="database">The database.</param>
/// <param name="clock">Dates them.</param>
public sealed class SettingLog(Database database, TimeProvider clock)
{
    /// <summary>What the journal calls a setting.</summary>
    public const string SubjectKind = "setting";

    /// <summary>Records changes, all or none.</summary>
    /// <param name="changes">What changed.</param>
    /// <param name="actor">Who did it: <c>cli</c>, or the process that found it.</param>
    /// <param name="correlationId">The command, or the turn.</param>
    /// <param name="cancellation">A cancelled call may still have recorded them.</param>
    public Task AddAsync(
        IReadOnlyCollection<SettingChange> changes, string actor, string correlationId,
        CancellationToken cancellation) => database.WriteAsync(
        session =>
        {
            foreach (var change in changes)
            {
                session.Journal(new JournalEntry(
                    clock.GetUtcNow(), SwitchStore.JournalTenant, actor, "request", correlationId,
                    change.Kind, SubjectKind, change.Key,
                    Before: Json(new { value = change.Before }),
                    After: Json(new { value = change.After, note = change.Note })));
            }

            return Task.CompletedTask;
        },
        cancellation);

    private static string Json(object value) => JournalText.Of(value);
}
