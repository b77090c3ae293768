using System.Collections.Immutable;
using CalSync.Classes;

namespace CalSync.Storage.Classes;

/// <summary>A command with everything around it that its execution needs.</summary>
/// <param name="Actor">Who asks; authorised in <c>Decide</c>, not before.</param>
/// <param name="Command">What is asked.</param>
/// <param name="ClassId">
/// The class; null for a creation, and when the command names a slot, enrolment or operation (it is looked up
/// then).
/// </param>
/// <param name="CorrelationId">Goes into the journal, mirrors and operations.</param>
/// <param name="Now">The request's one reading of the clock, UTC.</param>
/// <param name="Idempotency">Null when the client sent no key or the switch is off.</param>
/// <param name="Mode">How an enrolment treats the calendar.</param>
/// <param name="AnsweredAtOnce">
/// True: the answer is 202 with the ids of the effect, whatever comes later, and is kept under the key in the
/// same transaction (with no body, because the ids say it all).
/// </param>
public sealed record CommandEnvelope(
    Actor Actor,
    ClassCommand Command,
    string? ClassId,
    string CorrelationId,
    DateTimeOffset Now,
    IdempotencyClaim? Idempotency = null,
    EnrolmentMode Mode = EnrolmentMode.Wait,
    bool AnsweredAtOnce = false);

/// <summary>A client's name for one intent. Tenant and user are the actor's.</summary>
/// <param name="Route">Method and route template: the same key on another route is another intent.</param>
/// <param name="Key">1 to 255 characters.</param>
/// <param name="Fingerprint">Hash of the canonical body; another body under the same key is a
/// mistake.</param>
public sealed record IdempotencyClaim(string Route, string Key, string Fingerprint);

/// <summary>The ids a command's effect has.</summary>
/// <param name="ClassId">The class.</param>
/// <param name="EnrolmentId">The seat, when the command is about one.</param>
/// <param name="OperationId">What to wait for; null when the provider has nothing to do.</param>
public sealed record CommandResult(string ClassId, string? EnrolmentId, string? OperationId);

/// <summary>What became of a command.</summary>
public abstract record CommandOutcome
{
    private CommandOutcome()
    {
    }

    /// <summary>Committed now.</summary>
    /// <param name="Result">What it made or changed.</param>
    /// <param name="Fresh">False when everything was already so (seat already taken: R-FIX-3-B,
    /// <c>alreadyAdded</c>).</param>
    /// <param name="Warnings">For the answer, such as a class that looks like another.</param>
    public sealed record Done(CommandResult Result, bool Fresh, ImmutableArray<CommandWarning> Warnings)
        : CommandOutcome;

    /// <summary>The key's first request was answered; give the same answer. R-FIX-4-C.</summary>
    /// <param name="Status">HTTP status as stored.</param>
    /// <param name="Headers">As stored by <c>StoreAnswerAsync</c>; null when none were.</param>
    /// <param name="Body">As stored; null when there was none.</param>
    /// <param name="Result">The ids of the effect, to answer with its present state instead.</param>
    public sealed record Replay(int Status, string? Headers, string? Body,
        CommandResult? Result) : CommandOutcome;

    /// <summary>The key's first request is still waiting for its answer. R-FIX-4-B.</summary>
    /// <param name="RetryAfter">When to ask again.</param>
    public sealed record InFlight(TimeSpan RetryAfter) : CommandOutcome;

    /// <summary>The key was used with another body: 422.</summary>
    public sealed record Mismatch : CommandOutcome;

    /// <summary>
    /// The key's first request committed its effect and died before answering. This request holds the key
    /// now: go on with the committed effect as if <see cref="Done"/>.
    /// </summary>
    /// <param name="Result">The ids of the committed effect.</param>
    public sealed record TakenOver(CommandResult Result) : CommandOutcome;

    /// <summary>Not done; nothing changed and the key, if any, stays free.</summary>
    /// <param name="Refusal">Why.</param>
    public sealed record Refused(Refusal Refusal) : CommandOutcome;
}
