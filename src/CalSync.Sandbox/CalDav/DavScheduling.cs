using CalSync.Calendar.Comparison;
using CalSync.Calendar.Components;
using CalSync.Calendar.Document;

namespace CalSync.Sandbox.CalDav;

/// <summary>Implicit scheduling: who a server would mail because an event was written. RFC 6638.</summary>
internal sealed class DavScheduling(DavModel model)
{
    private const string Delivered = "1.1";

    /// <summary>Notes the mails of one write.</summary>
    /// <remarks>
    /// <c>before</c>: Null for a new resource.
    /// <c>after</c>: Null when it is deleted.
    /// <c>answers</c>: False when the client asked not to tell the organizer (Schedule-Reply: F).
    /// </remarks>
    /// <returns>What is stored: <paramref name="after"/>, with SCHEDULE-STATUS where somebody was
    /// mailed.</returns>
    public CalendarDocument? Note(
        DavCalendar calendar, string name, CalendarDocument? before, CalendarDocument? after, bool answers)
    {
        if (!model.Quirks.MailsAttendees || (after ?? before) is not { } document
            || Organizer(document) is not { } organizer)
        {
            return after;
        }

        if (!IsSame(organizer.Mail, calendar.Owner.Email))
        {
            var answer = after is null ? "DECLINED" : Answer(after, calendar.Owner.Email);
            var earlier = before is null ? "NEEDS-ACTION" : Answer(before, calendar.Owner.Email);
            if (organizer.IsByServer && answers && answer is not null && answer != earlier)
                Add("reply", organizer.Mail);
            return after;
        }

        var old = Guests(before, organizer.Mail);
        var present = Guests(after, organizer.Mail);
        var isChanged = before is not null && after is not null
            && CalendarDiff.Compare(before, after, CalendarNoise.OfServers).Length > 0;
        var mailed = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var guest in present.Where(guest => !old.Contains(guest) || isChanged))
        {
            mailed.Add(guest);
            Add(old.Contains(guest) ? "update" : "invitation", guest);
        }

        foreach (var guest in old.Where(guest => !present.Contains(guest)))
            Add("cancellation", guest);
        return after is null ? null : Marked(after, mailed);

        void Add(string kind, string to) => model.Mails.Add(new SandboxMail(
            model.Now, kind, to, calendar.Id, name, StoredForm.UidOf(document), "server", Mailed: true));
    }

    private static (string Mail, bool IsByServer)? Organizer(CalendarDocument document) =>
        StoredForm.Parts(document).Where(part => part.Is("VEVENT"u8))
            .Select(part => new CalendarEvent(part).Organizer).OfType<Participant>()
            .Select(person => ((string, bool)?)(Mail(person), IsByServer(person))).FirstOrDefault();

    private static HashSet<string> Guests(CalendarDocument? document, string organizer)
    {
        var guests = Attendees(document).Where(IsByServer).Select(Mail)
            .Where(mail => mail.Length > 0 && !IsSame(mail, organizer));
        return new HashSet<string>(guests, StringComparer.OrdinalIgnoreCase);
    }

    private static string? Answer(CalendarDocument document, string who) =>
        Attendees(document).Where(person => IsSame(Mail(person), who))
            .Select(person => person.ParticipationStatus).FirstOrDefault();

    private static CalendarDocument Marked(CalendarDocument document, HashSet<string> mailed)
    {
        var edit = document.Edit();
        foreach (var person in Attendees(document).Where(person => mailed.Contains(Mail(person))))
            edit.Replace(person.Property, person.Property.Content.With("SCHEDULE-STATUS", Delivered));
        return edit.Apply();
    }

    private static IEnumerable<Participant> Attendees(CalendarDocument? document) =>
        document is null ? [] : StoredForm.Parts(document).Where(part => part.Is("VEVENT"u8))
            .SelectMany(part => new CalendarEvent(part).Attendees);

    private static string Mail(Participant person) => person.Address.Value?.Mail ?? "";

    private static bool IsByServer(Participant person) =>
        IsSame(person.Property.ParameterValue("SCHEDULE-AGENT"u8) ?? "SERVER", "SERVER");

    private static bool IsSame(string left, string right) =>
        string.Equals(left, right, StringComparison.OrdinalIgnoreCase);
}
