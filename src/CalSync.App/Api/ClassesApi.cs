using System.Collections.Immutable;
using CalSync.App.Api.Authentication;
using CalSync.App.Api.Bodies;
using CalSync.App.Api.Idempotency;
using CalSync.App.Api.Preconditions;
using CalSync.App.Api.Problems;
using CalSync.Classes;
using CalSync.Storage.Classes;
using static CalSync.App.Api.Problems.ProblemCatalogue;

namespace CalSync.App.Api;

/// <summary>Classes.</summary>
internal static class ClassesApi
{
    /// <summary>Adds the routes, and the addresses older clients use.</summary>
    public static void MapClasses(this IEndpointRouteBuilder api)
    {
        Create(api.MapPost("/api/v1/classes", CreateAsync))
            .Says("createClass", "Create a class",
                "Makes the class and one calendar event a slot. 201 when every event was read back, "
                + "else 202.");
        Create(api.MapPost("/api/classes", CreateAsync)).ExcludeFromDescription();
        Create(api.MapPost("/add-new-class", CreateAsync)).ExcludeFromDescription();
        api.MapGet("/api/v1/classes", ListAsync).Allow(Roles.Any).Gives<Page<ClassSummary>>(200)
            .Says("listClasses", "List classes", "Newest first; pass next as after for the following page.");
        api.MapGet("/api/v1/classes/{classId}", GetAsync).Allow(Roles.Any).Gives<ClassView>(200)
            .Fails(NotFound)
            .Says(
                "getClass", "Read a class", "With its slots and what the calendar is known to show of each.");
        api.MapGet("/api/classes", ListAsync).Allow(Roles.Any).ExcludeFromDescription();
        api.MapGet("/api/classes/{classId}", GetAsync).Allow(Roles.Any).ExcludeFromDescription();
        Patch(api.MapPatch("/api/v1/classes/{classId}", PatchAsync))
            .Says("updateClass", "Change what a class says",
                "Absent members stay, null clears. Slots are changed one by one, under their own address.");
        Patch(api.MapPatch("/api/classes/{classId}", PatchAsync)).ExcludeFromDescription();
        Patch(api.MapPut("/update-class/{classId}", PatchAsync)).ExcludeFromDescription();
        Delete(api.MapDelete("/api/v1/classes/{classId}", DeleteAsync))
            .Says("cancelClass", "Cancel a class",
                "Cancels every slot and seat. 200 when every event is gone from the calendar, else 202.");
        Delete(api.MapDelete("/api/classes/{classId}", DeleteAsync)).ExcludeFromDescription();
    }

    private static RouteHandlerBuilder Create(RouteHandlerBuilder route) =>
        route.Allow(Roles.Admin | Roles.Instructor)
            .Takes<CreateClassRequest>().Gives<ClassView>(201).Gives<ClassView>(202)
            .Keyed().Fails(ValidationFailed, InvalidTimeZone, NonexistentLocalTime, AmbiguousLocalTime,
                OffsetZoneMismatch, LooksDuplicate, NoCalendar, GoogleReauthRequired);

    private static RouteHandlerBuilder Patch(RouteHandlerBuilder route) =>
        route.Allow(Roles.Admin | Roles.Instructor)
            .Takes<PatchClassRequest>().Gives<ClassView>(200).Gives<ClassView>(202)
            .Keyed().Conditional()
            .Fails(NotFound, ValidationFailed, ClassCancelled, CapacityBelowSeats, GoogleReauthRequired);

    private static RouteHandlerBuilder Delete(RouteHandlerBuilder route) =>
        route.Allow(Roles.Admin | Roles.Instructor).Gives<ClassView>(200).Gives<ClassView>(202)
            .Keyed().Conditional().Fails(NotFound, ClassCancelled, GoogleReauthRequired);

    private static async Task<Answer> CreateAsync(
        Body<CreateClassRequest> body, RequestScope scope, RequestKey key, CommandFlow flow, ClassReads reads)
    {
        if (ReadCommand(body.Value, out var command) is { } problem)
            return scope.Refuse(problem);
        return await flow.RunAsync(
            new Change(scope, key, "POST /classes", "", body.Fingerprint, command, null),
            effect => PresentAsync(scope, reads, effect, true));
    }

    private static async Task<Answer> ListAsync(
        HttpRequest request, RequestScope scope, ClassReads reads, CancellationToken cancellation)
    {
        if (PageQuery.Read(request, out var page, "state") is { } problem)
            return scope.Refuse(problem);
        var state = request.Query["state"];
        if (state.Count > 0 && state.ToString() is not ("scheduled" or "cancelling" or "cancelled"))
            return scope.Refuse(MalformedRequest.With("state is scheduled, cancelling or cancelled."));
        var classes = await reads.ListClassesAsync(
            scope.Who.Actor, state.Count == 0 ? null : state.ToString(), page.After, page.Limit,
            cancellation);
        return Answer.Json(200, classes, ApiJson.Default.PageClassSummary);
    }

    private static async Task<Answer> GetAsync(
        string classId, RequestScope scope, ClassReads reads, CancellationToken cancellation) =>
        await reads.FindClassAsync(scope.Who.Actor, classId, cancellation) is { } view
            ? Answer.Json(200, view, ApiJson.Default.ClassView).WithETag(view.Version)
            : scope.Refuse(NotFound.With("There is no such class for you."));

    private static Task<Answer> PatchAsync(
        string classId, Body<PatchClassRequest> body, Precondition version, RequestScope scope,
        RequestKey key, CommandFlow flow, ClassReads reads)
    {
        var asked = body.Value;
        var command = new ClassCommand.UpdateClass(
            Text(asked.Title), Text(asked.Description), Text(asked.Location), asked.Capacity.Value)
        { ExpectedVersion = version.Version };
        // A capacity cannot be cleared; null is refused here because the command reads it as "leave it".
        if (asked.Capacity is { IsGiven: true, Value: null })
        {
            return Task.FromResult(
                scope.Refuse(MalformedRequest.With("Wrong type or value out of range: capacity.")));
        }

        return flow.RunAsync(
            new Change(scope, key, "PATCH /classes/{classId}", classId, body.Fingerprint, command, classId),
            effect => PresentAsync(scope, reads, effect, false));
    }

    private static Task<Answer> DeleteAsync(
        string classId, Precondition version, RequestScope scope, RequestKey key, CommandFlow flow,
        ClassReads reads) =>
        flow.RunAsync(
            new Change(scope, key, "DELETE /classes/{classId}", classId, "",
                new ClassCommand.CancelClass { ExpectedVersion = version.Version }, classId),
            effect => PresentAsync(scope, reads, effect, false));

    private static async Task<Answer> PresentAsync(
        RequestScope scope, ClassReads reads, Effect effect, bool created)
    {
        var view = await reads.FindClassAsync(scope.Who.Actor, effect.Result.ClassId, CancellationToken.None)
            ?? throw new InvalidOperationException("The class of a committed command cannot be read.");
        return CommandFlow.Tell(
            CommandFlow.Compose(view, ApiJson.Default.ClassView, effect), view.Version, effect,
            created ? $"/api/v1/classes/{view.Id}" : null);
    }

    private static string? Text(Optional<string> member) => member.IsGiven ? member.Value ?? "" : null;

    private static Problem? ReadCommand(CreateClassRequest asked, out ClassCommand.CreateClass command)
    {
        var schedules = ImmutableArray.CreateBuilder<ScheduleDraft>();
        command = new ClassCommand.CreateClass(
            asked.Title, asked.Description, asked.Location, asked.TimeZone, asked.Capacity,
            asked.Price is { } price ? new Price(price.Minor ?? 0, price.Currency) : null,
            asked.Conference ?? false, asked.InstructorId, [], asked.Duplicate == "allow");
        if (asked.Duplicate is not (null or "allow"))
            return MalformedRequest.With("duplicate can only be \"allow\".");
        foreach (var schedule in asked.Schedules ?? [])
        {
            if (schedule is null || (schedule.Slots ?? []).Any(slot => slot is null))
                return MalformedRequest.With("schedules and slots hold objects, not null.");
            schedules.Add(new ScheduleDraft(
                schedule.Rrule, [.. (schedule.Slots ?? []).Select(slot => SlotsApi.Draft(slot!))]));
        }

        command = command with { Schedules = schedules.ToImmutable() };
        return null;
    }
}
