using CalSync.Sandbox.Google;

namespace CalSync.Sandbox.Control;

/// <summary>Counts calls in a sliding minute, for each user and for the project.</summary>
internal sealed class Quota(TimeProvider clock)
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(60);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Queue<DateTimeOffset>> _byUser = new(StringComparer.Ordinal);
    private readonly Queue<DateTimeOffset> _project = new();

    public SandboxQuota Limits { get; set; } = new();

    /// <summary>Null when the call may pass; a refused call does not count.</summary>
    public GoogleError? Take(string user, bool isWrite)
    {
        lock (_gate)
        {
            if (isWrite && Limits.CalendarUseExceeded)
                return GoogleError.Quota;
            if (Limits.PerUser is null && Limits.PerProject is null)
                return null;
            var now = clock.GetUtcNow();
            if (!_byUser.TryGetValue(user, out var own))
                _byUser.Add(user, own = new Queue<DateTimeOffset>());
            Forget(own, now);
            Forget(_project, now);
            if (own.Count >= Limits.PerUser)
                return GoogleError.UserRateLimit;
            if (_project.Count >= Limits.PerProject)
                return GoogleError.ProjectRateLimit;
            own.Enqueue(now);
            _project.Enqueue(now);
            return null;
        }
    }

    public void Clear()
    {
        lock (_gate)
        {
            _byUser.Clear();
            _project.Clear();
        }
    }

    private static void Forget(Queue<DateTimeOffset> times, DateTimeOffset now)
    {
        while (times.TryPeek(out var oldest) && now - oldest >= Window)
            times.Dequeue();
    }
}
