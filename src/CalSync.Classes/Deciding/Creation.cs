using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using CalSync.Calendar;

namespace CalSync.Classes.Deciding;

/// <summary>Decides the creation of a class.</summary>
internal static class Creation
{
    public static Decision Decide(ClassCommand.CreateClass command, DecisionContext context)
    {
        if (MayCreate(command, context) is { } denied)
            return ClassDecider.Refuse(denied);
        var checks = new FieldChecks();
        var title = checks.Line("title", command.Title, ClassLimits.TitleLengthMax, "Pottery for beginners");
        var description = checks.Text(
            "description", command.Description, ClassLimits.DescriptionLengthMax, true);
        var location = checks.Text("location", command.Location, ClassLimits.LocationLengthMax, false);
        var capacity = checks.Number(
            "capacity", command.Capacity, ClassLimits.CapacityMin, ClassLimits.CapacityMax, "12");
        var (minor, currency) = checks.Price(command.Price);
        var zone = SlotTimes.Zone(checks, "timeZone", command.TimeZone);
        var schedules = Schedules(checks, command.Schedules, zone, context.Now);
        if (!checks.Passed || zone is null)
            return ClassDecider.Refuse(checks.Refusal);
        if (context.Target is not { } target)
            return ClassDecider.Refuse(new Refusal.NoCalendar());

        var instructor = context.Person!.Id;
        var hash = ContentHash(title, location, zone, instructor, schedules);
        var lookalike = command.AllowDuplicate ? null : context.FindLookalike?.Invoke(hash);
        if (lookalike is not null && !context.IntentNamed)
            return ClassDecider.Refuse(new Refusal.LooksDuplicate(lookalike.ClassId, lookalike.CreatedAt));

        var state = new ClassState
        {
            Id = context.NextId("cls"),
            TenantId = context.Actor.TenantId,
            InstructorId = instructor,
            Title = title,
            Description = description,
            Location = location,
            TimeZone = zone.Id,
            Capacity = (int)capacity,
            Conference = command.Conference,
            PriceMinor = minor,
            Currency = currency,
            Stage = Stage.Scheduled,
            ContentHash = hash,
            Version = 1,
            CreatedAt = context.Now,
            UpdatedAt = context.Now,
        };
        return Open(state, command.Schedules, schedules, target, context, Warnings(lookalike));
    }

    private static Decision Open(
        ClassState state,
        ImmutableArray<ScheduleDraft> drafts,
        ImmutableArray<ImmutableArray<SlotTimes.Times>> schedules,
        CalendarTarget target,
        DecisionContext context,
        ImmutableArray<CommandWarning> warnings)
    {
        var rows = ImmutableArray.CreateBuilder<Schedule>(schedules.Length);
        var slots = ImmutableArray.CreateBuilder<Slot>();
        foreach (var (times, ordinal) in schedules.Select((times, ordinal) => (times, ordinal)))
        {
            var rrule = drafts[ordinal].Rrule?.Trim();
            rows.Add(
                new Schedule(context.NextId("sch"), ordinal, string.IsNullOrEmpty(rrule) ? null : rrule));
            foreach (var (start, end) in times.Select(time => (time.Start, time.End)))
            {
                var mirror = new SlotMirror(
                    context.NextId("mir"), target.ConnectionId, target.CalendarId, DesiredVersion: 1,
                    VerifiedVersion: 0);
                slots.Add(new Slot(
                    context.NextId("slt"), rows[ordinal].Id, start, end, Stage.Scheduled, 1, WantedVersion: 1,
                    mirror));
            }
        }

        var draft = new Draft(null, context);
        draft.Add(
            new ClassEvent.Created(
            state with { Schedules = rows.MoveToImmutable(), Slots = slots.DrainToImmutable() }));
        var operation = draft.Open(
            OperationKind.ClassCreate,
            [.. draft.State.Slots.Select(slot => new OperationStep(slot.Id, slot.Mirror.Id, 1))]);
        return draft.Accept(null, operation.Id, warnings);
    }

    private static Refusal? MayCreate(ClassCommand.CreateClass command, DecisionContext context)
    {
        var actor = context.Actor;
        if (actor.Role is Role.Student or Role.Operator)
            return new Refusal.Forbidden("create a class");
        if (actor.Role == Role.Instructor && command.InstructorId is { } other && !Access.Is(actor, other))
            return new Refusal.Forbidden("create a class for another instructor");
        return context.Person is { Role: Role.Instructor or Role.Admin }
            ? null
            : new Refusal.NotFound("instructor");
    }

    private static ImmutableArray<ImmutableArray<SlotTimes.Times>> Schedules(
        FieldChecks checks, ImmutableArray<ScheduleDraft> drafts, CalendarZone? zone, DateTimeOffset now)
    {
        if (drafts.IsDefaultOrEmpty || drafts.Length > ClassLimits.ScheduleCountMax)
        {
            checks.Add(
                "schedules",
                drafts.IsDefaultOrEmpty ? "required" : "too_many",
                $"A class has 1 to {ClassLimits.ScheduleCountMax} schedules.");
            return [];
        }

        if (zone is null)
            return [];
        var room = ClassLimits.SlotCountMax;
        var schedules = ImmutableArray.CreateBuilder<ImmutableArray<SlotTimes.Times>>(drafts.Length);
        for (var i = 0; i < drafts.Length; i++)
        {
            if (drafts[i] is not { } draft)
            {
                checks.Add($"schedules[{i}]", "required", "A schedule must not be null.");
                continue;
            }

            var times = SlotTimes.Schedule(checks, $"schedules[{i}]", draft, zone, now, room);
            room = Math.Max(0, room - times.Length);
            schedules.Add(times);
        }

        return schedules.DrainToImmutable();
    }

    private static ImmutableArray<CommandWarning> Warnings(Lookalike? lookalike) => lookalike is null
        ? []
        : [new CommandWarning(
            "looks_duplicate", $"It looks like the class {lookalike.ClassId} made minutes ago.")];

    private static string ContentHash(
        string title,
        string? location,
        CalendarZone zone,
        string instructorId,
        ImmutableArray<ImmutableArray<SlotTimes.Times>> schedules)
    {
        var text = new StringBuilder();
        foreach (var part in (string?[])[title.ToUpperInvariant(), location, zone.Id, instructorId])
            text.Append(part).Append('\n');
        foreach (var times in schedules.SelectMany(times => times).OrderBy(times => times.Start.Instant))
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $"{times.Start.Instant.UtcTicks}-{times.End.Instant.UtcTicks}\n");
        }

        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }
}
