using CalSync.App.Api.Authentication;
using CalSync.App.Api.Bodies;
using CalSync.App.Api.Idempotency;
using CalSync.App.Api.Preconditions;
using CalSync.App.Api.Problems;
using CalSync.Classes;
using CalSync.Storage.Classes;
using static CalSync.App.Api.Problems.ProblemCatalogue;

namespace CalSync.App.Api;

/// <summary>Seats.</summary>
internal static class EnrolmentsApi
{
    private const string Seats = "/api/v1/classes/{classId}/enrollments";

    /// <summary>Adds the routes.</summary>
    public static void MapEnrolments(this IEndpointRouteBuilder api)
    {
        api.MapGet(Seats, ListAsync).Allow(Roles.Any).Gives<Page<EnrolmentView>>(200).Fails(NotFound)
            .Says("listEnrolments", "List seats", "Students see their own; teachers and operators all.");
        api.MapPost(Seats, EnrolAsync).Allow(Roles.Admin | Roles.Instructor | Roles.Student)
            .Takes<EnrolRequest>().Gives<EnrolmentView>(201).Gives<EnrolmentView>(200).Gives<EnrolmentView>(
                202).Keyed()
            .Fails(NotFound, ValidationFailed, ClassFull, ClassCancelled, EnrolmentFailed)
            .Says("enrol", "Take a seat",
                "201: the invitation was read back from every event. 202: the seat is held while the "
                    + "calendar is "
                + "written. 200 with alreadyAdded: the student has a seat.");
        api.MapGet(Seats + "/{enrolmentId}", GetAsync).Allow(Roles.Any).Gives<EnrolmentView>(200)
            .Fails(NotFound)
            .Says("getEnrolment", "Read a seat", "With its payment and its newest operation.");
        api.MapDelete(Seats + "/{enrolmentId}", CancelAsync)
            .Allow(Roles.Admin | Roles.Instructor | Roles.Student)
            .Gives<EnrolmentView>(200).Gives<EnrolmentView>(202).Keyed().Conditional()
            .Fails(NotFound, NotPossibleNow)
            .Says("cancelEnrolment", "Give a seat back",
                "The seat is cancelling until no event lists the student any more, then cancelled.");
        api.MapPost(Seats + "/{enrolmentId}/confirm-payment", ConfirmAsync)
            .Allow(Roles.Admin | Roles.Instructor)
            .Takes<EmptyRequest>().Gives<EnrolmentView>(200).Keyed().Fails(NotFound, NotPossibleNow)
            .Says(
                "confirmPayment", "Confirm a payment",
                "Changes nothing but the payment; confirming twice is one.");
    }

    private static async Task<Answer> ListAsync(
        string classId, HttpRequest request, RequestScope scope, ClassReads reads,
        CancellationToken cancellation)
    {
        if (PageQuery.Read(request, out var page) is { } problem)
            return scope.Refuse(problem);
        if (await reads.FindClassAsync(scope.Who.Actor, classId, cancellation) is null)
            return scope.Refuse(NotFound.With("There is no such class for you."));
        var seats = await reads.ListEnrolmentsAsync(
            scope.Who.Actor, classId, page.After, page.Limit, cancellation);
        return Answer.Json(200, seats, ApiJson.Default.PageEnrolmentView);
    }

    private static async Task<Answer> GetAsync(
        string classId, string enrolmentId, RequestScope scope, ClassReads reads,
        CancellationToken cancellation) =>
        await reads.FindEnrolmentAsync(scope.Who.Actor, enrolmentId, cancellation) is { } seat
            && seat.ClassId == classId
            ? Answer.Json(200, seat, ApiJson.Default.EnrolmentView).WithETag(seat.Version)
            : scope.Refuse(NotFound.With("There is no such enrolment for you."));

    private static Task<Answer> EnrolAsync(
        string classId, Body<EnrolRequest> body, RequestScope scope, RequestKey key, CommandFlow flow,
        ClassReads reads) =>
        flow.RunAsync(
            new Change(scope, key, "POST /classes/{classId}/enrollments", classId, body.Fingerprint,
                new ClassCommand.Enrol(body.Value.StudentId, body.Value.CalendarEmail), classId),
            effect => PresentSeatAsync(scope, reads, effect));

    private static Task<Answer> CancelAsync(
        string classId, string enrolmentId, Precondition version, RequestScope scope, RequestKey key,
        CommandFlow flow,
        ClassReads reads) =>
        flow.RunAsync(
            new Change(
                scope, key, "DELETE /classes/{classId}/enrollments/{enrolmentId}", $"{classId}/{enrolmentId}",
                "",
                new ClassCommand.CancelSeat(enrolmentId) { ExpectedVersion = version.Version }, classId),
            effect => PresentAsync(scope, reads, effect));

    private static Task<Answer> ConfirmAsync(
        string classId, string enrolmentId, Body<EmptyRequest> body, RequestScope scope, RequestKey key,
        CommandFlow flow, ClassReads reads) =>
        flow.RunAsync(
            new Change(scope, key, "POST /classes/{classId}/enrollments/{enrolmentId}/confirm-payment",
                $"{classId}/{enrolmentId}", body.Fingerprint, new ClassCommand.ConfirmPayment(enrolmentId),
                classId),
            effect => PresentAsync(scope, reads, effect));

    private static async Task<Answer> PresentSeatAsync(RequestScope scope, ClassReads reads, Effect effect)
    {
        var seat = await ReadAsync(scope, reads, effect);
        if (seat.State is "rolling_back" or "failed_rolled_back")
            return scope.Refuse(Failed(seat, effect));
        var body = CommandFlow.Compose(seat, ApiJson.Default.EnrolmentView, effect);
        body["alreadyAdded"] = effect.AlreadySo;
        var place = $"/api/v1/classes/{seat.ClassId}/enrollments/{seat.Id}";
        // A deferred seat is active at once although its operation goes on.
        var reached = seat.State is "active" or "active_without_calendar"
            ? effect with { Operation = null }
            : effect;
        var answer = CommandFlow.Tell(body, seat.Version, reached, effect.AlreadySo ? null : place);
        return seat.State == "active_without_calendar"
            ? answer.With("Operation-Location", $"/api/v1/operations/{effect.Result.OperationId}")
            : answer;
    }

    private static async Task<Answer> PresentAsync(RequestScope scope, ClassReads reads, Effect effect)
    {
        var seat = await ReadAsync(scope, reads, effect);
        var body = CommandFlow.Compose(seat, ApiJson.Default.EnrolmentView, effect);
        return CommandFlow.Tell(body, seat.Version, effect, null);
    }

    private static async Task<EnrolmentView> ReadAsync(RequestScope scope, ClassReads reads, Effect effect) =>
        await reads.FindEnrolmentAsync(scope.Who.Actor, effect.Result.EnrolmentId!, CancellationToken.None)
        ?? throw new InvalidOperationException("The seat of a committed command cannot be read.");

    /// <summary>R-FIX-3-F fixes the sentences around the reason.</summary>
    private static Problem Failed(EnrolmentView seat, Effect effect) =>
        EnrolmentFailed.With(
            $"Failed to add you to the calendar event. {Reason(seat.Reason)} Please try enrolling again or "
                + "contact support.")
            .And("enrolmentId", seat.Id)
            .And("state", seat.State)
            .And("reason", seat.Reason) with
        { Status = effect.IsLate ? StatusCodes.Status504GatewayTimeout : EnrolmentFailed.Status };

    private static string Reason(string? reason) => reason switch
    {
        "verification_failed" => "Attendee was not added to event (verification failed).",
        { } refused when refused.StartsWith("AttendeeRejected", StringComparison.Ordinal) =>
            "The calendar refuses the address.",
        "needs_consent" => "The instructor's calendar connection has expired.",
        _ => "The calendar did not confirm it in time.",
    };
}
