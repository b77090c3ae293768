using System.Text.Json.Nodes;

namespace CalSync.Sandbox.Google;

/// <summary>One write of an event as it came in.</summary>
/// <remarks>
/// <c>IfMatch</c>: The If-Match header; null when the caller sent none.
/// <c>SendUpdates</c>: all, externalOnly or none (the default).
/// </remarks>
internal sealed record EventWrite(
    AccountState User,
    string CalendarId,
    string? EventId,
    JsonObject Body,
    string? IfMatch = null,
    string SendUpdates = "none",
    int ConferenceVersion = 0)
{
    /// <summary>Answer as if stored, store nothing.</summary>
    public bool Swallow { get; init; }

    /// <summary>Until then reads see the version before this write.</summary>
    public DateTimeOffset? HiddenUntil { get; init; }

    /// <summary>A field the practice Google alters on its own while storing.</summary>
    public (string Path, JsonNode? Value)? Alteration { get; init; }
}

/// <summary>
/// Insert, import, patch, update, delete and move, with the rules measured on the real service.
/// </summary>
internal sealed class EventWrites(GoogleModel model)
{
    public Answer Insert(EventWrite write)
    {
        if (Writable(write, out var calendar) is { } refusal)
            return refusal;
        if (EventFields.CheckTypes(write.Body) is { } wrongType)
            return wrongType;
        var id = Text(write.Body, "id");
        var uid = Text(write.Body, "iCalUID");
        if (id is not null && uid is not null)
        {
            return GoogleError.Invalid(
                "Only one of id and iCalUID may be supplied when an event is created.");
        }

        if (write.Body["recurringEventId"] is not null)
            return GoogleError.Invalid("An instance of a recurring event cannot be inserted.");
        if (id is not null && !Ids.IsLegalEventId(id))
            return GoogleError.Invalid("Invalid resource id value.");
        if (id is not null && calendar.Find(id) is not null)
            return GoogleError.Duplicate;
        if (uid is not null && calendar.WithICalUid(uid).Any(slot => !slot.Current.IsCancelled))
            return GoogleError.Duplicate;
        id ??= model.Ids.NextBase32Hex();
        return Create(write, calendar, id, uid ?? id + "@google.com", calendar.Id);
    }

    /// <summary>A private copy of a foreign event; its id is derived from the iCalUID.</summary>
    public Answer Import(EventWrite write)
    {
        if (Writable(write, out var calendar) is { } refusal)
            return refusal;
        if (EventFields.CheckTypes(write.Body) is { } wrongType)
            return wrongType;
        if (Text(write.Body, "iCalUID") is not { Length: > 0 } uid)
            return GoogleError.Required("Missing iCalUID.");
        if (write.Body["id"] is not null || write.Body["recurringEventId"] is not null)
            return GoogleError.Invalid("Invalid iCalUID value");
        if (Text(write.Body, "eventType") is not null and not "default")
            return GoogleError.Invalid("Only events of type default can be imported.");
        var organizer = (write.Body["organizer"] as JsonObject)?["email"]?.ToString();
        if (organizer is not null && !Takes(organizer, calendar)
            && !Attendees(write.Body).Any(email => Takes(email, calendar)))
        {
            return new GoogleError(
                400, "participantIsNeitherOrganizerNorAttendee",
                "The owner of the calendar must either be the organizer or an attendee of an imported event.",
                "calendar");
        }

        var id = "_" + Ids.ToBase32Hex(uid);
        return calendar.Find(id) is not null
            || calendar.WithICalUid(uid).Any(slot => !slot.Current.IsCancelled)
            ? GoogleError.Duplicate
            : Create(write with { SendUpdates = "none" }, calendar, id, uid, organizer ?? calendar.Id);
    }

    public Answer Patch(EventWrite write) => Change(write, isPatch: true);

    public Answer Update(EventWrite write) => Change(write, isPatch: false);

    public Answer Delete(EventWrite write)
    {
        if (Writable(write, out var calendar) is { } refusal)
            return refusal;
        if (Instances.Find(calendar, write.EventId!) is not { } before)
            return GoogleError.NotFound;
        if (!Matches(write.IfMatch, before.ETag))
            return GoogleError.ConditionNotMet;
        if (before.IsCancelled)
            return GoogleError.Deleted;
        Cancel(calendar, before, write);
        return Answer.NoContent;
    }

    /// <summary>
    /// Gives the event to another calendar; the answer is the cancelled source copy (measured).
    /// </summary>
    public Answer Move(EventWrite write, string destinationId)
    {
        if (Writable(write, out var calendar) is { } refusal)
            return refusal;
        if (model.Calendar(write.User, destinationId) is not { } destination)
            return GoogleError.NotFound;
        if (!destination.IsWritableBy(write.User))
            return GoogleError.WriterNeeded;
        if (calendar.Find(write.EventId!)?.Current is not { } before)
            return GoogleError.NotFound;
        if (before.IsCancelled)
            return GoogleError.Deleted;
        if (before.IsCopy)
            return GoogleError.NonOrganizer;
        if (before.RecurringEventId is not null)
            return GoogleError.Invalid("Instances of recurring events cannot be moved.");
        if (destination.Find(before.Id) is { Current.IsCancelled: false })
            return GoogleError.Duplicate;
        var organizerName = destination.IsPrimary ? null : destination.Summary;
        var moved = before with
        {
            UpdatedMicros = model.NextMicros(),
            OrganizerEmail = destination.Id,
            OrganizerName = organizerName,
        };
        var left = moved with { Status = "cancelled", UpdatedMicros = model.NextMicros() };
        if (!write.Swallow)
        {
            model.Store(calendar, left);
            model.Store(destination, moved);
            model.Copies.Spread(destination, before, moved);
        }

        return Answer.Ok(EventView.Show(calendar, left, write.User), left.ETag);
    }

    /// <summary>
    /// Cancels an event or makes a cancelled exception; used by deletes through the API and by hand.
    /// </summary>
    public void Cancel(
        CalendarState calendar, EventRecord before, EventWrite write, bool forbidUndelete = false)
    {
        // Measured: a cancelled event with an attendee has sequence 1, one without keeps its sequence.
        var after = before with
        {
            Status = "cancelled",
            UpdatedMicros = model.NextMicros(),
            Sequence = before.Attendees.Any() ? before.Sequence + 1 : before.Sequence,
            IsUndeleteForbidden = forbidUndelete,
        };
        if (before.IsCopy)
        {
            if (!write.Swallow)
                model.Store(calendar, after);
            model.Copies.Answer(calendar, before, "declined");
            return;
        }

        Commit(calendar, before, after, write);
        foreach (var exception in calendar.ExceptionsOf(before.Id).Select(slot => slot.Current).ToList())
        {
            if (!write.Swallow && !exception.IsCancelled)
            {
                model.Store(
                    calendar, exception with { Status = "cancelled", UpdatedMicros = model.NextMicros() });
            }
        }
    }

    private Answer Create(EventWrite write, CalendarState calendar, string id, string uid, string organizer)
    {
        var fields = EventFields.Writable(write.Body);
        if (EventFields.Normalise(fields, calendar.TimeZone) is { } invalid)
            return invalid;
        if (Instances.CheckRecurrence(fields) is { } badRule)
            return badRule;
        if (model.Conferences.Settle(fields, null, write.ConferenceVersion) is { } badConference)
            return badConference;
        Alter(fields, write);
        var status = Text(write.Body, "status") ?? "confirmed";
        var now = model.NextMicros();
        var after = new EventRecord(
            id, uid, fields, status, model.Now, now, Number(
                write.Body, "sequence") ?? 0, write.User.Email, organizer)
        {
            OrganizerName = organizer == calendar.Id && !calendar.IsPrimary ? calendar.Summary : null,
        };
        Commit(calendar, null, after, write);
        return Answer.Ok(EventView.Show(calendar, after, write.User), after.ETag);
    }

    private Answer Change(EventWrite write, bool isPatch)
    {
        if (Writable(write, out var calendar) is { } refusal)
            return refusal;
        if (EventFields.CheckTypes(write.Body) is { } wrongType)
            return wrongType;
        if (Instances.Find(calendar, write.EventId!) is not { } before)
            return GoogleError.NotFound;
        if (!Matches(write.IfMatch, before.ETag))
            return GoogleError.ConditionNotMet;
        var status = Text(write.Body, "status") ?? (isPatch ? before.Status : "confirmed");
        if (before.IsCancelled && status != "cancelled" && before.IsUndeleteForbidden)
            return new GoogleError(403, "forbidden", "Forbidden");
        if (before.IsCancelled && isPatch && status == "cancelled")
            return GoogleError.Deleted;
        var fields = isPatch
            ? EventFields.Merge(before.Fields, write.Body)
            : EventFields.Writable(write.Body);
        if (write.Body["attendeesOmitted"]?.GetValue<bool>() == true)
            OwnAnswerOnly(calendar, before, write.Body, fields);
        if (EventFields.Normalise(fields, calendar.TimeZone) is { } invalid)
            return invalid;
        if (before.RecurringEventId is not null)
            fields.Remove("recurrence");
        if (Instances.CheckRecurrence(fields) is { } badRule)
            return badRule;
        if (model.Conferences.Settle(fields, before.Fields, write.ConferenceVersion) is { } badConference)
            return badConference;
        if (before.IsCopy)
            return ChangeCopy(calendar, before, fields, status, write);
        if (NextSequence(before, fields, write.Body, out var sequence) is { } badSequence)
            return badSequence;
        return Finish(calendar, before, fields, status, sequence, write);
    }

    private Answer Finish(
        CalendarState calendar, EventRecord before, JsonObject fields, string status, int sequence,
            EventWrite write)
    {
        if (status == "cancelled" && !before.IsCancelled)
        {
            Cancel(calendar, before, write);
            var gone = write.Swallow ? before : calendar.Find(before.Id)!.Current;
            return Answer.Ok(EventView.Show(calendar, gone, write.User), gone.ETag);
        }

        Alter(fields, write);
        var after = before with { Fields = fields, Status = status, Sequence = sequence };
        if (IsSame(before, after))
            return Answer.Ok(EventView.Show(calendar, before, write.User), before.ETag);
        if (!DiffersOnlyInReminders(before, after))
            after = after with { UpdatedMicros = model.NextMicros() };
        Commit(calendar, before, after, write);
        return Answer.Ok(EventView.Show(calendar, after, write.User), after.ETag);
    }

    /// <summary>
    /// A guest changes the own answer and the own private fields; anything shared belongs to the organizer.
    /// </summary>
    private Answer ChangeCopy(
        CalendarState calendar, EventRecord before, JsonObject fields, string status, EventWrite write)
    {
        if (AttendeeCopies.ChangesShared(before.Fields, fields, calendar.Owner.Email))
            return GoogleError.NonOrganizer;
        var after = before with { Fields = fields, Status = status };
        if (IsSame(before, after))
            return Answer.Ok(EventView.Show(calendar, before, write.User), before.ETag);
        after = after with { UpdatedMicros = model.NextMicros() };
        if (!write.Swallow)
        {
            model.Store(calendar, after);
            if (AttendeeCopies.AnswerOf(fields, calendar.Owner.Email) is { } answer)
                model.Copies.Answer(calendar, after, answer);
            after = calendar.Find(after.Id)!.Current;
        }

        return Answer.Ok(EventView.Show(calendar, after, write.User), after.ETag);
    }

    private void Commit(CalendarState calendar, EventRecord? before, EventRecord after, EventWrite write)
    {
        if (write.Swallow)
            return;
        var slot = model.Store(calendar, after);
        if (write.HiddenUntil is { } until)
            slot.HideLatestUntil(until);
        model.Mails.Note(calendar, before, after, write.SendUpdates);
        model.Copies.Spread(calendar, before, after);
    }

    private GoogleError? Writable(EventWrite write, out CalendarState calendar)
    {
        calendar = model.Calendar(write.User, write.CalendarId)!;
        if (calendar is null)
            return GoogleError.NotFound;
        return calendar.IsWritableBy(write.User) ? null : GoogleError.WriterNeeded;
    }

    /// <summary>Time changes raise it by one; a client may raise it further, never lower it.</summary>
    private static GoogleError? NextSequence(
        EventRecord before, JsonObject fields, JsonObject sent, out int sequence)
    {
        var moves = !EventFields.SameValue(before.Fields["start"], fields["start"])
            || !EventFields.SameValue(before.Fields["end"], fields["end"])
            || !EventFields.SameValue(before.Fields["recurrence"], fields["recurrence"]);
        sequence = moves ? before.Sequence + 1 : before.Sequence;
        if (Number(sent, "sequence") is not { } wanted)
            return null;
        if (wanted < before.Sequence)
        {
            return GoogleError.Invalid(
                "Invalid sequence value. The specified sequence number is below the current "
                + "sequence number of the resource.");
        }

        sequence = Math.Max(sequence, wanted);
        return null;
    }

    // The caller saw a truncated list, so only its own answer counts and nobody is dropped.
    private static void OwnAnswerOnly(
        CalendarState calendar, EventRecord before, JsonObject sent, JsonObject fields)
    {
        if (before.Fields["attendees"] is not JsonArray stored)
            return;
        var kept = stored.DeepClone().AsArray();
        var own = AttendeeCopies.AnswerOf(sent, calendar.Owner.Email);
        foreach (var attendee in kept.Select(entry => entry!.AsObject()))
        {
            if (own is not null && Takes(attendee["email"]!.GetValue<string>(), calendar))
                attendee["responseStatus"] = own;
        }

        fields["attendees"] = kept;
    }

    private static void Alter(JsonObject fields, EventWrite write)
    {
        if (write.Alteration is { } alteration)
            JsonPath.Set(fields, alteration.Path, alteration.Value);
    }

    private static bool IsSame(EventRecord before, EventRecord after) =>
        before.Status == after.Status && before.Sequence == after.Sequence
        && EventFields.SameValue(before.Fields, after.Fields);

    private static bool DiffersOnlyInReminders(EventRecord before, EventRecord after)
    {
        if (EventFields.SameValue(before.Fields["reminders"], after.Fields["reminders"]))
            return false;
        var left = before.Fields.DeepClone().AsObject();
        var right = after.Fields.DeepClone().AsObject();
        left.Remove("reminders");
        right.Remove("reminders");
        return before.Status == after.Status && before.Sequence == after.Sequence
            && EventFields.SameValue(left, right);
    }

    private static bool Matches(string? ifMatch, string etag) =>
        ifMatch is null || ifMatch.Trim() == "*"
        || ifMatch.Split(',').Any(candidate => candidate.Trim() == etag);

    private static bool Takes(string email, CalendarState calendar) =>
        string.Equals(email, calendar.Id, StringComparison.OrdinalIgnoreCase)
        || string.Equals(email, calendar.Owner.Email, StringComparison.OrdinalIgnoreCase);

    private static IEnumerable<string> Attendees(JsonObject body) =>
        body["attendees"] is JsonArray array
            ? array.Select(entry => entry!["email"]!.GetValue<string>())
            : [];

    private static string? Text(JsonObject body, string name) => body[name]?.GetValue<string>();

    private static int? Number(JsonObject body, string name) => body[name]?.GetValue<int>();
}
