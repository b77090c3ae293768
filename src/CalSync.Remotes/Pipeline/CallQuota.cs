using CalSync.Sync.Providers;

namespace CalSync.Remotes.Pipeline;

/// <summary>Whether a call may be sent, as far as the quota is concerned.</summary>
internal abstract record Admission
{
    private Admission()
    {
    }

    /// <summary>Send it, and say when it ended.</summary>
    public sealed record Granted(CallTicket Ticket) : Admission;

    /// <summary>Do not send it.</summary>
    /// <param name="RetryAfter">The earliest moment at which it could be admitted, from now.</param>
    public sealed record Refused(TimeSpan RetryAfter) : Admission;
}

/// <summary>One admitted call. It counts until 60 s after its end, so that no sliding minute at the provider,
/// which sees it some time between both, ever holds more than the limit.</summary>
internal sealed class CallTicket(string connectionId)
{
    public string ConnectionId { get; } = connectionId;

    /// <summary>Null while under way.</summary>
    public DateTimeOffset? CountsUntil { get; set; }
}

/// <summary>
/// Keeps calls below the provider's limits per user and per project, interactive before bulk, and pauses a
/// connection the provider throttles.
/// </summary>
/// <remarks>
/// Waiting calls are admitted interactive first, then by how little their connection used in the last minute,
/// then in order of arrival: a heavy user's backlog does not starve a light one. After throttling a
/// connection is paused; then one call at a time is let through until one is answered normally. Thread-safe.
/// </remarks>
internal sealed class CallQuota : IDisposable
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan ThrottleMemory = TimeSpan.FromHours(1);

    private readonly Lock _gate = new();
    private readonly TimeProvider _clock;
    private readonly PipelineOptions _options;
    private readonly RetryPolicy _retry;
    private readonly List<CallTicket> _project = [];
    private readonly Dictionary<string, Usage> _usages = new(StringComparer.Ordinal);
    private readonly List<Waiter> _waiters = [];
    private readonly ITimer _timer;
    private DateTimeOffset _nextExpiry = DateTimeOffset.MinValue;
    private long _arrivals;

    public CallQuota(PipelineOptions options, RetryPolicy retry, TimeProvider clock)
    {
        _options = options;
        _retry = retry;
        _clock = clock;
        _timer = clock.CreateTimer(_ => Wake(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Waits for a call's turn, at most <see cref="PipelineOptions.QuotaWaitMax"/>.</summary>
    /// <param name="connectionId">Whose limit applies beside the project's.</param>
    /// <param name="interactive">Served before bulk, and may use the reserve.</param>
    /// <param name="isWrite">A write is also held back by the long pause after <c>quotaExceeded</c>.</param>
    /// <param name="cancellation">Leaves the queue; nothing is counted.</param>
    public async Task<Admission> AdmitAsync(
        string connectionId, bool interactive, bool isWrite, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        Waiter waiter;
        lock (_gate)
        {
            var now = _clock.GetUtcNow();
            Expire(now);
            waiter = new(connectionId, interactive, isWrite, _arrivals++, now + _options.QuotaWaitMax);
            var wait = WaitOf(waiter, now);
            if (wait > _options.QuotaWaitMax)
                return new Admission.Refused(wait);
            _waiters.Add(waiter);
            Dispatch(now);
        }

        await using var registration = cancellation.Register(() => Leave(waiter, cancellation));
        return await waiter.Turn.Task;
    }

    /// <summary>Notes the end of a call; must be called once for each granted ticket.</summary>
    /// <param name="ticket">The call.</param>
    /// <param name="fault">How it ended; null when it succeeded.</param>
    public void Release(CallTicket ticket, ProviderFault? fault)
    {
        lock (_gate)
        {
            var now = _clock.GetUtcNow();

            // Refused by a breaker after all: the provider never saw it.
            ticket.CountsUntil = fault?.Reason is ProviderReason.BreakerOpen ? now : now + Window;
            _nextExpiry = ticket.CountsUntil < _nextExpiry ? now : _nextExpiry;
            var usage = _usages[ticket.ConnectionId];
            usage.UnderWay--;
            switch (fault?.Reason)
            {
                case ProviderReason.RateLimited:
                    usage.Throttles++;
                    usage.PausedUntil = now + _retry.Delay(usage.Throttles, fault.RetryAfter);
                    break;
                case ProviderReason.QuotaExceeded:
                    usage.WritesPausedUntil =
                        now + (fault.RetryAfter ?? _options.QuotaExceededPause);
                    break;
                default:
                    // Any answer but "slow down" ends the caution; a broken way says nothing about it.
                    if (fault is null || fault.Status is not null)
                        usage.Throttles = 0;
                    break;
            }

            Expire(now);
            Dispatch(now);
        }
    }

    /// <summary>Calls counted now.</summary>
    public QuotaUse Use()
    {
        lock (_gate)
        {
            Expire(_clock.GetUtcNow());
            var busiest = _usages.Values.Select(usage => usage.Tickets.Count).DefaultIfEmpty().Max();
            return new(
                _project.Count, _options.ProjectCallCountMax, busiest, _options.UserCallCountMax,
                _waiters.Count);
        }
    }

    public void Dispose() => _timer.Dispose();

    private void Wake()
    {
        lock (_gate)
        {
            var now = _clock.GetUtcNow();
            Expire(now);
            Dispatch(now);
        }
    }

    private void Leave(Waiter waiter, CancellationToken cancellation)
    {
        lock (_gate)
        {
            if (_waiters.Remove(waiter))
                waiter.Turn.SetCanceled(cancellation);
        }
    }

    /// <summary>Forgets calls that no longer count and connections without any.</summary>
    private void Expire(DateTimeOffset now)
    {
        if (now < _nextExpiry)
            return;
        _project.RemoveAll(ticket => ticket.CountsUntil <= now);
        foreach (var (id, usage) in _usages.ToArray())
        {
            usage.Tickets.RemoveAll(ticket => ticket.CountsUntil <= now);
            var cautious = usage.Throttles > 0 && usage.PausedUntil > now - ThrottleMemory;
            if (usage.Tickets.Count == 0 && usage.UnderWay == 0 && usage.PausedUntil <= now
                && usage.WritesPausedUntil <= now && !cautious)
            {
                _usages.Remove(id);
            }
        }

        _nextExpiry = _project.Min(ticket => ticket.CountsUntil) ?? now;
    }

    /// <summary>
    /// Admits whom it can, refuses whose time is over, and sets the timer for the next change.
    /// </summary>
    private void Dispatch(DateTimeOffset now)
    {
        while (Next(now) is { } waiter)
        {
            _waiters.Remove(waiter);
            var ticket = new CallTicket(waiter.ConnectionId);
            var usage = UsageOf(waiter.ConnectionId);
            usage.Tickets.Add(ticket);
            usage.UnderWay++;
            _project.Add(ticket);
            waiter.Turn.SetResult(new Admission.Granted(ticket));
        }

        if (_waiters.Count == 0)
            return;
        foreach (var late in _waiters.Where(waiter => waiter.Deadline <= now).ToArray())
        {
            _waiters.Remove(late);
            late.Turn.SetResult(new Admission.Refused(WaitOf(late, now)));
        }

        if (_waiters.Count == 0)
            return;
        var wake = _waiters.Min(waiter =>
            TimeSpan.FromTicks(Math.Min((waiter.Deadline - now).Ticks, WaitOf(waiter, now).Ticks)));
        _timer.Change(wake > TimeSpan.Zero ? wake : TimeSpan.FromMilliseconds(1), Timeout.InfiniteTimeSpan);
    }

    private Waiter? Next(DateTimeOffset now) => _waiters switch
    {
        [] => null,
        [var only] => WaitOf(only, now) == TimeSpan.Zero ? only : null,
        _ => _waiters.Where(waiter => WaitOf(waiter, now) == TimeSpan.Zero)
            .MinBy(waiter => (waiter.Interactive ? 0 : 1, UsedBy(waiter.ConnectionId), waiter.Arrival)),
    };

    /// <summary>The least time after which a call could be admitted; zero when it can be now.</summary>
    private TimeSpan WaitOf(Waiter waiter, DateTimeOffset now)
    {
        var until = now;
        if (_usages.TryGetValue(waiter.ConnectionId, out var usage))
        {
            until = Later(until, usage.PausedUntil);
            if (waiter.IsWrite)
                until = Later(until, usage.WritesPausedUntil);
            until = Later(until, FreeAt(usage.Tickets, _options.UserCallCountMax, waiter.Interactive, now));

            // Throttled lately: one call at a time finds out whether it is over.
            if (usage is { Throttles: > 0, UnderWay: > 0 })
                until = Later(until, now + TimeSpan.FromSeconds(1));
        }

        return Later(until, FreeAt(_project, _options.ProjectCallCountMax, waiter.Interactive, now)) - now;
    }

    /// <summary>When a window has room for one more call.</summary>
    private DateTimeOffset FreeAt(List<CallTicket> tickets, int limit, bool interactive, DateTimeOffset now)
    {
        var usable = interactive
            ? limit
            : Math.Max(1, limit - (limit * _options.InteractiveReservePercent / 100));
        if (tickets.Count < usable)
            return now;

        // A call under way counts for at least another window.
        var ends = tickets.Select(ticket => ticket.CountsUntil ?? now + Window).Order().ToArray();
        return ends[tickets.Count - usable];
    }

    private int UsedBy(string connectionId) =>
        _usages.TryGetValue(connectionId, out var usage) ? usage.Tickets.Count : 0;

    private Usage UsageOf(string connectionId)
    {
        if (!_usages.TryGetValue(connectionId, out var usage))
            _usages.Add(connectionId, usage = new());
        return usage;
    }

    private static DateTimeOffset Later(DateTimeOffset left, DateTimeOffset right) => left > right
        ? left
        : right;

    private sealed class Usage
    {
        public List<CallTicket> Tickets { get; } = [];

        public int UnderWay { get; set; }

        public int Throttles { get; set; }

        public DateTimeOffset PausedUntil { get; set; } = DateTimeOffset.MinValue;

        public DateTimeOffset WritesPausedUntil { get; set; } = DateTimeOffset.MinValue;
    }

    private sealed class Waiter(
        string connectionId, bool interactive, bool isWrite, long arrival, DateTimeOffset deadline)
    {
        public string ConnectionId { get; } = connectionId;

        public bool Interactive { get; } = interactive;

        public bool IsWrite { get; } = isWrite;

        public long Arrival { get; } = arrival;

        public DateTimeOffset Deadline { get; } = deadline;

        public TaskCompletionSource<Admission> Turn { get; } =
            new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

/// <summary>How much of the quota the last 60 s used.</summary>
/// <param name="ProjectUsed">Calls of all connections that count now.</param>
/// <param name="ProjectLimit">The most that may.</param>
/// <param name="BusiestUserUsed">Calls of the connection with the most.</param>
/// <param name="UserLimit">The most one may.</param>
/// <param name="WaitingCount">Calls waiting for their turn.</param>
public sealed record QuotaUse(
    int ProjectUsed, int ProjectLimit, int BusiestUserUsed, int UserLimit, int WaitingCount);
