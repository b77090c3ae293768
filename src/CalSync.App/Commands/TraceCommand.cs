using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using CalSync.Classes;
using CalSync.Storage.Classes;
using CalSync.Storage.Journal;
using CalSync.Storage.Running;
using CalSync.Sync.Journal;

namespace CalSync.App.Commands;

/// <summary><c>calsync trace</c>: everything one request caused: its changes, operations and provider calls,
/// in order.</summary>
internal static class TraceCommand
{
    /// <summary>One thing that happened.</summary>
    /// <param name="At">When, UTC.</param>
    /// <param name="What"><c>request</c>, <c>operation</c>, a kind of the journal, or <c>call</c> and
    /// Google's method.</param>
    /// <param name="Subject">To what: an id, or the route of a request.</param>
    /// <param name="Detail">The rest, for people.</param>
    /// <param name="Entry">The journal entry; null for what is no entry.</param>
    internal sealed record Line(
        DateTimeOffset At, string What, string Subject, string Detail, JournalRecord? Entry = null);

    public static Verb Create(GlobalOptions globals, Surroundings around)
    {
        var correlation = new Argument<string>("CORRELATION")
        {
            Description = "The correlationId of an answer, a problem or a log line.",
        };
        var verb = new Verb(
            "trace", "Prints everything one request caused, in order, provider calls and retries included.",
            "calsync trace CORRELATION")
        {
            correlation,
        };
        return verb.Does(globals, around, async (call, cancellation) =>
        {
            await using var place = await call.OpenAsync(cancellation);
            var lines = await ReadAsync(place, call.Get(correlation)!, cancellation);
            if (lines.Count == 0)
            {
                throw new CommandException(
                    ExitCode.Failed, "Nothing is known under this correlation id.", call.Get(correlation),
                    "take the correlationId of an answer, a problem or calsync operations show");
            }

            call.Output.Table(
                lines,
                "Nothing is known under this correlation id.",
                new(
                    "AT",
                    line => line.At.ToString("yyyy-MM-dd HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture)),
                new("WHAT", line => line.What),
                new("SUBJECT", line => line.Subject),
                new("DETAIL", line => line.Detail));
            return lines.Count > 0 ? ExitCode.Ok : ExitCode.Failed;
        });
    }

    private static async Task<List<Line>> ReadAsync(
        Workplace place, string correlationId, CancellationToken cancellation)
    {
        var reads = new TraceReads(place.Database);
        var lines = (await reads.RequestsAsync(correlationId, cancellation)).Select(Describe).ToList();
        var seen = new HashSet<long>();
        var query = new JournalQuery { CorrelationId = correlationId, CountMax = 1000 };
        while (true)
        {
            var page = await place.Journal.ReadAsync(query, cancellation);
            foreach (var record in page.Where(record => seen.Add(record.Seq)))
            {
                lines.AddRange(Calls(record.Entry.After, record.Entry.SubjectId));
                lines.Add(Describe(record));
            }

            if (page.Length < query.CountMax)
                break;
            query = query with { After = page[^1].Seq };
        }

        foreach (var actor in await place.ActorsAsync(cancellation))
            await AddOperationsAsync(place, actor, correlationId, lines, seen, cancellation);

        // A stable sort: what happened at one instant stays in the order of the journal.
        return [.. lines.OrderBy(line => line.At)];
    }

    private static async Task AddOperationsAsync(
        Workplace place, Actor actor, string correlationId, List<Line> lines, HashSet<long> seen,
        CancellationToken cancellation)
    {
        var (operations, reads) = (new OperationReads(place.Database), new TraceReads(place.Database));
        foreach (var summary in await operations.OfRequestAsync(actor, correlationId, cancellation))
        {
            lines.Add(Describe(summary));
            if (await operations.FindAsync(actor, summary.Id, cancellation) is not { } operation)
                continue;
            foreach (var step in operation.Steps)
            {
                var turns = await reads.TurnsAsync(
                    step.MirrorId, operation.CreatedAt, step.RequiredVersion, cancellation);
                foreach (var turn in turns.Where(turn => seen.Add(turn.Seq)))
                {
                    lines.AddRange(Calls(turn.After, turn.SubjectId));
                    lines.Add(new Line(
                        turn.At, turn.Kind, turn.SubjectId,
                        $"{Turn(turn.After)}; joined with {turn.CorrelationId}"));
                }
            }
        }
    }

    private static Line Describe(TracedRequest request) => new(
        request.CreatedAt, "request", request.Route,
        $"by {request.UserId}, {(request.Status is { } status ? $"answered {status}" : "not answered yet")}");

    private static Line Describe(OperationSummary operation) => new(
        operation.CreatedAt, "operation", operation.Id,
        $"{operation.Kind}: {operation.State}"
        + (operation.Reason is { } reason ? $" ({reason})" : "")
        + $", {operation.StepsVerified} of {operation.StepCount} events verified"
        + (operation.NextAttemptAt is { } next ? $", next attempt {Output.Cell(next)}" : ""));

    private static Line Describe(JournalRecord record)
    {
        var entry = record.Entry;
        var turn = entry.SubjectKind == "mirror" ? Turn(entry.After) : "";
        return new Line(
            entry.At, entry.Kind, entry.SubjectId,
            turn.Length > 0 ? turn : $"by {entry.Actor}, {entry.Cause}", record);
    }

    // The end of a worker's turn: which version the provider shows now, or why not and when it is tried
    // again.
    private static string Turn(string? after)
    {
        using var json = Parse(after);
        if (json is null || !json.RootElement.TryGetProperty("attempts", out var attempts))
            return "";
        var root = json.RootElement;
        var reason = Text(root, "reason");
        return $"version {Text(root, "verifiedVersion")} verified"
            + (reason is null ? "" : $", attempt {attempts}: {reason}")
            + (Text(root, "nextAttemptAt") is { } next ? $", next attempt {next}" : "");
    }

    private static IEnumerable<Line> Calls(string? after, string mirrorId)
    {
        using var json = Parse(after);
        if (json is null || !json.RootElement.TryGetProperty("calls", out var calls)
            || calls.ValueKind != JsonValueKind.Array)
        {
            return [];
        }

        return [.. calls.EnumerateArray().Select(call => new Line(
            call.GetProperty("startedAt").GetDateTimeOffset(),
            $"call {Text(call, "operation")}",
            mirrorId,
            $"{Text(call, "status") ?? "no answer"} in {Text(call, "ms")} ms"
            + (Text(call, "reason") is { } reason ? $", {reason}: {Text(call, "message")}" : "")))];
    }

    private static JsonDocument? Parse(string? text)
    {
        var json = text is null ? null : JsonDocument.Parse(text);
        if (json is null || json.RootElement.ValueKind == JsonValueKind.Object)
            return json;
        json.Dispose();
        return null;
    }

    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind is not JsonValueKind.Null
            ? value.ToString()
            : null;
}
