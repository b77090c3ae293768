using System.Collections.Immutable;
using System.Globalization;
using CalSync.Calendar;
using NodaTime;

namespace CalSync.Classes.Deciding;

/// <summary>Turns the times somebody asks for into wall time, zone and instant that agree.
/// R-CAL-09-P.</summary>
internal static class SlotTimes
{
    private const string ExampleTime = "2026-03-09T09:00";

    public readonly record struct Times(ZonedTime Start, ZonedTime End);

    public static CalendarZone? Zone(FieldChecks checks, string field, string? name)
    {
        if (string.IsNullOrWhiteSpace(name))
        {
            checks.Add(
                field, "required", $"The field {field} is required: an IANA time zone.", "Europe/Lisbon");
            return null;
        }

        switch (CalendarZone.Resolve(name.Trim()))
        {
            case ZoneResolution.Found found:
                return found.Zone;
            case ZoneResolution.Unknown unknown:
                var hint = unknown.Suggestions.IsEmpty
                    ? ""
                    : $" Did you mean {string.Join(" or ", unknown.Suggestions)}?";
                checks.Add(
                    field,
                    "invalid_time_zone",
                    $"No time zone is meant by '{Shown(unknown.Name)}'.{hint}",
                    unknown.Suggestions.IsEmpty ? "Europe/Lisbon" : unknown.Suggestions[0],
                    new Refusal.InvalidTimeZone(field, Shown(unknown.Name), unknown.Suggestions));
                return null;
            default:
                throw new System.Diagnostics.UnreachableException("Unknown zone resolution.");
        }
    }

    /// <summary>One slot. Null when something is wrong; the checks then say what.</summary>
    /// <remarks><c>keep</c> is the wall-clock length without an end or duration; without it one is
    /// required.</remarks>
    public static Times? Slot(
        FieldChecks checks, string path, SlotDraft draft, CalendarZone zone, DateTimeOffset now,
        Period? keep = null)
    {
        var start = Wall(checks, $"{path}.start", draft.Start, draft.Offset, draft.Fold, zone);
        if (start is not null && !StartsInBounds(checks, path, start, now))
            start = null;
        var end = End(checks, path, draft, zone, start, keep);
        if (start is null || end is null)
            return null;
        return LastsInBounds(checks, path, start, end) ? new Times(start, end) : null;
    }

    /// <summary>Every slot of a schedule, repeated by its rule. Bounded by <paramref name="room"/>.</summary>
    public static ImmutableArray<Times> Schedule(
        FieldChecks checks, string path, ScheduleDraft draft, CalendarZone zone, DateTimeOffset now, int room)
    {
        if (draft.Slots.IsDefaultOrEmpty)
        {
            checks.Add($"{path}.slots", "required", $"The schedule {path} needs at least one slot.");
            return [];
        }

        if (draft.Slots.Length > room)
        {
            AddTooMany(checks, path);
            return [];
        }

        var rule = Rule(checks, path, draft.Rrule);
        var times = ImmutableArray.CreateBuilder<Times>();
        for (var i = 0; i < draft.Slots.Length && times.Count <= room; i++)
        {
            if (draft.Slots[i] is not { } slot)
                checks.Add($"{path}.slots[{i}]", "required", "A slot must not be null.");
            else if (Slot(checks, $"{path}.slots[{i}]", slot, zone, now) is not { } first)
                continue;
            else if (rule is null)
                times.Add(first);
            else
                Repeat(checks, $"{path}.slots[{i}]", rule, first, now, room + 1 - times.Count, times);
        }

        if (times.Count > room)
            AddTooMany(checks, path);
        return times.DrainToImmutable();
    }

    private static void Repeat(
        FieldChecks checks,
        string path,
        Recur rule,
        Times first,
        DateTimeOffset now,
        int countMax,
        ImmutableArray<Times>.Builder into)
    {
        var start = new RecurrenceStart.Timed(first.Start.Local, first.Start.Zone);
        if (RecurrenceSet.Parse([$"RRULE:{rule}"], start) is not RecurrenceSetParse.Parsed parsed)
        {
            checks.Add($"{path}.start", "invalid_rrule", "The rule cannot repeat this slot.");
            return;
        }

        // The series keeps its time on the wall; REC-1 says what a gap or overlap does to one instance.
        var length = Period.Between(
            first.Start.Local, first.End.Local, PeriodUnits.Days | PeriodUnits.AllTimeUnits);
        foreach (var step in parsed.Set.Occurrences(null, new OccurrenceLimits(countMax, 10_000)))
        {
            if (step is not OccurrenceStep.Timed timed)
                continue;
            if (!StartsInBounds(checks, path, timed.Start, now))
                return;
            var again = timed.Start.Local == first.Start.Local
                ? first
                : new Times(timed.Start, AtForward(timed.Start.Local + length, timed.Start.Zone));
            if (!LastsInBounds(checks, path, again.Start, again.End))
                return;
            into.Add(again);
        }
    }

    private static Recur? Rule(FieldChecks checks, string path, string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
            return null;
        var rule = text.Trim();
        if (rule.StartsWith("RRULE:", StringComparison.OrdinalIgnoreCase))
            rule = rule["RRULE:".Length..];
        const string Example = "FREQ=WEEKLY;COUNT=10";
        if (rule.Length > ClassLimits.RruleLengthMax)
        {
            checks.Add(
                $"{path}.rrule", "too_long", $"A rule may have {ClassLimits.RruleLengthMax} characters.",
                Example);
            return null;
        }

        switch (Recur.Parse(rule))
        {
            case RecurParse.Parsed { Recur: { Count: null, Until: null } }:
                checks.Add(
                    $"{path}.rrule", "unbounded_rrule", "The rule must end by COUNT or UNTIL.", Example);
                return null;
            case RecurParse.Parsed
            {
                Recur.Frequency: Frequency.Secondly or Frequency.Minutely
                or Frequency.Hourly
            }:
                checks.Add($"{path}.rrule", "invalid_rrule", "A class repeats daily or less often.", Example);
                return null;
            case RecurParse.Parsed parsed:
                return parsed.Recur;
            case RecurParse.Malformed wrong:
                checks.Add(
                    $"{path}.rrule",
                    "invalid_rrule",
                    $"At character {wrong.Offset + 1} the rule needs {wrong.Expected}.",
                    Example);
                return null;
            default:
                checks.Add($"{path}.rrule", "invalid_rrule", "RSCALE and SKIP are not supported.", Example);
                return null;
        }
    }

    private static ZonedTime? End(
        FieldChecks checks, string path, SlotDraft draft, CalendarZone zone, ZonedTime? start, Period? keep)
    {
        var max = (int)ClassLimits.SlotDurationMax.TotalMinutes;
        switch (draft.End, draft.DurationMinutes)
        {
            case ({ } end, null):
                return Wall(checks, $"{path}.end", end, null, draft.EndFold, zone);
            case (null, { } minutes) when minutes >= 1 && minutes <= max:
                return start is null ? null : ZonedTime.FromInstant(start.Instant.AddMinutes(minutes), zone);
            case (null, { }):
                checks.Add(
                    $"{path}.durationMinutes", "out_of_range", $"A slot lasts 1 to {max} minutes.", "60");
                return null;
            case (null, null) when keep is not null:
                return start is null ? null : AtForward(start.Local + keep, zone);
            default:
                checks.Add(
                    $"{path}.end", "required", "Give the slot's end or its duration, one of them.",
                    ExampleTime);
                return null;
        }
    }

    private static ZonedTime? Wall(
        FieldChecks checks, string field, string? text, string? offsetText, int? fold, CalendarZone zone)
    {
        if (Read(checks, field, text, offsetText) is not var (local, offset)
            || !FoldIsKnown(checks, field, fold))
        {
            return null;
        }

        switch (ZonedTime.Resolve(local, zone))
        {
            case WallTimeResolution.Exact exact:
                return Agrees(checks, field, exact.Time, offset);
            case WallTimeResolution.Overlap both when fold is not null:
                return Agrees(checks, field, fold == 0 ? both.Earlier : both.Later, offset);
            case WallTimeResolution.Overlap both when offset is not null:
                return Agrees(checks, field, offset == both.Later.Offset ? both.Later : both.Earlier, offset);
            case WallTimeResolution.Overlap both:
                var (earlier, later) = (both.Earlier.ToRfc3339(), both.Later.ToRfc3339());
                checks.Add(
                    field,
                    "ambiguous_local_time",
                    $"{text} happens twice in {zone.Id}: send fold 0 for {earlier} or fold 1 for {later}.",
                    earlier,
                    new Refusal.AmbiguousLocalTime(field, Shown(text!), zone.Id, earlier, later));
                return null;
            case WallTimeResolution.Gap gap:
                var next = gap.ShiftedForward.ToRfc3339();
                checks.Add(
                    field,
                    "nonexistent_local_time",
                    $"{text} does not happen in {zone.Id}: clocks jump over it; the wall then shows {next}.",
                    next,
                    new Refusal.NonexistentLocalTime(field, Shown(text!), zone.Id, next));
                return null;
            default:
                throw new System.Diagnostics.UnreachableException("Unknown wall time resolution.");
        }
    }

    private static (LocalDateTime Local, TimeSpan? Offset)? Read(
        FieldChecks checks, string field, string? text, string? offsetText)
    {
        if (string.IsNullOrEmpty(text))
        {
            checks.Add(field, "required", $"The field {field} is required: local time.", ExampleTime);
            return null;
        }

        if (!LocalTimeText.TryParse(text, out var local, out var problem))
        {
            if (Rfc3339.TryParse(text, out var moment))
                return (LocalDateTime.FromDateTime(moment.DateTime), moment.Offset);
            checks.Add(
                field, "invalid_time", $"At character {problem.Offset + 1} expected {problem.Expected}.",
                ExampleTime);
            return null;
        }

        if (offsetText is null)
            return (local, null);
        if (Rfc3339.TryParse($"{LocalTimeText.Write(local)}{offsetText}", out var zoned))
            return (local, zoned.Offset);
        checks.Add(
            field.Replace(".start", ".offset", StringComparison.Ordinal),
            "invalid_offset",
            "An offset is Z or hours and minutes with a sign.",
            "-03:00");
        return null;
    }

    private static bool FoldIsKnown(FieldChecks checks, string field, int? fold)
    {
        if (fold is null or 0 or 1)
            return true;
        checks.Add(field, "out_of_range", "A fold is 0 for the first pass or 1 for the second.", "0");
        return false;
    }

    private static ZonedTime? Agrees(FieldChecks checks, string field, ZonedTime time, TimeSpan? offset)
    {
        if (offset is null || offset == time.Offset)
            return time;
        var (sent, zone) = (OffsetText(offset.Value), OffsetText(time.Offset));
        var local = LocalTimeText.Write(time.Local);
        checks.Add(
            field,
            "offset_zone_mismatch",
            $"At {local} the zone {time.Zone.Id} has offset {zone}, not {sent}.",
            time.ToRfc3339(),
            new Refusal.OffsetZoneMismatch(field, local, time.Zone.Id, sent, zone));
        return null;
    }

    private static bool StartsInBounds(FieldChecks checks, string path, ZonedTime start, DateTimeOffset now)
    {
        if (start.Instant >= now - ClassLimits.SlotBehindMax
            && start.Instant <= now + ClassLimits.SlotAheadMax)
        {
            return true;
        }

        checks.Add($"{path}.start", "out_of_range", "A slot starts within 2 years back and 10 years ahead.");
        return false;
    }

    private static bool LastsInBounds(FieldChecks checks, string path, ZonedTime start, ZonedTime end)
    {
        if (end.Instant > start.Instant && end.Instant - start.Instant <= ClassLimits.SlotDurationMax)
            return true;
        checks.Add($"{path}.end", "out_of_range", "A slot ends after its start and within 7 days of it.");
        return false;
    }

    /// <summary>A wall time under REC-1: shifted over a gap, the first pass in an overlap.</summary>
    private static ZonedTime AtForward(LocalDateTime local, CalendarZone zone) =>
        ZonedTime.Resolve(local, zone) switch
        {
            WallTimeResolution.Exact exact => exact.Time,
            WallTimeResolution.Gap gap => gap.ShiftedForward,
            WallTimeResolution.Overlap overlap => overlap.Earlier,
            _ => throw new System.Diagnostics.UnreachableException("Unknown wall time resolution."),
        };

    private static void AddTooMany(FieldChecks checks, string path) => checks.Add(
        $"{path}.slots", "too_many", $"A class may have at most {ClassLimits.SlotCountMax} slots.");

    private static string OffsetText(TimeSpan offset) =>
        (offset < TimeSpan.Zero ? "-" : "+") + offset.ToString(@"hh\:mm", CultureInfo.InvariantCulture);

    private static string Shown(string text) => text.Length <= 64 ? text : text[..64];
}
