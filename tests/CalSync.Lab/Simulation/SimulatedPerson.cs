using System.Globalization;
using CalSync.Calendar.Comparison;
using CalSync.Calendar.Components;
using CalSync.Calendar.Document;
using CalSync.Sync.Pairs.Planning;

namespace CalSync.Lab.Simulation;

/// <summary>Somebody who edits one calendar at random, and remembers what they did.</summary>
/// <param name="side">Which side of the pair.</param>
/// <param name="calendar">The calendar.</param>
/// <param name="random">The seed's.</param>
/// <param name="clock">Dates edits.</param>
internal sealed class SimulatedPerson(
    MergeSide side, SimulatedCalendar calendar, Random random, TimeProvider clock)
{
    private static readonly string[] Fields =
        ["SUMMARY", "LOCATION", "DESCRIPTION", "DTSTART", "CONTACT", "over:3", "over:4", "ex:5", "ex:6"];

    private readonly Dictionary<(string Uid, string Field), string?> _edits = [];
    private readonly HashSet<string> _deleted = new(StringComparer.Ordinal);
    private int _count;

    /// <summary>What was last set, since the last <see cref="Forget"/>.</summary>
    public IReadOnlyDictionary<(string Uid, string Field), string?> Edits => _edits;

    /// <summary>UIDs deleted since.</summary>
    public IReadOnlySet<string> Deleted => _deleted;

    /// <summary>All fields that are looked at.</summary>
    public static IReadOnlyList<string> AllFields => Fields;

    /// <summary>Told what was done.</summary>
    public Action<string> OnAct { get; set; } = _ => { };

    /// <summary>Begins anew: both sides agree.</summary>
    public void Forget()
    {
        _edits.Clear();
        _deleted.Clear();
    }

    /// <summary>Does something.</summary>
    public void Act()
    {
        var addresses = calendar.Events.Keys.Order(StringComparer.Ordinal).ToList();
        switch (random.Next(10))
        {
            case 0 or 1 when addresses.Count < 8:
                Create(
                    $"{side.ToString()[0]}{++_count}@{random.Next(1_000_000)}",
                    isSeries: random.Next(2) == 0);
                break;
            case 2 when addresses.Count > 0:
                var gone = addresses[random.Next(addresses.Count)];
                _deleted.Add(ResourceContent.Uid(calendar.Events[gone], out _)!);
                calendar.Put(gone, null);
                OnAct($"{side} deletes {gone}");
                break;
            default:
                if (addresses.Count > 0)
                    EditAt(addresses[random.Next(addresses.Count)]);
                break;
        }
    }

    /// <summary>Makes an event.</summary>
    public void Create(string uid, bool isSeries, string? title = null)
    {
        var rule = isSeries ? "RRULE:FREQ=DAILY;COUNT=8\r\n" : "";
        title ??= "t" + random.Next(1_000_000).ToString(CultureInfo.InvariantCulture);
        var text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//" + side + "\r\nBEGIN:VEVENT\r\n"
            + $"UID:{uid}\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20260302T090000Z\r\n"
            + $"DTEND:20260302T100000Z\r\n{rule}SUMMARY:{title}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
        var content = CalendarDocument.Parse(text);
        calendar.Put($"/{calendar.Traits.Provider}/{uid}.ics", calendar.Carried(content));
        OnAct($"{side} creates {uid} {title}");
        _deleted.Remove(uid);
        _edits[(uid, "SUMMARY")] = title;
        _edits[(uid, "DTSTART")] = "20260302T090000Z";
    }

    /// <summary>Edits one field of what lies at an address.</summary>
    public void EditAt(string address)
    {
        var before = calendar.Events[address];
        var uid = ResourceContent.Uid(before, out _)!;
        if (ResourceContent.Master(before) is not { } master
            || master.Property("RECURRENCE-ID"u8) is not null)
        {
            return;
        }

        var field = Fields[random.Next(Fields.Length)];
        if (field.Contains(':', StringComparison.Ordinal) && master.Property("RRULE"u8) is null)
            field = "SUMMARY";
        var value = "v" + random.Next(1_000_000).ToString(CultureInfo.InvariantCulture);
        var edit = before.Edit();
        switch (field.Split(':'))
        {
            case ["over", var day]:
                value = EditOverride(before, edit, uid, day, value);
                break;
            case ["ex", var day]:
                value = "cancelled";
                if (Value(before, field) is null)
                    edit.Add(master, new PropertyContent("EXDATE", $"2026030{day}T090000Z"));
                break;
            case ["DTSTART"]:
                var hour = random.Next(10, 20);
                value = $"20260302T{hour}0000Z";
                edit.Set(master, new PropertyContent("DTSTART", value));
                edit.Set(master, new PropertyContent("DTEND", $"20260302T{hour + 1}0000Z"));
                break;
            case ["LOCATION"] when random.Next(2) == 0:
                value += "\\, back";
                edit.Set(master, new PropertyContent(field, value));
                break;
            default:
                edit.Set(master, new PropertyContent(field, value));
                break;
        }

        if (random.Next(2) == 0)
        {
            edit.Set(master, new PropertyContent("SEQUENCE", (master.Integer("SEQUENCE"u8).Or(0) + 1)
                .ToString(CultureInfo.InvariantCulture)));
        }

        if (random.Next(2) == 0)
        {
            edit.Set(master, new PropertyContent("LAST-MODIFIED", clock.GetUtcNow().ToString(
                "yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture)));
        }

        var after = calendar.Carried(edit.Apply());
        calendar.Put(address, after);
        OnAct($"{side} edits {uid} {field} to {value}");
        if (!calendar.Habits.IsLossy || field != "CONTACT")
            _edits[(uid, field)] = Value(after, field);
    }

    /// <summary>What a field says; null when nothing.</summary>
    public static string? Value(CalendarDocument content, string field)
    {
        if (ResourceContent.Master(content) is not { } master)
            return null;
        return field.Split(':') switch
        {
            ["over", var day] => ResourceContent.Entries(content)
                .Where(entry => entry.Property("RECURRENCE-ID"u8)?.RawValue == $"2026030{day}T090000Z")
                .Select(entry => entry.Property("SUMMARY"u8)?.RawValue).FirstOrDefault(),
            ["ex", var day] => master.PropertiesNamed("EXDATE")
                .Any(each => each.RawValue.Contains($"2026030{day}T", StringComparison.Ordinal))
                    ? "cancelled" : null,
            _ => master.PropertiesNamed(field).Select(each => each.RawValue).FirstOrDefault(),
        };
    }

    private static string EditOverride(
        CalendarDocument before, DocumentEdit edit, string uid, string day, string value)
    {
        foreach (var entry in ResourceContent.Entries(before))
        {
            if (entry.Property("RECURRENCE-ID"u8)?.RawValue == $"2026030{day}T090000Z")
            {
                edit.Set(entry, new PropertyContent("SUMMARY", value));
                return value;
            }
        }

        var added = CalendarDocument.Parse(
            $"BEGIN:VEVENT\r\nUID:{uid}\r\nRECURRENCE-ID:2026030{day}T090000Z\r\n"
            + $"DTSTART:2026030{day}T110000Z\r\nDTEND:2026030{day}T120000Z\r\n"
            + $"SUMMARY:{value}\r\nEND:VEVENT\r\n");
        edit.AddAsItStands(before.Components.First(), added.Components.First());
        return value;
    }
}
