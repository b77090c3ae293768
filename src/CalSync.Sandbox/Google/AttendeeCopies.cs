using System.Text.Json.Nodes;

namespace CalSync.Sandbox.Google;

/// <summary>
/// Keeps the copies in guests' calendars like the organizer's event, and carries guests' answers back.
/// </summary>
internal sealed class AttendeeCopies(GoogleModel model)
{
    /// <summary>Fields each copy has of its own.</summary>
    private static readonly string[] OwnFields = ["reminders", "colorId", "transparency", "visibility"];

    /// <summary>After the organizer's event changed: makes, changes and cancels copies.</summary>
    public void Spread(CalendarState source, EventRecord? before, EventRecord after)
    {
        if (after.IsCopy)
            return;
        var present = after.IsCancelled
            ? [] : after.AttendeeEmails.ToHashSet(StringComparer.OrdinalIgnoreCase);
        var known = present.Concat(before?.AttendeeEmails ?? []).Distinct(StringComparer.OrdinalIgnoreCase);
        foreach (var email in known)
        {
            if (model.Account(email) is not { } guest || ReferenceEquals(guest.Primary, source))
                continue;
            if (present.Contains(email))
            {
                Put(guest.Primary, source, after);
            }
            else if (guest.Primary.Find(after.Id)?.Current is { IsCopy: true, IsCancelled: false } copy)
            {
                model.Store(
                    guest.Primary, copy with { Status = "cancelled", UpdatedMicros = model.NextMicros() });
            }
        }
    }

    /// <summary>A guest answered; the organizer's event and every copy show it.</summary>
    public void Answer(CalendarState copyCalendar, EventRecord copy, string answer)
    {
        var source = copy.SourceCalendarId is null ? copyCalendar : model.Calendar(copy.SourceCalendarId);
        if (source?.Find(copy.Id)?.Current is { IsCancelled: false } original)
            AnswerAt(source, original, copyCalendar.Owner.Email, answer);
    }

    /// <summary>
    /// Sets one guest's answer on the organizer's event; false when that person is not a guest.
    /// </summary>
    public bool AnswerAt(CalendarState source, EventRecord original, string email, string answer)
    {
        var fields = original.Fields.DeepClone().AsObject();
        var entry = (fields["attendees"] as JsonArray)?.Select(node => node!.AsObject())
            .FirstOrDefault(guest => IsPerson(guest, email));
        if (entry is null)
            return false;
        if (entry["responseStatus"]!.GetValue<string>() == answer)
            return true;
        entry["responseStatus"] = answer;
        var after = original with { Fields = fields, UpdatedMicros = model.NextMicros() };
        model.Store(source, after);
        Spread(source, original, after);
        return true;
    }

    public static string? AnswerOf(JsonObject fields, string email) =>
        (fields["attendees"] as JsonArray)?.Select(node => node!.AsObject())
            .FirstOrDefault(guest => IsPerson(guest, email))?["responseStatus"]?.GetValue<string>();

    /// <summary>Whether a guest's write touches more than the own answer and the own copy's fields.</summary>
    public static bool ChangesShared(JsonObject before, JsonObject after, string email)
    {
        var left = Shared(before, email);
        var right = Shared(after, email);
        return !EventFields.SameValue(left, right);
    }

    private static JsonObject Shared(JsonObject fields, string email)
    {
        var shared = fields.DeepClone().AsObject();
        foreach (var name in OwnFields)
            shared.Remove(name);
        // Google lets guests edit shared extended properties, and private ones are their own.
        shared.Remove("extendedProperties");
        foreach (var guest in (shared["attendees"] as JsonArray ?? []).Select(node => node!.AsObject()))
        {
            if (!IsPerson(guest, email))
                continue;
            guest.Remove("responseStatus");
            guest.Remove("comment");
        }

        return shared;
    }

    private void Put(CalendarState into, CalendarState source, EventRecord original)
    {
        var existing = into.Find(original.Id)?.Current;
        if (existing is { IsCopy: false })
            return;
        // A guest who removed the event declined it; it must not come back with the organizer's next edit.
        if (existing is { IsCancelled: true } && AnswerOf(original.Fields, into.Owner.Email) == "declined")
            return;
        var fields = original.Fields.DeepClone().AsObject();
        foreach (var name in OwnFields)
        {
            fields.Remove(name);
            if (existing?.Fields[name] is { } own)
                fields[name] = own.DeepClone();
        }

        fields["reminders"] ??= new JsonObject { ["useDefault"] = true };
        var properties = fields["extendedProperties"] as JsonObject;
        properties?.Remove("private");
        if (existing?.Fields["extendedProperties"]?["private"] is { } ownProperties)
        {
            if (properties is null)
                fields["extendedProperties"] = properties = [];
            properties["private"] = ownProperties.DeepClone();
        }

        if (properties is { Count: 0 })
            fields.Remove("extendedProperties");
        model.Store(into, original with
        {
            Fields = fields,
            IsCopy = true,
            SourceCalendarId = source.Id,
            UpdatedMicros = model.NextMicros(),
        });
    }

    private static bool IsPerson(JsonObject guest, string email) =>
        string.Equals(guest["email"]!.GetValue<string>(), email, StringComparison.OrdinalIgnoreCase);
}
