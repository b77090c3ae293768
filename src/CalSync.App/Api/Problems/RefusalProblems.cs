using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using CalSync.App.Api.Preconditions;
using CalSync.Classes;

namespace CalSync.App.Api.Problems;

/// <summary>Tells a refused class command in the words of the catalogue.</summary>
internal static class RefusalProblems
{
    /// <summary>The problem of a refusal.</summary>
    public static Problem ToProblem(this Refusal refusal) => refusal switch
    {
        Refusal.NotFound missing =>
            ProblemCatalogue.NotFound.With($"There is no such {missing.What} for you."),
        Refusal.SeatNotYours => ProblemCatalogue.NotFound.With("There is no such enrolment for you."),
        Refusal.Forbidden forbidden =>
            ProblemCatalogue.Forbidden.With($"You may not do this: {forbidden.Action}."),
        Refusal.ClassFull full => ProblemCatalogue.ClassFull
            .With(Text($"All {full.Capacity} seats are taken.")).And("capacity", full.Capacity),
        Refusal.ClassCancelled => ProblemCatalogue.ClassCancelled.With("The class is cancelled."),
        Refusal.SlotCancelled => ProblemCatalogue.ClassCancelled.With("The slot is cancelled."),
        Refusal.NoSlotLeft =>
            ProblemCatalogue.ClassCancelled.With("The class has no slot left to take a seat in."),
        Refusal.StaleVersion stale => Stale(stale),
        Refusal.SeatNotReady seat => ProblemCatalogue.NotPossibleNow
            .With($"The seat is {seat.State}.").And("state", seat.State),
        Refusal.OperationNotOpen operation => ProblemCatalogue.NotPossibleNow
            .With($"The operation is {operation.State}.").And("state", operation.State),
        Refusal.ProposalNotOpen proposal => ProblemCatalogue.NotPossibleNow
            .With($"The proposal is {proposal.State}.").And("state", proposal.State),
        Refusal.CapacityBelowSeats seats => ProblemCatalogue.CapacityBelowSeats
            .With(Text($"{seats.SeatsTaken} seats are taken, more than {seats.Capacity}."))
            .And("seatsTaken", seats.SeatsTaken),
        Refusal.LooksDuplicate twin => ProblemCatalogue.LooksDuplicate
            .With($"An equal class was created at {Instant(twin.CreatedAt)}.").And("classId", twin.ClassId),
        Refusal.NoCalendar => ProblemCatalogue.NoCalendar.With("No calendar is connected and selected."),
        Refusal.ValidationFailed invalid => Invalid(invalid),
        _ => TimeProblem(refusal),
    };

    private static Problem TimeProblem(Refusal refusal) => refusal switch
    {
        Refusal.InvalidTimeZone zone => ProblemCatalogue.InvalidTimeZone
            .With($"{zone.Field}: \"{zone.Name}\" does not name exactly one time zone.")
            .And("member", zone.Field)
            .And("suggestions", new JsonArray([.. zone.Suggestions.Select(name => JsonValue.Create(name))])),
        Refusal.NonexistentLocalTime gap => ProblemCatalogue.NonexistentLocalTime
            .With($"{gap.Field}: {gap.Local} does not exist in {gap.TimeZone}; the next time is {gap.Next}.")
            .And("member", gap.Field).And("timeZone", gap.TimeZone).And("next", gap.Next),
        Refusal.AmbiguousLocalTime overlap => ProblemCatalogue.AmbiguousLocalTime
            .With(
                $"{overlap.Field}: {overlap.Local} in {overlap.TimeZone} is {overlap.Earlier} or "
                + $"{overlap.Later}.")
            .And("member", overlap.Field).And("timeZone", overlap.TimeZone)
            .And("fold0", overlap.Earlier).And("fold1", overlap.Later),
        Refusal.OffsetZoneMismatch offset => ProblemCatalogue.OffsetZoneMismatch
            .With(
                $"{offset.Field}: {offset.Local} was sent with {offset.Offset}, {offset.TimeZone} has "
                + $"{offset.ZoneOffset}.")
            .And("member", offset.Field).And("timeZone", offset.TimeZone)
            .And("offset", offset.Offset).And("zoneOffset", offset.ZoneOffset),
        _ => throw new UnreachableException($"Unknown refusal {refusal.GetType().Name}."),
    };

    private static Problem Stale(Refusal.StaleVersion stale)
    {
        var changed = new JsonArray([.. stale.Differences.Select(field => new JsonObject
        {
            ["member"] = field.Field,
            ["current"] = field.Current,
            ["requested"] = field.Asked,
        })]);
        var current = EntityTag.Of(stale.Current);
        return ProblemCatalogue.StaleVersion
            .With("If-Match names a version that is not the current one.")
            .And("currentETag", current)
            .And("changed", changed) with
        { Headers = [("ETag", current)] };
    }

    private static Problem Invalid(Refusal.ValidationFailed invalid)
    {
        var errors = new JsonArray([.. invalid.Errors.Select(error =>
        {
            var entry = new JsonObject
            {
                ["member"] = error.Field,
                // The same under the name the contract of profiles fixes. R-PROF-6.
                ["field"] = error.Field,
                ["code"] = error.Code,
                ["message"] = error.Message,
            };
            if (error.Example is { } example)
                entry["example"] = example;
            return entry;
        })]);
        var count = invalid.Errors.Length;
        return ProblemCatalogue.ValidationFailed
            .With(count == 1
                ? $"{invalid.Errors[0].Field}: {invalid.Errors[0].Message}"
                : Text($"{count} values are not possible."))
            .And("errors", errors);
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static string Instant(DateTimeOffset at) =>
        at.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
