using System.Globalization;
using CalSync.App.Api.Authentication;
using CalSync.App.Api.Problems;
using CalSync.Storage.Classes;
using CalSync.Storage.Journal;
using static CalSync.App.Api.Problems.ProblemCatalogue;

namespace CalSync.App.Api;

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
                "In commit order; what does not concern the caller is left out. "
                + "The same as streamMyEvents, for those who poll.");
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
        HttpRequest request, RequestScope scope, ChangeReads reads, CancellationToken cancellation)
    {
        if (Query(request, out var query) is { } problem)
            return scope.Refuse(problem);
        var window = await reads.ReadAsync(scope.Who.Actor, query.After, query.CountMax, cancellation);
        var views = window.Items.Select(entry => ChangeView.For(scope.Who, entry));
        return Answer.Json(
            200, new ChangesView([.. views], window.Next, window.More), ApiJson.Default.ChangesView);
    }

    private static Answer Tell(JournalQuery query, IReadOnlyList<HistoryEntry> entries) =>
        Answer.Json(
            200,
            new ChangesView(
                [.. entries.Select(ChangeView.Whole)],
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
