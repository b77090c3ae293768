using System.Globalization;
using CalSync.Calendar.Comparison;
using CalSync.Calendar.Components;
using CalSync.Calendar.Document;
using CalSync.Sync.Pairs.Planning;

namespace CalSync.Lab.Simulation;

/// <summary>Somebody who edits one calendar, and remembers what they did.</summary>
/// <param name="side">Which side of the pair.</param>
/// <param name="calendar">The calendar.</param>
/// <param name="clock">Dates edits.</param>
internal sealed class SimulatedPerson(MergeSide side, SimulatedCalendar calendar, TimeProvider clock)
{
    private const int EventCountMax = 8;

    private static readonly string[] Fields =
    [
        "SUMMARY", "LOCATION", "DESCRIPTION", "DTSTART", "CONTACT", "RRULE", "over:3", "over:4", "ex:5",
        "ex:6", "off:7",
    ];

    private readonly Dictionary<(string Uid, string Field), string?> _edits = [];
    private readonly HashSet<string> _deleted = new(StringComparer.Ordinal);

    /// <summary>What was last set, since the last <see cref="Forget"/>.</summary>
    public IReadOnlyDictionary<(string Uid, string Field), string?> Edits => _edits;

    /// <summary>UIDs deleted since.</summary>
    public IReadOnlySet<string> Deleted => _deleted;

    /// <summary>All fields that are looked at.</summary>
    public static IReadOnlyList<string> AllFields => Fields;

    /// <summary>What begins every word they say, so that it is known for theirs. Default nothing.</summary>
    public string Voice { get; init; } = "";

    /// <summary>Told what was done.</summary>
    public Action<string> OnAct { get; set; } = _ => { };

    /// <summary>Told the UID of an event that was changed, the field, and what it now says.</summary>
    public Action<string, string, string?> OnEdited { get; set; } = (_, _, _) => { };

    /// <summary>Told the UID of an event that was deleted.</summary>
    public Action<string> OnDeleted { get; set; } = _ => { };

    /// <summary>Begins anew: both sides agree.</summary>
    public void Forget()
    {
        _edits.Clear();
        _deleted.Clear();
    }

    /// <summary>Does something.</summary>
    public void Act(LifeStep.Act act)
    {
        var addresses = calendar.Events.Keys.Order(StringComparer.Ordinal).ToList();
        var address = addresses.Count == 0 ? null : addresses[act.Pick % addresses.Count];
        var uid = $"{side.ToString()[0]}{act.Value}";
        switch (act.Deed)
        {
            case Deed.CreateOnce or Deed.CreateSeries or Deed.CreateEndless:
                if (addresses.Count < EventCountMax)
                    Create(uid, $"{Voice}t{act.Value}", RuleOf(act.Deed));
                break;
            case Deed.Delete when address is not null:
                Remove(address);
                break;
            case Deed.Move when address is not null:
                calendar.Move(address, $"/{calendar.Traits.Provider}/moved-{act.Value}.ics");
                OnAct($"{side} moves {address} to moved-{act.Value}");
                break;
            case Deed.Replace when address is not null:
                Remove(address);
                Create(uid, $"{Voice}t{act.Value}", "", address);
                break;
            case Deed.Split when address is not null:
                Split(address, uid, act.Value);
                break;
            case Deed.Edit when address is not null:
                EditAt(address, act.Field, act.Value);
                break;
        }
    }

    /// <summary>Makes an event.</summary>
    public void Create(string uid, string title, string rule, string? address = null, int day = 2)
    {
        var start = $"2026030{day}T090000Z";
        var text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//" + side + "\r\nBEGIN:VEVENT\r\n"
            + $"UID:{uid}\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:{start}\r\n"
            + $"DTEND:2026030{day}T100000Z\r\n{(rule.Length == 0 ? "" : $"RRULE:{rule}\r\n")}"
            + $"SUMMARY:{title}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
        var content = CalendarDocument.Parse(text);
        calendar.Put(address ?? $"/{calendar.Traits.Provider}/{uid}.ics", calendar.Carried(content));
        OnAct($"{side} creates {uid} {title} {rule}");
        _deleted.Remove(uid);
        _edits[(uid, "SUMMARY")] = title;
        _edits[(uid, "DTSTART")] = start;
        _edits[(uid, "RRULE")] = rule.Length == 0 ? null : rule;
    }

    /// <summary>The rule of a series; empty for none.</summary>
    public static string RuleOf(Deed deed) => deed switch
    {
        Deed.CreateSeries => "FREQ=DAILY;COUNT=8",
        Deed.CreateEndless => "FREQ=DAILY",
        _ => "",
    };

    /// <summary>Edits one field of what lies at an address.</summary>
    public void EditAt(string address, int pick, int number)
    {
        var before = calendar.Events[address];
        if (ResourceContent.Master(before) is not { } master
            || master.Property("RECURRENCE-ID"u8) is not null)
        {
            return;
        }

        var field = Fields[pick % Fields.Length];
        if (master.Property("RRULE"u8) is null && field is not ("LOCATION" or "DESCRIPTION" or "DTSTART"
            or "CONTACT"))
        {
            field = "SUMMARY";
        }

        var value = string.Create(CultureInfo.InvariantCulture, $"{Voice}v{number}");
        var uid = ResourceContent.Uid(before, out _)!;
        var edit = before.Edit();
        switch (field.Split(':'))
        {
            case ["over", var day]:
                EditOverride(before, edit, uid, day, $"SUMMARY:{value}");
                break;
            case ["off", var day]:
                EditOverride(before, edit, uid, day, "STATUS:CANCELLED");
                break;
            case ["ex", var day]:
                if (Value(before, field) is null)
                    edit.Add(master, new PropertyContent("EXDATE", $"2026030{day}T090000Z"));
                break;
            case ["RRULE"]:
                edit.Set(master, new PropertyContent("RRULE", string.Create(
                    CultureInfo.InvariantCulture, $"FREQ=DAILY;COUNT={9 + number}")));
                break;
            case ["DTSTART"]:
                var hour = 10 + (number % 10);
                edit.Set(master, new PropertyContent("DTSTART", $"20260302T{hour}0000Z"));
                edit.Set(master, new PropertyContent("DTEND", $"20260302T{hour + 1}0000Z"));
                break;
            case ["LOCATION"] when number % 2 == 0:
                edit.Set(master, new PropertyContent(field, value + "\\, back"));
                break;
            default:
                edit.Set(master, new PropertyContent(field, value));
                break;
        }

        Put(address, Revised(edit, master, number), uid, field);
    }

    /// <summary>What a field says; null when nothing.</summary>
    public static string? Value(CalendarDocument content, string field)
    {
        if (ResourceContent.Master(content) is not { } master)
            return null;
        return field.Split(':') switch
        {
            ["over", var day] => Override(content, day)?.Property("SUMMARY"u8)?.RawValue,
            ["off", var day] => Override(content, day)?.Property("STATUS"u8)?.RawValue,
            ["ex", var day] => master.PropertiesNamed("EXDATE")
                .Any(each => each.RawValue.Contains($"2026030{day}T", StringComparison.Ordinal))
                    ? "cancelled" : null,
            _ => master.PropertiesNamed(field).Select(each => each.RawValue).FirstOrDefault(),
        };
    }

    private void Remove(string address)
    {
        var uid = ResourceContent.Uid(calendar.Events[address], out _)!;
        _deleted.Add(uid);
        calendar.Put(address, null);
        OnDeleted(uid);
        OnAct($"{side} deletes {address}");
    }

    /// <summary>The series ends on its third day, and another goes on from there.</summary>
    private void Split(string address, string uid, int number)
    {
        var before = calendar.Events[address];
        if (ResourceContent.Master(before) is not { } master || master.Property("RRULE"u8) is null
            || calendar.Events.Count >= EventCountMax)
        {
            return;
        }

        var edit = before.Edit();
        var (day, hour) = (4 + (number % 3), 10 + (number % 10));
        edit.Set(master, new PropertyContent("RRULE", $"FREQ=DAILY;UNTIL=2026030{day}T{hour}0000Z"));
        Put(address, Revised(edit, master, number), ResourceContent.Uid(before, out _)!, "RRULE");
        Create(uid, $"{Voice}t{number}", "FREQ=DAILY;COUNT=5", day: day + 1);
    }

    private void Put(string address, CalendarDocument content, string uid, string field)
    {
        var (before, after) = (calendar.Events[address], calendar.Carried(content));
        calendar.Put(address, after);
        if (!ResourceContent.IsSame(before, after))
            OnEdited(uid, field, Value(after, field));
        OnAct($"{side} edits {uid} {field} to {Value(after, field)}");
        if (!calendar.Habits.IsLossy || field != "CONTACT")
            _edits[(uid, field)] = Value(after, field);
    }

    /// <summary>Programs raise SEQUENCE and LAST-MODIFIED each by its own rules, or not at all.</summary>
    private CalendarDocument Revised(DocumentEdit edit, CalendarComponent master, int number)
    {
        if (number % 3 != 0)
        {
            edit.Set(master, new PropertyContent("SEQUENCE", (master.Integer("SEQUENCE"u8).Or(0) + 1)
                .ToString(CultureInfo.InvariantCulture)));
        }

        if (number % 5 < 3)
        {
            edit.Set(master, new PropertyContent("LAST-MODIFIED", clock.GetUtcNow().ToString(
                "yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture)));
        }

        return edit.Apply();
    }

    private static CalendarComponent? Override(CalendarDocument content, string day)
    {
        foreach (var entry in ResourceContent.Entries(content))
        {
            if (entry.Property("RECURRENCE-ID"u8)?.RawValue == $"2026030{day}T090000Z")
                return entry;
        }

        return null;
    }

    private static void EditOverride(
        CalendarDocument before, DocumentEdit edit, string uid, string day, string line)
    {
        var parts = line.Split(':');
        if (Override(before, day) is { } known)
        {
            edit.Set(known, new PropertyContent(parts[0], parts[1]));
            return;
        }

        var added = CalendarDocument.Parse(
            $"BEGIN:VEVENT\r\nUID:{uid}\r\nRECURRENCE-ID:2026030{day}T090000Z\r\n"
            + $"DTSTART:2026030{day}T110000Z\r\nDTEND:2026030{day}T120000Z\r\n{line}\r\nEND:VEVENT\r\n");
        edit.AddAsItStands(before.Components.First(), added.Components.First());
    }
}
