namespace CalSync.Sandbox.Http;

/// <summary>Every request received, in order of arrival; the oldest are forgotten beyond a bound.</summary>
internal sealed class CallLog
{
    private const int CallCountMax = 200_000;

    private readonly Lock _gate = new();
    private readonly Queue<CallEntry> _calls = new();
    private long _count;

    public CallEntry Begin(DateTimeOffset at, string operation)
    {
        lock (_gate)
        {
            var entry = new CallEntry(++_count, at, operation);
            _calls.Enqueue(entry);
            if (_calls.Count > CallCountMax)
                _calls.Dequeue();
            return entry;
        }
    }

    public IReadOnlyList<SandboxCall> All()
    {
        lock (_gate)
            return [.. _calls.Select(entry => entry.ToCall())];
    }

    public void Clear()
    {
        lock (_gate)
        {
            _calls.Clear();
            _count = 0;
        }
    }
}

/// <summary>One request while it is being answered.</summary>
internal sealed class CallEntry(long number, DateTimeOffset at, string operation)
{
    public string Operation { get; set; } = operation;

    public string? User { get; set; }

    public string? CalendarId { get; set; }

    public string? EventId { get; set; }

    public int Status { get; set; }

    public int? Fault { get; set; }

    public string? TokenState { get; set; }

    public bool ClientDisconnected { get; set; }

    public bool IfMatch { get; set; }

    public string? Detail { get; set; }

    public SandboxCall ToCall() => new(
        number, at, Operation, User, CalendarId, EventId, Status, Fault, TokenState, ClientDisconnected,
            IfMatch, Detail);
}
