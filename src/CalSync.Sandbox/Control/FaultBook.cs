using System.Text.Json.Nodes;

namespace CalSync.Sandbox.Control;

/// <summary>The ordered fault scripts and their counts.</summary>
internal sealed class FaultBook
{
    /// <summary>A single row of a CalDAV report; only scripts that name it apply.</summary>
    public const string RowOperation = "caldav-row";

    private readonly Lock _gate = new();
    private readonly List<Entry> _entries = [];
    private int _lastId;

    public FaultReport Add(FaultScript script)
    {
        lock (_gate)
        {
            var entry = new Entry(++_lastId, script);
            _entries.Add(entry);
            return entry.Report();
        }
    }

    public IReadOnlyList<FaultReport> Reports()
    {
        lock (_gate)
            return [.. _entries.Select(entry => entry.Report())];
    }

    public void Clear()
    {
        lock (_gate)
            _entries.Clear();
    }

    /// <summary>Counts the call on every script it matches; the first that fires names the effect.</summary>
    public (int Id, FaultEffect Effect)? Take(
        string operation, string? user, string? calendarId, string? eventId, JsonObject? body = null)
    {
        lock (_gate)
        {
            Entry? fired = null;
            foreach (var entry in _entries)
            {
                if (entry.Matches(operation, user, calendarId, eventId, body) && entry.Decide()
                    && fired is null)
                {
                    fired = entry;
                }
            }

            if (fired is null)
                return null;
            fired.Fired++;
            return (fired.Id, fired.Script.Effect);
        }
    }

    private sealed class Entry(int id, FaultScript script)
    {
        private readonly Random _random = new(script.Seed);
        private int _seen;

        public int Id { get; } = id;

        public FaultScript Script { get; } = script;

        public int Fired { get; set; }

        public FaultReport Report() => new(Id, Script, _seen, Fired);

        public bool Matches(
            string operation, string? user, string? calendarId, string? eventId, JsonObject? body) =>
            MatchesOperation(operation)
            && (Script.User is null || string.Equals(Script.User, user, StringComparison.OrdinalIgnoreCase))
            && (Script.CalendarId is null
                || string.Equals(Script.CalendarId, calendarId, StringComparison.OrdinalIgnoreCase))
            && (Script.EventId is null || Script.EventId == eventId)
            && (Script.Attendee is null || Names(body, Script.Attendee));

        public bool Decide()
        {
            _seen++;
            var chance = Script.Probability is { } share ? _random.NextDouble() < share : true;
            return chance
                && (Script.Nth is null || _seen == Script.Nth)
                && (Script.Every is not { } every || _seen % every == 0)
                && (Script.Times is null || Fired < Script.Times);
        }

        // The body is the client's: it may be anything.
        private static bool Names(JsonObject? body, string guest) =>
            body?["attendees"] is JsonArray guests && guests.OfType<JsonObject>().Any(one =>
                one["email"] is JsonValue email && email.TryGetValue<string>(out var address)
                && string.Equals(address, guest, StringComparison.OrdinalIgnoreCase));

        private bool MatchesOperation(string operation) =>
            (Script.Operation == "*" && operation != RowOperation) || Script.Operation == operation
            || (Script.Operation.EndsWith(".*", StringComparison.Ordinal)
                && operation.StartsWith(Script.Operation[..^1], StringComparison.Ordinal));
    }
}
