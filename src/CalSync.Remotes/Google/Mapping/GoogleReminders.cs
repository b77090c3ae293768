using System.Collections.Immutable;
using System.Text.Json.Nodes;
using CalSync.Calendar.Components;
using CalSync.Calendar.Document;
using CalSync.Calendar.Values;

namespace CalSync.Remotes.Google.Mapping;

/// <summary>
/// <c>reminders</c> as VALARM. Three values: the calendar's default, none, and a list of one's own.
/// </summary>
/// <remarks>
/// The default is not a list of minutes: it follows the calendar's setting, so it is said as
/// X-GOOGLE-REMINDERS:DEFAULT. As soon as there is a VALARM, the list counts. Google keeps the minutes before
/// the start and whether to show or to mail, nothing else.
/// </remarks>
internal static class GoogleReminders
{
    private const string DefaultProperty = "X-GOOGLE-REMINDERS";
    private const string Text = "This is an event reminder";
    private const int CountMax = 5;
    private const int MinutesMax = 40_320;

    /// <summary>The alarms of an event; adds the line that says "default".</summary>
    public static ImmutableArray<ImmutableArray<PropertyContent>> Read(
        Fields fields, List<PropertyContent> content)
    {
        if (fields.Object("reminders") is not { } reminders)
            return [];
        var alarms = new SortedSet<(bool IsMail, long Minutes)>();
        foreach (var entry in reminders.Objects("overrides"))
        {
            var minutes = entry.Number("minutes");
            if (minutes is < 0 or > MinutesMax)
                entry.Fault("minutes", "is not within four weeks");
            else
                alarms.Add((entry.Text("method") == "email", minutes));
        }

        if (alarms.Count == 0 && reminders.Flag("useDefault"))
            content.Add(new PropertyContent(DefaultProperty, "DEFAULT"));
        var self = Self(fields);
        return [.. alarms.Select(alarm => Alarm(alarm.IsMail, alarm.Minutes, self))];
    }

    /// <summary>The reminders of a component.</summary>
    /// <param name="component">A VEVENT.</param>
    /// <param name="notes">Gets what cannot be carried.</param>
    public static JsonObject Write(CalendarComponent component, MappingNotes notes)
    {
        var alarms = new CalendarEvent(component).Alarms.ToList();
        var isDefault = component.Text(DefaultBytes).Value == "DEFAULT";
        if (alarms.Count == 0 && isDefault)
            return new JsonObject { ["useDefault"] = true };
        if (alarms.Count > 0)
            notes.Add("VALARM", "Google keeps of an alarm only the minutes before the start, and its kind.");
        var overrides = new SortedSet<(bool IsMail, long Minutes)>();
        foreach (var alarm in alarms)
        {
            if (Minutes(alarm) is { } minutes && overrides.Count < CountMax)
                overrides.Add((alarm.Action.Value == "EMAIL", minutes));
        }

        return new JsonObject
        {
            ["useDefault"] = false,
            ["overrides"] = new JsonArray([.. overrides.Select(each => new JsonObject
            {
                ["method"] = each.IsMail ? "email" : "popup",
                ["minutes"] = each.Minutes,
            })]),
        };
    }

    private static ReadOnlySpan<byte> DefaultBytes => "X-GOOGLE-REMINDERS"u8;

    private static ImmutableArray<PropertyContent> Alarm(bool isMail, long minutes, string? self)
    {
        const int DayMinutes = 24 * 60;
        var before = minutes % DayMinutes == 0
            ? new CalendarDuration((int)(-minutes / DayMinutes), 0)
            : new CalendarDuration(0, -minutes * 60);
        var trigger = NewProperty.Trigger(new AlarmTrigger.Relative(before));
        if (!isMail)
            return [new PropertyContent("ACTION", "DISPLAY"), NewProperty.Text("DESCRIPTION", Text), trigger];
        ImmutableArray<PropertyContent> mail =
        [
            new PropertyContent("ACTION", "EMAIL"), NewProperty.Text("DESCRIPTION", Text),
            NewProperty.Text("SUMMARY", "Alarm notification"), trigger,
        ];
        return self is null ? mail : mail.Add(NewProperty.Address("ATTENDEE", CalAddress.FromMail(self)));
    }

    /// <summary>
    /// Whole minutes before the start; null for what Google cannot keep: absolute, after the start, counted
    /// from the end, not whole, or more than four weeks ahead.
    /// </summary>
    private static long? Minutes(CalendarAlarm alarm)
    {
        if (!alarm.Trigger.TryGet(out var trigger)
            || trigger is not AlarmTrigger.Relative { FromEnd: false, Offset: var offset }
            || offset.Days > 0 || offset.Seconds > 0 || offset.Days < -MinutesMax
            || offset.Seconds < -MinutesMax * 60L)
        {
            return null;
        }

        var seconds = -((offset.Days * 86_400L) + offset.Seconds);
        return seconds % 60 == 0 && seconds / 60 <= MinutesMax ? seconds / 60 : null;
    }

    /// <summary>Whom a mail goes to, as section 3.6.6 asks of ACTION:EMAIL; null when nobody says.</summary>
    private static string? Self(Fields fields)
    {
        foreach (var name in (string[])["creator", "organizer"])
        {
            if (fields.Object(name) is { } person && person.Flag("self") && person.Text("email") is { } mail)
                return mail;
        }

        return null;
    }
}
