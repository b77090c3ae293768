using CalSync.App.Api.Authentication;
using CalSync.App.Api.Bodies;
using CalSync.App.Api.Idempotency;
using CalSync.App.Api.Preconditions;
using CalSync.Classes;
using CalSync.Storage.Classes;
using static CalSync.App.Api.Problems.ProblemCatalogue;

namespace CalSync.App.Api;

/// <summary>Changes that somebody made to the event of a slot on the calendar itself.</summary>
internal static class ProposalsApi
{
    private const Roles Teachers = Roles.Admin | Roles.Instructor;
    private const Roles Readers = Teachers | Roles.Operator;
    private const string One = "/api/v1/proposals/{proposalId}";

    /// <summary>Adds the routes.</summary>
    public static void MapProposals(this IEndpointRouteBuilder api)
    {
        api.MapGet("/api/v1/proposals", ListAsync).Allow(Readers).Gives<Page<ProposalSummary>>(200)
            .Says("listProposals", "List changes made on calendars",
                "Newest first, with how many students and payments each affects. Teachers see those of their "
                    + "classes; state and classId narrow.");
        api.MapGet(One, GetAsync).Allow(Readers).Gives<ProposalView>(200).Fails(NotFound)
            .Says("getProposal", "Read a change made on a calendar",
                "With the students who have a seat now and what else the instructor teaches at that time.");
        api.MapPost(One + "/accept", AcceptAsync).Allow(Teachers).Takes<EmptyRequest>()
            .Gives<ProposalView>(200).Gives<ProposalView>(202).Keyed().Conditional()
            .Fails(NotFound, NotPossibleNow, ValidationFailed, ClassCancelled, GoogleReauthRequired)
            .Says("acceptProposal", "Accept a change made on a calendar",
                "The slot is moved, or cancelled, as by its own route: students are told once the calendar "
                    + "was read back.");
        api.MapPost(One + "/refuse", RefuseAsync).Allow(Teachers).Takes<EmptyRequest>()
            .Gives<ProposalView>(200).Gives<ProposalView>(202).Keyed().Conditional()
            .Fails(NotFound, NotPossibleNow, GoogleReauthRequired)
            .Says("refuseProposal", "Refuse a change made on a calendar",
                "The event is brought back to what the slot says; nobody is told anything.");
    }

    private static async Task<Answer> ListAsync(
        HttpRequest request, RequestScope scope, ProposalReads reads, CancellationToken cancellation)
    {
        if (PageQuery.Read(request, out var page, "state", "classId") is { } problem)
            return scope.Refuse(problem);
        string? state = request.Query["state"];
        string? classId = request.Query["classId"];
        if ((classId is not null && !RouteWords.IsId(classId))
            || state is not (null or "pending" or "accepted" or "refused" or "withdrawn" or "settled"))
        {
            return scope.Refuse(MalformedRequest.With("state or classId cannot be read."));
        }

        var proposals = await reads.ListAsync(
            scope.Who.Actor, state, classId, page.After, page.Limit, cancellation);
        return Answer.Json(200, proposals, ApiJson.Default.PageProposalSummary);
    }

    private static async Task<Answer> GetAsync(
        string proposalId, RequestScope scope, ProposalReads reads, CancellationToken cancellation) =>
        await reads.FindAsync(scope.Who.Actor, proposalId, cancellation) is { } proposal
            ? Answer.Json(200, proposal, ApiJson.Default.ProposalView).WithETag(proposal.Version)
            : scope.Refuse(NotFound.With("There is no such proposal for you."));

    private static Task<Answer> AcceptAsync(
        string proposalId, Body<EmptyRequest> body, Precondition version, RequestScope scope, RequestKey key,
        CommandFlow flow, ProposalReads reads) =>
        flow.RunAsync(
            new Change(scope, key, "POST /proposals/{proposalId}/accept", proposalId, body.Fingerprint,
                new ClassCommand.AcceptProposal(proposalId) { ExpectedVersion = version.Version }, null),
            effect => PresentAsync(scope, reads, proposalId, effect));

    private static Task<Answer> RefuseAsync(
        string proposalId, Body<EmptyRequest> body, Precondition version, RequestScope scope, RequestKey key,
        CommandFlow flow, ProposalReads reads) =>
        flow.RunAsync(
            new Change(scope, key, "POST /proposals/{proposalId}/refuse", proposalId, body.Fingerprint,
                new ClassCommand.RefuseProposal(proposalId) { ExpectedVersion = version.Version }, null),
            effect => PresentAsync(scope, reads, proposalId, effect));

    private static async Task<Answer> PresentAsync(
        RequestScope scope, ProposalReads reads, string proposalId, Effect effect)
    {
        var proposal = await reads.FindAsync(scope.Who.Actor, proposalId, CancellationToken.None)
            ?? throw new InvalidOperationException("The proposal of a committed command cannot be read.");
        return CommandFlow.Tell(
            CommandFlow.Compose(proposal, ApiJson.Default.ProposalView, effect), proposal.Version, effect,
            null);
    }
}
