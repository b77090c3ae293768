using System.Collections.Immutable;

namespace CalSync.Classes;

/// <summary>Why a command was not done. Nothing changed.</summary>
public abstract record Refusal
{
    private Refusal()
    {
    }

    /// <summary>No such object, or not visible to the asker; the two cannot be told apart.</summary>
    /// <param name="What"><c>class</c>, <c>slot</c>, <c>enrolment</c>, <c>operation</c>,
    /// <c>proposal</c>, <c>student</c>, <c>instructor</c>.</param>
    public sealed record NotFound(string What) : Refusal;

    /// <summary>The asker sees the object and may not do this to it.</summary>
    /// <param name="Action">What was asked, for a person.</param>
    public sealed record Forbidden(string Action) : Refusal;

    /// <summary>Every seat is taken.</summary>
    /// <param name="Capacity">How many there are.</param>
    public sealed record ClassFull(int Capacity) : Refusal;

    /// <summary>The class is cancelled or being cancelled.</summary>
    public sealed record ClassCancelled : Refusal;

    /// <summary>The slot is cancelled or being cancelled.</summary>
    public sealed record SlotCancelled : Refusal;

    /// <summary>No slot is left to sit in.</summary>
    public sealed record NoSlotLeft : Refusal;

    /// <summary>Somebody changed it since it was read.</summary>
    /// <param name="Expected">The version the asker saw.</param>
    /// <param name="Current">The version now.</param>
    /// <param name="Differences">The asked-for fields whose present value is another.</param>
    public sealed record StaleVersion(
        long Expected, long Current, ImmutableArray<FieldDifference> Differences)
        : Refusal;

    /// <summary>The seat is somebody else's. Answer as for a seat that does not exist.</summary>
    public sealed record SeatNotYours : Refusal;

    /// <summary>The seat is not in a state that allows this.</summary>
    /// <param name="State">The state it is in, as stored.</param>
    public sealed record SeatNotReady(string State) : Refusal;

    /// <summary>The operation is not in a state that allows this.</summary>
    /// <param name="State">The state it is in, as stored.</param>
    public sealed record OperationNotOpen(string State) : Refusal;

    /// <summary>The proposal is decided, or what it is about has changed.</summary>
    /// <param name="State">The state it is in, as stored.</param>
    public sealed record ProposalNotOpen(string State) : Refusal;

    /// <summary>No zone has this name, or several could be meant.</summary>
    /// <param name="Field">The path of the field.</param>
    /// <param name="Name">As sent, cut.</param>
    /// <param name="Suggestions">Zones a person may have meant, likeliest first.</param>
    public sealed record InvalidTimeZone(
        string Field, string Name, ImmutableArray<string> Suggestions) : Refusal;

    /// <summary>Clocks jump over this time.</summary>
    /// <param name="Field">The path of the field.</param>
    /// <param name="Local">The wall time asked for.</param>
    /// <param name="TimeZone">The zone that has no such time.</param>
    /// <param name="Next">The time on the wall after the jump, RFC 3339.</param>
    public sealed record NonexistentLocalTime(
        string Field, string Local, string TimeZone, string Next) : Refusal;

    /// <summary>Clocks show this time twice and no fold was named.</summary>
    /// <param name="Field">The path of the field.</param>
    /// <param name="Local">The wall time asked for.</param>
    /// <param name="TimeZone">The zone that has it twice.</param>
    /// <param name="Earlier">Fold 0, RFC 3339.</param>
    /// <param name="Later">Fold 1, RFC 3339.</param>
    public sealed record AmbiguousLocalTime(
        string Field, string Local, string TimeZone, string Earlier, string Later) : Refusal;

    /// <summary>The offset sent is not the zone's at that time.</summary>
    /// <param name="Field">The path of the field.</param>
    /// <param name="Local">The wall time asked for.</param>
    /// <param name="TimeZone">The zone.</param>
    /// <param name="Offset">The offset as sent.</param>
    /// <param name="ZoneOffset">What the zone has.</param>
    public sealed record OffsetZoneMismatch(
        string Field, string Local, string TimeZone, string Offset, string ZoneOffset) : Refusal;

    /// <summary>More seats are taken than the class would have.</summary>
    /// <param name="Capacity">The capacity asked for.</param>
    /// <param name="SeatsTaken">Seats taken now.</param>
    public sealed record CapacityBelowSeats(int Capacity, int SeatsTaken) : Refusal;

    /// <summary>
    /// An equal class was made minutes ago and nothing says that this is another one. Send an idempotency
    /// key, or allow the duplicate. Decision C-04.
    /// </summary>
    /// <param name="ClassId">The one made before.</param>
    /// <param name="CreatedAt">When.</param>
    public sealed record LooksDuplicate(string ClassId, DateTimeOffset CreatedAt) : Refusal;

    /// <summary>The instructor has no connected and selected calendar to write to.</summary>
    public sealed record NoCalendar : Refusal;

    /// <summary>Fields are wrong; all of them are named at once.</summary>
    /// <param name="Errors">1 or more.</param>
    public sealed record ValidationFailed(ImmutableArray<FieldError> Errors) : Refusal;
}

/// <summary>A field that is not as the asker thinks.</summary>
/// <param name="Field">The path of the field.</param>
/// <param name="Asked">What the asker wants it to be; null when the command only removes.</param>
/// <param name="Current">What it is now.</param>
public sealed record FieldDifference(string Field, string? Asked, string? Current);

/// <summary>What is wrong with one field.</summary>
/// <param name="Field">The path: <c>schedules[0].slots[2].start</c>.</param>
/// <param name="Code">One word: <c>required</c>, <c>too_long</c>, <c>out_of_range</c>,
/// <c>invalid_time_zone</c> and so on.</param>
/// <param name="Message">For a person; says the allowed range.</param>
/// <param name="Example">A value that would be accepted; null when none is telling.</param>
public sealed record FieldError(string Field, string Code, string Message, string? Example = null);
