using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using NodaTime;

namespace CalSync.Sandbox.Google;

/// <summary>Reads, checks and merges the writable part of an event.</summary>
internal static class EventFields
{
    private const int PropertyKeyLengthMax = 44;
    private const int PropertyValueLengthMax = 1024;
    private const int PropertyCountMax = 300;
    private const int PropertySizeBytesMax = 32 * 1024;
    private const int AttendeeCountMax = 200;

    private static readonly Dictionary<string, JsonValueKind> Kinds = new(StringComparer.Ordinal)
    {
        ["summary"] = JsonValueKind.String,
        ["description"] = JsonValueKind.String,
        ["location"] = JsonValueKind.String,
        ["colorId"] = JsonValueKind.String,
        ["start"] = JsonValueKind.Object,
        ["end"] = JsonValueKind.Object,
        ["recurrence"] = JsonValueKind.Array,
        ["transparency"] = JsonValueKind.String,
        ["visibility"] = JsonValueKind.String,
        ["attendees"] = JsonValueKind.Array,
        ["extendedProperties"] = JsonValueKind.Object,
        ["conferenceData"] = JsonValueKind.Object,
        ["anyoneCanAddSelf"] = JsonValueKind.True,
        ["guestsCanInviteOthers"] = JsonValueKind.True,
        ["guestsCanModify"] = JsonValueKind.True,
        ["guestsCanSeeOtherGuests"] = JsonValueKind.True,
        ["reminders"] = JsonValueKind.Object,
        ["source"] = JsonValueKind.Object,
        ["attachments"] = JsonValueKind.Array,
        ["eventType"] = JsonValueKind.String,
    };

    private static readonly Dictionary<string, JsonValueKind> ReadBeside = new(StringComparer.Ordinal)
    {
        ["id"] = JsonValueKind.String,
        ["iCalUID"] = JsonValueKind.String,
        ["status"] = JsonValueKind.String,
        ["sequence"] = JsonValueKind.Number,
        ["recurringEventId"] = JsonValueKind.String,
        ["organizer"] = JsonValueKind.Object,
        ["attendeesOmitted"] = JsonValueKind.True,
        ["originalStartTime"] = JsonValueKind.Object,
    };

    private static readonly Dictionary<string, string[]> Choices = new(StringComparer.Ordinal)
    {
        ["transparency"] = ["opaque", "transparent"],
        ["visibility"] = ["default", "public", "private", "confidential"],
        ["status"] = ["confirmed", "tentative", "cancelled"],
    };

    private static readonly string[] CopiedOfAttendee =
        ["displayName", "optional", "resource", "comment", "additionalGuests"];

    private static readonly string[] Answers = ["needsAction", "declined", "tentative", "accepted"];

    /// <summary>
    /// Refuses values of the wrong JSON type and words outside an enumeration; unknown names are ignored.
    /// </summary>
    public static GoogleError? CheckTypes(JsonObject sent)
    {
        foreach (var (name, value) in sent)
        {
            if (value is null)
                continue;
            if (!Kinds.TryGetValue(name, out var kind) && !ReadBeside.TryGetValue(name, out kind))
                continue;
            if (!IsKind(value, kind))
                return GoogleError.Invalid($"Invalid value for: {name}");
            if (Choices.TryGetValue(name, out var words) && !words.Contains(value.GetValue<string>()))
                return GoogleError.Invalid($"Invalid value for: {name}");
        }

        return CheckInner(sent);
    }

    /// <summary>
    /// The writable fields of a body, without the nulls: what an insert or a full update stores.
    /// </summary>
    public static JsonObject Writable(JsonObject sent)
    {
        var fields = new JsonObject();
        foreach (var (name, value) in sent)
        {
            if (Kinds.ContainsKey(name) && value is not null)
                fields[name] = WithoutNulls(value);
        }

        return fields;
    }

    /// <summary>
    /// Patch semantics: an absent field stays, a null removes, an object merges, an array is replaced as a
    /// whole.
    /// </summary>
    public static JsonObject Merge(JsonObject stored, JsonObject patch)
    {
        var merged = stored.DeepClone().AsObject();
        foreach (var (name, value) in patch)
        {
            if (Kinds.ContainsKey(name))
                MergeOne(merged, name, value);
        }

        return merged;
    }

    /// <summary>
    /// Brings fields into kept form: times, attendees, extended properties, defaults left out.
    /// </summary>
    public static GoogleError? Normalise(JsonObject fields, string calendarZone)
    {
        if (fields["start"] is not JsonObject start)
            return GoogleError.Required("Missing start time.");
        if (fields["end"] is not JsonObject end)
            return GoogleError.Required("Missing end time.");
        var recurs = fields["recurrence"] is JsonArray { Count: > 0 };
        if (EventTime.Normalise(start, "start", calendarZone, recurs, out var keptStart) is { } startError)
            return startError;
        if (EventTime.Normalise(end, "end", calendarZone, recurs, out var keptEnd) is { } endError)
            return endError;
        if (CheckRange(keptStart, keptEnd, calendarZone) is { } rangeError)
            return rangeError;
        fields["start"] = keptStart;
        fields["end"] = keptEnd;
        if (!recurs)
            fields.Remove("recurrence");
        RemoveDefault(fields, "transparency", "opaque");
        RemoveDefault(fields, "visibility", "default");
        fields["eventType"] ??= "default";
        fields["reminders"] ??= new JsonObject { ["useDefault"] = !EventTime.IsDate(keptStart) };
        LimitExtendedProperties(fields);
        return NormaliseAttendees(fields);
    }

    public static bool SameValue(JsonNode? left, JsonNode? right) => JsonNode.DeepEquals(left, right);

    private static GoogleError? CheckInner(JsonObject sent)
    {
        foreach (var which in new[] { "start", "end" })
        {
            if (sent[which] is not JsonObject time)
                continue;
            foreach (var part in new[] { "date", "dateTime", "timeZone" })
            {
                if (time[part] is { } value && !IsKind(value, JsonValueKind.String))
                    return GoogleError.Invalid($"Invalid {which} time.");
            }
        }

        if (sent["extendedProperties"] is JsonObject properties)
        {
            foreach (var (_, map) in properties)
            {
                if (map is not null && (map is not JsonObject inner
                    || inner.Any(pair =>
                        pair.Value is not null && !IsKind(pair.Value, JsonValueKind.String))))
                {
                    return GoogleError.Invalid("Invalid value for: extendedProperties");
                }
            }
        }

        if (sent["conferenceData"]?["entryPoints"] is { } points
            && (points is not JsonArray list || list.Any(point => point is not JsonObject)))
        {
            return GoogleError.Invalid("Invalid conference data.");
        }

        if (sent["recurrence"] is JsonArray lines
            && lines.Any(line => line is null || !IsKind(line, JsonValueKind.String)))
        {
            return GoogleError.Invalid("Invalid value for: recurrence");
        }

        if (sent["sequence"] is JsonValue sequence && !sequence.TryGetValue<int>(out _))
            return GoogleError.Invalid("Invalid value for: sequence");
        return CheckAttendees(sent);
    }

    private static GoogleError? CheckAttendees(JsonObject sent)
    {
        if (sent["attendees"] is not JsonArray attendees)
            return null;
        if (attendees.Count > AttendeeCountMax)
            return GoogleError.Invalid("Too many attendees.");
        foreach (var attendee in attendees)
        {
            if (attendee is not JsonObject entry || entry["email"] is not { } email
                || !IsKind(email, JsonValueKind.String) || !IsEmail(email.GetValue<string>()))
            {
                return GoogleError.Invalid("Invalid attendee email.");
            }

            if (entry["responseStatus"] is { } answer
                && (!IsKind(answer, JsonValueKind.String) || !Answers.Contains(answer.GetValue<string>())))
            {
                return GoogleError.Invalid("Invalid value for: responseStatus");
            }
        }

        return null;
    }

    private static bool IsEmail(string text)
    {
        var at = text.IndexOf('@', StringComparison.Ordinal);
        return at > 0 && at == text.LastIndexOf('@') && at < text.Length - 1
            && !text.Any(letter => char.IsWhiteSpace(letter) || char.IsControl(letter));
    }

    private static bool IsKind(JsonNode value, JsonValueKind kind)
    {
        var actual = value.GetValueKind();
        return actual == kind || (kind == JsonValueKind.True && actual == JsonValueKind.False);
    }

    private static JsonNode WithoutNulls(JsonNode value)
    {
        var copy = value.DeepClone();
        if (copy is JsonObject fields)
        {
            foreach (var name in fields.Where(pair => pair.Value is null).Select(pair => pair.Key).ToList())
                fields.Remove(name);
        }

        return copy;
    }

    private static void MergeOne(JsonObject into, string name, JsonNode? value)
    {
        if (value is null)
        {
            into.Remove(name);
            return;
        }

        if (value is not JsonObject changes || into[name] is not JsonObject existing)
        {
            into[name] = WithoutNulls(value);
            return;
        }

        foreach (var (inner, innerValue) in changes)
            MergeOne(existing, inner, innerValue);
    }

    private static GoogleError? CheckRange(JsonObject start, JsonObject end, string zone)
    {
        if (EventTime.IsDate(start) != EventTime.IsDate(end))
            return GoogleError.Invalid("Start and end times must either both be date or both be dateTime.");
        var length = EventTime.InstantOf(end, zone) - EventTime.InstantOf(start, zone);
        var isEmpty = EventTime.IsDate(start) ? length <= Duration.Zero : length < Duration.Zero;
        return isEmpty ? GoogleError.TimeRangeEmpty : null;
    }

    private static void RemoveDefault(JsonObject fields, string name, string unsaid)
    {
        if (fields[name]?.GetValue<string>() == unsaid)
            fields.Remove(name);
    }

    private static GoogleError? NormaliseAttendees(JsonObject fields)
    {
        if (fields["attendees"] is not JsonArray sent)
            return null;
        var kept = new JsonArray();
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var entry in sent.Select(attendee => attendee!.AsObject()))
        {
            var email = entry["email"]!.GetValue<string>();
            if (!seen.Add(email))
                continue;
            var attendee = new JsonObject { ["email"] = email };
            foreach (var name in CopiedOfAttendee)
            {
                if (entry[name] is { } value)
                    attendee[name] = value.DeepClone();
            }

            attendee["responseStatus"] = entry["responseStatus"]?.GetValue<string>() ?? "needsAction";
            kept.Add(attendee);
        }

        if (kept.Count == 0)
            fields.Remove("attendees");
        else
            fields["attendees"] = kept;
        return null;
    }

    private static void LimitExtendedProperties(JsonObject fields)
    {
        if (fields["extendedProperties"] is not JsonObject sent)
            return;
        var kept = new JsonObject();
        var (count, size) = (0, 0);
        foreach (var part in new[] { "private", "shared" })
        {
            if (sent[part] is not JsonObject map)
                continue;
            var keptMap = new JsonObject();
            foreach (var (key, node) in map)
            {
                // Silently: an over-long key is dropped and an over-long value cut, exactly what a client
                // must survive.
                if (node is null || key.Length > PropertyKeyLengthMax)
                    continue;
                var value = node.GetValue<string>();
                value = value.Length > PropertyValueLengthMax ? value[..PropertyValueLengthMax] : value;
                size += Encoding.UTF8.GetByteCount(key) + Encoding.UTF8.GetByteCount(value);
                if (++count <= PropertyCountMax && size <= PropertySizeBytesMax)
                    keptMap[key] = value;
            }

            if (keptMap.Count > 0)
                kept[part] = keptMap;
        }

        if (kept.Count == 0)
            fields.Remove("extendedProperties");
        else
            fields["extendedProperties"] = kept;
    }
}
