using System.CommandLine;
using CalSync.App.Api.Problems;
using CalSync.Classes;
using CalSync.Storage.Classes;

namespace CalSync.App.Commands;

/// <summary><c>calsync operations</c>: what is to happen at a provider, and what to do when it does
/// not.</summary>
internal static class OperationsCommand
{
    private const int PageCount = 200;

    private static readonly Column<OperationSummary>[] Columns =
    [
        new("ID", operation => operation.Id),
        new("KIND", operation => operation.Kind),
        new("STATE", operation => operation.State),
        new("REASON", operation => operation.Reason),
        new("EVENTS", operation => $"{operation.StepsVerified}/{operation.StepCount}"),
        new("ATTEMPTS", operation => operation.Attempts),
        new("NEXT", operation => operation.NextAttemptAt),
        new("CREATED", operation => operation.CreatedAt),
    ];

    public static Verb Create(GlobalOptions globals, Surroundings around) =>
        new("operations", "Shows and steers what is to happen at a provider.", "calsync operations list")
        {
            MakeList(globals, around),
            MakeShow(globals, around),
            MakeRetry(globals, around),
            MakeAbandon(globals, around),
        };

    private static Verb MakeList(GlobalOptions globals, Surroundings around)
    {
        var state = Words.Option<string?>(
            "--state", "STATE",
                "Only this state, such as needs_attention. Default: all that are not verified.");
        var all = Words.Option<bool>("--all", "", "Verified ones too.");
        var verb = new Verb(
            "list", "Lists operations, newest first.",
                "calsync operations list --state needs_attention") { state, all };
        return verb.Does(globals, around, async (call, cancellation) =>
        {
            await using var place = await call.OpenAsync(cancellation);
            var reads = new OperationReads(place.Database);
            var found = new List<OperationSummary>();
            foreach (var actor in await place.ActorsAsync(cancellation))
                found.AddRange(await ListAsync(reads, actor, call.Get(state), cancellation));
            if (call.Get(state) is null && !call.Get(all))
                found.RemoveAll(operation => operation.State is "verified" or "abandoned" or "compensated");
            call.Output.Table(found, "No operation is open.", Columns);
            return ExitCode.Ok;
        });
    }

    private static Verb MakeShow(GlobalOptions globals, Surroundings around)
    {
        var id = IdArgument();
        var verb = new Verb(
            "show", "Prints one operation and the events it touches.",
                "calsync operations show OPERATION") { id };
        return verb.Does(globals, around, async (call, cancellation) =>
        {
            await using var place = await call.OpenAsync(cancellation);
            var (_, operation) = await FindAsync(place, call.Get(id)!, cancellation);
            call.Output.Value(operation, Describe(operation));
            return ExitCode.Ok;
        });
    }

    private static Verb MakeRetry(GlobalOptions globals, Surroundings around)
    {
        var id = IdArgument();
        var verb = new Verb(
            "retry", "Sends an operation round again.", "calsync operations retry OPERATION") { id };
        return verb.Does(globals, around, (call, cancellation) => ExecuteAsync(
            call, call.Get(id)!, new ClassCommand.RetryOperation(call.Get(id)!), cancellation));
    }

    private static Verb MakeAbandon(GlobalOptions globals, Surroundings around)
    {
        var id = IdArgument();
        var reason = Words.Option<string>("--reason", "TEXT", "Why; kept in the journal.", required: true);
        var verb = new Verb(
            "abandon",
            "Gives an operation up; its seat is kept for a person to look at.",
            "calsync operations abandon OPERATION --reason \"class moved elsewhere\"")
        {
            id, reason,
        };
        return verb.Does(globals, around, (call, cancellation) => ExecuteAsync(
            call, call.Get(
                id)!, new ClassCommand.AbandonOperation(call.Get(id)!, call.Get(reason)!), cancellation));
    }

    private static async Task<ExitCode> ExecuteAsync(
        Invocation call, string id, ClassCommand command, CancellationToken cancellation)
    {
        await using var place = await call.OpenAsync(cancellation);
        var (actor, _) = await FindAsync(place, id, cancellation);
        await using var commands = new ClassCommands(place.Database, place.Ids.Next);
        var outcome = await commands.ExecuteAsync(
            new CommandEnvelope(
                actor, command, null, place.CorrelationId, place.Clock.GetUtcNow()), cancellation);
        if (outcome is CommandOutcome.Refused { Refusal: var refusal })
        {
            throw new CommandException(
                ExitCode.Failed, refusal.ToProblem().Detail, id, $"calsync operations show {id}");
        }

        var (_, after) = await FindAsync(place, id, cancellation);
        call.Output.Value(after, Describe(after));
        return ExitCode.Ok;
    }

    private static async Task<List<OperationSummary>> ListAsync(
        OperationReads reads, Actor actor, string? state, CancellationToken cancellation)
    {
        var found = new List<OperationSummary>();
        string? cursor = null;
        do
        {
            var page = await reads.ListAsync(actor, state, null, cursor, PageCount, cancellation);
            found.AddRange(page.Items);
            cursor = page.NextCursor;
        }
        while (cursor is not null);
        return found;
    }

    private static async Task<(Actor Actor, OperationView Operation)> FindAsync(
        Workplace place, string id, CancellationToken cancellation)
    {
        var reads = new OperationReads(place.Database);
        foreach (var actor in await place.ActorsAsync(cancellation))
        {
            if (await reads.FindAsync(actor, id, cancellation) is { } operation)
                return (actor, operation);
        }

        throw new CommandException(
            ExitCode.Failed, "There is no such operation.", id, "calsync operations list --all");
    }

    private static IEnumerable<string> Describe(OperationView operation) =>
    [
        $"{operation.Id}  {operation.Kind}  {operation.State}",
        .. operation.Reason is { } reason ? [$"  reason:       {reason}"] : Array.Empty<string>(),
        .. operation.Detail is { } detail ? [$"  detail:       {detail}"] : Array.Empty<string>(),
        $"  class:        {operation.ClassId}",
        $"  correlation:  {operation.CorrelationId}",
        $"  attempts:     {operation.Attempts}, next {Output.Cell(operation.NextAttemptAt)}",
        .. operation.Steps.Select(step =>
            $"  event {step.EventId}  "
                + $"{(step.Verified ? "verified" : $"{step.State} {step.Reason} {step.Detail}")}"),
    ];

    private static Argument<string> IdArgument() => new("OPERATION") { Description = "Id of the operation." };
}
