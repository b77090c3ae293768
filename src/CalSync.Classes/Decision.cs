using System.Collections.Immutable;

namespace CalSync.Classes;

/// <summary>What a decision knows besides the class.</summary>
/// <param name="Actor">Who asks.</param>
/// <param name="Now">The one reading of the clock, UTC.</param>
/// <param name="CorrelationId">For operations and messages.</param>
/// <param name="NextId">Makes an id from a prefix; the only source of chance.</param>
public sealed record DecisionContext(
    Actor Actor, DateTimeOffset Now, string CorrelationId, Func<string, string> NextId)
{
    /// <summary>The times in force.</summary>
    public ClassOptions Options { get; init; } = new();

    /// <summary>How an enrolment treats the calendar.</summary>
    public EnrolmentMode Mode { get; init; }

    /// <summary>Whether a client's key names the intent: then an equal class is another one. Decision
    /// C-04.</summary>
    public bool IntentNamed { get; init; }

    /// <summary>The student to be enrolled, or the instructor of a new class; null when there is
    /// none.</summary>
    public Person? Person { get; init; }

    /// <summary>Where the instructor's events go; null when nothing is connected and selected.</summary>
    public CalendarTarget? Target { get; init; }

    /// <summary>
    /// Finds an equal class made within <see cref="ClassOptions.LookalikeWindow"/>, by content hash; null for
    /// none.
    /// </summary>
    public Func<string, Lookalike?>? FindLookalike { get; init; }

    /// <summary>Reminders that were sent and that the decision may make untrue, as slot and
    /// enrolment.</summary>
    public ImmutableHashSet<(string SlotId, string EnrolmentId)> Reminded { get; init; } = [];
}

/// <summary>A user of the tenant.</summary>
/// <param name="Id">The user.</param>
/// <param name="Role">What they are.</param>
/// <param name="CalendarEmail">Where their invitations go.</param>
/// <param name="CalendarEmailVerified">Whether it was proved to be theirs.</param>
public sealed record Person(
    string Id, Role Role, string CalendarEmail, bool CalendarEmailVerified = true);

/// <summary>The calendar an instructor selected.</summary>
/// <param name="ConnectionId">Through which connection.</param>
/// <param name="CalendarId">Our id of the calendar.</param>
public sealed record CalendarTarget(string ConnectionId, string CalendarId);

/// <summary>A class that looks like the one asked for.</summary>
/// <param name="ClassId">The class.</param>
/// <param name="CreatedAt">When it was made.</param>
public sealed record Lookalike(string ClassId, DateTimeOffset CreatedAt);

/// <summary>What was decided.</summary>
public abstract record Decision
{
    private Decision()
    {
    }

    /// <summary>It is to be done.</summary>
    /// <param name="Events">What happened, in order; none when everything was already so.</param>
    /// <param name="State">The class after all of them.</param>
    /// <param name="EnrolmentId">The seat it is about.</param>
    /// <param name="OperationId">What to wait for; null when the provider has nothing to do.</param>
    /// <param name="Fresh">False when everything was already so.</param>
    /// <param name="Warnings">For the asker.</param>
    public sealed record Accepted(
        ImmutableArray<ClassEvent> Events,
        ClassState State,
        string? EnrolmentId,
        string? OperationId,
        bool Fresh,
        ImmutableArray<CommandWarning> Warnings) : Decision;

    /// <summary>It is not to be done.</summary>
    /// <param name="Refusal">Why.</param>
    public sealed record Refused(Refusal Refusal) : Decision;
}
