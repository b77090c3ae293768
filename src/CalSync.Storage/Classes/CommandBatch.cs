using CalSync.Classes;

namespace CalSync.Storage.Classes;

/// <summary>An answer to keep under an idempotency key.</summary>
internal sealed record StoredAnswer(
    string TenantId, string UserId, IdempotencyClaim Claim, int Status, string? Headers, string? Body);

/// <summary>Executes several commands in one transaction, in order, each seeing the effect of those before
/// it.</summary>
/// <param name="envelopes">The commands.</param>
/// <param name="nextId">Makes an id from a prefix.</param>
/// <param name="options">The times in force.</param>
/// <param name="keptFor">How long a key is remembered.</param>
internal sealed class CommandBatch(
    IReadOnlyList<CommandEnvelope> envelopes, Func<string, string> nextId, ClassOptions options,
    TimeSpan keptFor)
{
    private readonly Dictionary<(string, string, string, string), KeyRow> _keys = [];

    public async Task<CommandOutcome[]> ExecuteAsync(WriteSession session)
    {
        var needs = new ClassNeeds(options);
        foreach (var envelope in envelopes)
            needs.Add(envelope);
        var facts = await needs.LoadAsync(session);
        _keys.Clear();
        foreach (var key in facts.Keys)
            _keys[(key.TenantId, key.UserId, key.Route, key.Key)] = key;

        var writing = new ClassWriting(envelopes.Max(envelope => envelope.Now));
        var keys = new IdempotencyWriting();
        var outcomes = new CommandOutcome[envelopes.Count];
        for (var i = 0; i < envelopes.Count; i++)
            outcomes[i] = Execute(session, envelopes[i], facts, writing, keys);
        writing.Queue(session, facts.Classes);
        keys.Queue(session);
        return outcomes;
    }

    private CommandOutcome Execute(
        WriteSession session,
        CommandEnvelope envelope,
        ClassFacts facts,
        ClassWriting writing,
        IdempotencyWriting keys)
    {
        if (Known(envelope, keys) is { } known)
            return known;
        var before = envelope.ClassId is { } classId ? facts.Classes.GetValueOrDefault(classId) : null;
        var correlationId = Correlation(before, envelope);
        var decision = ClassDecider.Decide(
            before, envelope.Command, facts.Context(envelope, correlationId, nextId));
        if (decision is not Decision.Accepted accepted)
            return new CommandOutcome.Refused(((Decision.Refused)decision).Refusal);

        var journal = new ClassJournal(session, envelope.Actor, correlationId, envelope.Now);
        var state = before;
        foreach (var happened in accepted.Events)
        {
            var after = ClassDecider.Apply(state, happened);
            writing.Add(
                state ?? after, happened, after, correlationId, envelope.Actor.UserId, envelope.Now);
            journal.Add(state ?? after, happened, after);
            state = after;
        }

        journal.End(accepted.State);
        facts.Classes[accepted.State.Id] = accepted.State;
        if (envelope.Command is ClassCommand.CreateClass)
        {
            facts.Recent.Add(new RecentRow
            {
                Id = accepted.State.Id,
                InstructorId = accepted.State.InstructorId,
                ContentHash = accepted.State.ContentHash,
                CreatedAt = accepted.State.CreatedAt,
            });
        }

        var result = new CommandResult(accepted.State.Id, accepted.EnrolmentId, accepted.OperationId);
        Claim(envelope, correlationId, result, keys);
        return new CommandOutcome.Done(result, accepted.Fresh, accepted.Warnings);
    }

    /// <summary>What the key's row says; null when the command is to be executed.</summary>
    private CommandOutcome? Known(CommandEnvelope envelope, IdempotencyWriting keys)
    {
        if (envelope.Idempotency is not { } claim)
            return null;
        var name = (envelope.Actor.TenantId, envelope.Actor.UserId, claim.Route, claim.Key);
        if (!_keys.TryGetValue(name, out var row))
            return null;
        if (row.ExpiresAt <= envelope.Now)
        {
            keys.Forget(row);
            _keys.Remove(name);
            return null;
        }

        if (!string.Equals(row.Fingerprint, claim.Fingerprint, StringComparison.Ordinal))
            return new CommandOutcome.Mismatch();
        var result = row.ClassId is null
            ? null
            : new CommandResult(row.ClassId, row.EnrolmentId, row.OperationId);
        if (row.Status is { } status)
            return new CommandOutcome.Replay(status, row.Headers, row.Body, result);
        if (row.LeaseUntil > envelope.Now || result is null)
            return new CommandOutcome.InFlight(IdempotencyStore.RetryAfter);
        keys.TakeOver(row, envelope.Now + IdempotencyStore.Lease);
        _keys[name] = row with { LeaseUntil = envelope.Now + IdempotencyStore.Lease };
        return new CommandOutcome.TakenOver(result);
    }

    private void Claim(
        CommandEnvelope envelope, string correlationId, CommandResult result, IdempotencyWriting keys)
    {
        if (envelope.Idempotency is not { } claim)
            return;
        var row = new KeyRow
        {
            TenantId = envelope.Actor.TenantId,
            UserId = envelope.Actor.UserId,
            Route = claim.Route,
            Key = claim.Key,
            Fingerprint = claim.Fingerprint,
            ClassId = result.ClassId,
            EnrolmentId = result.EnrolmentId,
            OperationId = result.OperationId,
            Status = envelope.AnsweredAtOnce ? 202 : null,
            LeaseUntil = envelope.Now + IdempotencyStore.Lease,
            ExpiresAt = envelope.Now + keptFor,
        };
        _keys[(row.TenantId, row.UserId, row.Route, row.Key)] = row;
        keys.Claim(row, correlationId, envelope.Now);
    }

    /// <summary>What follows from an operation belongs to the request that opened it.</summary>
    private static string Correlation(ClassState? state, CommandEnvelope envelope) =>
        envelope.Command is ClassCommand.SettleOperation settle
        && state?.Operations.GetValueOrDefault(settle.OperationId) is { } operation
            ? operation.CorrelationId
            : envelope.CorrelationId;
}
