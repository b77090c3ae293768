using System.Globalization;

namespace CalSync.Classes.Deciding;

/// <summary>Decides who is told what. Nothing is told about the calendar before it was verified.
/// R-CAL-07-C.</summary>
internal static class Notices
{
    private const string NoLongerHolds = "The reminder you were sent no longer holds. ";

    public static void SeatConfirmed(Draft draft, Seat seat)
    {
        Write(
            draft, seat, NoticeKind.SeatConfirmed,
            $"Your seat in \"{draft.State.Title}\" is on your calendar.");
        foreach (var slot in draft.State.Slots.Where(slot => slot.TimesVerified))
            Remind(draft, slot, seat);
    }

    public static void SeatFailed(Draft draft, Seat seat, string correlationId)
    {
        var why = seat.Reason == "verification_failed"
            ? "Attendee was not added to event (verification failed)."
            : $"Reason: {seat.Reason ?? "unknown"}.";
        Write(
            draft,
            seat,
            NoticeKind.SeatFailed,
            $"Failed to add you to the calendar event. {why} Please try enrolling again or contact support. "
            + $"Code CALENDAR_ATTENDEE_FAILED, reference {correlationId}.");
    }

    public static void SeatCancelled(Draft draft, Seat seat) =>
        Write(draft, seat, NoticeKind.SeatCancelled, $"Your seat in \"{draft.State.Title}\" is cancelled.");

    public static void ClassCancelled(Draft draft, Seat seat)
    {
        var (kind, before) = draft.Context.Reminded.Any(sent => sent.EnrolmentId == seat.Id)
            ? (NoticeKind.Correction, NoLongerHolds)
            : (NoticeKind.ClassCancelled, "");
        Write(draft, seat, kind, $"{before}\"{draft.State.Title}\" is cancelled, and your seat with it.");
    }

    /// <summary>Tells the new times, once the calendar shows the newest; an earlier move says nothing any
    /// more.</summary>
    public static void SlotMoved(Draft draft, string slotId)
    {
        if (draft.State.FindSlot(slotId) is not { TimesVerified: true } slot)
            return;
        foreach (var seat in ToTell(draft))
        {
            var (kind, before) = draft.Context.Reminded.Contains((slot.Id, seat.Id))
                ? (NoticeKind.Correction, "The reminder you were sent names an old time. ")
                : (NoticeKind.SlotMoved, "");
            Write(draft, seat, kind, $"{before}\"{draft.State.Title}\" is now {Times(slot)}.", slot);
            Remind(draft, slot, seat);
        }
    }

    public static void SlotCancelled(Draft draft, Slot slot)
    {
        foreach (var seat in ToTell(draft))
        {
            var (kind, before) = draft.Context.Reminded.Contains((slot.Id, seat.Id))
                ? (NoticeKind.Correction, NoLongerHolds)
                : (NoticeKind.SlotCancelled, "");
            Write(
                draft,
                seat,
                kind,
                $"{before}\"{draft.State.Title}\" on {Times(slot)} does not take place.",
                slot with { Version = slot.Version + 1 });
        }
    }

    /// <summary>Takes back what a seat that is no more was reminded of.</summary>
    public static void TakeBack(Draft draft, Seat seat)
    {
        foreach (var slot in draft.State.Slots.Where(slot => slot.Stage == Stage.Scheduled
            && slot.Start.Instant > draft.Now && draft.Context.Reminded.Contains((slot.Id, seat.Id))))
        {
            Write(
                draft,
                seat,
                NoticeKind.Correction,
                $"{NoLongerHolds}You have no seat in \"{draft.State.Title}\" on {Times(slot)}.",
                slot);
        }
    }

    public static void CalendarProblem(Draft draft, Operation operation)
    {
        var about = operation.Kind.Replace('.', ' ').Replace('_', ' ');
        draft.Add(new ClassEvent.NoticeWritten(new Notice(
            draft.NextId("ntc"),
            draft.State.InstructorId,
            NoticeKind.CalendarProblem,
            operation.SlotId,
            SlotVersion: null,
            operation.EnrolmentId,
            $"The calendar of \"{draft.State.Title}\" needs attention ({about}): "
                + $"{operation.Reason ?? "unknown"}. "
            + $"Operation {operation.Id}.",
            draft.Now,
            $"{NoticeKind.CalendarProblem}:{operation.Id}:{operation.Reason}")));
    }

    private static void Remind(Draft draft, Slot slot, Seat seat)
    {
        var due = slot.Start.Instant - ClassLimits.ReminderLead;
        if (due > draft.Now)
        {
            Write(
                draft, seat, NoticeKind.Reminder, $"\"{draft.State.Title}\" starts at {Times(slot)}.", slot,
                due);
        }
    }

    private static void Write(
        Draft draft, Seat seat, string kind, string message, Slot? slot = null, DateTimeOffset? dueAt = null)
    {
        var key = slot is null
            ? $"{kind}:{seat.Id}"
            : string.Create(CultureInfo.InvariantCulture, $"{kind}:{seat.Id}:{slot.Id}:{slot.Version}");
        draft.Add(new ClassEvent.NoticeWritten(new Notice(
            draft.NextId("ntc"), seat.StudentId, kind, slot?.Id, slot?.Version, seat.Id, message,
            dueAt ?? draft.Now, key)));
    }

    private static IEnumerable<Seat> ToTell(Draft draft) => draft.State.Seats.Values
        .Where(
            seat =>
            seat.State is SeatState.Active or SeatState.ActiveWithoutCalendar or SeatState.NeedsAttention)
        .OrderBy(seat => seat.Id, StringComparer.Ordinal);

    private static string Times(Slot slot) => string.Create(
        CultureInfo.InvariantCulture,
        $"{slot.Start.Local:uuuu-MM-dd HH:mm} to {slot.End.Local:uuuu-MM-dd HH:mm} ({slot.Start.Zone.Id})");
}
