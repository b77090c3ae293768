using System.Text.Json;
using System.Text.Json.Serialization;

namespace CalSync.App.Api;

/// <summary>Every body the interface reads or writes. Reading is strict.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    AllowTrailingCommas = false,
    MaxDepth = 16,
    NumberHandling = JsonNumberHandling.Strict,
    ReadCommentHandling = JsonCommentHandling.Disallow)]
[JsonSerializable(typeof(EmptyRequest))]
[JsonSerializable(typeof(CreateClassRequest))]
[JsonSerializable(typeof(PatchClassRequest))]
[JsonSerializable(typeof(SlotRequest))]
[JsonSerializable(typeof(EnrolRequest))]
[JsonSerializable(typeof(AbandonRequest))]
[JsonSerializable(typeof(ConnectRequest))]
[JsonSerializable(typeof(SelectCalendarRequest))]
[JsonSerializable(typeof(SwitchRequest))]
internal sealed partial class ApiJson : JsonSerializerContext;
