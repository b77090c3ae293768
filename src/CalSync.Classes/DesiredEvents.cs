using System.Collections.Immutable;
using CalSync.Calendar;

namespace CalSync.Classes;

/// <summary>What a slot's event must say.</summary>
/// <param name="Summary">The class's title.</param>
/// <param name="Description">Null for none.</param>
/// <param name="Location">Null for none.</param>
/// <param name="Start">The slot's start.</param>
/// <param name="End">The slot's end.</param>
/// <param name="AttendeeEmails">Who must be on it: lower case, sorted, no repeats.</param>
/// <param name="FormerEmails">
/// Addresses that were ours and must not be on it any more. Everybody else on the event was put there by hand
/// and is left alone.
/// </param>
/// <param name="Conference">Whether it must have a video link.</param>
public sealed record DesiredEvent(
    string Summary,
    string? Description,
    string? Location,
    ZonedTime Start,
    ZonedTime End,
    ImmutableArray<string> AttendeeEmails,
    ImmutableArray<string> FormerEmails,
    bool Conference);

/// <summary>One enrolment as far as an event is concerned.</summary>
/// <param name="CalendarEmail">Lower case.</param>
/// <param name="State">The seat's state.</param>
public readonly record struct Attendance(string CalendarEmail, SeatState State);

/// <summary>Computes what events must say. Pure.</summary>
public static class DesiredEvents
{
    /// <summary>What the event of one slot must say.</summary>
    /// <param name="title">The class's title.</param>
    /// <param name="description">The class's description.</param>
    /// <param name="location">The class's location.</param>
    /// <param name="conference">Whether the class asks for video links.</param>
    /// <param name="start">The slot's start.</param>
    /// <param name="end">The slot's end.</param>
    /// <param name="stage">The slot's stage.</param>
    /// <param name="enrolments">Every enrolment there ever was in the class, ended ones too.</param>
    /// <returns>Null when there must be no event.</returns>
    public static DesiredEvent? For(
        string title,
        string? description,
        string? location,
        bool conference,
        ZonedTime start,
        ZonedTime end,
        Stage stage,
        IEnumerable<Attendance> enrolments)
    {
        if (stage is Stage.Cancelling or Stage.Cancelled)
            return null;
        var (present, former) =
            (new SortedSet<string>(StringComparer.Ordinal), new SortedSet<string>(StringComparer.Ordinal));
        foreach (var enrolment in enrolments)
            (enrolment.State.IsAttending() ? present : former).Add(enrolment.CalendarEmail);
        // One address may have left with one seat and come back with another.
        former.ExceptWith(present);
        return new DesiredEvent(
            title, description, location, start, end, [.. present], [.. former], conference);
    }

    /// <summary>As the long form, from a class state whose seats were all read.</summary>
    /// <param name="state">The class.</param>
    /// <param name="slot">One of its slots.</param>
    /// <param name="enrolments">Every enrolment there ever was in the class.</param>
    public static DesiredEvent? For(ClassState state, Slot slot, IEnumerable<Attendance> enrolments) => For(
        state.Title, state.Description, state.Location, state.Conference, slot.Start, slot.End, slot.Stage,
        enrolments);
}
