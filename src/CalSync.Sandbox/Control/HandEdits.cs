using CalSync.Sandbox.Google;

namespace CalSync.Sandbox.Control;

/// <summary>Changes made past the API, as a person at the calendar's own page makes them.</summary>
internal static class HandEdits
{
    /// <summary>
    /// Applies one; an error when calendar, event, guest or field is not there or not valid.
    /// </summary>
    public static GoogleError? Apply(GoogleModel model, HandEdit edit, out HandEdited? edited)
    {
        edited = null;
        if (model.Calendar(edit.CalendarId) is not { Deleted: false } calendar
            || Instances.Find(calendar, edit.EventId) is not { } record)
        {
            return GoogleError.NotFound;
        }

        var write = new EventWrite(
            calendar.Owner, calendar.Id, edit.EventId, edit.Fields ?? [], SendUpdates: edit.SendUpdates,
            ConferenceVersion: edit.Fields?.ContainsKey("conferenceData") == true ? 1 : 0);
        var error = edit.Action switch
        {
            "patch" => Problem(model.Writes.Patch(write)),
            "delete" => Delete(model, calendar, record, write, edit.ForbidUndelete),
            "recreate" => Recreate(model, calendar, record, write, edit, keepsOld: false),
            "copy" => Recreate(model, calendar, record, write, edit, keepsOld: true),
            "answer" => Answer(model, calendar, record, edit),
            _ => GoogleError.Invalid("Unknown action.", "action"),
        };
        if (error is not null)
            return error;
        var id = edit.Action is "recreate" or "copy" ? calendar.Slots[^1].Current.Id : edit.EventId;
        edited = new HandEdited(id, Instances.Find(calendar, id)!.ETag);
        return null;
    }

    private static GoogleError? Delete(
        GoogleModel model, CalendarState calendar, EventRecord record, EventWrite write, bool forbidUndelete)
    {
        if (record.IsCancelled)
            return GoogleError.Deleted;
        model.Writes.Cancel(calendar, record, write, forbidUndelete);
        return null;
    }

    // A copy made in the user interface carries the private extended properties of its original with it.
    private static GoogleError? Recreate(
        GoogleModel model, CalendarState calendar, EventRecord record, EventWrite write, HandEdit edit,
        bool keepsOld)
    {
        var body = record.Fields.DeepClone().AsObject();
        if (edit.NewId is not null)
            body["id"] = edit.NewId;
        foreach (var (name, value) in edit.Fields ?? [])
            body[name] = value?.DeepClone();
        if (!keepsOld && !record.IsCancelled)
            model.Writes.Cancel(calendar, record, write);
        return Problem(
            model.Writes.Insert(write with { Body = body, EventId = null, ConferenceVersion = 1 }));
    }

    private static GoogleError? Answer(
        GoogleModel model, CalendarState calendar, EventRecord record, HandEdit edit)
    {
        if (edit.Attendee is null
            || edit.Answer is not ("accepted" or "declined" or "tentative" or "needsAction"))
        {
            return GoogleError.Invalid("attendee and answer are needed.", "answer");
        }

        var source = record.SourceCalendarId is { } id ? model.Calendar(id)! : calendar;
        return source.Find(record.Id)?.Current is { } original
            && model.Copies.AnswerAt(source, original, edit.Attendee, edit.Answer)
                ? null
                : GoogleError.NotFound;
    }

    private static GoogleError? Problem(Answer answer) => answer.Status < 400
        ? null
        : new GoogleError(
            answer.Status,
            answer.Body!["error"]!["errors"]![0]!["reason"]!.GetValue<string>(),
            answer.Body["error"]!["message"]!.GetValue<string>());
}
