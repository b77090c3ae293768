namespace CalSync.Sync.Mirroring;

/// <summary>Lets writes to one calendar through one at a time; different calendars do not wait for each
/// other.</summary>
public sealed class CalendarLanes
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Lane> _lanes = new(StringComparer.Ordinal);

    /// <summary>Waits for a calendar's turn; dispose to let the next one in.</summary>
    /// <param name="calendarId">Our id of the calendar.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public async Task<IDisposable> EnterAsync(string calendarId, CancellationToken cancellation)
    {
        Lane lane;
        lock (_gate)
        {
            if (!_lanes.TryGetValue(calendarId, out lane!))
                _lanes[calendarId] = lane = new Lane();
            lane.Users++;
        }

        try
        {
            await lane.Gate.WaitAsync(cancellation);
            return new Turn(this, calendarId, lane);
        }
        catch (OperationCanceledException)
        {
            Forget(calendarId, lane);
            throw;
        }
    }

    private void Forget(string calendarId, Lane lane)
    {
        lock (_gate)
        {
            if (--lane.Users > 0)
                return;
            _lanes.Remove(calendarId);
            lane.Gate.Dispose();
        }
    }

    private sealed class Lane
    {
        public SemaphoreSlim Gate { get; } = new(1, 1);

        public int Users { get; set; }
    }

    private sealed class Turn(CalendarLanes lanes, string calendarId, Lane lane) : IDisposable
    {
        public void Dispose()
        {
            lane.Gate.Release();
            lanes.Forget(calendarId, lane);
        }
    }
}
