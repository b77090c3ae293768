using System.Text.Json;
using System.Text.Json.Serialization;
using CalSync.App.Api.Authentication.Jwt;
using CalSync.Storage.Classes;
using CalSync.Storage.Running;

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
[JsonSerializable(typeof(ClassView))]
[JsonSerializable(typeof(Page<ClassSummary>))]
[JsonSerializable(typeof(SlotView))]
[JsonSerializable(typeof(EnrolmentView))]
[JsonSerializable(typeof(Page<EnrolmentView>))]
[JsonSerializable(typeof(OperationView))]
[JsonSerializable(typeof(Page<OperationSummary>))]
[JsonSerializable(typeof(ProposalView))]
[JsonSerializable(typeof(Page<ProposalSummary>))]
[JsonSerializable(typeof(Page<ScheduleEntry>))]
[JsonSerializable(typeof(Page<NoticeView>))]
[JsonSerializable(typeof(MeView))]
[JsonSerializable(typeof(PatchProfileRequest))]
[JsonSerializable(typeof(ProfileView))]
[JsonSerializable(typeof(KeySetView))]
[JsonSerializable(typeof(SignInRequest))]
[JsonSerializable(typeof(ChangePasswordRequest))]
[JsonSerializable(typeof(SignedInView))]
[JsonSerializable(typeof(GoogleAttemptRequest))]
[JsonSerializable(typeof(GoogleAttemptView))]
[JsonSerializable(typeof(GoogleSignInRequest))]
[JsonSerializable(typeof(Page<ConnectionView>))]
[JsonSerializable(typeof(AuthorizationView))]
[JsonSerializable(typeof(Page<SwitchState>))]
[JsonSerializable(typeof(SwitchState))]
[JsonSerializable(typeof(BreakersView))]
[JsonSerializable(typeof(HealthView))]
[JsonSerializable(typeof(ConnectionHealthView))]
[JsonSerializable(typeof(RefreshView))]
[JsonSerializable(typeof(SyncView))]
[JsonSerializable(typeof(ChangesView))]
[JsonSerializable(typeof(ChangeView))]
internal sealed partial class ApiJson : JsonSerializerContext;
