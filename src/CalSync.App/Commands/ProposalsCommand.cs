using System.CommandLine;
using System.Globalization;
using CalSync.App.Api.Problems;
using CalSync.Calendar;
using CalSync.Classes;
using CalSync.Storage.Classes;

namespace CalSync.App.Commands;

/// <summary><c>calsync proposals</c>: what was changed on calendars by hand, and what becomes of
/// it.</summary>
internal static class ProposalsCommand
{
    private const int PageCount = 200;

    private static readonly Column<ProposalSummary>[] Columns =
    [
        new("ID", proposal => proposal.Id),
        new("KIND", proposal => proposal.Kind),
        new("STATE", proposal => proposal.State),
        new("REASON", proposal => proposal.Reason),
        new("CLASS", proposal => proposal.Title),
        new("FROM", proposal => At(proposal.FromStart, proposal)),
        new("TO", proposal => At(proposal.ToStart, proposal)),
        new("STUDENTS", proposal => proposal.StudentCount),
        new("PAID", proposal => proposal.PaidCount),
        new("OVERLAPS", proposal => proposal.OverlapCount),
    ];

    public static Verb Create(GlobalOptions globals, Surroundings around) =>
        new("proposals", "Shows and decides what was changed on calendars by hand.", "calsync proposals list")
        {
            MakeList(globals, around),
            MakeShow(globals, around),
            MakeDecide(
                "accept", "Agrees: the slot is moved, or cancelled, and its students are told.",
                id => new ClassCommand.AcceptProposal(id), globals, around),
            MakeDecide(
                "refuse", "Disagrees: the event is brought back to what the slot says.",
                id => new ClassCommand.RefuseProposal(id), globals, around),
        };

    private static Verb MakeList(GlobalOptions globals, Surroundings around)
    {
        var all = Words.Option<bool>("--all", "", "Those too that nobody has to decide.");
        var verb = new Verb(
            "list", "Lists changes made on calendars that wait for a decision, newest first.",
            "calsync proposals list --all") { all };
        return verb.Does(globals, around, async (call, cancellation) =>
        {
            await using var place = await call.OpenAsync(cancellation);
            var reads = new ProposalReads(place.Database);
            var found = new List<ProposalSummary>();
            foreach (var actor in await place.ActorsAsync(cancellation))
            {
                string? cursor = null;
                do
                {
                    var page = await reads.ListAsync(
                        actor, call.Get(all) ? null : "pending", null, cursor, PageCount, cancellation);
                    found.AddRange(page.Items);
                    cursor = page.NextCursor;
                }
                while (cursor is not null);
            }

            call.Output.Table(found, "No change waits for a decision.", Columns);
            return ExitCode.Ok;
        });
    }

    private static Verb MakeShow(GlobalOptions globals, Surroundings around)
    {
        var id = IdArgument();
        var verb = new Verb(
            "show", "Prints one change made on a calendar and everybody it affects.",
            "calsync proposals show PROPOSAL") { id };
        return verb.Does(globals, around, async (call, cancellation) =>
        {
            await using var place = await call.OpenAsync(cancellation);
            var (_, proposal) = await FindAsync(place, call.Get(id)!, cancellation);
            call.Output.Value(proposal, Describe(proposal));
            return ExitCode.Ok;
        });
    }

    private static Verb MakeDecide(
        string name, string description, Func<string, ClassCommand> command, GlobalOptions globals,
        Surroundings around)
    {
        var id = IdArgument();
        var verb = new Verb(name, description, $"calsync proposals {name} PROPOSAL") { id };
        return verb.Does(globals, around, async (call, cancellation) =>
        {
            await using var place = await call.OpenAsync(cancellation);
            var proposalId = call.Get(id)!;
            var (actor, _) = await FindAsync(place, proposalId, cancellation);
            await using var commands = new ClassCommands(place.Database, place.Ids.Next);
            var outcome = await commands.ExecuteAsync(
                new CommandEnvelope(
                    actor, command(proposalId), null, place.CorrelationId, place.Clock.GetUtcNow()),
                cancellation);
            if (outcome is CommandOutcome.Refused { Refusal: var refusal })
            {
                throw new CommandException(
                    ExitCode.Failed, refusal.ToProblem().Detail, proposalId,
                    $"calsync proposals show {proposalId}");
            }

            var (_, after) = await FindAsync(place, proposalId, cancellation);
            call.Output.Value(after, Describe(after));
            return ExitCode.Ok;
        });
    }

    private static async Task<(Actor Actor, ProposalView Proposal)> FindAsync(
        Workplace place, string id, CancellationToken cancellation)
    {
        var reads = new ProposalReads(place.Database);
        foreach (var actor in await place.ActorsAsync(cancellation))
        {
            if (await reads.FindAsync(actor, id, cancellation) is { } proposal)
                return (actor, proposal);
        }

        throw new CommandException(
            ExitCode.Failed, "There is no such proposal.", id, "calsync proposals list --all");
    }

    private static IEnumerable<string> Describe(ProposalView proposal) =>
    [
        $"{proposal.Id}  {proposal.Kind}  {proposal.State}  \"{proposal.Title}\"",
        .. proposal.Reason is { } reason ? [$"  reason:    {reason}"] : Array.Empty<string>(),
        $"  from:      {At(proposal.FromStart, proposal)} to {At(proposal.FromEnd, proposal)}",
        .. proposal.ToStart is null
            ? Array.Empty<string>()
            : [$"  to:        {At(proposal.ToStart, proposal)} to {At(proposal.ToEnd, proposal)}"],
        $"  class:     {proposal.ClassId}, slot {proposal.SlotId}, event {proposal.EventId}",
        string.Create(
            CultureInfo.InvariantCulture,
            $"  affected:  {proposal.StudentCount} students, {proposal.PaidCount} of them have paid"),
        .. proposal.Students.Select(
            student => $"  student:   {student.Name} ({student.State}, "
                + $"payment {student.PaymentState ?? "none"})"),
        .. proposal.Overlaps.Select(
            slot => $"  overlaps:  \"{slot.Title}\" at {At(slot.StartAt, proposal)}"),
    ];

    private static string At(DateTimeOffset? moment, ProposalSummary proposal) =>
        moment is { } at && CalendarZone.Resolve(proposal.TimeZone) is ZoneResolution.Found found
            ? ZonedTime.FromInstant(at, found.Zone).ToRfc3339()
            : "";

    private static Argument<string> IdArgument() => new("PROPOSAL") { Description = "Id of the proposal." };
}
