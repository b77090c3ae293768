namespace CalSync.Sandbox.CalDav;

/// <summary>Counts requests of each account in a sliding minute.</summary>
internal sealed class RequestRate(TimeProvider clock)
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(60);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Queue<DateTimeOffset>> _byUser = new(StringComparer.Ordinal);

    /// <summary>Counts a request, unless there were too many already; a refused one does not count.</summary>
    /// <remarks>
    /// <c>countMax</c>: Null is no limit, and nothing is counted.
    /// </remarks>
    public bool IsExceeded(string user, int? countMax)
    {
        if (countMax is null)
            return false;
        lock (_gate)
        {
            if (!_byUser.TryGetValue(user, out var times))
                _byUser.Add(user, times = new Queue<DateTimeOffset>());
            var now = clock.GetUtcNow();
            while (times.TryPeek(out var oldest) && now - oldest >= Window)
                times.Dequeue();
            if (times.Count >= countMax)
                return true;
            times.Enqueue(now);
            return false;
        }
    }

    public void Clear()
    {
        lock (_gate)
            _byUser.Clear();
    }
}
