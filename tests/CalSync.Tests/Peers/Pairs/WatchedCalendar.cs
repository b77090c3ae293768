using CalSync.Sync.Pairs;

namespace CalSync.Tests.Peers.Pairs;

/// <summary>The process died here.</summary>
internal sealed class KilledException : Exception;

/// <summary>A calendar with a bystander before and after each write; what they throw ends the run.</summary>
internal sealed class WatchedCalendar(IRemoteCalendar inner) : IRemoteCalendar
{
    public Func<Task> Before { get; init; } = () => Task.CompletedTask;

    public Action After { get; init; } = () => { };

    public RemoteTraits Traits => inner.Traits;

    public Task<ChangeRead> ReadChangesAsync(
        SyncCursor? since, IReadOnlyDictionary<ResourceAddress, string> known,
        CancellationToken cancellation) => inner.ReadChangesAsync(since, known, cancellation);

    public Task<ResourceRead> ReadAsync(ResourceAddress address, CancellationToken cancellation) =>
        inner.ReadAsync(address, cancellation);

    public Task<IReadOnlyList<ResourceRead>> ReadManyAsync(
        IReadOnlyList<ResourceAddress> addresses, CancellationToken cancellation) =>
        inner.ReadManyAsync(addresses, cancellation);

    public Task<ResourceRead> FindAsync(string uid, CancellationToken cancellation) =>
        inner.FindAsync(uid, cancellation);

    public Task<ResourceWrite> CreateAsync(ResourceDraft draft, CancellationToken cancellation) =>
        AmidAsync(() => inner.CreateAsync(draft, cancellation));

    public Task<ResourceWrite> UpdateAsync(
        ResourceAddress address, string? version, ResourceDraft draft, CancellationToken cancellation) =>
        AmidAsync(() => inner.UpdateAsync(address, version, draft, cancellation));

    public Task<ResourceDelete> DeleteAsync(
        ResourceAddress address, string? version, CancellationToken cancellation) =>
        AmidAsync(() => inner.DeleteAsync(address, version, cancellation));

    private async Task<T> AmidAsync<T>(Func<Task<T>> write)
    {
        await Before();
        var answer = await write();
        After();
        return answer;
    }
}
