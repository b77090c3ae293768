using System.Collections.Immutable;
using CalSync.Calendar;

namespace CalSync.Classes;

/// <summary>Something that was decided about a class. Applying it never fails.</summary>
public abstract record ClassEvent
{
    private ClassEvent()
    {
    }

    /// <summary>A class began, with every slot and its mirror.</summary>
    /// <param name="State">All of it.</param>
    public sealed record Created(ClassState State) : ClassEvent;

    /// <summary>What the class says changed.</summary>
    /// <param name="Title">New value, changed or not.</param>
    /// <param name="Description">As <paramref name="Title"/>.</param>
    /// <param name="Location">As <paramref name="Title"/>.</param>
    /// <param name="Capacity">As <paramref name="Title"/>.</param>
    /// <param name="Version">The class's new version.</param>
    /// <param name="At">UTC.</param>
    public sealed record Updated(
        string Title, string? Description, string? Location, int Capacity, long Version,
        DateTimeOffset At) : ClassEvent;

    /// <summary>The class is cancelling or cancelled.</summary>
    /// <param name="Stage">New stage.</param>
    /// <param name="Version">The class's new version.</param>
    /// <param name="At">UTC.</param>
    public sealed record ClassStageChanged(Stage Stage, long Version, DateTimeOffset At) : ClassEvent;

    /// <summary>One slot has new times, and takes place at them even if it was over.</summary>
    /// <param name="SlotId">The slot.</param>
    /// <param name="Start">New start.</param>
    /// <param name="End">New end.</param>
    /// <param name="Version">The slot's new version.</param>
    /// <param name="WantedVersion">The mirror version that first asks for them.</param>
    /// <param name="At">UTC.</param>
    public sealed record SlotMoved(
        string SlotId, ZonedTime Start, ZonedTime End, long Version, long WantedVersion,
        DateTimeOffset At) : ClassEvent;

    /// <summary>One slot is cancelling, cancelled or completed.</summary>
    /// <param name="SlotId">The slot.</param>
    /// <param name="Stage">New stage.</param>
    /// <param name="Version">The slot's new version.</param>
    /// <param name="At">UTC.</param>
    public sealed record SlotStageChanged(
        string SlotId, Stage Stage, long Version, DateTimeOffset At) : ClassEvent;

    /// <summary>Events must say something new: desired versions rise and the mirrors are due.</summary>
    /// <param name="Wants">The mirrors with their new desired versions.</param>
    public sealed record CalendarWanted(ImmutableArray<OperationStep> Wants) : ClassEvent;

    /// <summary>A seat was taken.</summary>
    /// <param name="Seat">All of it.</param>
    public sealed record SeatOpened(Seat Seat) : ClassEvent;

    /// <summary>A seat changed its state, reason or deadline.</summary>
    /// <param name="Seat">All of it, as it is now.</param>
    public sealed record SeatChanged(Seat Seat) : ClassEvent;

    /// <summary>A payment began.</summary>
    /// <param name="EnrolmentId">For which seat.</param>
    /// <param name="Payment">All of it.</param>
    public sealed record PaymentOpened(string EnrolmentId, Payment Payment) : ClassEvent;

    /// <summary>A payment was confirmed or voided.</summary>
    /// <param name="EnrolmentId">For which seat.</param>
    /// <param name="Payment">All of it, as it is now.</param>
    public sealed record PaymentChanged(string EnrolmentId, Payment Payment) : ClassEvent;

    /// <summary>An operation began.</summary>
    /// <param name="Operation">All of it, with its steps.</param>
    public sealed record OperationOpened(Operation Operation) : ClassEvent;

    /// <summary>The class side moved an operation: settled, undone, given up, sent round again.</summary>
    /// <param name="Operation">All of it, as it is now.</param>
    /// <param name="MakeDue">True when its unverified mirrors are to be tried at once.</param>
    public sealed record OperationChanged(Operation Operation, bool MakeDue = false) : ClassEvent;

    /// <summary>A proposal was accepted or refused.</summary>
    /// <param name="Proposal">All of it, as it is now.</param>
    /// <param name="At">UTC.</param>
    public sealed record ProposalDecided(Proposal Proposal, DateTimeOffset At) : ClassEvent;

    /// <summary>Somebody is to be told something.</summary>
    /// <param name="Notice">The message.</param>
    public sealed record NoticeWritten(Notice Notice) : ClassEvent;

    /// <summary>Unsent reminders are void. Sent ones are left to a correction.</summary>
    /// <param name="SlotId">Of this slot; null for any.</param>
    /// <param name="EnrolmentId">Of this seat; null for any. Both null: of the whole class.</param>
    public sealed record RemindersCancelled(string? SlotId, string? EnrolmentId) : ClassEvent;
}
