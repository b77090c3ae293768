namespace CalSync.Sandbox.Google;

/// <summary>
/// What would have been mailed: the practice Google sends nothing, it writes down who would have got what.
/// </summary>
internal sealed class MailLog(TimeProvider clock, GoogleModel model)
{
    private static readonly string[] SeenByGuests =
        ["summary", "description", "location", "start", "end", "recurrence", "conferenceData"];

    private readonly List<SandboxMail> _mails = [];

    public IReadOnlyList<SandboxMail> All => _mails;

    public void Clear() => _mails.Clear();

    /// <summary>Notes the mails of one write by comparing the event before and after.</summary>
    /// <remarks>
    /// <c>before</c>: Null for a new event.
    /// <c>sendUpdates</c>: all, externalOnly or none; decides whether a mail would really go out.
    /// </remarks>
    public void Note(CalendarState calendar, EventRecord? before, EventRecord after, string sendUpdates)
    {
        var old = Guests(calendar, before);
        var present = after.IsCancelled ? [] : Guests(calendar, after);
        var changed = before is not null
            && SeenByGuests.Any(name => !EventFields.SameValue(before.Fields[name], after.Fields[name]));
        foreach (var (email, answer) in present)
        {
            if (!old.TryGetValue(email, out var oldAnswer))
                Add("invitation", email);
            else if (changed)
                Add("update", email);
            else if (answer == "needsAction" && oldAnswer != "needsAction")
                Add("invitation", email);
        }

        foreach (var email in old.Keys.Where(email => !present.ContainsKey(email)))
            Add("cancellation", email);

        void Add(string kind, string to)
        {
            var isExternal = model.Account(to) is null;
            var isMailed = sendUpdates == "all" || (sendUpdates == "externalOnly" && isExternal);
            _mails.Add(new SandboxMail(
                clock.GetUtcNow(), kind, to, calendar.Id, after.Id, after.ICalUid, sendUpdates, isMailed));
        }
    }

    private static Dictionary<string, string> Guests(CalendarState calendar, EventRecord? record)
    {
        var guests = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        if (record is null || record.IsCancelled)
            return guests;
        foreach (var attendee in record.Attendees)
        {
            var email = attendee["email"]!.GetValue<string>();
            if (!string.Equals(email, calendar.Owner.Email, StringComparison.OrdinalIgnoreCase))
                guests[email] = attendee["responseStatus"]!.GetValue<string>();
        }

        return guests;
    }
}
