using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;

namespace CalSync.Sync.Mirroring;

/// <summary>Who a worker is.</summary>
/// <param name="Id">Unique to this run of this process; the owner in leases.</param>
/// <param name="Host">The machine's name.</param>
/// <param name="ProcessId">The process.</param>
public sealed record WorkerIdentity(string Id, string Host, int ProcessId);

/// <summary>Takes due mirrors and works them off, many at once, one writer an event, fair across
/// connections.</summary>
/// <param name="store">Mirrors.</param>
/// <param name="pass">Works one mirror.</param>
/// <param name="signal">Wakes it.</param>
/// <param name="options">Limits.</param>
/// <param name="identity">Who it is.</param>
/// <param name="log">Ids and faults.</param>
/// <param name="clock">Now, and every wait.</param>
[SuppressMessage("Design", "CA1031", Justification = "The worker loop is where a fault of one turn ends.")]
public sealed class MirrorWorker(
    IMirrorStore store, MirrorPass pass, MirrorSignal signal, MirrorOptions options, WorkerIdentity identity,
    ILogger<MirrorWorker> log, TimeProvider clock)
{
    private readonly DateTimeOffset _startedAt = clock.GetUtcNow();
    private DateTimeOffset _beatAt = DateTimeOffset.MinValue;

    /// <summary>Works until stopped; then lets what is under way finish, within
    /// <see cref="MirrorOptions.StopWithin"/>.</summary>
    /// <param name="stop">Stops it. What is not finished in time is taken over when its lease ends.</param>
    public async Task RunAsync(CancellationToken stop)
    {
        // Turns under way get their own token: stopping lets them finish first.
        using var turns = new CancellationTokenSource();
        var running = new Dictionary<Task, string>();
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await StartTurnsAsync(running, stop, turns.Token);
                await WaitAsync(running, stop);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                break;
            }
            catch (Exception fault)
            {
                WorkerLog.LoopFailed(log, fault);
                await PauseAsync(stop);
            }
        }

        var rest = Task.WhenAll(running.Keys);
        await Task.WhenAny(rest, Task.Delay(options.StopWithin, clock, CancellationToken.None));
        await turns.CancelAsync();
        await rest;
    }

    /// <summary>Claims once, works what was claimed to its end, and returns how many that were.</summary>
    /// <param name="cancellation">Cancelled, claims stay until their leases end.</param>
    public async Task<int> TurnAsync(CancellationToken cancellation)
    {
        await BeatAsync(cancellation);
        var now = clock.GetUtcNow();
        var claims = await store.ClaimAsync(
            identity.Id, options.Concurrency, options.PerConnectionMax, [], now, now + options.Lease,
            cancellation);
        await Task.WhenAll(claims.Select(claim => WorkAsync(claim, cancellation)));
        return claims.Length;
    }

    private async Task StartTurnsAsync(
        Dictionary<Task, string> running, CancellationToken stop, CancellationToken turns)
    {
        foreach (var done in running.Keys.Where(task => task.IsCompleted).ToList())
            running.Remove(done);
        await BeatAsync(stop);
        var free = options.Concurrency - running.Count;
        if (free <= 0)
            return;
        var busy = running.Values.GroupBy(id => id, StringComparer.Ordinal)
            .Where(group => group.Count() >= options.PerConnectionMax).Select(group => group.Key).ToList();
        var now = clock.GetUtcNow();
        var claims = await store.ClaimAsync(
            identity.Id, free, options.PerConnectionMax, busy, now, now + options.Lease, stop);
        foreach (var claim in claims)
            running.Add(WorkAsync(claim, turns), claim.ConnectionId);

        // A full answer may not have been all of it.
        if (claims.Length == free)
            signal.Due.Set();
    }

    private async Task WaitAsync(Dictionary<Task, string> running, CancellationToken stop)
    {
        if (running.Count >= options.Concurrency)
        {
            await Task.WhenAny(running.Keys).WaitAsync(stop);
            return;
        }

        // What a finished turn leaves due rests first, and is found by the next look.
        var wait = running.Count == 0 || options.Poll < options.Rest ? options.Poll : options.Rest;
        await signal.Due.WaitAsync(wait > TimeSpan.Zero ? wait : options.Poll, clock, stop);
    }

    private async Task WorkAsync(MirrorClaim claim, CancellationToken cancellation)
    {
        await Task.Yield();
        try
        {
            await pass.RunAsync(claim, cancellation);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            WorkerLog.TurnStopped(log, claim.Id);
        }
        catch (Exception fault)
        {
            WorkerLog.TurnFailed(log, claim.Id, claim.CorrelationId, fault);
            await RecordFaultAsync(claim, fault, cancellation);
        }
    }

    private async Task RecordFaultAsync(MirrorClaim claim, Exception fault, CancellationToken cancellation)
    {
        try
        {
            await pass.RecordFaultAsync(claim, fault.GetType().Name, cancellation);
        }
        catch (Exception second)
        {
            // The lease ends by itself, and the next turn reads first.
            WorkerLog.TurnFailed(log, claim.Id, claim.CorrelationId, second);
        }
    }

    private async Task BeatAsync(CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        if (_beatAt != DateTimeOffset.MinValue && now - _beatAt < options.Heartbeat)
            return;
        _beatAt = now;
        await store.BeatAsync(identity.Id, identity.Host, identity.ProcessId, _startedAt, now, cancellation);
        await store.SweepUnverifiedAsync(now, cancellation);
    }

    private async Task PauseAsync(CancellationToken stop)
    {
        try
        {
            await Task.Delay(options.Poll, clock, stop);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Stopping; the loop sees it.
        }
    }
}

internal static partial class WorkerLog
{
    [LoggerMessage(2001, LogLevel.Error, "The mirror worker's loop failed; it goes on.")]
    public static partial void LoopFailed(ILogger log, Exception fault);

    [LoggerMessage(
        2002, LogLevel.Error, "The turn of mirror {Mirror} ({Correlation}) failed; it is tried again.")]
    public static partial void TurnFailed(ILogger log, string mirror, string correlation, Exception fault);

    [LoggerMessage(
        2003, LogLevel.Information, "The turn of mirror {Mirror} was stopped; its lease ends by itself.")]
    public static partial void TurnStopped(ILogger log, string mirror);
}
