using System.Text.Json.Nodes;

namespace CalSync.Sandbox.Google;

/// <summary>Instances of recurring events: found by id, counted out, checked.</summary>
internal static class Instances
{
    /// <summary>The event with this id, or the instance of a series the id names; null when there is none.</summary>
    public static EventRecord? Find(CalendarState calendar, string id) => calendar.Find(id)?.Current;

    /// <summary>Refuses recurrence lines Google does not take.</summary>
    public static GoogleError? CheckRecurrence(JsonObject fields)
    {
        if (fields["recurrence"] is not JsonArray lines)
            return null;
        foreach (var line in lines.Select(node => node!.GetValue<string>()))
        {
            var name = line.Split(':', ';')[0];
            if (name is not ("RRULE" or "EXRULE" or "RDATE" or "EXDATE"))
                return GoogleError.Invalid("Invalid recurrence rule.");
        }

        return null;
    }
}
