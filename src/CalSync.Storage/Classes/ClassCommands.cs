using System.Diagnostics.CodeAnalysis;
using CalSync.Classes;

namespace CalSync.Storage.Classes;

/// <summary>The one way to change classes, seats and slots.</summary>
/// <remarks>
/// Commands that wait at the same time are executed in one transaction (group commit): a batch starts the
/// moment a loop is idle and takes what has come in meanwhile, without any delay of its own. One bad command
/// never fails its neighbours: a batch that breaks is repeated command by command. Several processes may run
/// on one database.
/// </remarks>
public sealed class ClassCommands : IAsyncDisposable
{
    /// <summary>Most commands in one transaction.</summary>
    public const int BatchCountMax = 64;

    /// <summary>Most commands waiting; further callers wait to be let in.</summary>
    public const int WaitingCountMax = 10_000;

    private readonly Database _database;
    private readonly Func<string, string> _nextId;
    private readonly ClassOptions _options;
    private readonly TimeSpan _keptFor;
    private readonly CommandLane<Waiting>[] _lanes;
    private readonly CommandLane<Waiting> _answers = new();
    private readonly Task[] _loops;

    /// <summary>Starts the loops.</summary>
    /// <param name="database">Where classes are.</param>
    /// <param name="nextId">Makes an id from a prefix; thread-safe.</param>
    /// <param name="options">The times in force; the defaults when null.</param>
    /// <param name="keys">How long answers are kept; the default when null.</param>
    /// <param name="laneCount">
    /// Queues, 1 to 16; a class always goes through the same one. Null: 1, since larger batches cost less
    /// than parallel ones gain until there are many processors.
    /// </param>
    public ClassCommands(
        Database database, Func<string, string> nextId, ClassOptions? options = null,
        IdempotencyOptions? keys = null,
        int? laneCount = null)
    {
        _database = database;
        _nextId = nextId;
        _options = options ?? new ClassOptions();
        _keptFor = (keys ?? new IdempotencyOptions()).Retention;
        _lanes =
        [
            .. Enumerable.Range(0, Math.Clamp(laneCount ?? 1, 1, 16)).Select(_ => new CommandLane<Waiting>()),
        ];
        // SQLite has one writer: there is nothing to do beside a commit. On PostgreSQL one batch commits, one
        // gives out its answers, and one is at work. Answers are kept beside the commands, not between them:
        // nobody's seat waits for them.
        var loopCount = database.Engine == Engine.Postgres ? 3 : 1;
        _loops =
        [
            .. _lanes.SelectMany(lane => Enumerable.Range(0, loopCount).Select(_ => RunAsync(lane))),
            RunAsync(_answers),
        ];
    }

    /// <summary>Executes one command.</summary>
    /// <param name="envelope">The command; a key must be 1 to 255 printable ASCII characters.</param>
    /// <param name="cancellation">
    /// Ends the waiting, not the command: one that was let in may still commit. The key finds its effect
    /// again.
    /// </param>
    /// <exception cref="StorageException">The database failed; whether the command committed is then unknown
    /// only when its key or its unique seat says so on the next try.</exception>
    public async Task<CommandOutcome> ExecuteAsync(CommandEnvelope envelope, CancellationToken cancellation)
    {
        if (await PlaceAsync(envelope, cancellation) is not { } placed)
            return new CommandOutcome.Refused(new Refusal.NotFound(Subject(envelope.Command)));
        var waiting = new Waiting(placed, null);
        await Lane(placed.ClassId ?? placed.Actor.UserId).AddAsync(waiting, cancellation);
        return await waiting.Outcome.Task.WaitAsync(cancellation);
    }

    /// <summary>Keeps the answer of a key's first request, so that every repeat gets the same.
    /// R-FIX-4-C.</summary>
    /// <remarks>Not for refusals and faults: their keys stay free. An answer already kept stays.</remarks>
    /// <param name="actor">Whose key.</param>
    /// <param name="claim">The key as claimed.</param>
    /// <param name="status">HTTP status.</param>
    /// <param name="headers">Headers to repeat, in the caller's own form.</param>
    /// <param name="body">The body; null for none.</param>
    /// <param name="cancellation">
    /// Ends the waiting only. An answer that was not kept leaves the key in flight until its lease ends; then
    /// a repeat takes the committed effect over.
    /// </param>
    public async Task StoreAnswerAsync(
        Actor actor,
        IdempotencyClaim claim,
        int status,
        string? headers,
        string? body,
        CancellationToken cancellation)
    {
        var answer = new StoredAnswer(actor.TenantId, actor.UserId, claim, status, headers, body);
        var waiting = new Waiting(null, answer);
        await _answers.AddAsync(waiting, cancellation);
        await waiting.Outcome.Task.WaitAsync(cancellation);
    }

    /// <summary>Lets in no more, finishes what waits, and ends the loops.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var lane in _lanes.Append(_answers))
            lane.Close();
        await Task.WhenAll(_loops);
        foreach (var lane in _lanes)
            lane.Dispose();
        _answers.Dispose();
    }

    private CommandLane<Waiting> Lane(string key) =>
        _lanes[(string.GetHashCode(key, StringComparison.Ordinal) & int.MaxValue) % _lanes.Length];

    private async Task RunAsync(CommandLane<Waiting> lane)
    {
        var batch = new List<Waiting>(BatchCountMax);
        while (await lane.TakeAsync(batch) is { } turn)
        {
            await CommitAsync(batch, turn.End);
            turn.End();
            batch.Clear();
            // Those just answered may ask again: let them in before the next batch begins, or it begins half
            // full.
            await Task.Yield();
        }
    }

    [SuppressMessage(
        "Design", "CA1031", Justification = "A worker loop: each waiter gets the fault, the loop goes on.")]
    private async Task CommitAsync(IReadOnlyList<Waiting> batch, Action committing)
    {
        try
        {
            var commands = batch.Where(waiting => waiting.Envelope is not null).ToList();
            var answers = batch.Where(waiting => waiting.Answer is not null)
                .Select(waiting => waiting.Answer!).ToList();
            // Not cancellable: its waiters are many, and none of them owns it.
            var outcomes = await _database.WriteBatchAsync(
                session =>
                {
                    session.OnCommitting(committing);
                    return WriteAsync(session, commands, answers);
                });
            for (var i = 0; i < commands.Count; i++)
                commands[i].Outcome.TrySetResult(outcomes[i]);
            foreach (var waiting in batch)
                waiting.Outcome.TrySetResult(null!);
        }
        catch (Exception fault) when (batch.Count == 1 || fault is DatabaseUnavailableException)
        {
            foreach (var waiting in batch)
                waiting.Outcome.TrySetException(fault);
        }
        catch (Exception)
        {
            foreach (var waiting in batch)
                await CommitAsync([waiting], committing);
        }
    }

    private async Task<CommandOutcome[]> WriteAsync(
        WriteSession session, List<Waiting> commands, List<StoredAnswer> answers)
    {
        CommandOutcome[] outcomes = [];
        if (commands.Count > 0)
        {
            var batch = new CommandBatch(
                [.. commands.Select(waiting => waiting.Envelope!)], _nextId, _options, _keptFor);
            outcomes = await batch.ExecuteAsync(session);
        }

        if (answers.Count > 0)
            IdempotencyWriting.Queue(session, answers);
        return outcomes;
    }

    /// <summary>Finds the class of a command that names only a part of it; null when there is no such
    /// part.</summary>
    private async Task<CommandEnvelope?> PlaceAsync(CommandEnvelope envelope, CancellationToken cancellation)
    {
        if (envelope.Command is ClassCommand.CreateClass)
            return envelope with { ClassId = null };
        if (envelope.ClassId is not null)
            return ClassNeeds.IsId(envelope.ClassId) ? envelope : null;
        var (sql, id) = envelope.Command switch
        {
            ClassCommand.MoveSlot slot => (SlotClass, slot.SlotId),
            ClassCommand.CancelSlot slot => (SlotClass, slot.SlotId),
            ClassCommand.CompleteSlot slot => (SlotClass, slot.SlotId),
            ClassCommand.AcceptProposal proposal => (ProposalClass, proposal.ProposalId),
            ClassCommand.RefuseProposal proposal => (ProposalClass, proposal.ProposalId),
            ClassCommand.CancelSeat seat => (SeatClass, seat.EnrolmentId),
            ClassCommand.ConfirmPayment seat => (SeatClass, seat.EnrolmentId),
            ClassCommand.FailEnrolment seat => (SeatClass, seat.EnrolmentId),
            ClassCommand.SettleOperation operation => (OperationClass, operation.OperationId),
            ClassCommand.RetryOperation operation => (OperationClass, operation.OperationId),
            ClassCommand.AbandonOperation operation => (OperationClass, operation.OperationId),
            _ => ("", null),
        };
        if (!ClassNeeds.IsId(id))
            return null;
        var classId = await _database.ReadAsync(
            session => session.FirstOrDefaultAsync<string>(sql, new { id }), cancellation);
        return classId is null ? null : envelope with { ClassId = classId };
    }

    private const string SlotClass = "SELECT class_id FROM slots WHERE id = @id";
    private const string ProposalClass = "SELECT class_id FROM proposals WHERE id = @id";
    private const string SeatClass = "SELECT class_id FROM enrolments WHERE id = @id";
    private const string OperationClass = "SELECT class_id FROM operations WHERE id = @id";

    private static string Subject(ClassCommand command) => command switch
    {
        ClassCommand.MoveSlot or ClassCommand.CancelSlot or ClassCommand.CompleteSlot => "slot",
        ClassCommand.AcceptProposal or ClassCommand.RefuseProposal => "proposal",
        ClassCommand.CancelSeat or ClassCommand.ConfirmPayment or ClassCommand.FailEnrolment => "enrolment",
        ClassCommand.SettleOperation or ClassCommand.RetryOperation or ClassCommand.AbandonOperation =>
            "operation",
        _ => "class",
    };

    /// <summary>A caller that waits for its command, or for its answer to be kept.</summary>
    private sealed record Waiting(CommandEnvelope? Envelope, StoredAnswer? Answer)
    {
        public TaskCompletionSource<CommandOutcome> Outcome { get; } =
            new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
