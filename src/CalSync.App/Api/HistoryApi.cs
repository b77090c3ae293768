using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using CalSync.App.Api.Authentication;
using CalSync.App.Api.Problems;
using CalSync.Classes;
using CalSync.Storage.Classes;
using CalSync.Storage.Journal;
using CalSync.Sync.Journal;
using static CalSync.App.Api.Problems.ProblemCatalogue;

namespace CalSync.App.Api;

/// <summary>One journal entry as a reader may see it.</summary>
/// <param name="Seq">Position in commit order; pass the last one as <c>after</c>.</param>
/// <param name="At">UTC.</param>
/// <param name="Kind">What happened, <c>subject.verb</c>.</param>
/// <param name="SubjectKind">Of what kind.</param>
/// <param name="SubjectId">Which.</param>
/// <param name="ClassId">Of which class; null outside classes.</param>
/// <param name="Actor">Who; for students only themselves, <c>instructor</c>, or the product.</param>
/// <param name="Cause">Why.</param>
/// <param name="CorrelationId">The request or run.</param>
/// <param name="Before">The state before; null when there was none or it is not for this reader.</param>
/// <param name="After">The state after.</param>
internal sealed record ChangeView(
    long Seq, DateTimeOffset At, string Kind, string SubjectKind, string SubjectId, string? ClassId,
    string? Actor, string Cause, string CorrelationId, JsonNode? Before, JsonNode? After);

/// <summary>A run of journal entries.</summary>
/// <param name="Items">In commit order.</param>
/// <param name="Next">Where to go on; entries not visible to the reader are skipped, so it can be past the
/// last item.</param>
/// <param name="More">True when there is more at once.</param>
internal sealed record ChangesView(IReadOnlyList<ChangeView> Items, long Next, bool More);

/// <summary>What happened, from the journal.</summary>
internal static class HistoryApi
{
    /// <summary>Adds the routes.</summary>
    public static void MapHistory(this IEndpointRouteBuilder api)
    {
        api.MapGet("/api/v1/classes/{classId}/history", ClassAsync)
            .Allow(Roles.Admin | Roles.Operator | Roles.Instructor).Gives<ChangesView>(200).Fails(NotFound)
            .Says(
                "getClassHistory", "What happened to a class",
                "With its slots, seats, events and operations.");
        api.MapGet("/api/v1/events/{subject}/history", SubjectAsync)
            .Allow(Roles.Admin | Roles.Operator | Roles.Instructor).Gives<ChangesView>(200).Fails(NotFound)
            .Says("getEventHistory", "What happened to one thing",
                "A slot, its mirror, a seat, or the event by its id at the provider.");
        api.MapGet("/api/v1/changes", ChangesAsync).Allow(Roles.Any).Gives<ChangesView>(200)
            .Says(
                "listChanges", "What happened since",
                "In commit order; what the caller may not see is left out.");
    }

    private static async Task<Answer> ClassAsync(
        string classId, HttpRequest request, RequestScope scope, ClassReads classes, OperationReads reads,
        CancellationToken cancellation)
    {
        if (Query(request, out var query) is { } problem)
            return scope.Refuse(problem);
        if (await classes.FindClassAsync(scope.Who.Actor, classId, cancellation) is null)
            return scope.Refuse(NotFound.With("There is no such class for you."));
        return Tell(query, await HistoryAsync(scope, reads, classId, query, cancellation));
    }

    private static async Task<Answer> SubjectAsync(
        string subject, HttpRequest request, RequestScope scope, OperationReads reads,
        CancellationToken cancellation)
    {
        if (Query(request, out var query) is { } problem)
            return scope.Refuse(problem);
        var entries = await HistoryAsync(scope, reads, subject, query, cancellation);
        // Past the end of an existing history is an empty page; a thing without any history does not exist.
        return entries.Count > 0
            || (query.After > 0
                && (await HistoryAsync(
                    scope, reads, subject, new JournalQuery { CountMax = 1 }, cancellation)).Count > 0)
                ? Tell(query, entries)
                : scope.Refuse(NotFound.With("There is no such event for you."));
    }

    private static Task<IReadOnlyList<HistoryEntry>> HistoryAsync(
        RequestScope scope, OperationReads reads, string id, JournalQuery query,
        CancellationToken cancellation) =>
        reads.HistoryAsync(scope.Who.Actor, id, null, query.After, query.CountMax, cancellation);

    private static async Task<Answer> ChangesAsync(
        HttpRequest request, RequestScope scope, ClassReads reads, JournalReader journal,
        CancellationToken cancellation)
    {
        if (Query(request, out var query) is { } problem)
            return scope.Refuse(problem);
        var entries = await journal.ReadAsync(query with { TenantId = scope.Who.TenantId }, cancellation);
        if (scope.Who.ReadsAll)
            return Tell(query, entries, [.. entries.Select(View)]);
        var (classes, seats) = await RelatedAsync(scope, reads, cancellation);
        var views = entries
            .Select(entry => scope.Who.Role == Role.Instructor
                ? InstructorView(scope.Who, classes, entry)
                : StudentView(scope.Who, classes, seats, entry))
            .OfType<ChangeView>();
        return Tell(query, entries, [.. views]);
    }

    /// <summary>The classes the caller teaches or sits in, and their own seats.</summary>
    private static async Task<(HashSet<string> Classes, HashSet<string> Seats)> RelatedAsync(
        RequestScope scope, ClassReads reads, CancellationToken cancellation)
    {
        var (classes, seats) =
            (new HashSet<string>(StringComparer.Ordinal), new HashSet<string>(StringComparer.Ordinal));
        var actor = scope.Who.Actor;
        var (from, to) = (scope.Now - ClassLimits.SlotBehindMax, scope.Now + ClassLimits.SlotAheadMax);
        string? cursor = null;
        do
        {
            var page = await reads.ScheduleAsync(
                actor, from, to, cursor, ClassReads.PageCountMax, cancellation);
            foreach (var entry in page.Items)
            {
                classes.Add(entry.ClassId);
                if (entry.EnrolmentId is { } seat)
                    seats.Add(seat);
            }

            cursor = page.NextCursor;
        }
        while (cursor is not null);
        return (classes, seats);
    }

    private static ChangeView? InstructorView(Caller who, HashSet<string> classes, JournalRecord record) =>
        (record.Entry.ClassId is { } classId && classes.Contains(classId))
            || record.Entry.SubjectId == who.UserId
            || record.Entry.Actor == who.UserId
                ? View(record)
                : null;

    /// <summary>Students see what the class says and when, and their own seat; never who else sits
    /// there.</summary>
    private static ChangeView? StudentView(
        Caller who, HashSet<string> classes, HashSet<string> seats, JournalRecord record)
    {
        var entry = record.Entry;
        if (seats.Contains(entry.SubjectId) || entry.SubjectId == who.UserId)
            return View(record) with { Actor = entry.Actor == who.UserId ? entry.Actor : null };
        if (entry.SubjectKind is not ("class" or "slot" or "mirror") || entry.ClassId is null
            || !classes.Contains(entry.ClassId))
        {
            return null;
        }

        var view = View(record) with { Actor = null };
        // A mirror's content lists every guest; a class's counts its seats.
        return entry.SubjectKind == "slot" ? view : view with { Before = null, After = null };
    }

    private static ChangeView View(JournalRecord record) => new(
        record.Seq, record.Entry.At, record.Entry.Kind, record.Entry.SubjectKind, record.Entry.SubjectId,
        record.Entry.ClassId, record.Entry.Actor, record.Entry.Cause, record.Entry.CorrelationId,
        Json(record.Entry.Before), Json(record.Entry.After));

    private static JsonNode? Json(string? text)
    {
        if (text is null)
            return null;
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return JsonValue.Create(text);
        }
    }

    private static Answer Tell(
        JournalQuery query, ImmutableArray<JournalRecord> read, IReadOnlyList<ChangeView> views) =>
        Answer.Json(
            200,
            new ChangesView(views, read.IsEmpty ? query.After : read[^1].Seq, read.Length == query.CountMax),
            ApiJson.Default.ChangesView);

    private static Answer Tell(JournalQuery query, IReadOnlyList<HistoryEntry> entries) =>
        Answer.Json(
            200,
            new ChangesView(
                [.. entries.Select(entry => new ChangeView(
                    entry.Seq, entry.At, entry.Kind, entry.SubjectKind, entry.SubjectId, entry.ClassId,
                        entry.Actor,
                    entry.Cause, entry.CorrelationId, Json(entry.Before), Json(entry.After)))],
                entries.Count == 0 ? query.After : entries[^1].Seq, entries.Count == query.CountMax),
            ApiJson.Default.ChangesView);

    private static Problem? Query(HttpRequest request, out JournalQuery query)
    {
        query = new JournalQuery();
        if (PageQuery.Read(request, out var page) is { } problem)
            return problem;
        if (page.After is { } after)
        {
            if (!long.TryParse(after, NumberStyles.None, CultureInfo.InvariantCulture, out var seq))
                return MalformedRequest.With("after must be a sequence number.");
            query = query with { After = seq };
        }

        query = query with { CountMax = page.Limit };
        return null;
    }
}
