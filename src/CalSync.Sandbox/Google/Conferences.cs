using System.Text.Json.Nodes;

namespace CalSync.Sandbox.Google;

/// <summary>
/// Meet rooms: made on request, idempotent by requestId, ignored unless the caller speaks version 1.
/// </summary>
internal sealed class Conferences(GoogleModel model)
{
    /// <summary>Settles the conferenceData of a write.</summary>
    /// <remarks>
    /// <c>before</c>: Fields before the write; null for a new event.
    /// <c>version</c>: The conferenceDataVersion parameter: 0 leaves the stored conference as it is.
    /// </remarks>
    public GoogleError? Settle(JsonObject fields, JsonObject? before, int version)
    {
        var stored = before?["conferenceData"];
        if (version < 1)
        {
            fields.Remove("conferenceData");
            if (stored is not null)
                fields["conferenceData"] = stored.DeepClone();
            return null;
        }

        if (fields["conferenceData"] is not JsonObject sent || sent["createRequest"] is not { } request)
            return null;
        if (request is not JsonObject create || create["requestId"] is not JsonValue idValue
            || !idValue.TryGetValue<string>(out var requestId) || requestId.Length == 0)
        {
            return GoogleError.Invalid("Invalid conference type value.");
        }

        if (stored?["createRequest"]?["requestId"]?.GetValue<string>() == requestId)
            fields["conferenceData"] = stored.DeepClone();
        else
            fields["conferenceData"] = NewRoom(requestId);
        return null;
    }

    /// <summary>Whether a pending room is ready by now, and if so the fields with it.</summary>
    public JsonObject? Provision(EventRecord record)
    {
        if (record.Fields["conferenceData"] is not JsonObject { } room
            || room["createRequest"]?["status"]?["statusCode"]?.GetValue<string>() != "pending")
        {
            return null;
        }

        var updated = DateTimeOffset.UnixEpoch.AddTicks(record.UpdatedMicros * TimeSpan.TicksPerMicrosecond);
        if (model.Now < updated.AddSeconds(model.Settings.ConferenceDelaySeconds))
            return null;
        var fields = record.Fields.DeepClone().AsObject();
        fields["conferenceData"] = Room(room["createRequest"]!["requestId"]!.GetValue<string>());
        return fields;
    }

    private JsonObject NewRoom(string requestId) => model.Settings.ConferenceDelaySeconds > 0
        ? new JsonObject { ["createRequest"] = Request(requestId, "pending") }
        : Room(requestId);

    private JsonObject Room(string requestId)
    {
        var code = model.Ids.NextBase32Hex(10);
        var id = $"{code[..3]}-{code[3..7]}-{code[7..]}";
        return new JsonObject
        {
            ["createRequest"] = Request(requestId, "success"),
            ["entryPoints"] = new JsonArray(new JsonObject
            {
                ["entryPointType"] = "video",
                ["uri"] = "https://meet.sandbox.test/" + id,
                ["label"] = "meet.sandbox.test/" + id,
            }),
            ["conferenceSolution"] = new JsonObject
            {
                ["key"] = new JsonObject { ["type"] = "hangoutsMeet" },
                ["name"] = "Google Meet",
            },
            ["conferenceId"] = id,
        };
    }

    private static JsonObject Request(string requestId, string status) => new()
    {
        ["requestId"] = requestId,
        ["conferenceSolutionKey"] = new JsonObject { ["type"] = "hangoutsMeet" },
        ["status"] = new JsonObject { ["statusCode"] = status },
    };
}
