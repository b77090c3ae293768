using System.Collections.Immutable;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using CalSync.App.Api.Idempotency;
using CalSync.App.Api.Problems;
using CalSync.Classes;
using CalSync.Storage.Classes;
using CalSync.Sync.Mirroring;

namespace CalSync.App.Api;

/// <summary>One change as a route asks for it.</summary>
/// <param name="Scope">The request.</param>
/// <param name="Key">Its idempotency key.</param>
/// <param name="Route">Method and template under which the key counts; the same for an alias.</param>
/// <param name="Target">The ids in the path, so that one key cannot mean two targets.</param>
/// <param name="Fingerprint">Of the body; empty without one.</param>
/// <param name="Command">What is asked.</param>
/// <param name="ClassId">As in <see cref="CommandEnvelope"/>.</param>
internal sealed record Change(
    RequestScope Scope, RequestKey Key, string Route, string Target, string Fingerprint, ClassCommand Command,
    string? ClassId);

/// <summary>What a change led to by the time the wait was over.</summary>
/// <param name="Result">The ids.</param>
/// <param name="Operation">Its operation as last read; null when the provider has nothing to do.</param>
/// <param name="AlreadySo">True when nothing had to be changed.</param>
/// <param name="Warnings">For the answer.</param>
internal sealed record Effect(
    CommandResult Result, OperationView? Operation, bool AlreadySo, ImmutableArray<CommandWarning> Warnings)
{
    /// <summary>True when the calendar shows it, or never had to.</summary>
    public bool IsSettled => Operation is null or { Settled: true, State: "verified" or "compensated" };

    /// <summary>True when the calendar had not said yes or no by the end of the wait.</summary>
    public bool IsLate => Operation is { Settled: false, State: "pending" or "in_flight" or "retry_wait" };
}

/// <summary>Runs a change: execute, wait for the calendar within the budget, answer, keep the
/// answer.</summary>
/// <remarks>
/// A client that goes away aborts nothing here: the change is committed or refused, waited for and its answer
/// kept, so that a retry with the same key finds it.
/// </remarks>
internal sealed class CommandFlow(
    ClassCommands commands, OperationWait wait, SwitchReader switches, MirrorSignal mirrors,
    ApiOptions options, ILogger<ApiOptions> logger, TimeProvider clock)
{
    /// <summary>Runs it.</summary>
    /// <param name="change">What is asked.</param>
    /// <param name="present">Makes the answer from the effect.</param>
    public async Task<Answer> RunAsync(Change change, Func<Effect, Task<Answer>> present)
    {
        var scope = change.Scope;
        var left = scope.Now + options.RequestBudget - clock.GetUtcNow();
        var work = DoAsync(change, present);
        try
        {
            return await work.WaitAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero, clock);
        }
        catch (TimeoutException) when (!work.IsFaulted)
        {
            // It goes on without a listener, and its answer is kept under the key.
            _ = work.ContinueWith(
                late => ApiLog.Failed(logger, late.Exception!, "change", change.Route, scope.CorrelationId),
                CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
            return scope.Refuse(ProblemCatalogue.TookTooLong.With(
                "The request was not finished in time. Whether it was accepted is not known yet; what was "
                    + "goes on."));
        }
    }

    private async Task<Answer> DoAsync(Change change, Func<Effect, Task<Answer>> present)
    {
        var scope = change.Scope;
        var claim = await ClaimAsync(change);
        var mode = change.Command is ClassCommand.Enrol
            ? await switches.EnrolmentModeAsync()
            : EnrolmentMode.Wait;
        var envelope = new CommandEnvelope(
            scope.Who.Actor, change.Command, change.ClassId, scope.CorrelationId, scope.Now, claim, mode,
            AnsweredAtOnce: scope.RespondsAsync && mode != EnrolmentMode.Strict);
        // Not the request's token: a commit under way must finish, whoever is still listening.
        var outcome = await commands.ExecuteAsync(envelope, CancellationToken.None);
        if (outcome is CommandOutcome.Done { Result.OperationId: not null })
            mirrors.Due.Set();
        switch (outcome)
        {
            case CommandOutcome.Done done when envelope.AnsweredAtOnce:
                return Accepted(done.Result);
            case CommandOutcome.TakenOver taken when envelope.AnsweredAtOnce:
                return Accepted(taken.Result);
            case CommandOutcome.Replay { Body: null, Status: 202, Result: { } known }:
                return Accepted(known).With(StoredAnswers.ReplayHeader, "true");
            case CommandOutcome.Done done:
                return await ConcludeAsync(
                    change, claim, mode, done.Result, !done.Fresh, done.Warnings, present);
            case CommandOutcome.TakenOver taken:
                return await ConcludeAsync(change, claim, mode, taken.Result, false, [], present);
            case CommandOutcome.Replay replay:
                return StoredAnswers.Read(replay.Status, replay.Headers, replay.Body);
            case CommandOutcome.InFlight inFlight:
                return scope.Refuse(IdempotencyProblems.InProgress(inFlight.RetryAfter));
            case CommandOutcome.Mismatch:
                return scope.Refuse(IdempotencyProblems.Mismatch());
            case CommandOutcome.Refused refused:
                return scope.Refuse(refused.Refusal.ToProblem());
            default:
                throw new UnreachableException($"Unknown outcome {outcome.GetType().Name}.");
        }
    }

    /// <summary>202 with the ids of what was committed; made from nothing else, so that a replay is the
    /// same.</summary>
    private static Answer Accepted(CommandResult result)
    {
        var body = new JsonObject
        {
            ["id"] = result.EnrolmentId ?? result.ClassId,
            ["classId"] = result.ClassId,
            ["enrolmentId"] = result.EnrolmentId,
            ["operationId"] = result.OperationId,
        };
        var answer = new Answer(202, body.ToJsonString(), "application/json", [])
            .With("Preference-Applied", "respond-async");
        return result.OperationId is { } operationId
            ? answer.With("Location", $"/api/v1/operations/{operationId}").With("Retry-After", "2")
            : answer;
    }

    /// <summary>A resource as JSON with its operation and warnings beside its own members.</summary>
    public static JsonObject Compose<T>(T view, JsonTypeInfo<T> type, Effect effect)
    {
        var body = JsonSerializer.SerializeToNode(view, type)!.AsObject();
        body["operation"] = effect.Operation is null
            ? null
            : JsonSerializer.SerializeToNode(effect.Operation, ApiJson.Default.OperationView);
        if (!effect.Warnings.IsEmpty)
        {
            body["warnings"] = new JsonArray([.. effect.Warnings.Select(warning => new JsonObject
            {
                ["code"] = warning.Code,
                ["message"] = warning.Message,
            })]);
        }

        return body;
    }

    /// <summary>201 or 200 with the verified state, or 202 with the place where to follow the
    /// operation.</summary>
    /// <param name="body">The resource.</param>
    /// <param name="version">For the ETag.</param>
    /// <param name="effect">What was reached.</param>
    /// <param name="created">Where the new resource is; null when none was made.</param>
    public static Answer Tell(JsonObject body, long version, Effect effect, string? created)
    {
        var status = effect.IsSettled ? (created is null ? 200 : 201) : 202;
        var answer = new Answer(status, body.ToJsonString(), "application/json", []).WithETag(version);
        if (effect.Operation is { } operation)
        {
            var place = $"/api/v1/operations/{operation.Id}";
            answer = answer.With("Operation-Location", place);
            if (status == 202)
                return answer.With("Location", place).With("Retry-After", "2");
        }

        return created is null ? answer : answer.With("Location", created);
    }

    private async Task<Answer> ConcludeAsync(
        Change change, IdempotencyClaim? claim, EnrolmentMode mode, CommandResult result, bool alreadySo,
        ImmutableArray<CommandWarning> warnings, Func<Effect, Task<Answer>> present)
    {
        var actor = change.Scope.Who.Actor;
        var operation = result.OperationId is null
            ? null
            : await wait.UntilSettledAsync(
                actor, result.OperationId, change.Scope.Now + options.VerificationWait);
        var effect = new Effect(result, operation, alreadySo, warnings);
        if (mode == EnrolmentMode.Strict && !effect.IsSettled && result.EnrolmentId is { } enrolmentId)
            await GiveUpAsync(change, result, enrolmentId, operation);
        var answer = ProviderProblem(change.Scope, effect) is { } problem
            && await switches.BlocksWithoutTokenAsync()
            ? change.Scope.Refuse(problem)
            : await present(effect);
        if (claim is not null)
        {
            // A repetition is told how it ended, not again that it was late.
            var kept = answer.Status < 500
                ? answer
                : await present(effect with
                {
                    Operation = await wait.UntilSettledAsync(actor, result.OperationId!, change.Scope.Now),
                });
            await commands.StoreAnswerAsync(
                actor, claim, kept.Status, StoredAnswers.WriteHeaders(kept), kept.Body,
                CancellationToken.None);
        }

        return answer;
    }

    /// <summary>Strict mode: what the calendar did not confirm during the request is rolled back. Decision
    /// C-02.</summary>
    private async Task GiveUpAsync(
        Change change, CommandResult result, string enrolmentId, OperationView? operation)
    {
        var scope = change.Scope;
        var reason = operation?.Reason ?? "strict_timeout";
        await commands.ExecuteAsync(
            new CommandEnvelope(
                Actor.System(scope.Who.TenantId), new ClassCommand.FailEnrolment(enrolmentId, reason),
                result.ClassId, scope.CorrelationId, scope.Now),
            CancellationToken.None);
    }

    /// <summary>
    /// The problem to answer with although the change is kept: its owner has to reconnect. Only for those who
    /// can; a student's seat is simply held.
    /// </summary>
    private Problem? ProviderProblem(RequestScope scope, Effect effect)
    {
        // Parked for another reason, such as a lost calendar, consent would not help.
        if (scope.Who.Role == Role.Student || effect.Operation is not { } operation
            || !WaitsForConsent(operation))
        {
            return null;
        }

        return ProviderProblems.NeedsConsent(options, scope.Now)
            .And("operationId", operation.Id)
            .And("operation", $"/api/v1/operations/{operation.Id}") with
        {
            Headers = [("Operation-Location", $"/api/v1/operations/{operation.Id}")],
        };
    }

    /// <summary>Its own word, or that of an event it waits for: a busy worker may say so later.</summary>
    private static bool WaitsForConsent(OperationView operation) =>
        operation is { State: "parked", Reason: MirrorReasons.NeedsConsent }
        || operation.Steps.Any(step => step is { State: "parked", Reason: MirrorReasons.NeedsConsent });

    private async Task<IdempotencyClaim?> ClaimAsync(Change change)
    {
        if (change.Key.Value is not { } key || !await switches.IdempotencyIsOnAsync())
            return null;
        var fingerprint = SHA256.HashData(Encoding.UTF8.GetBytes($"{change.Target}\n{change.Fingerprint}"));
        return new IdempotencyClaim(change.Route, key, Convert.ToHexStringLower(fingerprint));
    }
}
