using CalSync.App.Api.Authentication;
using CalSync.App.Api.Bodies;
using CalSync.App.Api.Idempotency;
using CalSync.App.Api.Preconditions;
using CalSync.Classes;
using CalSync.Storage.Classes;
using static CalSync.App.Api.Problems.ProblemCatalogue;

namespace CalSync.App.Api;

/// <summary>The slots of a class; each has its own version, so that edits of two slots never
/// collide.</summary>
internal static class SlotsApi
{
    /// <summary>Adds the routes.</summary>
    public static void MapSlots(this IEndpointRouteBuilder api)
    {
        api.MapGet("/api/v1/classes/{classId}/slots/{slotId}", GetAsync).Allow(Roles.Any).Gives<SlotView>(200)
            .Fails(NotFound).Says("getSlot", "Read a slot", "With what the calendar is known to show.");
        api.MapPatch("/api/v1/classes/{classId}/slots/{slotId}", PatchAsync)
            .Allow(Roles.Admin | Roles.Instructor)
            .Takes<SlotRequest>().Gives<SlotView>(200).Gives<SlotView>(202).Keyed().Conditional()
            .Fails(NotFound, ValidationFailed, NonexistentLocalTime, AmbiguousLocalTime, OffsetZoneMismatch,
                ClassCancelled, GoogleReauthRequired)
            .Says(
                "moveSlot", "Move a slot",
                "Without end or durationMinutes the slot keeps its length on the wall.");
        api.MapDelete("/api/v1/classes/{classId}/slots/{slotId}", DeleteAsync)
            .Allow(Roles.Admin | Roles.Instructor)
            .Gives<SlotView>(200).Gives<SlotView>(202).Keyed().Conditional()
            .Fails(NotFound, ClassCancelled, GoogleReauthRequired)
            .Says("cancelSlot", "Cancel a slot",
                "The slot is cancelling until the event was read back as gone, then cancelled.");
    }

    /// <summary>A slot as the commands take it.</summary>
    internal static SlotDraft Draft(SlotRequest slot) =>
        new(slot.Start, slot.End, slot.DurationMinutes, slot.Offset, slot.Fold, slot.EndFold);

    private static async Task<Answer> GetAsync(
        string classId, string slotId, RequestScope scope, ClassReads reads,
        CancellationToken cancellation) =>
        await FindAsync(scope, reads, classId, slotId, cancellation) is { } slot
            ? Answer.Json(200, slot, ApiJson.Default.SlotView).WithETag(slot.Version)
            : scope.Refuse(NotFound.With("There is no such slot for you."));

    private static Task<Answer> PatchAsync(
        string classId, string slotId, Body<SlotRequest> body, Precondition version, RequestScope scope,
        RequestKey key,
        CommandFlow flow, ClassReads reads) =>
        flow.RunAsync(
            new Change(
                scope, key, "PATCH /classes/{classId}/slots/{slotId}", $"{classId}/{slotId}",
                body.Fingerprint,
                new ClassCommand.MoveSlot(slotId, Draft(body.Value)) { ExpectedVersion = version.Version },
                classId),
            effect => PresentAsync(scope, reads, slotId, effect));

    private static Task<Answer> DeleteAsync(
        string classId, string slotId, Precondition version, RequestScope scope, RequestKey key,
        CommandFlow flow,
        ClassReads reads) =>
        flow.RunAsync(
            new Change(scope, key, "DELETE /classes/{classId}/slots/{slotId}", $"{classId}/{slotId}", "",
                new ClassCommand.CancelSlot(slotId) { ExpectedVersion = version.Version }, classId),
            effect => PresentAsync(scope, reads, slotId, effect));

    private static async Task<Answer> PresentAsync(
        RequestScope scope, ClassReads reads, string slotId, Effect effect)
    {
        var slot = await FindAsync(scope, reads, effect.Result.ClassId, slotId, CancellationToken.None)
            ?? throw new InvalidOperationException("The slot of a committed command cannot be read.");
        return CommandFlow.Tell(
            CommandFlow.Compose(slot, ApiJson.Default.SlotView, effect), slot.Version, effect, null);
    }

    private static async Task<SlotView?> FindAsync(
        RequestScope scope, ClassReads reads, string classId, string slotId, CancellationToken cancellation)
    {
        var slot = await reads.FindSlotAsync(scope.Who.Actor, slotId, cancellation);
        return slot?.ClassId == classId ? slot : null;
    }
}
