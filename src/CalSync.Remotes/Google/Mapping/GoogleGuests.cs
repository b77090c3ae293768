using System.Globalization;
using System.Text.Json.Nodes;
using CalSync.Calendar.Components;
using CalSync.Calendar.Document;
using CalSync.Calendar.Values;

namespace CalSync.Remotes.Google.Mapping;

/// <summary>
/// <c>organizer</c> and <c>attendees</c> as ORGANIZER and ATTENDEE. RFC 5545 sections 3.8.4.1 and 3.8.4.3.
/// </summary>
internal static class GoogleGuests
{
    private const int GuestCountMax = 1_000_000;

    /// <summary>Adds the lines for the people of an event.</summary>
    /// <remarks>
    /// The organizer of an event without guests is whoever owns the calendar: said in iCalendar, it would
    /// make the event an invitation.
    /// </remarks>
    public static void Read(Fields fields, List<PropertyContent> content)
    {
        var guests = fields.Objects("attendees").Select(Guest).OfType<PropertyContent>().ToList();
        if (fields.Object("organizer") is { } organizer && organizer.Text("email") is { } email)
        {
            var isSelf = organizer.Flag("self");
            if ((guests.Count > 0 || !isSelf) && IsMail(email))
                content.Add(Named(NewProperty.Address("ORGANIZER", CalAddress.FromMail(email)), organizer));
        }

        content.AddRange(guests);
    }

    /// <summary>The people of a component as Google takes them; null without any.</summary>
    /// <param name="component">A VEVENT.</param>
    /// <param name="notes">Gets what cannot be carried.</param>
    public static JsonArray? Write(CalendarComponent component, MappingNotes notes)
    {
        var guests = new JsonArray();
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var guest in new CalendarEvent(component).Attendees)
        {
            if (Mail(guest) is not { } mail)
            {
                notes.Add("ATTENDEE", "Google knows guests only by their mail address.");
                continue;
            }

            if (seen.Add(mail))
                guests.Add(Write(guest, mail));
        }

        return guests.Count > 0 ? guests : null;
    }

    /// <summary>The organizer of a component as an import takes it; null without one.</summary>
    public static JsonObject? WriteOrganizer(CalendarComponent component)
    {
        if (new CalendarEvent(component).Organizer is not { } organizer || Mail(organizer) is not { } mail)
            return null;
        var person = new JsonObject { ["email"] = mail };
        if (!string.IsNullOrEmpty(organizer.CommonName))
            person["displayName"] = organizer.CommonName;
        return person;
    }

    private static PropertyContent? Guest(Fields guest)
    {
        if (guest.Text("email") is not { } email || !IsMail(email))
            return null;
        var line = Named(NewProperty.Address("ATTENDEE", CalAddress.FromMail(email)), guest);
        if (guest.Flag("resource"))
            line = line.With("CUTYPE", "RESOURCE");
        if (guest.Flag("optional"))
            line = line.With("ROLE", "OPT-PARTICIPANT");
        var answer = guest.Text("responseStatus") switch
        {
            null or "needsAction" => null,
            "accepted" => "ACCEPTED",
            "declined" => "DECLINED",
            "tentative" => "TENTATIVE",
            _ => "",
        };
        if (answer is "")
            guest.Fault("responseStatus", "is not one of Google's");
        else if (answer is not null)
            line = line.With("PARTSTAT", answer);
        if (guest.Number("additionalGuests") is > 0 and <= GuestCountMax and var more)
            line = line.With("X-NUM-GUESTS", more.ToString(CultureInfo.InvariantCulture));
        if (guest.Text("comment") is { Length: > 0 } comment)
            line = line.With("X-RESPONSE-COMMENT", comment);
        return line;
    }

    private static JsonObject Write(Participant guest, string mail)
    {
        var entry = new JsonObject { ["email"] = mail };
        if (!string.IsNullOrEmpty(guest.CommonName))
            entry["displayName"] = guest.CommonName;
        if (guest.UserType is "RESOURCE" or "ROOM")
            entry["resource"] = true;
        if (guest.Role == "OPT-PARTICIPANT")
            entry["optional"] = true;
        entry["responseStatus"] = guest.ParticipationStatus switch
        {
            "ACCEPTED" => "accepted",
            "DECLINED" => "declined",
            "TENTATIVE" => "tentative",
            _ => "needsAction",
        };
        var more = guest.Property.ParameterValue("X-NUM-GUESTS"u8);
        if (int.TryParse(more, NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            && count is > 0 and <= GuestCountMax)
        {
            entry["additionalGuests"] = count;
        }

        if (guest.Property.ParameterValue("X-RESPONSE-COMMENT"u8) is { Length: > 0 } comment)
            entry["comment"] = comment;
        return entry;
    }

    private static PropertyContent Named(PropertyContent line, Fields person) =>
        person.Text("displayName") is { Length: > 0 } name ? line.With("CN", name) : line;

    /// <summary>The mail address, also where it is a parameter (RFC 7986 section 6.2).</summary>
    private static string? Mail(Participant person)
    {
        var mail = person.Address.TryGet(out var address) ? address.Mail : null;
        mail ??= person.Property.ParameterValue("EMAIL"u8);
        return mail is not null && IsMail(mail.Trim()) ? mail.Trim() : null;
    }

    private static bool IsMail(string text)
    {
        var at = text.IndexOf('@', StringComparison.Ordinal);
        return at > 0 && at == text.LastIndexOf('@') && at < text.Length - 1
            && !text.Any(letter => letter <= ' ' || char.IsControl(letter) || letter is '<' or '>' or ',');
    }
}
