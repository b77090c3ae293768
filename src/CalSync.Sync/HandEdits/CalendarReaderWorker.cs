using System.Diagnostics.CodeAnalysis;
using CalSync.Sync.Mirroring;
using Microsoft.Extensions.Logging;

namespace CalSync.Sync.HandEdits;

/// <summary>Reads calendars with events of classes back, each on its schedule.</summary>
/// <remarks>
/// When a calendar is due stands in its row, and a reading holds it by a lease, so any number of processes
/// may do it on one database.
/// </remarks>
/// <param name="store">Which are due.</param>
/// <param name="reader">Reads one.</param>
/// <param name="options">How often.</param>
/// <param name="identity">Who it is.</param>
/// <param name="log">Ids and faults.</param>
/// <param name="clock">Now, and every wait.</param>
[SuppressMessage("Design", "CA1031", Justification = "The worker loop is where a fault of one turn ends.")]
public sealed partial class CalendarReaderWorker(
    ICalendarReadingStore store, CalendarReader reader, MirrorOptions options, WorkerIdentity identity,
    ILogger<CalendarReaderWorker> log, TimeProvider clock)
{
    private const int CountMax = 16;

    // Longer than the pages of one listing take.
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan PollMax = TimeSpan.FromSeconds(5);

    /// <summary>Works until stopped.</summary>
    /// <param name="stop">Stops it; a calendar under way is read again when its lease ends.</param>
    public async Task RunAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(
            options.ReadEvery < PollMax ? options.ReadEvery : PollMax, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stop))
            {
                try
                {
                    await TurnAsync(stop);
                }
                catch (Exception fault) when (fault is not OperationCanceledException)
                {
                    TurnFailed(log, fault);
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Asked to end.
        }
    }

    /// <summary>Reads what is due now, and returns how many calendars that were.</summary>
    /// <param name="cancellation">Cancelled, claims stay until their leases end.</param>
    public async Task<int> TurnAsync(CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        var due = await store.ClaimAsync(
            identity.Id, CountMax, now, now + Lease, now + options.ReadEvery, cancellation);
        await Task.WhenAll(due.Select(reading => ReadAsync(reading, cancellation)));
        return due.Length;
    }

    private async Task ReadAsync(CalendarReading reading, CancellationToken cancellation)
    {
        try
        {
            await reader.ReadAsync(reading, cancellation);
        }
        catch (Exception fault) when (fault is not OperationCanceledException)
        {
            // Its lease ends by itself; the others are read.
            ReadFailed(log, reading.CalendarId, fault);
        }
    }

    [LoggerMessage(2004, LogLevel.Error, "Looking for calendars to read back failed; it goes on.")]
    private static partial void TurnFailed(ILogger log, Exception fault);

    [LoggerMessage(2005, LogLevel.Error, "Reading back the calendar {Calendar} failed; it is tried again.")]
    private static partial void ReadFailed(ILogger log, string calendar, Exception fault);
}
